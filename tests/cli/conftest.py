"""What tests of the command line share: a folder with a model, and a way to run commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import joblib
import onnx
import pytest

import sardonyx
from sardonyx.cli import main
from sardonyx.cli.demo import CATEGORIES, NUMBERS, load_passengers, make_models


class Titanic:
    """A folder with a fitted pipeline, its model and its rows."""

    def __init__(self, folder: Path) -> None:
        people = load_passengers()
        self.folder = folder
        self.features = NUMBERS + CATEGORIES
        self.estimator = make_models()["logistic"].fit(people.X[self.features], people.y)
        self.rows = people.X_test.assign(survived=people.y_test)
        joblib.dump(self.estimator, folder / "model.joblib")
        self.rows.to_csv(folder / "rows.csv", index=False)
        self.rows.to_parquet(folder / "rows.parquet", index=False)
        self.model = sardonyx.to_onnx(self.estimator, people.X[self.features])
        onnx.save(self.model, folder / "model.onnx")
        self.expected = self.estimator.predict_proba(self.rows[self.features])

    def __call__(self, name: str) -> str:
        """Return a path in the folder."""
        return str(self.folder / name)


@pytest.fixture(scope="package")
def titanic(tmp_path_factory: pytest.TempPathFactory) -> Titanic:
    return Titanic(tmp_path_factory.mktemp("titanic"))


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command; return exit code, standard output, standard error, the latter in one line."""

    def command(*arguments: object) -> tuple[int, str, str]:
        code = main([str(a) for a in arguments])
        out, err = capfd.readouterr()
        return code, out, " ".join(err.split())

    return command


Run = Callable[..., tuple[int, str, str]]
