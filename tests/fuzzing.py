"""Hostile files: models that are changed at random are loaded and run, in processes that are watched.

::

    seeds (.onnx, .sdx) ─▶ mutate(number) ─▶ load ─▶ run on a few rows
                                               └─────────┴─▶ an exception of ours, or answers: never anything else

Case number n is always the same file, so what is found can be tried again: ``python -m tests.fuzzing --only n``.
``scripts/fuzz 100000`` runs that many under the sanitizers. Changes are to bytes (bits, lengths, pieces of other files)
and to messages (numbers, shapes, names, repeated and missing parts), which leave a file that parses.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import select
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.parser

import sardonyx
from sardonyx.errors import SardonyxError

#: memory of a worker, and the seconds that a case may take
MEMORY, PATIENCE = 6 << 30, 30.0
NUMBERS = (0, 1, -1, 2, 7, 255, 1 << 15, 1 << 31, (1 << 31) - 1, -(1 << 31), 1 << 40, (1 << 63) - 1, -(1 << 63))
FLOATS = (0.0, -0.0, 1.0, -1.0, float("nan"), float("inf"), float("-inf"), 1e38, 1e-45, 65536.0)


# ---- seeds -----------------------------------------------------------------------------------------------------------


def estimators() -> Iterator[tuple[Any, Any]]:
    from sklearn.cluster import KMeans
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from sklearn.svm import SVC, SVR

    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3)).astype(np.float32)
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)
    words = np.array([["a", "b"], ["c", "b"], ["a", "ä"]] * 4, object)
    yield make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(X, y), X
    yield RandomForestClassifier(3, max_depth=3, random_state=0).fit(X, y), X
    yield HistGradientBoostingClassifier(max_iter=2, max_leaf_nodes=4, min_samples_leaf=3).fit(X, y), X
    yield SVC(random_state=0).fit(X, y), X
    yield SVR(kernel="poly").fit(X, X[:, 0]), X
    yield KNeighborsClassifier(3).fit(X, y), X
    yield GaussianProcessRegressor().fit(X[:10], X[:10, 0]), X
    yield KMeans(2, n_init=1, random_state=0).fit(X), X
    yield OneHotEncoder(handle_unknown="ignore").fit(words), words


#: what no estimator writes: text that is made, floats of 16 bits, what is made of rows at the end
OTHERS = (
    """g (string[N, 2] x, float[N, 2] v) => (string[N, 2] y, float[N, 2] z, string[a, b, c] parts, int64[N, 2] count)
    { u = StringNormalizer<case_change_action = "UPPER">(x) y = StringConcat(u, x) t = Cast<to = 8>(v)
    z = Cast<to = 1>(t) parts, count = StringSplit(y) }""",
    """g (float16[N, 4] x) => (float16[N, 2, 2] y, float16[N, 4] z, string[N, 4] t, seq(map(int64, float)) maps)
    <int64[3] shape = {-1, 2, 2}> { a = Add(x, x) r = Reshape(a, shape) y = Transpose<perm = [0, 2, 1]>(r)
    z = Softmax<axis = 1>(x) t = Cast<to = 8>(x) w = Cast<to = 1>(x)
    maps = ai.onnx.ml.ZipMap<classlabels_int64s = [1, 2, 3, 4]>(w) }""",
    """g (float[N, 2] x) => (float[N, 1] y) { y = ai.onnx.ml.SVMRegressor<kernel_type = "SIGMOID", n_supports = 2,
    kernel_params = [0.5, 0.1, 3.0], coefficients = [1.0, -1.0], rho = [0.5],
    support_vectors = [1.0, 2.0, 3.0, 4.0]>(x) }""",
)


def others() -> Iterator[bytes]:
    for text in OTHERS:
        model = onnx.parser.parse_model(f'<ir_version: 10, opset_import: ["": 21, "ai.onnx.ml": 3]> {text}')
        yield from (model.SerializeToString(), *_compiled(model))


def seeds() -> list[bytes]:
    """Return small models of ours and of skl2onnx, and compiled programs."""
    from skl2onnx import to_onnx

    from .conformance_models import classical_models

    files: list[bytes] = [model.SerializeToString() for model in classical_models()]
    for estimator, X in estimators():
        ours = sardonyx.to_onnx(estimator, X)
        files += [ours.SerializeToString(), *_compiled(ours)]
        try:
            files.append(to_onnx(estimator, X[:1]).SerializeToString())
        except Exception:  # skl2onnx has no model for some
            continue
    return [*files, *others()]


def _compiled(model: onnx.ModelProto) -> list[bytes]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "model.sdx"
        try:
            sardonyx.load(model).save(path)
        except SardonyxError:
            return []
        return [path.read_bytes()]


# ---- changes ---------------------------------------------------------------------------------------------------------


def mutate(files: list[bytes], number: int) -> bytes:
    """Return case `number`."""
    rng = random.Random(number)
    file = rng.choice(files)
    if rng.random() < 0.6 and not file.startswith(b"\x93SDX"):
        return _changed_messages(file, rng)
    return _changed_bytes(file, files, rng)


def _changed_bytes(file: bytes, files: list[bytes], rng: random.Random) -> bytes:
    content = bytearray(file)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        at = rng.randrange(len(content)) if content else 0
        kind = rng.randrange(6)
        if kind == 0:
            content[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 1 and content:
            content[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            del content[at : at + rng.choice((1, 4, 64, len(content)))]
        elif kind == 3:
            other = rng.choice(files)
            start = rng.randrange(len(other))
            content[at:at] = other[start : start + rng.choice((1, 8, 100))]
        elif kind == 4:
            content[at : at + 8] = rng.choice(NUMBERS).to_bytes(8, "little", signed=True)
        else:
            content[at:at] = content[at : at + rng.choice((1, 8, 100))]
    return bytes(content)


def _changed_messages(file: bytes, rng: random.Random) -> bytes:
    model = onnx.load_model_from_string(file)
    names = [n for node in model.graph.node for n in (*node.input, *node.output)] + [""]
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        _change(rng.choice(list(_messages(model))), rng, names)
    content: bytes = model.SerializeToString()
    return content


def _messages(message: Any) -> Iterator[Any]:
    """Yield a message and those in it, but only some of long lists."""
    yield message
    for field, value in message.ListFields():
        if field.type != field.TYPE_MESSAGE:
            continue
        for item in list(value)[:50] if _is_list(field) else [value]:
            yield from _messages(item)


def _is_list(field: Any) -> bool:
    return bool(getattr(field, "is_repeated", None) if hasattr(field, "is_repeated") else field.label == 3)


def _change(message: Any, rng: random.Random, names: list[str]) -> None:
    fields = message.DESCRIPTOR.fields
    present = [field for field, _ in message.ListFields()]
    field = rng.choice(present) if present and rng.random() < 0.9 else rng.choice(fields)
    if _is_list(field):
        _change_list(getattr(message, field.name), field, rng, names)
    elif field.type == field.TYPE_MESSAGE or rng.random() < 0.1:
        message.ClearField(field.name)
    else:
        try:
            setattr(message, field.name, _value(field, rng, names, getattr(message, field.name)))
        except (ValueError, TypeError):  # not a value that the message can hold
            message.ClearField(field.name)


def _change_list(values: Any, field: Any, rng: random.Random, names: list[str]) -> None:
    kind, at = rng.randrange(5), rng.randrange(len(values)) if len(values) else 0
    if field.type == field.TYPE_MESSAGE:
        if not len(values):
            return
        if kind == 0:
            del values[at]
        elif kind == 1:
            values.add().CopyFrom(values[at])
        else:
            other = rng.randrange(len(values))
            copy = type(values[at])()
            copy.CopyFrom(values[at])
            values[at].CopyFrom(values[other])
            values[other].CopyFrom(copy)
        return
    if kind == 0 and len(values):
        del values[at:]
    elif kind == 1 and len(values):
        values.append(values[at])
    elif len(values):
        try:
            values[at] = _value(field, rng, names, values[at])
        except (ValueError, TypeError):
            del values[at]
    else:
        values.extend([])


def _value(field: Any, rng: random.Random, names: list[str], old: Any) -> Any:
    if field.type in (field.TYPE_FLOAT, field.TYPE_DOUBLE):
        return rng.choice(FLOATS)
    if field.type == field.TYPE_STRING:
        return rng.choice([*names, old + "x", "\ud7ff", "Add", "TreeEnsemble"])
    if field.type == field.TYPE_BYTES:
        return rng.choice([b"", old[:-1], old + b"\xff", old[::-1], b"NONE", b"MAX", b"BRANCH_GT"])
    return rng.choice([*NUMBERS, int(old) + 1, int(old) - 1]) if field.type != field.TYPE_ENUM else rng.randrange(24)


# ---- trying ----------------------------------------------------------------------------------------------------------


def attempt(file: bytes) -> str:
    """Load and run a file; return what came of it.

    Raises
    ------
    Exception
        Any that is not ours: a finding.
    """
    try:
        session = sardonyx.load(file)
    except (SardonyxError, MemoryError):
        return "refused"
    for rows in (0, 1, 5):
        try:
            session.run(None, _feeds(session, rows))
        except (SardonyxError, MemoryError):
            return "refused while running"
    return "ran"


def _feeds(session: Any, rows: int) -> dict[str, Any]:
    feeds = {}
    for arg in session.get_inputs():
        shape = [n if isinstance(n, int) else rows for n in arg.shape]
        if any(n < 0 for n in shape) or float(np.prod([max(n, 1) for n in shape], dtype=float)) > 1e6:
            shape = [rows]
        name = arg.type.removeprefix("tensor(").removesuffix(")")
        if name == "string":
            feeds[arg.name] = np.full(shape, "ü", object)
        else:
            known = {"float": "float32", "double": "float64"}.get(name, name)
            try:
                feeds[arg.name] = np.ones(shape, known)
            except (TypeError, ValueError):
                feeds[arg.name] = np.ones(shape, np.float32)
    return feeds


def work(files: list[bytes], numbers: range, seconds: float = float("inf")) -> None:
    """Try cases, a line of JSON for each: the number before, what came of it after."""
    stop = time.monotonic() + seconds
    for number in numbers:
        if time.monotonic() > stop:
            break
        print(json.dumps([number, "began"]), flush=True)
        try:
            outcome = attempt(mutate(files, number))
        except Exception as error:
            outcome = f"escaped: {type(error).__name__}: {str(error)[:300]}"
        print(json.dumps([number, outcome]), flush=True)


class Watch:
    """Runs cases in a process of its own; one that dies or hangs is a finding, and another goes on behind it."""

    def __init__(self, seeds_path: str) -> None:
        self.seeds_path = seeds_path
        self.outcomes: Counter[str] = Counter()
        self.findings: list[tuple[int, str]] = []

    def run(self, first: int, count: int, seconds: float = float("inf")) -> None:
        stop, number = time.monotonic() + seconds, first
        while number < first + count and time.monotonic() < stop:
            number = self._until_one_falls(number, first + count, stop - time.monotonic())

    def _until_one_falls(self, number: int, end: int, seconds: float) -> int:
        given = [self.seeds_path, str(number), str(end), str(seconds)]
        command = [sys.executable, "-m", "tests.fuzzing", "--worker", *given]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        while True:
            ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
            line = process.stdout.readline() if ready else ""
            if not line:
                return self._fallen(process, number, end, hanging=not ready)
            number, outcome = json.loads(line)
            if outcome == "began":
                continue
            self.outcomes[outcome.split(":")[0]] += 1
            if outcome.startswith("escaped"):
                self.findings.append((number, outcome))
            number += 1

    def _fallen(self, process: Any, number: int, end: int, *, hanging: bool) -> int:
        if hanging:
            process.kill()
        _, errors = process.communicate()
        if not hanging and process.returncode == 0:
            return end
        what = "hangs" if hanging else f"dies with {process.returncode}: {errors[-1500:]}"
        self.findings.append((number, what))
        self.outcomes["hangs" if hanging else "dies"] += 1
        return number + 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=1000, help="how many files")
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--only", type=int, help="try this one here, and show what it raises")
    parser.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    if given.worker:
        if "libasan" not in os.environ.get("LD_PRELOAD", ""):  # which maps terabytes for itself
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        path, first, end, seconds = given.worker
        work(read(path), range(int(first), int(end)), float(seconds))
        return
    if given.only is not None:
        print(attempt(mutate(seeds(), given.only)))
        return
    with tempfile.TemporaryDirectory() as directory:
        watch = Watch(write(seeds(), Path(directory) / "seeds"))
        watch.run(given.first, given.count)
    print(dict(watch.outcomes))
    for number, what in watch.findings:
        print(number, what)
    sys.exit(bool(watch.findings))


def write(files: list[bytes], path: Path) -> str:
    path.write_text(json.dumps([file.hex() for file in files]))
    return str(path)


def read(path: str) -> list[bytes]:
    return [bytes.fromhex(file) for file in json.loads(Path(path).read_text())]


__all__ = ["Watch", "attempt", "mutate", "seeds", "work", "write"]

if __name__ == "__main__":
    main()
