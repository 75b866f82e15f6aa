"""How well each pair of estimator and method is met in each runtime: `outcomes.json`, which the coverage page prints.

::

    scripts/docs --measure              measure every case of the table in every runtime; write outcomes.json
    assert_recorded(case, ...)          in the tests: no answer is worse than what is written there

An outcome is ``exact`` (labels, numbers, every bit of a float, on the machine that wrote the file) or the smallest
power of ten that bounds the error: ``|actual - expected| <= outcome * (|expected| + 0.01)``. It is the worst over the
rows of the table, float32 rows apart. Elsewhere the last bits of a processor's exp may differ: the tests allow a
hundred times as much, and `exactness.assert_exact` in any case no more than is promised.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .cases import Case, cases
from .runtimes import RUNTIMES, Answer

FILE: Final = Path(__file__).parent / "cases" / "outcomes.json"
#: "float64" or "float32" -> runtime -> error
Errors: TypeAlias = dict[str, dict[str, float]]
#: what "exact" may become on another processor, whose BLAS adds up in another order
LEAST: Final = {"float64": 1e-15, "float32": 1e-7}
LEEWAY: Final = 100


@functools.cache
def recorded() -> dict[str, Errors]:
    """Return what is written: "Estimator.method" -> float64/float32 -> runtime -> error, 0 for exact."""
    found: dict[str, Errors] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def error_of(actual: Any, expected: NDArray[Any]) -> float:
    """Return 0 for equal arrays, else the power of ten that bounds the error; infinity if they do not compare."""
    actual = np.asarray(actual)
    if expected.dtype.kind != "f" or actual.dtype.kind != "f":
        return 0.0 if actual.tolist() == expected.tolist() or expected.dtype.kind in "OU" else math.inf
    same = (actual == expected) | (np.isnan(actual) & np.isnan(expected))
    if same.all():
        return 0.0
    with np.errstate(all="ignore"):
        error = np.abs(actual - expected) / (np.abs(expected) + 0.01)
    worst = float(np.max(np.where(same, 0.0, error)))
    return 10.0 ** math.ceil(math.log10(max(worst, LEAST["float64"]))) if math.isfinite(worst) else math.inf


def key(case: Case, answer: Answer) -> tuple[str, str]:
    """Return where an answer's outcome is written."""
    single = answer.expected.dtype == np.float32 or (case.rtol or 0) >= 1e-5 or "32" in case.data
    return f"{type(case.estimator).__name__}.{answer.method}", "float32" if single else "float64"


def assert_recorded(case: Case, runtime: str, answer: Answer) -> None:
    """Fail where an answer is worse than the coverage page says; of a new pair it says nothing yet (test_docs.py)."""
    pair, width = key(case, answer)
    known = recorded().get(pair, {}).get(width, {}).get(runtime, math.inf)
    error = error_of(answer.actual, answer.expected)
    allowed = max(known, LEAST[width]) * LEEWAY
    assert error <= allowed, f"{pair} is off by {error:.0e} in {runtime}, the coverage page says {known:.0e}"


def measure(table: Iterable[Case]) -> dict[str, Errors]:
    """Run cases in every runtime, on all processors; return the worst error of every pair."""
    found: dict[str, Errors] = {}
    with ProcessPoolExecutor() as pool:
        for outcomes in pool.map(_outcomes, list(table), chunksize=4):
            for pair, width, runtime, error in outcomes:
                entry = found.setdefault(pair, {}).setdefault(width, {})
                entry[runtime] = max(entry.get(runtime, 0.0), error)
    return found


def _outcomes(case: Case) -> list[tuple[str, str, str, float]]:
    return [
        (*key(case, answer), runtime, error_of(answer.actual, answer.expected))
        for runtime, answers in _running(case)
        for answer in answers
    ]


def _running(case: Case) -> Iterator[tuple[str, Iterator[Answer]]]:
    """Yield the runtimes that treat a case."""
    for runtime, run in RUNTIMES.items():
        if case.standard or runtime == "sardonyx":
            yield runtime, run(case)


def main() -> None:
    """Measure, and write the file."""
    found = measure(cases())
    lines = [f"{json.dumps(pair)}: {json.dumps(errors, sort_keys=True)}" for pair, errors in sorted(found.items())]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"wrote {len(found)} pairs to {FILE.name}")
