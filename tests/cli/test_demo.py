"""The demo: real passengers, nothing lost on the way, two proven models left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from rich.console import Console

import sardonyx
from sardonyx.cli import demo


def test_all_passengers_are_there() -> None:
    people = demo.load_passengers()
    everybody = pd.concat([people.X, people.X_test])
    survived = pd.concat([people.y, people.y_test])
    assert len(everybody) == 1309
    assert survived.sum() == 500
    assert everybody["age"].isna().sum() == 263
    assert everybody["fare"].isna().sum() == 1
    assert everybody["embarked"].isna().sum() == 2
    assert not set(people.X.index) & set(people.X_test.index)


def test_demo_leaves_proven_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "BATCHES", (1,))
    console = Console(record=True, width=100, quiet=True)
    assert demo.main(tmp_path, 0.001, console)
    found = {p.name for p in tmp_path.iterdir()}
    assert found == {"model.onnx", "model.joblib", "logistic.onnx", "logistic.joblib", "passengers.csv", "timings.png"}
    for name in ("model.onnx", "logistic.onnx"):
        onnx.checker.check_model(onnx.load(tmp_path / name), full_check=True)


def test_demo_says_when_a_model_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = sardonyx.to_onnx

    def tampered(estimator: Any, X: Any, **options: Any) -> onnx.ModelProto:
        model: onnx.ModelProto = honest(estimator, X, **options)
        for tensor in model.graph.initializer:
            if tensor.data_type == onnx.TensorProto.DOUBLE:
                array = onnx.numpy_helper.to_array(tensor)
                tensor.CopyFrom(onnx.numpy_helper.from_array(array + np.float64(0.5), tensor.name))
        return model

    logistic = {"logistic": demo.make_models()["logistic"]}
    monkeypatch.setattr(demo, "BATCHES", (1,))
    monkeypatch.setattr(demo, "make_models", lambda: logistic)
    monkeypatch.setattr(sardonyx, "to_onnx", tampered)
    assert not demo.main(tmp_path, 0.001, Console(quiet=True))
