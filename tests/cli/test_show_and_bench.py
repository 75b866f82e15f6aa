"""The commands show and bench."""

from __future__ import annotations

from pathlib import Path

import pytest

from sardonyx.cli import OK, USAGE

from .conftest import Run, Titanic


def test_show_draws_the_pipeline(run: Run, titanic: Titanic) -> None:
    code, out, _ = run("show", titanic("model.onnx"), "--metadata", "--plan")
    assert code == OK
    for expected in ("prepare ColumnTransformer", "← age, fare, sibsp, parch", "metadata", "Linear"):
        assert expected in out


def test_bench_times_all_three(run: Run, titanic: Titanic, tmp_path: Path) -> None:
    picture = tmp_path / "bench.png"
    options = ("--batches", 1, 10, "--seconds", 0.001, "-o", picture)
    code, out, _ = run(
        "bench", titanic("model.onnx"), titanic("rows.csv"), "--estimator", titanic("model.joblib"), *options
    )
    assert code == OK
    for name in ("sardonyx", "ONNX Runtime", "scikit-learn"):
        assert name in out
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_bench_uses_the_rows_that_a_file_carries(run: Run, titanic: Titanic, tmp_path: Path) -> None:
    code, out, _ = run("bench", titanic("model.onnx"), "--batches", 1, "--seconds", 0.001, "-o", tmp_path / "b.png")
    assert code == OK
    assert "ONNX Runtime" in out


@pytest.mark.parametrize(
    "options", [["--batches", "0"], ["--estimator", "x.joblib"], ["-o", "model.onnx"], ["--seconds", "nan"]]
)
def test_bench_refuses(run: Run, titanic: Titanic, options: list[str]) -> None:
    assert run("bench", titanic("model.onnx"), *options)[0] == USAGE
