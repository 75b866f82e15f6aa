"""The documentation says what the code does: generated pages do not drift, code in pages runs."""

from __future__ import annotations

import doctest
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest
import sklearn
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sardonyx
from benchmarks.__main__ import BEGIN, END, with_block
from sardonyx import api, registry
from scripts.pages import PAGES

ROOT = Path(__file__).parent.parent
FENCED = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", PAGES)
def test_generated_page_is_up_to_date(name: str) -> None:
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    if name == "coverage.md" and f"scikit-learn {sklearn.__version__}:" not in page:
        pytest.skip("the page is about another scikit-learn")
    assert page == PAGES[name](), f"docs/{name} is out of date: run scripts/docs"


def test_every_pair_of_estimator_and_method_is_measured() -> None:
    assert "untested" not in PAGES["coverage.md"](), "rows are missing in tests/cases/, or run scripts/docs --measure"


@pytest.fixture
def converters() -> Iterator[None]:
    """Forget converters that a page registers; those of modules that it imports stay, as the modules do."""
    yield
    for key, entry in list(registry._registered.items()):
        if not entry.function.__module__.startswith("sardonyx."):
            del registry._registered[key]


@pytest.mark.usefixtures("converters")
@pytest.mark.parametrize("page", ["README.md", "docs/converters.md"])
def test_code_in_a_page_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code = "\n".join(FENCED.findall((ROOT / page).read_text(encoding="utf-8")))
    assert "sardonyx" in code
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # five lines on a first screen need not close their file
        exec(compile(code, page, "exec"), {"__name__": "page"})


@pytest.mark.usefixtures("converters")
@pytest.mark.parametrize("module", [api, registry])
def test_examples_in_docstrings_run(module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    X = np.random.default_rng(0).normal(size=(200, 3))
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, X[:, 0] > 0)
    given = {"sardonyx": sardonyx, "onnx": onnx, "X": X, "pipeline": pipeline, "MyScaler": type("MyScaler", (), {})}
    given["forest"] = RandomForestClassifier(5, random_state=0).fit(X, X[:, 0] > 0)
    result = doctest.testmod(module, extraglobs=given)
    assert result.attempted > 0
    assert not result.failed


def links() -> Iterator[tuple[str, str]]:
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "native").glob("*.md")]:
        for target in re.findall(r"\]\(([^):]+)\)", path.read_text(encoding="utf-8")):
            yield str(path.relative_to(ROOT)), target


def anchors(page: Path) -> set[str]:
    """Return what links may name behind a ``#``: headings, as GitHub writes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize(("page", "target"), sorted(set(links())))
def test_links_lead_somewhere(page: str, target: str) -> None:
    name, _, anchor = target.partition("#")
    linked = (ROOT / page).parent / name if name else ROOT / page
    assert linked.exists()
    assert not anchor or anchor in anchors(linked)


def test_readmes_table_is_replaced_between_its_marks() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    changed = with_block(readme, r"new \1 table")
    assert f"{BEGIN}\nnew \\1 table\n{END}" in changed
    assert with_block(changed, re.search(f"{BEGIN}\n(.*)\n{END}", readme, re.DOTALL)[1]) == readme  # type: ignore[index]
