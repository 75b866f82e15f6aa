"""Writes the pages of docs/ that say what the code says: operators and coverage.

`python -m scripts.pages` writes them, `--check` only compares; a test compares too, so they cannot drift. `--measure`
runs the whole case table in both runtimes first, which takes minutes, and records what it finds.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import math
import pkgutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sklearn
from sklearn.utils.discovery import all_estimators

from sardonyx import operators, registry
from tests import outcomes
from tests.cases import cases

DOCS = Path(__file__).parent.parent / "docs"
NOTE = "<!-- written by scripts/docs; edit the code, not this page -->"


def operators_page() -> str:
    """Return the page on the operators of the `sardonyx` domain, from their bodies' signatures and docstrings."""
    for module in pkgutil.iter_modules(operators.__path__):
        importlib.import_module(f"{operators.__name__}.{module.name}")
    entries = [_operator(name, *operators.OPERATOR_BODIES[name]) for name in sorted(operators.OPERATOR_BODIES)]
    intro = (
        "# Operators of the `sardonyx` domain, version 1\n\n"
        f"{NOTE}\n\n"
        "What the ONNX standard lacks is a function with a body of standard operators: every runtime that knows\n"
        "functions gets the right answer from the body; ours recognises the name and runs a native kernel where\n"
        "there is one. Inputs are tensors, attributes are part of the node. Two bodies of one operator in a file\n"
        "(other dtypes, other attributes) are told apart by a number after a colon, which means nothing else.\n"
    )
    return "\n".join([intro, *entries])


def coverage_page() -> str:
    """Return the page on what converts: every estimator of scikit-learn, method by method, and how exactly."""
    rows = Counter(name for case in cases() for name in _classes(case.estimator))
    tables: dict[str, list[str]] = {}
    full = total = 0
    for name, cls in all_estimators():
        if not (has := _methods(cls)):
            continue
        converts = [m for m in registry.supported(cls) if m in has]
        refused = {m: reason for m in has if (reason := registry.why_impossible(cls, m))}
        total, full = total + 1, full + (len(converts) + len(refused) == len(has))
        room = cls.__module__.split(".")[1].lstrip("_")
        rest = [m for m in has if m not in converts and m not in refused]
        tables.setdefault(room, []).append(_coverage_row(name, converts, refused, rest, rows[name]))
    head = "| estimator | sardonyx | ONNX Runtime | impossible | test rows |\n| --- | --- | --- | --- | ---: |\n"
    sections = [f"\n## {room}\n\n{head}" + "\n".join(lines) + "\n" for room, lines in sorted(tables.items())]
    intro = (
        f"# What converts\n\n{NOTE}\n\n"
        f"scikit-learn {sklearn.__version__}: of the {total} estimators with an inference method, {full} convert with\n"
        "all of their methods that have an answer of their own. What does not convert is refused with an error,\n"
        "never approximated; the reason stands beside it. Test rows are the entries of the case table\n"
        "(`tests/cases/`) that use the estimator, each compared with scikit-learn in both runtimes.\n\n"
        "**exact** means every label, every number, every bit of a float, on the machine that wrote this page;\n"
        "a number bounds the relative error of the worst answer, where the last bits of sums and of `exp` differ.\n"
        "*impossible there*: standard operators cannot say it, and the file fails there rather than answer wrongly.\n"
        "†: which of equally distant neighbours is taken is impossible to say there. scikit-learn's choice follows\n"
        "from the way its search goes, or from the processor (a test in `tests/converters/test_neighbors.py` shows\n"
        "the same rows answered otherwise without AVX2); the standard's `TopK` takes the first training rows.\n"
        "Rows in float32, whose promise is 1e-5, are told apart where they differ. Measured by\n"
        "`scripts/docs --measure`; tests fail where an answer is a hundred times worse than written here.\n"
    )
    return intro + "".join(sections)


#: estimators that ask which training rows are the nearest
BY_NEIGHBOURS = (
    "Isomap", "KNNImputer", "KNeighborsClassifier", "KNeighborsRegressor", "KNeighborsTransformer", "LabelPropagation",
    "LabelSpreading", "LocalOutlierFactor", "LocallyLinearEmbedding", "NearestNeighbors",
)  # fmt: skip
PAGES: dict[str, Callable[[], str]] = {"operators.md": operators_page, "coverage.md": coverage_page}


def main(check: bool) -> int:
    """Write the pages, or say which ones are out of date."""
    stale = [name for name, page in PAGES.items() if _read(DOCS / name) != page()]
    for name in stale:
        print(f"docs/{name} is out of date: run scripts/docs" if check else f"wrote docs/{name}")
        if not check:
            (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
    return int(check and bool(stale))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _operator(name: str, body: Callable[..., Any], outputs: tuple[str, ...]) -> str:
    parameters = inspect.signature(body).parameters.values()
    inputs = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    attributes = [f"{p.name}: {_type_name(p.annotation)}" for p in parameters if p.kind is p.KEYWORD_ONLY]
    call = f"{name}({', '.join(inputs)}{'; ' if attributes else ''}{', '.join(attributes)}) → {', '.join(outputs)}"
    return f"## {name}\n\n```\n{call}\n```\n\n{inspect.getdoc(body) or ''}\n"


def _type_name(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def _methods(cls: type) -> list[str]:
    return [m for m in registry.METHODS if _has(cls, m)]


def _has(cls: type, method: str) -> bool:
    if option := registry.OPTIONS.get(method):
        return hasattr(cls, "predict") and option in inspect.signature(cls.predict).parameters
    return hasattr(cls, method)


def _coverage_row(name: str, converts: list[str], refused: dict[str, str], rest: list[str], rows: int) -> str:
    cells = [_reached(name, converts, runtime) for runtime in ("sardonyx", "onnxruntime")]
    cells[1] += " †" * (name in BY_NEIGHBOURS)
    reasons = [f"{method}: {reason}" for method, reason in refused.items()] + [f"{method}: not yet" for method in rest]
    return f"| {name} | {' | '.join(cells)} | {'; '.join(reasons)} | {rows or ''} |"


def _reached(name: str, methods: list[str], runtime: str) -> str:
    """Return the methods that convert, those of one outcome together."""
    groups: dict[str, list[str]] = {}
    for method in methods:
        groups.setdefault(_outcome(f"{name}.{method}", runtime), []).append(method)
    return "; ".join(f"{', '.join(group)}: {outcome}" for outcome, group in groups.items()) or "—"


def _outcome(pair: str, runtime: str) -> str:
    """Return what a pair reaches in words: "exact", "1e-14", "exact, 1e-7 in float32"."""
    widths = outcomes.recorded().get(pair, {})
    if widths and pair.partition(".")[0] in _ours_alone() and runtime != "sardonyx":
        return "impossible there"
    words = {width: _error(errors[runtime]) for width, errors in widths.items() if runtime in errors}
    double, single = words.get("float64"), words.get("float32")
    if double is None:
        return f"{single} in float32" if single else "untested"
    return double if single in (None, double) else f"{double}, {single} in float32"


@functools.cache
def _ours_alone() -> frozenset[str]:
    """Return the estimators whose files other runtimes refuse to run, whatever their parameters."""
    standard = {type(case.estimator).__name__ for case in cases() if case.standard}
    return frozenset({type(case.estimator).__name__ for case in cases()} - standard)


def _error(error: float) -> str:
    return "exact" if error == 0 else f"1e{round(math.log10(error))}"


def _classes(estimator: Any) -> Iterator[str]:
    """Yield the class names of an estimator and of the estimators in its parameters."""
    found = {type(estimator).__name__}
    if hasattr(estimator, "get_params") and not isinstance(estimator, type):
        found |= {type(v).__name__ for v in estimator.get_params().values() if hasattr(v, "get_params")}
    yield from found


if __name__ == "__main__":
    if "--measure" in sys.argv[1:]:
        outcomes.main()
    sys.exit(main("--check" in sys.argv[1:]))
