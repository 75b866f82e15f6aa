"""What agreeing means, and the report on it: a runtime's arrays compared with an estimator's, row by row.

Right means: labels, indices and text identical; floats within 1e-10 (relative) or 1e-12 (absolute) where scikit-learn
computes in float64, 1e-5 or 1e-6 where it computes in float32. Ties are no excuse, but for the indices of equally
distant neighbours in other runtimes, which are counted as ``tied``: scikit-learn's order follows from its search, or
from the processor; the standard's TopK takes the first.

Where the estimator's formula cancels (a distance of nearly zero, a weight of one over it), its own answer is rounding
noise: it moves by more than that when its input moves by one unit in the last place. Floats that differ by no more than
the estimator's own answers do are counted as ``noisy``, not wrong, if they are small against the others of the batch.
So are those that differ by no more than a few times what an estimator contradicts itself by, when rows are asked alone
or among others: that too is measured a few times only.

No estimator is needed here: `verification` asks those; a session checks the answers that its own file carries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..description import Description, Method
from ..errors import InputError, ModelError, SardonyxError, VerificationError
from ..inputs.values import coerce

Array: TypeAlias = NDArray[Any]
#: of (output, rows): how far the estimator's own answers move with the last bit of its input, and the most that one
#: moves with nothing but the rows that are asked beside it
Noise: TypeAlias = Callable[[int, Array], tuple[Array, float]]
#: what runs a model: output names and tensors by input name -> arrays
Run: TypeAlias = Callable[[Sequence[str], dict[str, Array]], list[Array]]

#: the runtime that follows scikit-learn's own search
OURS: Final = "sardonyx"
#: noise may be this large against the largest float of the output, by whether scikit-learn computes in float32
MOST_NOISE: Final = {False: 1e-6, True: 1e-3}
#: beyond that, an estimator that answers one row alone otherwise does not merely round
MOST_CONTRADICTED: Final = {False: 1e-5, True: 1e-3}
#: so many times the estimator's own noise is accepted: it is measured a few times only
NOISE_FACTOR: Final = 8
#: what an encoder of ours says of a float that the estimator's own knows
UNKNOWN_FLOAT: Final = re.compile(r"found unknown category -?\d+(\.\d|e)")
#: what to do about answers that differ, by whether an encoder missed such a float
ADVICE: Final = {
    False: "Please report this case; do not use the file, or convert with verify=False if you know why it differs.",
    True: "If a step before the encoder computes these floats, it rounds their last bits otherwise than scikit-learn: "
    "round them between the two, as with FunctionTransformer(np.round, kw_args={'decimals': 9}), and fit again. "
    "If none does, please report this case.",
}
#: relative and absolute tolerance by whether scikit-learn computes in float32
TOLERANCES: Final = {False: (1e-10, 1e-12), True: (1e-5, 1e-6)}


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
    untreated : int
        Rows that the standard operators of the file refuse (`operators.text.REFUSAL`), which were left out too: only
        our runtime treats them.
    wrong : int
        Rows whose answer differs, or for which the runtime gave none.
    noisy : int
        Rows beyond the tolerance where the estimator's own answer is rounding noise; see the module.
    tied : int
        Rows whose neighbours differ in another runtime, but are equally distant; see the module.
    max_abs, max_rel : float
        The largest errors of floats.
    worst : str
        The first wrong row in words; empty if there is none.
    """

    method: str
    runtime: str
    rows: int = 0
    refused: int = 0
    untreated: int = 0
    wrong: int = 0
    noisy: int = 0
    tied: int = 0
    max_abs: float = 0.0
    max_rel: float = 0.0
    worst: str = ""

    @property
    def ok(self) -> bool:
        """Whether no row was wrong."""
        return self.wrong == 0 and not self.worst

    def __str__(self) -> str:
        counted = f"{self.rows} rows" + (f", {self.refused} refused by the estimator" if self.refused else "")
        counted += f", {self.untreated} refused, as only the sardonyx runtime treats them" if self.untreated else ""
        counted += f", {self.noisy} within the estimator's own rounding" if self.noisy else ""
        counted += f", {self.tied} with other neighbours at the same distance" if self.tied else ""
        largest = f"max error {self.max_abs:.1e} ({self.max_rel:.1e} rel.)"
        found = largest if self.ok else f"{self.wrong} WRONG: {self.worst}"
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
            advice = ADVICE[any(UNKNOWN_FLOAT.search(v.worst) for v in wrong)]
            raise VerificationError(f"the model does not say what {self.estimator} says: {told}. {advice}")


def check_proof(description: Description, run: Run) -> Report:
    """Run the rows that a file carries, and compare with the answers that it carries.

    Raises
    ------
    ModelError
        If it carries none.
    """
    if description.proof is None:
        raise ModelError("the file carries no rows to check it with; convert the estimator again, with verify=True.")
    verdicts = [_check_method(description, name, method, run) for name, method in description.methods.items()]
    return Report(description.estimator, tuple(verdicts))


def rows_first(method: Method, arrays: list[Array]) -> list[Array]:
    """Return a method's arrays with the rows as their first axis."""
    return [np.moveaxis(array, 1, 0) for array in arrays] if method.form == "stacked" else arrays


def attempt(run: Run, names: Sequence[str], feeds: dict[str, Array]) -> list[Array] | str:
    """Return what a runtime answers, or why it does not."""
    try:
        return run(names, feeds)
    except SardonyxError as error:
        return f"refused: {error}"
    except Exception as error:  # ONNX Runtime's exceptions have no common base
        return f"failed: {error}"


def judge(
    verdict: Verdict,
    label: str,
    kept: Array,
    actual: list[Array] | str,
    expected: list[Array],
    single: bool,
    noise: Noise | None = None,
    scales: Sequence[float] = (),
) -> Verdict:
    """Return the verdict with one more batch of rows counted.

    Parameters
    ----------
    verdict : Verdict
        The count until now.
    label : str
        What the batch is called in words.
    kept : ndarray of int
        The positions of the rows in their batch.
    actual : list of ndarray, or str
        A runtime's answer, or why there is none.
    expected : list of ndarray
        The estimator's.
    single : bool
        Whether the estimator computes in float32.
    noise : callable, optional
        Measures the estimator's own rounding, for rows beyond the tolerance.
    scales : sequence of float, optional
        How large the floats of each output usually are: one row alone may have none but 0 and noise.
    """
    rows = len(kept)
    verdict = replace(verdict, rows=verdict.rows + rows)
    if isinstance(actual, str):
        return replace(verdict, wrong=verdict.wrong + rows, worst=verdict.worst or f"{label}: {actual}")
    wrong = np.zeros(rows, dtype=bool)
    noisy = np.zeros(rows, dtype=bool)
    for output, (got, given) in enumerate(zip(actual, expected, strict=True)):
        right = _as_the_rows_happen(got, given)
        difference = differ(got, right, single)
        if noise is not None and difference.wrong.any() and difference.tolerance is not None:
            scale = scales[output] if output < len(scales) else 0.0
            excused = _is_noise(difference, got, right, single, partial(noise, output), scale)
            noisy |= excused
            difference = difference.without(excused)
        if output == 1 and verdict.method == "kneighbors" and verdict.runtime != OURS:
            tied = difference.wrong & _are_equally_far(expected[0], got, right) & ~wrong
            verdict = replace(verdict, tied=verdict.tied + int(tied.sum()))
            difference = difference.without(tied)
        wrong |= difference.wrong
        verdict = replace(
            verdict,
            max_abs=max(verdict.max_abs, difference.max_abs),
            max_rel=max(verdict.max_rel, difference.max_rel),
            worst=verdict.worst or _tell(label, kept, difference, got, right),
        )
    more_wrong, more_noisy = int(wrong.sum()), int((noisy & ~wrong).sum())
    return replace(verdict, wrong=verdict.wrong + more_wrong, noisy=verdict.noisy + more_noisy)


def _are_equally_far(distances: Array, got: Array, right: Array) -> NDArray[np.bool_]:
    """Return in which rows neighbours differ only where others are as far: in their order, or in which come last."""
    if got.shape != right.shape:
        return np.zeros(len(right), dtype=bool)
    last = distances == distances[:, -1:]
    sets = [np.take_along_axis(i, np.lexsort((i, distances)), axis=1) for i in (got, right)]
    return np.asarray((last | (sets[0] == sets[1])).all(axis=1))


def largest_float(array: Array) -> float:
    """Return the largest magnitude of the finite numbers; 0 of what holds no floats."""
    if array.dtype.kind != "f":
        return 0.0
    return float(np.abs(array[np.isfinite(array)], dtype=np.float64).max(initial=0))


def _is_noise(
    difference: Difference,
    got: Array,
    right: Array,
    single: bool,
    noise: Callable[[Array], tuple[Array, float]],
    scale: float,
) -> NDArray[np.bool_]:
    """Return which of the wrong rows differ by no more than the estimator's own answers move."""
    assert difference.tolerance is not None
    relative, absolute = difference.tolerance
    rows = np.flatnonzero(difference.wrong)
    largest = max(scale, largest_float(right))
    given, expected = (np.asarray(a)[rows].astype(np.float64) for a in (got, right))
    moved, contradicted = noise(rows)
    moved = moved if moved.shape == given.shape else moved.max(initial=0)  # rows against rows: other columns too
    bound = MOST_CONTRADICTED[single] * largest
    contradicted = min(NOISE_FACTOR * contradicted, bound) if contradicted <= bound else 0.0
    most = max(MOST_NOISE[single] * largest, contradicted)
    with np.errstate(all="ignore"):
        error = np.where(given == expected, 0, np.abs(given - expected))
        allowed = np.maximum(np.minimum(NOISE_FACTOR * moved, most), contradicted)
        allowed = allowed + absolute + relative * np.abs(expected)
        small = (error <= allowed) | (np.isnan(given) & np.isnan(expected))
    result = np.zeros(len(right), dtype=bool)
    result[rows] = small.reshape(len(rows), -1).all(axis=1)
    return result


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
    """Which rows differ, by how much, why all do if they do, and by which tolerance if they are floats."""

    wrong: NDArray[np.bool_]
    max_abs: float = 0.0
    max_rel: float = 0.0
    note: str = ""
    tolerance: tuple[float, float] | None = None

    def without(self, excused: NDArray[np.bool_]) -> Difference:
        """Return it with these rows not counted."""
        return replace(self, wrong=self.wrong & ~excused)


def _as_the_rows_happen(actual: Any, expected: Array) -> Array:
    """Return integers and bools as floats beside floats: pandas gives either, as a row has a missing value or not."""
    either = np.asarray(actual).dtype == np.float64 and expected.dtype.kind in "biu"
    return expected.astype(np.float64) if either else expected


def differ(actual: Any, expected: Array, single: bool = False) -> Difference:
    """Compare an output, as a runtime gives it, with the estimator's array.

    Parameters
    ----------
    actual : array-like of shape (n_samples, ...)
        Text may be an object array.
    expected : ndarray of the same shape
    single : bool, default False
        Whether the estimator computes in float32.
    """
    actual = np.asarray(actual)
    everything = np.ones(len(expected), dtype=bool)
    if actual.shape != expected.shape:
        return Difference(everything, note=f"shape {actual.shape} instead of {expected.shape}")
    if 0 in expected.shape[1:]:  # a frame without columns has no dtype
        return Difference(~everything)
    if actual.dtype.kind in "OUT":
        return _differ_exactly(_text(actual), _text(expected))
    if expected.dtype == object:
        expected = coerce(expected, "float64" if actual.dtype.kind == "f" else actual.dtype.name, "output")
    if expected.dtype.kind not in "biuf" or (actual.dtype.kind == "f") != (expected.dtype.kind == "f"):
        return Difference(everything, note=f"dtype {actual.dtype} instead of {expected.dtype}")
    if expected.dtype.kind != "f":
        return _differ_exactly(actual, expected)
    return _differ_closely(actual, expected, *TOLERANCES[single or expected.dtype == np.float32])


def _text(array: Array) -> Array:
    try:
        return coerce(array, "str", "output")
    except InputError:
        return array.astype(object)


def _by_row(wrong: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(wrong.reshape(len(wrong), -1).any(axis=1) if len(wrong) else wrong.reshape(0))


def _differ_exactly(actual: Array, expected: Array) -> Difference:
    return Difference(_by_row(np.asarray(actual != expected, dtype=bool)))


def _differ_closely(actual: Array, expected: Array, relative: float, absolute: float) -> Difference:
    got, right = actual.astype(np.float64), expected.astype(np.float64)
    with np.errstate(all="ignore"):
        same = (got == right) | (np.isnan(got) & np.isnan(right))
        error = np.where(same, 0.0, np.abs(got - right))
        small = error <= absolute + relative * np.abs(right)
        wrong = ~(same | (small & np.isfinite(right)))
        ratio = np.where(error > 0, error / np.maximum(np.abs(right), np.finfo(np.float64).tiny), 0.0)
    finite = np.isfinite(error)
    max_abs, max_rel = (float(a[finite].max(initial=0)) for a in (error, ratio))
    return Difference(_by_row(wrong), max_abs, max_rel, tolerance=(relative, absolute))


def _check_method(description: Description, name: str, method: Method, run: Run) -> Verdict:
    assert description.proof is not None
    try:
        expected = [description.proof.outputs[output] for output in method.outputs]
    except KeyError as error:
        raise ModelError(f"the file carries no answers of {name} to check it with; convert it again.") from error
    actual = attempt(run, method.outputs, description.proof.inputs)
    actual = actual if isinstance(actual, str) else rows_first(method, actual)
    expected = rows_first(method, expected)
    kept = np.arange(len(expected[0]))
    known = [description.proof.noise.get(output, 0.0) for output in method.outputs]
    noise = partial(_known_noise, known) if any(known) else None
    return judge(Verdict(name, "sardonyx"), "proof", kept, actual, expected, description.single, noise)


def _known_noise(known: Sequence[float], output: int, rows: Array) -> tuple[Array, float]:
    return np.zeros(0), known[output]
