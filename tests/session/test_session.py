"""Sessions answer like the estimator, take what it takes, and refuse what does not fit."""

from __future__ import annotations

import contextlib
import pickle
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from onnx import TensorProto, helper
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import BayesianRidge, LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler

import sardonyx
from sardonyx import InputError, ModelError, Session
from sardonyx.lowering.sdx import MAGIC
from sardonyx.session.native_session import NativeSession
from sardonyx.session.plan_session import PlanSession

# ---- a model of each kind


@pytest.fixture(scope="module")
def numbers() -> tuple[Any, Any, Session]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4))
    labels = np.array(["no", "ja 日本", ""])[np.digitize(X[:, 0], [-0.5, 0.5])]
    estimator = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, labels)
    return estimator, X, sardonyx.compile(estimator, X, methods=["predict", "predict_proba", "decision_function"])


@pytest.fixture(scope="module")
def mixed() -> tuple[Pipeline, pd.DataFrame, Session]:
    rng = np.random.default_rng(1)
    X = pd.DataFrame(
        {"age": rng.normal(size=60), "n": rng.integers(0, 9, 60), "city": rng.choice(["Köln", "東京", ""], 60)}
    )
    encoder = make_column_transformer(
        (StandardScaler(), ["age", "n"]), (OneHotEncoder(handle_unknown="ignore"), ["city"])
    )
    estimator = make_pipeline(encoder, LogisticRegression()).fit(X, X["age"] > 0)
    return estimator, X, sardonyx.compile(estimator, X)


def test_it_has_the_estimators_methods_and_attributes(numbers: Any, mixed: Any) -> None:
    estimator, X, session = numbers
    assert session.methods == ("predict", "predict_proba", "decision_function")
    assert session.classes_.tolist() == estimator.classes_.tolist()
    assert session.n_features_in_ == 4
    assert not hasattr(session, "feature_names_in_")
    assert not hasattr(session, "transform")
    with pytest.raises(
        AttributeError, match=r"this file has no transform; it has predict, predict_proba, decision_func"
    ):
        session.transform(X)
    estimator, X, session = mixed
    assert session.feature_names_in_.tolist() == ["age", "n", "city"]
    assert session.classes_.dtype == bool


def test_labels_have_the_dtype_of_classes(numbers: Any, mixed: Any) -> None:
    for estimator, X, session in (numbers, mixed):
        for rows in (X, X[:1], X[:0]):
            answer = session.predict(rows)
            assert answer.dtype == estimator.classes_.dtype
            assert answer.shape == (len(rows),)
        assert session.predict(X).tolist() == estimator.predict(X).tolist()


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.uint16, object])
def test_labels_of_other_dtypes(dtype: Any) -> None:
    X = np.arange(20.0).reshape(-1, 1)
    y = np.array(["b", "a"] if dtype is object else [5, 3], dtype=dtype)[(X[:, 0] > 9).astype(int)]
    estimator = LogisticRegression().fit(X, y)
    answer = sardonyx.compile(estimator, X).predict(X)
    assert answer.dtype == estimator.predict(X).dtype
    assert answer.tolist() == estimator.predict(X).tolist()


def test_matrices_of_any_kind(numbers: Any) -> None:
    estimator, X, session = numbers
    expected = session.predict_proba(X)
    wide = np.zeros((80, 8))
    wide[:, ::2] = X
    frame = pd.DataFrame(X, columns=list("abcd"))
    for same in (
        np.asfortranarray(X),
        wide[:, ::2],
        X.astype(">f8"),
        X.tolist(),
        frame,
        pl.DataFrame(X),
        X.astype(object),
    ):
        np.testing.assert_array_equal(session.predict_proba(same), expected)
    whole = np.array([[1, 2, 3, 4]])
    np.testing.assert_allclose(session.predict_proba(whole), estimator.predict_proba(whole), rtol=1e-10)


def test_frames_of_any_kind(mixed: Any) -> None:
    estimator, X, session = mixed
    expected = session.predict_proba(X)
    np.testing.assert_allclose(expected, estimator.predict_proba(X), rtol=1e-10)
    shuffled = X[["city", "n", "age"]].assign(extra="x")
    nullable = X.convert_dtypes()
    for same in (
        shuffled,
        nullable,
        pl.DataFrame(X),
        X.to_dict("list"),
        X.to_dict("records"),
        X.astype({"city": "category"}),
    ):
        np.testing.assert_array_equal(session.predict_proba(same), expected)
    np.testing.assert_array_equal(session.predict_proba(X.to_numpy()), expected)


def test_wrong_data_are_refused(numbers: Any, mixed: Any) -> None:
    _, X, session = numbers
    for wrong, message in [
        (X[0], "Expected 2D array, got 1D array instead"),
        (X[:, :3], "X has 3 features, but the model is expecting 4 features as input"),
        (np.full((2, 4), np.nan), "NaN"),
        (np.full((2, 4), np.inf), "infinity"),
        (np.full((2, 4), "x"), "X holds text, and the model takes float64"),
        (np.full((2, 4), 2**53 + 1), "cannot hold exactly"),
        ([[1.0, 2.0], [3.0]], "rows that all have the same length"),
        ("rows.csv", "0D array instead .one str.; give rows x columns"),
        (None, "one NoneType"),
    ]:
        with pytest.raises(InputError, match=message):
            session.predict(wrong)
    _, X, session = mixed
    for wrong, message in [
        (X.drop(columns="city"), "missing column 'city'"),
        (X.assign(n=0.5), "column 'n' holds 0.5 in row 0, and the model takes int64"),
        (X.assign(city=1), "column 'city' holds int64, and the model takes text"),
        (X.assign(age="old"), "column 'age' holds the text 'old', and the model takes float64"),
        ({"age": 1.0, "city": "a", "n": 1}, "column 'age' is one value, 1.0; give a list"),
        ({}, "given: nothing"),
    ]:
        with pytest.raises(InputError, match=message):
            session.predict(wrong)
    assert len(session.predict(X)) == len(X)


def test_a_float32_model_refuses_what_float32_cannot_hold() -> None:
    X = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
    estimator = LinearRegression().fit(X, X[:, 0])
    session = sardonyx.compile(estimator, X)
    np.testing.assert_array_equal(session.predict(X.astype(np.float64)), session.predict(X))
    with pytest.raises(InputError, match=r"which float32 cannot hold exactly; use .astype\(numpy.float32\)"):
        session.predict(np.array([[0.1, 0.2]]))


def test_predict_std_is_an_option_of_predict() -> None:
    X = np.random.default_rng(0).normal(size=(30, 2))
    estimator = BayesianRidge().fit(X, X[:, 0])
    session = sardonyx.compile(estimator, X, methods=["predict", "predict_std"])
    for actual, expected in zip(
        session.predict(X, return_std=True), estimator.predict(X, return_std=True), strict=True
    ):
        np.testing.assert_allclose(actual, expected, rtol=1e-10)
    assert session.predict(X).shape == (30,)
    with pytest.raises(sardonyx.MissingMethodError, match="no predict_std"):
        sardonyx.compile(estimator, X, methods="predict").predict(X, return_std=True)


def test_a_file_of_predict_std_alone_answers_with_it() -> None:
    X = np.random.default_rng(0).normal(size=(30, 2))
    estimator = make_pipeline(StandardScaler(), BayesianRidge()).fit(X, X[:, 0])
    session = sardonyx.compile(estimator, X, methods=["predict_std"])
    np.testing.assert_allclose(session.predict(X, return_std=True), estimator.predict(X, return_std=True))
    with pytest.raises(sardonyx.MissingMethodError, match="no predict; it has predict_std"):
        session.predict(X)


def test_options_of_predict_are_the_last_steps() -> None:
    X = np.random.default_rng(0).normal(size=(30, 2))
    forest = make_pipeline(RandomForestRegressor(2)).fit(X, X[:, 0])
    with pytest.raises(sardonyx.ConversionError, match=r"no method predict_std; it has predict, apply\.$"):
        sardonyx.to_onnx(forest, X, methods="predict_std")
    search = GridSearchCV(BayesianRidge(), {}, cv=2).fit(X, X[:, 0])  # its predict takes X alone
    with pytest.raises(sardonyx.ConversionError, match=r"no method predict_std; it has predict\.$"):
        sardonyx.to_onnx(make_pipeline(search), X, methods="predict_std")


# ---- as ONNX Runtime has it


def test_inputs_outputs_and_run(numbers: Any, mixed: Any) -> None:
    estimator, X, session = numbers
    assert [(i.name, i.type, i.shape) for i in session.get_inputs()] == [("X", "tensor(double)", ["N", 4])]
    assert [o.name for o in session.get_outputs()] == ["predict", "predict_proba", "decision_function"]
    proba, labels = session.run(["predict_proba", "predict"], {"X": X})
    assert labels.tolist() == estimator.predict(X).tolist()
    np.testing.assert_array_equal(proba, session.predict_proba(X))
    assert len(session.run(None, {"X": X})) == 3
    with pytest.raises(InputError, match=r"missing input 'X'"):
        session.run(None, {"x": X})
    with pytest.raises(InputError, match="nonsense"):
        session.run(["nonsense"], {"X": X})
    _, X, session = mixed
    assert [i.type for i in session.get_inputs()] == ["tensor(double)", "tensor(int64)", "tensor(string)"]


def test_run_takes_its_arguments_by_name_as_onnx_runtime_does(numbers: Any) -> None:
    _, X, session = numbers
    for loaded, feeds in ((session, {"X": X}), (foreign(), {"X": X[:3, :2]})):
        first, *_ = loaded.get_outputs()
        expected = loaded.run(None, feeds)
        for answers in (
            loaded.run(output_names=None, input_feed=feeds),
            loaded.run(input_feed=feeds, output_names=[], run_options=None),
        ):
            for actual, right in zip(answers, expected, strict=True):
                np.testing.assert_array_equal(actual, right)
        np.testing.assert_array_equal(loaded.run([first.name], input_feed=feeds)[0], expected[0])
        with pytest.raises(InputError, match="give \\["):
            loaded.run(first.name, feeds)
        with pytest.raises(TypeError, match="leave them out"):
            loaded.run(None, feeds, 1)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="takes a dict"):
            loaded.run(None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("threads", [-1, 1.5, "2", None, True, 2**40])
def test_threads_are_a_number(numbers: Any, tmp_path: Path, threads: Any) -> None:
    numbers[2].save(tmp_path / "m.sdx")
    with pytest.raises(InputError, match="threads="):
        sardonyx.load(tmp_path / "m.sdx", threads=threads)


def test_a_file_is_saved_whole_or_not_at_all(numbers: Any, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(IsADirectoryError):
        numbers[2].save(tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_feeds_suit_other_runtimes(mixed: Any) -> None:
    ort = pytest.importorskip("onnxruntime")
    estimator, X, session = mixed
    model = sardonyx.to_onnx(estimator, X)
    theirs = ort.InferenceSession(model.SerializeToString()).run(
        ["predict_proba"], session.feeds(X[["n", "city", "age"]])
    )
    np.testing.assert_allclose(theirs[0], estimator.predict_proba(X), rtol=1e-10)


def test_one_flat_graph_on_request(mixed: Any) -> None:
    estimator, X, _ = mixed
    model = sardonyx.to_onnx(estimator, X, inline=True)
    assert not model.functions
    np.testing.assert_allclose(sardonyx.load(model).predict_proba(X), estimator.predict_proba(X), rtol=1e-10)


# ---- files


def test_every_form_of_a_model_loads(mixed: Any, tmp_path: Path) -> None:
    estimator, X, session = mixed
    model = sardonyx.to_onnx(estimator, X)
    onnx.save(model, tmp_path / "m.onnx")
    session.save(tmp_path / "m.sdx")
    forms: list[Any] = [model, model.SerializeToString(), tmp_path / "m.onnx", str(tmp_path / "m.sdx")]
    forms += [(tmp_path / "m.sdx").read_bytes(), memoryview((tmp_path / "m.sdx").read_bytes())]
    for form in forms:
        loaded = sardonyx.load(form)
        np.testing.assert_array_equal(loaded.predict_proba(X), session.predict_proba(X))
        assert loaded.predict(X).dtype == bool
        assert loaded.check().ok
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".part"] == []


def test_sessions_travel_by_pickle(mixed: Any, tmp_path: Path) -> None:
    *_, session = mixed
    session.save(tmp_path / "m.sdx")
    for one in (session, sardonyx.load(tmp_path / "m.sdx"), foreign()):
        again = pickle.loads(pickle.dumps(one))
        assert again.methods == one.methods
        assert [i.name for i in again.get_inputs()] == [i.name for i in one.get_inputs()]
    serial = sardonyx.load(tmp_path / "m.sdx", threads=1)
    assert isinstance(serial, NativeSession)
    assert pickle.loads(pickle.dumps(serial)).threads == 1


@pytest.mark.parametrize("harm", ["replace", "overwrite", "truncate", "remove"])
def test_a_session_stays_the_model_that_it_loaded(mixed: Any, numbers: Any, tmp_path: Path, harm: str) -> None:
    _, X, session = mixed
    path = tmp_path / "m.sdx"
    session.save(path)
    loaded, expected = sardonyx.load(path), session.predict_proba(X)
    if harm == "replace":
        numbers[2].save(path)
    elif harm == "remove":
        path.unlink()
    else:
        with path.open("r+b") as file:
            _ = file.truncate(100) if harm == "truncate" else file.write(b"\xff" * path.stat().st_size)
    loaded.save(tmp_path / "again.sdx")
    for one in (loaded, pickle.loads(pickle.dumps(loaded)), sardonyx.load(tmp_path / "again.sdx")):
        np.testing.assert_array_equal(one.predict_proba(X), expected)


@pytest.mark.parametrize(
    ("content", "said"),
    [(MAGIC, "not a legal program.*Compile the model again"), (pickle.dumps(1), "this is a pickle"), (b"", "no graph")],
)
def test_a_file_that_is_no_model_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=f"{re.escape(str(path))}: .*{said}"):
        sardonyx.load(path)


def test_damaged_files_are_refused(numbers: Any, tmp_path: Path) -> None:
    estimator, X, session = numbers
    session.save(tmp_path / "m.sdx")
    rng = random.Random(0)
    for content in (sardonyx.to_onnx(estimator, X).SerializeToString(), (tmp_path / "m.sdx").read_bytes()):
        for size in sorted({0, 1, 7, 8, 9, *(rng.randrange(len(content)) for _ in range(60))}):
            with pytest.raises(ModelError):
                sardonyx.load(content[:size])
        for _ in range(100):
            at = rng.randrange(len(content))
            changed = bytes([*content[:at], content[at] ^ (1 << rng.randrange(8)), *content[at + 1 :]])
            with contextlib.suppress(ModelError, InputError):
                sardonyx.load(changed).run(None, {"X": X})


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sardonyx.load(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(ModelError, match=r"not a readable ONNX file \(5 bytes\)"):
        sardonyx.load(tmp_path / "text.onnx")
    with pytest.raises(ModelError, match=r"load takes a path, bytes or .*, not int"):
        sardonyx.load(3)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=r"not LinearRegression. To convert an estimator, see sardonyx.compile"):
        sardonyx.load(LinearRegression())
    with pytest.raises(ModelError, match="has no graph"):
        sardonyx.load(onnx.ModelProto())


def model_of(nodes: list[onnx.NodeProto], domains: tuple[str, ...] = ("",)) -> onnx.ModelProto:
    x = helper.make_tensor_value_info("X", TensorProto.DOUBLE, ["N", 2])
    y = helper.make_tensor_value_info("Y", TensorProto.DOUBLE, ["N", 2])
    imports = [helper.make_opsetid(domain, 21 if domain == "" else 1) for domain in domains]
    return helper.make_model(helper.make_graph(nodes, "g", [x], [y]), opset_imports=imports)


def foreign() -> Session:
    """A model that mixes rows, which no kernel does."""
    nodes = [
        helper.make_node("CumSum", ["X", "axis"], ["sum"]),
        helper.make_node("Abs", ["sum"], ["Y"]),
    ]
    model = model_of([helper.make_node("Constant", [], ["axis"], value_int=0), *nodes])
    return sardonyx.load(model)


def test_models_of_others_run_even_without_kernels(tmp_path: Path) -> None:
    session = foreign()
    assert isinstance(session, PlanSession)
    X = np.array([[1.0, -2], [3, -4]])
    np.testing.assert_array_equal(session.run(None, {"X": X})[0], [[1, 2], [4, 6]])
    np.testing.assert_array_equal(session.run(["Y"], {"X": X.astype(np.int64).tolist()})[0], [[1, 2], [4, 6]])
    assert "CumSum" in session.explain()
    assert session.methods == ()
    with pytest.raises(AttributeError, match="sardonyx did not write it"):
        session.predict(X)
    with pytest.raises(ModelError, match=r"CumSum.* cannot be compiled"):
        session.save(tmp_path / "m.sdx")
    with pytest.raises(ModelError, match="no rows to check it with"):
        session.check()
    with pytest.raises(InputError, match="missing input 'X'"):
        session.run(None, {})


def test_unknown_operators_are_refused() -> None:
    with pytest.raises(ModelError, match="Nonsense"):
        sardonyx.load(model_of([helper.make_node("Nonsense", ["X"], ["Y"])]))
    with pytest.raises(ModelError, match="Nonsense"):
        sardonyx.load(model_of([helper.make_node("Nonsense", ["X"], ["Y"], domain="else")], ("", "else")))


def test_a_file_that_asks_for_terabytes_is_refused() -> None:
    repeats = helper.make_node("Constant", [], ["repeats"], value_ints=[1, 10**12])
    nodes = [
        repeats,
        helper.make_node("Tile", ["X", "repeats"], ["wide"]),
        helper.make_node("ReduceSum", ["wide"], ["sum"]),
        helper.make_node("Add", ["X", "sum"], ["Y"]),
    ]
    session = sardonyx.load(model_of(nodes))
    with pytest.raises(ModelError, match=r"Tile makes a tensor of shape \[1, 2000000000000\], 14,901.2 GiB"):
        session.run(None, {"X": np.ones((1, 2))})


def test_a_description_that_does_not_fit_its_model_is_refused(numbers: Any) -> None:
    estimator, X, _ = numbers
    for before, after in (('"width": 4', '"width": 5'), ('"outputs": ["predict"]', '"outputs": ["other"]')):
        model = sardonyx.to_onnx(estimator, X)
        (prop,) = model.metadata_props
        assert before in prop.value
        prop.value = prop.value.replace(before, after)
        with pytest.raises(ModelError, match="the file describes"):
            sardonyx.load(model)


def test_explain_names_what_runs(numbers: Any) -> None:
    *_, session = numbers
    text = session.explain()
    assert isinstance(session, NativeSession)
    for word in ("Pipeline", "tensor(double)", "predict_proba", "steps", session.isa):
        assert word in text


def test_threads_share_a_session(numbers: Any) -> None:
    _, X, session = numbers
    rows = np.tile(X, (300, 1))
    expected = session.predict_proba(rows)
    with ThreadPoolExecutor(8) as pool:
        for answer in pool.map(lambda i: session.predict_proba(rows[i % 7 :]), range(40)):
            np.testing.assert_array_equal(answer, expected[-len(answer) :])


@pytest.mark.parametrize("rows", ["X", "X.astype('float32')", "frame", "X[::2]", "scipy.sparse.csr_matrix(X)"])
def test_threads_that_never_end_do_not_hinder_the_end(tmp_path: Path, rows: str) -> None:
    X = np.random.default_rng(0).normal(size=(60, 3))
    estimator = make_pipeline(MaxAbsScaler(), RandomForestRegressor(9, random_state=0)).fit(X, X[:, 0])
    sardonyx.compile(estimator, scipy.sparse.csr_matrix(X)).save(tmp_path / "m.sdx")
    code = f"""
import threading, time
import numpy as np, pyarrow, scipy.sparse, sardonyx
session = sardonyx.load({str(tmp_path / "m.sdx")!r})
X = np.random.default_rng(1).normal(size=(20000, 3))
frame = pyarrow.table([X[:, i].copy() for i in range(3)], ["x0", "x1", "x2"])
rows = {rows}
def work(ready=[]):
    while True:
        session.predict(rows)
        ready.append(1) or started.set()
started = threading.Event()
for _ in range(3): threading.Thread(target=work, daemon=True).start()
assert started.wait(60)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
