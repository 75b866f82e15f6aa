"""Who survived the Titanic: two pipelines trained, converted, proven on held-out passengers, and timed.

The data are the 1309 passengers in `data/titanic.csv`: numbers with gaps, categories, text. What it leaves behind is
what a user would have: models, the rows to try them on, a picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
from rich.console import Console
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import sardonyx

from .. import bench
from . import report

NUMBERS = ["age", "fare", "sibsp", "parch"]
CATEGORIES = ["pclass", "sex", "embarked"]
METHODS = ("predict", "predict_proba")
BATCHES = (1, 10, 100, 1_000, 10_000)


@dataclass(frozen=True, slots=True)
class Passengers:
    """Passengers to train on and held-out ones, with who survived."""

    X: pd.DataFrame
    y: pd.Series
    X_test: pd.DataFrame
    y_test: pd.Series


def load_passengers() -> Passengers:
    """Return the passengers, a quarter of them held out."""
    with files("sardonyx").joinpath("data/titanic.csv").open(encoding="utf-8") as file:
        table = pd.read_csv(file)
    X, X_test, y, y_test = train_test_split(
        table[["name", *NUMBERS, *CATEGORIES]],
        table["survived"],
        test_size=0.25,
        random_state=0,
        stratify=table["survived"],
    )
    return Passengers(X, y, X_test, y_test)


def make_models() -> dict[str, Pipeline]:
    """Return the unfitted pipelines, by the name of their files."""
    classifiers = {
        "model": RandomForestClassifier(n_estimators=100, max_depth=6, random_state=0),
        "logistic": LogisticRegression(max_iter=1000),
    }
    return {name: Pipeline([("prepare", _preparation()), ("classify", c)]) for name, c in classifiers.items()}


def main(output: Path, seconds: float, console: Console) -> bool:
    """Run the demo.

    Parameters
    ----------
    output : Path
        Folder to leave models, rows and the picture in.
    seconds : float
        Time to spend on each batch size.
    console : Console
        Where to print.

    Returns
    -------
    bool
        Whether both models answer like scikit-learn.
    """
    output.mkdir(parents=True, exist_ok=True)
    people = load_passengers()
    console.rule("[bold]The Titanic's passengers")
    console.print(f"{len(people.X)} to learn from, {len(people.X_test)} held out; {', '.join(NUMBERS + CATEGORIES)}\n")
    estimators = {name: _train(name, model, people, console) for name, model in make_models().items()}
    proofs, panels = [], {}
    for name, estimator in estimators.items():
        model = _convert(name, estimator, people, output, console)
        proofs.append(_prove(estimator, model, people, console))
        panels[type(estimator[-1]).__name__] = _time(estimator, model, people, seconds, console)
    _leave(output, estimators, people, panels)
    _point(output, console)
    return all(proofs)


def _preparation() -> ColumnTransformer:
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return ColumnTransformer(
        [("numbers", numbers, NUMBERS), ("categories", OneHotEncoder(handle_unknown="ignore"), CATEGORIES)]
    )


def _train(name: str, model: Pipeline, people: Passengers, console: Console) -> Pipeline:
    fitted = model.fit(people.X[NUMBERS + CATEGORIES], people.y)
    score = fitted.score(people.X_test[NUMBERS + CATEGORIES], people.y_test)
    console.print(
        f"  [bold]{type(fitted[-1]).__name__}[/] is right about {score:.1%} of the held-out passengers", highlight=False
    )
    return fitted


def _convert(name: str, estimator: Pipeline, people: Passengers, output: Path, console: Console) -> Any:
    console.print()
    console.rule(f"[bold]{type(estimator[-1]).__name__}: to ONNX, proven")
    model = sardonyx.to_onnx(estimator, people.X[NUMBERS + CATEGORIES], methods=METHODS)
    content = model.SerializeToString()
    (output / f"{name}.onnx").write_bytes(content)
    console.print(report.model_tree(model, f"{name}.onnx", len(content)))
    return model


def _prove(estimator: Pipeline, model: Any, people: Passengers, console: Console) -> bool:
    result = sardonyx.verify(estimator, model, people.X_test[NUMBERS + CATEGORIES])
    console.print()
    console.print(report.verdict_table(result))
    return bool(result.ok)


def _time(estimator: Pipeline, model: Any, people: Passengers, seconds: float, console: Console) -> list[bench.Timing]:
    session, rows = sardonyx.load(model), people.X_test[NUMBERS + CATEGORIES]
    runners = {
        "sardonyx": bench.sardonyx_runner(session),
        **_onnxruntime(model),
        "scikit-learn": bench.sklearn_runner(estimator, METHODS),
    }
    with console.status("timing ..."):
        timings = bench.compare(runners, session.feeds(rows), BATCHES, rows, seconds)
    console.print()
    console.print(report.timing_table(timings, "sardonyx", "median time of a call of predict and predict_proba"))
    return timings


def _onnxruntime(model: Any) -> dict[str, bench.Runner]:
    try:
        return {"ONNX Runtime": bench.onnxruntime_runner(model.SerializeToString())}
    except ImportError:
        return {}


def _leave(
    output: Path, estimators: Mapping[str, Pipeline], people: Passengers, panels: Mapping[str, list[bench.Timing]]
) -> None:
    for name, estimator in estimators.items():
        joblib.dump(estimator, output / f"{name}.joblib")
    people.X_test.assign(survived=people.y_test).to_csv(output / "passengers.csv", index=False)
    bench.save_plot(panels, output / "timings.png")


def _point(output: Path, console: Console) -> None:
    console.print()
    console.rule("[bold]Yours to try")
    console.print(
        f"in {output}/: {', '.join(sorted(p.name for p in output.iterdir()))}\n", highlight=False, markup=False
    )
    model, rows = output / "model.onnx", output / "passengers.csv"
    for command in (
        f"sardonyx run {model} {rows} --keep name survived -o {output / 'answers.csv'}",
        f"sardonyx check {model}",
        f"sardonyx show {model} --plan",
        f"sardonyx verify {output / 'model.joblib'} {model} {rows}",
    ):
        console.print(f"  {command}", highlight=False, markup=False, soft_wrap=True)
