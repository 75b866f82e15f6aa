"""Does the converted model say what the estimator says? Asked of every method, in every runtime at hand.

::

    rows: the user's, the first alone, rows made to hurt (hurting.py)
      ├─ estimator.method(rows)       what is right; rows that it refuses are left out
      └─ sardonyx, ONNX Runtime       compared with it, row by row ──▶ Report

Right means: labels, indices and text identical; floats within 1e-10 (relative) or 1e-12 (absolute) where scikit-learn
answers in float64, 1e-5 or 1e-6 where it answers in float32. Nothing is excused, ties included.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .description import Description, Method, Proof
from .errors import InputError, ModelError, SardonyxError, VerificationError
from .hurting import Batch, hurting_batches, number_of_rows, rows_of, spread
from .inputs import coerce
from .program import MAGIC
from .session import Session, load, parse_onnx

if TYPE_CHECKING:
    import onnx

Array: TypeAlias = NDArray[Any]
Run: TypeAlias = Callable[[Sequence[str], dict[str, Array]], list[Array]]

#: relative and absolute tolerance by the dtype that scikit-learn answers in
TOLERANCES: Final = {"float64": (1e-10, 1e-12), "float32": (1e-5, 1e-6), "float16": (1e-3, 1e-3)}
#: rows of the user's that are compared at once, and that a file carries as its proof
CHUNK, PROOF_ROWS, PROOF_NUMBERS = 10_000, 8, 4096


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one runtime made of one method.

    Attributes
    ----------
    method, runtime : str
    rows : int
        Rows compared.
    refused : int
        Rows that the estimator itself refuses, which were left out.
    wrong : int
        Rows whose answer differs, or for which the runtime gave none.
    max_abs, max_rel : float
        The largest errors of floats.
    worst : str
        The first wrong row in words; empty if there is none.
    """

    method: str
    runtime: str
    rows: int = 0
    refused: int = 0
    wrong: int = 0
    max_abs: float = 0.0
    max_rel: float = 0.0
    worst: str = ""

    @property
    def ok(self) -> bool:
        """Whether no row was wrong."""
        return self.wrong == 0 and not self.worst

    def __str__(self) -> str:
        counted = f"{self.rows} rows" + (f", {self.refused} refused by the estimator" if self.refused else "")
        found = (
            f"{self.wrong} WRONG: {self.worst}"
            if not self.ok
            else f"max error {self.max_abs:.1e} ({self.max_rel:.1e} rel.)"
        )
        return f"{self.method:18} {self.runtime:12} {counted}: {found}"


@dataclass(frozen=True, slots=True)
class Report:
    """The verdicts on a model; `ok` if all are."""

    estimator: str
    verdicts: tuple[Verdict, ...]

    @property
    def ok(self) -> bool:
        """Whether no runtime was wrong in any method."""
        return all(v.ok for v in self.verdicts)

    def __str__(self) -> str:
        head = f"{self.estimator}: {'the model says what the estimator says' if self.ok else 'THE MODEL IS WRONG'}"
        return "\n".join([head, *(f"  {v}" for v in self.verdicts)])

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as for JSON."""
        return {
            "estimator": self.estimator,
            "ok": self.ok,
            "verdicts": [{**asdict(v), "ok": v.ok} for v in self.verdicts],
        }

    def raise_if_wrong(self) -> None:
        """Raise what is wrong.

        Raises
        ------
        VerificationError
            Naming method, runtime, number of rows and the first wrong row.
        """
        if wrong := [v for v in self.verdicts if not v.ok]:
            told = "; ".join(f"{v.method} in {v.runtime}: {v.wrong} of {v.rows} rows, {v.worst}" for v in wrong)
            raise VerificationError(
                f"the model does not say what {self.estimator} says: {told}. Please report this case; "
                "do not use the file, or convert with verify=False if you know why it differs."
            )


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
    """
    session = model if isinstance(model, Session) else load(model)
    proto = None if model is session else _proto_of(model)
    runs: dict[str, Run | str] = {"sardonyx": session.run}
    if proto is not None and importlib.util.find_spec("onnxruntime") is not None:
        runs["onnxruntime"] = _onnxruntime(proto.SerializeToString())
    return compare(estimator, session, runs, [*_batches(X), *(hurting_batches(X, proto) if number_of_rows(X) else ())])


def verify_quickly(estimator: Any, session: Session, X: Any) -> Report:
    """Compare on some rows of the sample, in our runtime: what every conversion goes through."""
    rows = number_of_rows(X)
    batches = [Batch("sample", rows_of(X, spread(rows, 100)), min(rows, 100))] if rows else []
    return compare(estimator, session, {"sardonyx": session.run}, [*batches, *_batches(X, most=1)])


def check(session: Session) -> Report:
    """Run the rows that a file carries, compare with the answers that it carries, and raise what is wrong."""
    description, proof = session.description, session.proof
    if description is None or proof is None:
        raise ModelError("the file carries no rows to check it with; convert the estimator again, with verify=True.")
    report = Report(
        description.estimator, tuple(_check_method(session, m, e, proof) for m, e in description.methods.items())
    )
    report.raise_if_wrong()
    return report


def prove(estimator: Any, session: Session, X: Any) -> Description:
    """Return the session's description with a few rows, the estimator's answers to them, and their dtypes."""
    description = _description(session)
    width = sum(spec.width or 1 for spec in description.signature.inputs)
    most = min(PROOF_ROWS, max(1, PROOF_NUMBERS // max(1, width)))
    rows = rows_of(X, spread(number_of_rows(X), most))
    arrays: dict[str, Array] = {}
    methods: dict[str, Method] = {}
    for name, method in description.methods.items():
        answers = _ask(estimator, name, method, rows)
        methods[name] = replace(method, dtypes=tuple(_dtype(a) for a in answers))
        arrays.update(zip(method.outputs, answers, strict=True))
    return replace(description, methods=methods, proof=Proof(session.feeds(rows), arrays))


def compare(estimator: Any, session: Session, runs: dict[str, Run | str], batches: Iterable[Batch]) -> Report:
    """Compare runtimes with an estimator on batches of rows; a runtime that is a text could not load the model."""
    description = _description(session)
    verdicts = {
        (method, runtime): Verdict(method, runtime, worst="" if callable(run) else run)
        for method in description.methods
        for runtime, run in runs.items()
    }
    for batch in batches:
        for name, method in description.methods.items():
            expected, kept = _answers(estimator, name, method, batch)
            feeds = session.feeds(rows_of(batch.X, kept)) if len(kept) else None
            for runtime, run in runs.items():
                before = verdicts[name, runtime]
                before = replace(before, refused=before.refused + batch.rows - len(kept))
                if callable(run) and feeds is not None:
                    before = _judge(before, batch.label, kept, _attempt(run, method.outputs, feeds), expected)
                verdicts[name, runtime] = before
    return Report(description.estimator, tuple(verdicts.values()))


# ---- what the estimator says -----------------------------------------------------------------------------------------


def _batches(X: Any, most: int = 2**62) -> Iterator[Batch]:
    rows = min(number_of_rows(X), most)
    for start in range(0, rows, CHUNK):
        stop = min(start + CHUNK, rows)
        yield Batch(
            f"rows {start} to {stop - 1}" if most > 1 else "one row", rows_of(X, np.arange(start, stop)), stop - start
        )
    if rows > 1:
        yield Batch("one row", rows_of(X, np.arange(1)), 1)


def _answers(estimator: Any, name: str, method: Method, batch: Batch) -> tuple[list[Array], Array]:
    """Return the estimator's arrays for the rows of a batch that it accepts, and the positions of those rows."""
    parts: list[list[Array]] = []
    kept: list[Array] = []
    for rows, answer in _accepted(estimator, name, method, batch.X, np.arange(batch.rows)):
        kept.append(rows)
        parts.append(answer)
    if not kept:
        return [], np.zeros(0, np.int64)
    return [np.concatenate(pieces) for pieces in zip(*parts, strict=True)], np.concatenate(kept)


def _accepted(estimator: Any, name: str, method: Method, X: Any, rows: Array) -> Iterator[tuple[Array, list[Array]]]:
    """Yield (rows, answers), taking rows apart until the estimator refuses single ones only."""
    try:
        answers = _ask(estimator, name, method, rows_of(X, rows))
    except (ValueError, TypeError, OverflowError, FloatingPointError, KeyError):
        if len(rows) > 1:
            for part in np.array_split(rows, 2):
                yield from _accepted(estimator, name, method, X, part)
        return
    yield rows, answers


def _ask(estimator: Any, name: str, method: Method, X: Any) -> list[Array]:
    """Return the arrays of an estimator's own method, one for each output of the model."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        result = estimator.predict(X, return_std=True) if name == "predict_std" else getattr(estimator, name)(X)
    if method.form in ("list", "tuple"):
        return [_dense(part) for part in result]
    array = _dense(result)
    return [array[:, i : i + 1] for i in range(array.shape[1])] if method.form == "columns" else [array]


def _dense(result: Any) -> Array:
    return np.asarray(result.toarray() if hasattr(result, "toarray") else result)


def _dtype(array: Array) -> str:
    return "|O" if array.dtype.kind == "T" else array.dtype.str


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
    return lambda names, feeds: list(session.run(list(names), feeds))


def _attempt(run: Run, names: Sequence[str], feeds: dict[str, Array]) -> list[Array] | str:
    try:
        return run(names, feeds)
    except SardonyxError as error:
        return f"refused: {error}"
    except Exception as error:  # ONNX Runtime's exceptions have no common base
        return f"failed: {error}"


def _judge(verdict: Verdict, label: str, kept: Array, actual: list[Array] | str, expected: list[Array]) -> Verdict:
    rows = len(kept)
    verdict = replace(verdict, rows=verdict.rows + rows)
    if isinstance(actual, str):
        return replace(verdict, wrong=verdict.wrong + rows, worst=verdict.worst or f"{label}: {actual}")
    wrong = np.zeros(rows, dtype=bool)
    for got, right in zip(actual, expected, strict=True):
        difference = differ(got, right)
        wrong |= difference.wrong
        verdict = replace(
            verdict,
            max_abs=max(verdict.max_abs, difference.max_abs),
            max_rel=max(verdict.max_rel, difference.max_rel),
            worst=verdict.worst or _tell(label, kept, difference, got, right),
        )
    return replace(verdict, wrong=verdict.wrong + int(wrong.sum()))


def _tell(label: str, kept: Array, difference: Difference, got: Array, right: Array) -> str:
    if not difference.wrong.any():
        return ""
    if difference.note:
        return f"{label}: {difference.note}"
    at = int(np.flatnonzero(difference.wrong)[0])
    texts = [np.array2string(np.asarray(a[at]), threshold=12, floatmode="unique") for a in (got, right)]
    return f"{label}, row {int(kept[at])}: {texts[0]} instead of {texts[1]}"


# ---- comparing -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """Which rows differ, by how much, and why all do if they do."""

    wrong: NDArray[np.bool_]
    max_abs: float = 0.0
    max_rel: float = 0.0
    note: str = ""


def differ(actual: Any, expected: Array) -> Difference:
    """Compare an output, as a runtime gives it, with the estimator's array.

    Parameters
    ----------
    actual : array-like of shape (n_samples, ...)
        Text may be an object array.
    expected : ndarray of the same shape
    """
    actual = np.asarray(actual)
    everything = np.ones(len(expected), dtype=bool)
    if actual.shape != expected.shape:
        return Difference(everything, note=f"shape {actual.shape} instead of {expected.shape}")
    if actual.dtype.kind in "OUT":
        return _differ_exactly(_text(actual), _text(expected))
    if expected.dtype == object:
        expected = coerce(expected, "float64" if actual.dtype.kind == "f" else actual.dtype.name, "output")
    if expected.dtype.kind not in "biuf" or (actual.dtype.kind == "f") != (expected.dtype.kind == "f"):
        return Difference(everything, note=f"dtype {actual.dtype} instead of {expected.dtype}")
    return _differ_closely(actual, expected) if expected.dtype.kind == "f" else _differ_exactly(actual, expected)


def _text(array: Array) -> Array:
    try:
        return coerce(array, "str", "output")
    except InputError:
        return array.astype(object)


def _by_row(wrong: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(wrong.reshape(len(wrong), -1).any(axis=1) if len(wrong) else wrong.reshape(0))


def _differ_exactly(actual: Array, expected: Array) -> Difference:
    return Difference(_by_row(np.asarray(actual != expected, dtype=bool)))


def _differ_closely(actual: Array, expected: Array) -> Difference:
    relative, absolute = TOLERANCES.get(expected.dtype.name, TOLERANCES["float64"])
    got, right = actual.astype(np.float64), expected.astype(np.float64)
    with np.errstate(all="ignore"):
        same = (got == right) | (np.isnan(got) & np.isnan(right))
        error = np.where(same, 0.0, np.abs(got - right))
        small = error <= absolute + relative * np.abs(right)
        wrong = ~(same | (small & np.isfinite(right)))
        ratio = np.where(error > 0, error / np.maximum(np.abs(right), np.finfo(np.float64).tiny), 0.0)
    finite = np.isfinite(error)
    return Difference(_by_row(wrong), float(error[finite].max(initial=0)), float(ratio[finite].max(initial=0)))


def _check_method(session: Session, name: str, method: Method, proof: Proof) -> Verdict:
    try:
        expected = [proof.outputs[output] for output in method.outputs]
    except KeyError as error:
        raise ModelError(f"the file carries no answers of {name} to check it with; convert it again.") from error
    rows = len(expected[0])
    return _judge(
        Verdict(name, "sardonyx"),
        "proof",
        np.arange(rows),
        _attempt(session.run, method.outputs, proof.inputs),
        expected,
    )
