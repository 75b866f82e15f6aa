"""The commands convert, verify and check: what they print and write, their exit codes, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import numpy_helper
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import sardonyx
from sardonyx.cli import DISAGREES, OK, USAGE
from sardonyx.lowering.sdx import MAGIC

from .conftest import Run, Titanic


def test_convert_writes_a_model_that_answers_alike(run: Run, titanic: Titanic, tmp_path: Path) -> None:
    out = tmp_path / "out.onnx"
    code, shown, _ = run("convert", titanic("model.joblib"), titanic("rows.csv"), "--target", "survived", "-o", out)
    assert code == OK
    assert "says what the estimator says" in shown
    assert "categories OneHotEncoder" in shown
    answers = sardonyx.load(out).predict_proba(titanic.rows[titanic.features])
    np.testing.assert_allclose(answers, titanic.expected, rtol=1e-10)


def test_convert_takes_methods_and_inlines(run: Run, titanic: Titanic, tmp_path: Path) -> None:
    out = tmp_path / "out.onnx"
    model, rows = titanic("model.joblib"), titanic("rows.parquet")
    code, _, _ = run("convert", model, rows, "-o", out, "--methods", "decision_function", "predict", "--inline")
    assert code == OK
    written = onnx.load(out)
    assert not written.functions
    assert [o.name for o in written.graph.output] == ["decision_function", "predict"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--methods", "transform"], "no method transform"),
        (["--target", "survive"], "did you mean 'survived'"),
        (["--target", "age"], "fitted with 'age' among its columns; leave --target out"),
        (["--target-opset", "3"], "target_opset=3 is not possible"),
        (["--rows", "0"], "--rows 0 is not possible; give at least 1"),
    ],
)
def test_convert_refuses(run: Run, titanic: Titanic, tmp_path: Path, options: list[str], message: str) -> None:
    out = tmp_path / "out.onnx"
    code, _, err = run("convert", titanic("model.joblib"), titanic("rows.csv"), "-o", out, *options)
    assert code == USAGE
    assert message in err
    assert not out.exists()


def test_convert_writes_no_other_files(run: Run, titanic: Titanic) -> None:
    model = titanic("model.joblib")
    code, _, err = run("convert", model, titanic("rows.csv"), "-o", model)
    assert code == USAGE
    assert "model.joblib: models are written to .onnx files, compiled programs to .sdx files" in err


def test_convert_compiles_where_a_program_is_asked_for(run: Run, titanic: Titanic, tmp_path: Path) -> None:
    out = tmp_path / "out.sdx"
    assert run("convert", titanic("model.joblib"), titanic("rows.csv"), "-o", out)[0] == OK
    session = sardonyx.load(out)
    np.testing.assert_allclose(session.predict_proba(titanic.rows[titanic.features]), titanic.expected, rtol=1e-10)
    assert out.read_bytes()[: len(MAGIC)] == MAGIC


def test_convert_names_missing_columns(run: Run, titanic: Titanic, tmp_path: Path) -> None:
    titanic.rows.rename(columns={"embarked": "embarkd"}).to_csv(tmp_path / "rows.csv", index=False)
    code, _, err = run("convert", titanic("model.joblib"), tmp_path / "rows.csv", "-o", tmp_path / "out.onnx")
    assert code == USAGE
    assert "no column 'embarked'; did you mean 'embarkd'?" in err


def test_verify_agrees(run: Run, titanic: Titanic) -> None:
    code, out, _ = run("verify", titanic("model.joblib"), titanic("model.onnx"), titanic("rows.csv"))
    assert code == OK
    assert "onnxruntime" in out


def test_verify_catches_a_wrong_weight(run: Run, titanic: Titanic, tmp_path: Path) -> None:
    onnx.save(tampered(titanic.model), tmp_path / "wrong.onnx")
    code, out, _ = run("verify", titanic("model.joblib"), tmp_path / "wrong.onnx", titanic("rows.csv"))
    assert code == DISAGREES
    assert "IS WRONG" in out


def tampered(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model whose largest array of floats is off by a millionth."""
    wrong = onnx.ModelProto()
    wrong.CopyFrom(model)
    nodes = [n for f in wrong.functions for n in f.node if n.op_type == "Constant"]
    tensors = [*wrong.graph.initializer, *(a.t for n in nodes for a in n.attribute if a.HasField("t"))]
    floats = [t for t in tensors if t.data_type == onnx.TensorProto.DOUBLE]
    largest = max(floats, key=lambda t: t.ByteSize())
    largest.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(largest) * (1 + 1e-6), largest.name))
    return wrong


def test_check_needs_no_estimator(run: Run, titanic: Titanic) -> None:
    code, out, _ = run("check", titanic("model.onnx"))
    assert code == OK
    assert "predict_proba" in out


def test_check_catches_a_wrong_weight(run: Run, titanic: Titanic, tmp_path: Path) -> None:
    onnx.save(tampered(titanic.model), tmp_path / "wrong.onnx")
    code, _, err = run("check", tmp_path / "wrong.onnx")
    assert code == DISAGREES
    assert "does not say" in err


def test_check_says_when_there_is_no_proof(run: Run, titanic: Titanic, tmp_path: Path) -> None:
    bare = sardonyx.to_onnx(titanic.estimator, titanic.rows[titanic.features], verify=False)
    onnx.save(bare, tmp_path / "bare.onnx")
    code, _, err = run("check", tmp_path / "bare.onnx")
    assert code == USAGE
    assert "carries no rows" in err


def test_documents_are_one_column(run: Run, tmp_path: Path) -> None:
    texts = ["one two", "two three", "drei vier", "vier fünf"] * 3
    fitted = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [0, 0, 1, 1] * 3)
    joblib.dump(fitted, tmp_path / "text.joblib")
    rows = tmp_path / "text.csv"
    pd.DataFrame({"said": texts, "y": 0}).to_csv(rows, index=False)
    assert run("convert", tmp_path / "text.joblib", rows, "--target", "y")[0] == OK
    model = tmp_path / "text.onnx"
    assert run("verify", tmp_path / "text.joblib", model, rows, "--target", "y")[0] == OK
    assert sardonyx.load(model).predict(texts).tolist() == fitted.predict(texts).tolist()
