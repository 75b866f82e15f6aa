"""Does the converted model say what the estimator says? Asked of every method, in every runtime at hand.

::

    rows: the user's, the first alone, rows made to hurt (hurting.py)
      ├─ estimator.method(rows)       what is right; rows that it refuses are left out
      └─ sardonyx, ONNX Runtime       compared with it, row by row ──▶ Report

What agreeing means is in agreement.py.
"""

from __future__ import annotations

import contextlib
import importlib.util
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..description import Description, Form, Method, Proof
from ..errors import InputError, ModelError
from ..inputs.containers import columns_of, is_frame, is_sparse, plain
from ..lowering.sdx import MAGIC
from ..operators.text import REFUSAL
from ..registry import ask
from ..session.loading import load, parse_onnx
from ..session.ragged import encode, is_coded
from ..session.session import Session
from .agreement import Noise, Report, Run, Verdict, attempt, check_proof, judge, largest_float, rows_first
from .hurting import Batch, hurting_batches, nudged, number_of_rows, rows_of, spread

if TYPE_CHECKING:
    import onnx

Array: TypeAlias = NDArray[Any]

#: what estimators raise for rows that they refuse
REFUSALS: Final = (ValueError, TypeError, OverflowError, FloatingPointError, LookupError, AttributeError)
#: times that the estimator's own rounding is measured
NUDGES: Final = 32
#: rows that are asked beside those in question, to see whether that makes a difference
COMPANY: Final = (1, 3, 30)
#: ... and how many of them are asked alone, each, at most
MOST_ALONE: Final = 200
#: rows of the user's that are compared at once, and that a file carries as its proof
CHUNK, PROOF_ROWS, PROOF_NUMBERS = 10_000, 8, 4096
#: numbers that rows of a sparse matrix stand for, compared at once
CHUNK_NUMBERS: Final = 1 << 22


def verify(estimator: Any, model: Any, X: Any) -> Report:
    """Compare a converted model with its estimator, in our runtime and, where installed, ONNX Runtime.

    Parameters
    ----------
    estimator : object
        The fitted estimator.
    model : ModelProto, path, bytes or Session
        What it was converted to. A compiled program runs in our runtime only.
    X : array-like, DataFrame or sparse matrix of shape (n_samples, n_features)
        Rows to compare on; rows made to hurt are added.

    Returns
    -------
    Report

    Raises
    ------
    ModelError
        If the model cannot be loaded, or does not say which outputs are which method's.
    InputError
        If there is nothing to compare: no rows, or none that the estimator accepts.
    """
    session = model if isinstance(model, Session) else load(model)
    proto = None if model is session else _proto_of(model)
    runs: dict[str, Run | str] = {"sardonyx": session.run}
    if proto is not None and importlib.util.find_spec("onnxruntime") is not None:
        runs["onnxruntime"] = _onnxruntime(proto.SerializeToString())
    report = compare(
        estimator, session, runs, [*_batches(X), *(hurting_batches(X, proto) if number_of_rows(X) else ())]
    )
    if report.ok and not any(verdict.rows for verdict in report.verdicts):
        raise InputError(
            f"nothing could be compared: X has {number_of_rows(X)} rows, and {type(estimator).__name__} "
            f"accepts none of them{_its_words(estimator, session, X)}. Give rows such as it was fitted on."
        )
    return report


def _its_words(estimator: Any, session: Session, X: Any) -> str:
    """Return what an estimator says of rows that it refuses."""
    try:
        for method in session.methods if number_of_rows(X) else ():
            ask(estimator, method, X)
    except REFUSALS as error:
        return f" ({str(error).strip().rstrip('.')})"
    return ""


def verify_quickly(estimator: Any, session: Session, X: Any) -> Report:
    """Compare on some rows of the sample, in our runtime: what every conversion goes through."""
    rows = number_of_rows(X)
    most = min(100, _chunk(X))
    batches = [Batch("sample", rows_of(X, spread(rows, most)), min(rows, most))] if rows else []
    return compare(estimator, session, {"sardonyx": session.run}, [*batches, *_batches(X, most=1)])


def prove(estimator: Any, session: Session, X: Any) -> Description:
    """Return the session's description with a few rows, the estimator's answers to them, and their dtypes."""
    description = _description(session)
    width = sum(spec.width or 1 for spec in description.signature.inputs)
    most = min(PROOF_ROWS, max(1, PROOF_NUMBERS // max(1, width)))
    rows = rows_of(X, spread(number_of_rows(X), most))
    arrays: dict[str, Array] = {}
    methods: dict[str, Method] = {}
    for name, method in description.methods.items():
        result, answers = _ask_for_proof(estimator, name, method, rows)
        form: Form = "sparse" if is_sparse(result) else "array" if method.form == "sparse" else method.form
        dtypes = method.dtypes if is_coded(method) else _dtypes(method, result, answers)
        methods[name] = replace(method, form=form, dtypes=dtypes)
        arrays.update(zip(method.outputs, answers, strict=True))
    proof = Proof(session.feeds(rows), arrays)
    found = replace(description, methods=methods, proof=proof)
    return replace(found, proof=replace(proof, noise=_noise_of_proof(estimator, found, session, rows, proof)))


def _noise_of_proof(
    estimator: Any, description: Description, session: Session, X: Any, proof: Proof
) -> dict[str, float]:
    """Return how far ours are from the estimator's answers where those are noise; what is no noise is raised."""
    if check_proof(description, session.run).ok:
        return {}
    compare(estimator, session, {"sardonyx": session.run}, [Batch("proof", X, number_of_rows(X))]).raise_if_wrong()
    every = dict.fromkeys(o for m in description.methods.values() for o in m.outputs)
    names = [name for name in every if proof.outputs[name].dtype.kind == "f"]
    gaps = {name: _gap(a, proof.outputs[name]) for name, a in zip(names, session.run(names, proof.inputs), strict=True)}
    return {name: gap for name, gap in gaps.items() if gap > 0}


def _gap(ours: Array, right: Array) -> float:
    with np.errstate(all="ignore"):
        gap = np.abs(ours.astype(np.float64) - right)
    return float(gap[np.isfinite(gap)].max(initial=0))


def compare(estimator: Any, session: Session, runs: dict[str, Run | str], batches: Iterable[Batch]) -> Report:
    """Compare runtimes with an estimator on batches of rows; a runtime that is a text could not load the model."""
    description = _description(session)
    verdicts = {
        (method, runtime): Verdict(method, runtime, worst="" if callable(run) else run)
        for method in description.methods
        for runtime, run in runs.items()
    }
    scales: dict[str, list[float]] = {}
    for batch in batches:
        for name, method in description.methods.items():
            parts = list(_accepted(estimator, name, method, batch.X, np.arange(batch.rows)))
            refused = batch.rows - sum(len(rows) for rows, _ in parts)
            if parts:
                scales.setdefault(name, [largest_float(array) for array in parts[0][1]])
            for runtime, run in runs.items():
                verdict = verdicts[name, runtime]
                verdict = replace(verdict, refused=verdict.refused + refused)
                if callable(run):
                    judged = partial(_judged, estimator=estimator, session=session, run=run, batch=batch)
                    verdict = reduce(partial(judged, scales=scales.get(name, ())), parts, verdict)
                verdicts[name, runtime] = verdict
    return Report(description.estimator, tuple(verdicts.values()))


def _judged(
    before: Verdict,
    part: tuple[Array, list[Array]],
    *,
    estimator: Any,
    session: Session,
    run: Run,
    batch: Batch,
    scales: Sequence[float],
) -> Verdict:
    """Return a verdict with rows counted that the estimator was given together: it may look at all of them at once."""
    rows, expected = part
    description, X = _description(session), rows_of(batch.X, rows)
    method = description.methods[before.method]
    feeds = session.sparse_feeds(X) if before.runtime == "sardonyx" else session.feeds(X)
    kept, actual = _treated(run, method.outputs, feeds, len(rows))
    actual = actual if isinstance(actual, str) else rows_first(method, actual)
    before = replace(before, untreated=before.untreated + len(rows) - len(kept))
    noise = partial(_own_rounding, estimator, before.method, method, X)
    right = [array[kept] for array in rows_first(method, expected)]
    noise = partial(_of_some, noise, kept)
    return judge(before, batch.label, rows[kept], actual, right, description.single, noise, scales)


# ---- what the estimator says -----------------------------------------------------------------------------------------


def _batches(X: Any, most: int = 2**62) -> Iterator[Batch]:
    rows, chunk = min(number_of_rows(X), most), _chunk(X)
    for start in range(0, rows, chunk):
        stop = min(start + chunk, rows)
        yield Batch(
            f"rows {start} to {stop - 1}" if most > 1 else "one row", rows_of(X, np.arange(start, stop)), stop - start
        )
    if rows > 1:
        yield Batch("one row", rows_of(X, np.arange(1)), 1)


def _chunk(X: Any) -> int:
    """Return how many rows are compared at once: few of a wide sparse matrix, as answers are compared dense."""
    return max(1, min(CHUNK, CHUNK_NUMBERS // max(1, X.shape[1]))) if is_sparse(X) else CHUNK


def _accepted(estimator: Any, name: str, method: Method, X: Any, rows: Array) -> Iterator[tuple[Array, list[Array]]]:
    """Yield (rows, answers), taking rows apart until the estimator refuses single ones only."""
    try:
        answers = _ask(estimator, name, method, rows_of(X, rows))
    except REFUSALS:
        if len(rows) > 1:
            for part in np.array_split(rows, 2):
                yield from _accepted(estimator, name, method, X, part)
        return
    yield rows, answers


def _treated(run: Run, names: Sequence[str], feeds: dict[str, Any], rows: int) -> tuple[Array, list[Array] | str]:
    """Return the rows that a runtime treats and its answers: not those that the file's standard operators refuse."""
    actual = attempt(run, names, feeds)
    if not isinstance(actual, str) or REFUSAL not in actual:
        return np.arange(rows), actual
    fine = [row for row in range(rows) if REFUSAL not in str(attempt(run, names, _rows_of_feeds(feeds, [row])))]
    return np.array(fine, np.int64), attempt(run, names, _rows_of_feeds(feeds, fine))


def _rows_of_feeds(feeds: dict[str, Any], rows: list[int]) -> dict[str, Any]:
    return {name: array[rows] for name, array in feeds.items()}


def _of_some(noise: Noise, kept: Array, output: int, rows: Array) -> tuple[Array, float]:
    """Return the estimator's own rounding for rows that are counted among those that are kept."""
    return noise(output, kept[rows])


def _own_rounding(estimator: Any, name: str, method: Method, X: Any, output: int, rows: Array) -> tuple[Array, float]:
    """Return how far the estimator's own answers for some rows move, and the most that one moves for no reason at all.

    They move with the last bit of the input; and with the company that a row is asked in, as matrix products add up in
    another order for one row than for many.
    """

    def ask(X: Any) -> Array:
        return rows_first(method, _ask(estimator, name, method, X))[output].astype(np.float64)

    X = rows_of(X, rows)
    try:
        before = ask(X)
    except REFUSALS:  # these rows without the others
        return np.zeros(0), 0.0
    most = np.zeros(before.shape)
    for again in _in_other_company(ask, X, len(rows)):
        most = _farther(most, before, again)
    contradicted = float(most.max(initial=0))
    for seed in range(NUDGES):
        most = _farther(most, before, partial(ask, nudged(X, seed)))
    return most, contradicted


def _farther(most: Array, before: Array, again: Callable[[], Array]) -> Array:
    with contextlib.suppress(*REFUSALS):
        after = again()
        return np.fmax(most, np.abs(after - before)) if after.shape == before.shape else most
    return most


def _in_other_company(ask: Callable[[Any], Array], X: Any, rows: int) -> Iterator[Callable[[], Array]]:
    """Yield ways to ask for the same rows: with others behind them, and, of few rows, each alone."""
    everyone = np.arange(rows)

    def beside(more: int) -> Array:
        return ask(rows_of(X, np.resize(everyone, rows + more)))[:rows]

    yield from (partial(beside, more) for more in COMPANY)
    if rows <= MOST_ALONE:
        yield lambda: np.concatenate([ask(rows_of(X, one)) for one in np.split(everyone, rows)])


def _ask(estimator: Any, name: str, method: Method, X: Any) -> list[Array]:
    """Return the arrays of an estimator's own method, one for each output of the model."""
    return _arrays(_result(estimator, name, X), method, X)


def _result(estimator: Any, name: str, X: Any) -> Any:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        given = X.copy() if hasattr(X, "copy") else X  # some estimators write into it, such as IterativeImputer
        return ask(estimator, name, given)


def _arrays(result: Any, method: Method, X: Any) -> list[Array]:
    if is_coded(method):
        return [encode(method, result)]
    if method.form in ("list", "tuple"):
        return [_dense(part) for part in result]
    array = restored(_dense(result), X, len(method.names))
    return [array[:, i : i + 1] for i in range(array.shape[1])] if method.form == "columns" else [array]


def _ask_for_proof(estimator: Any, name: str, method: Method, X: Any) -> tuple[Any, list[Array]]:
    try:
        result = _result(estimator, name, X)
        return result, _arrays(result, method, X)
    except REFUSALS as error:
        raise InputError(
            f"{type(estimator).__name__}.{name} refuses the sample: {error}\nGive rows that it accepts."
        ) from error


def restored(array: Array, X: Any, columns: int = 0) -> Array:
    """Return a row that lost its row dimension (SparsePCA and MiniBatchSparsePCA do that to one row alone) as a row.

    Of one number, only the number of named columns tells: where there are none, it is a label.
    """
    lost = array.ndim == 1 and (array.size > 1 or columns == 1) and number_of_rows(X) == 1
    return array[None] if lost else array


def _dense(result: Any) -> Array:
    array = np.asarray(result.toarray() if hasattr(result, "toarray") else result)
    return _without_na(array) if array.dtype == object and is_frame(result) else array


def _without_na(array: Array) -> Array:
    """Return objects with NaN for pd.NA, which no tensor holds and no file can write."""
    found = np.empty(array.size, dtype=object)
    found[:] = [np.nan if type(value).__name__ == "NAType" else value for value in array.ravel().tolist()]
    return found.reshape(array.shape)


def _dtype(array: Array) -> str:
    return "|O" if array.dtype.kind == "T" else array.dtype.str


def _dtypes(method: Method, result: Any, answers: Sequence[Array]) -> tuple[str, ...]:
    """Return the dtypes of the answers; of text beside numbers in a frame, whose array is objects, its columns'."""
    if method.form != "columns" or not is_frame(result):
        return tuple(map(_dtype, answers))
    columns = [plain(column) for column in columns_of(result).values()]
    own = tuple(c.dtype.str if c.dtype.kind in "biuf" else "|O" for c in columns)
    same = [np.dtype(text).kind for text in own] == [np.dtype(text).kind for text in method.dtypes]
    return own if same else tuple(map(_dtype, answers))


def _description(session: Session) -> Description:
    if session.description is None:
        raise ModelError(
            "the file does not say which output is which method's, as sardonyx did not write it; "
            "convert the estimator with sardonyx.to_onnx to verify it."
        )
    return session.description


# ---- what a runtime says ---------------------------------------------------------------------------------------------


def _proto_of(model: Any) -> onnx.ModelProto | None:
    """Return the ONNX model, or None for a compiled program."""
    if hasattr(model, "graph"):
        proto: onnx.ModelProto = model
        return proto
    content = bytes(model) if isinstance(model, bytes | bytearray | memoryview) else Path(model).read_bytes()
    return None if content.startswith(MAGIC) else parse_onnx(content)


def _onnxruntime(proto: bytes) -> Run | str:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(proto, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no common base
        return f"cannot load the model: {error}"
    quiet = onnxruntime.RunOptions()
    quiet.log_severity_level = 4  # rows that standard operators refuse are errors to it, and counted here
    return lambda names, feeds: list(session.run(list(names), feeds, quiet))
