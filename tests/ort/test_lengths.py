"""Inputs of different lengths where a file gives their first dimensions one name, or none: as ONNX Runtime has it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import onnx.parser
import onnxruntime
import pytest
from sklearn.compose import make_column_transformer
from sklearn.preprocessing import StandardScaler

import sardonyx

MODELS = {
    "a row against many": "y = Add(a, b)",
    "all pairs": "t = Transpose<perm = [1, 0]>(b)  y = MatMul(a, t)",
    "below each other": "y = Concat<axis = 0>(a, b)",
    "against a mean": "m = ReduceMean<keepdims = 1>(b)  y = Sub(a, m)",
}
LENGTHS = [(3, 4), (3, 1), (1, 4), (4, 3), (2, 2), (0, 4), (3, 1)]


def content_of(body: str, symbol: str) -> bytes:
    head = f'<ir_version: 9, opset_import: ["": 18]> g (float[{symbol},2] a, float[{symbol},2] b) => (float[K,M] y)'
    return bytes(onnx.parser.parse_model(f"{head} {{ {body} }}").SerializeToString())


@pytest.mark.parametrize("symbol", ["N", "?"])
@pytest.mark.parametrize("name", MODELS)
def test_what_onnx_runtime_runs_runs(name: str, symbol: str) -> None:
    content = content_of(MODELS[name], symbol)
    options: Any = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    judge, session = onnxruntime.InferenceSession(content, options), sardonyx.InferenceSession(content)
    for n, m in LENGTHS:
        feeds = {"a": np.arange(2 * n, dtype=np.float32).reshape(n, 2), "b": np.ones((m, 2), np.float32) + m}
        try:
            expected = judge.run(None, feeds)
        except Exception:
            with warnings.catch_warnings(action="ignore"), pytest.raises(sardonyx.errors.InputError):
                session.run(None, feeds)
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            (actual,) = session.run(None, feeds)
        np.testing.assert_allclose(actual, expected[0], rtol=1e-6, strict=True)
        assert bool(caught) == (symbol == "N" and n != m)


def test_rows_of_our_own_files_are_as_many() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [0.0, 1.0, 5.0]})
    model = make_column_transformer((StandardScaler(), ["a"]), (StandardScaler(), ["b"])).fit(frame)
    session = sardonyx.InferenceSession(sardonyx.to_onnx(model, frame).SerializeToString())
    with pytest.raises(sardonyx.errors.InputError, match="differ in their number of rows"):
        session.run(None, {"a": np.zeros((3, 1)), "b": np.zeros((1, 1))})
