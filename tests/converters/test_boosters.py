"""Boosted trees of other libraries, bit for bit, on rows that lie on their splits and right beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
from catboost import CatBoostClassifier, CatBoostRegressor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lightgbm import LGBMRegressor, early_stopping
from numpy.typing import NDArray
from xgboost import XGBRegressor

import sardonyx
from sardonyx.convert import convert
from sardonyx.errors import ConversionError, InputError, SardonyxError
from sardonyx.session.session import Session

XGB: dict[str, Any] = {"n_estimators": 8, "max_depth": 4, "n_jobs": 1}
LGBM: dict[str, Any] = {"n_estimators": 8, "num_leaves": 8, "min_child_samples": 5, "verbose": -1, "n_jobs": 1}
CAT: dict[str, Any] = {
    "iterations": 8, "depth": 4, "verbose": 0, "allow_writing_files": False, "thread_count": 1,
}  # fmt: skip
REGRESSORS = {
    "xgboost": XGBRegressor(**XGB),
    "xgboost dart": XGBRegressor(booster="dart", rate_drop=0.5, **XGB),
    "lightgbm": LGBMRegressor(**LGBM),
    "lightgbm zeros": LGBMRegressor(zero_as_missing=True, **LGBM),
    "catboost": CatBoostRegressor(**CAT),
    "catboost nested": CatBoostRegressor(grow_policy="Lossguide", **CAT),
}


def training(dtype: Any = np.float64) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3)).round(1).astype(dtype)
    y = X[:, 0] * 3 + X[:, 1] ** 2
    X[rng.random(X.shape) < 0.1] = np.nan
    return X, y


def splits(node: Any) -> set[float]:
    """All numbers of a text that a split could be."""
    import re

    return {float(text) for text in re.findall(r"-?\d+\.\d+(?:[eE][-+]?\d+)?", node)}


def edges(est: Any) -> NDArray[np.float64]:
    """Splits, the numbers beside them in both dtypes, and what is special anyway."""
    if isinstance(est, XGBRegressor):
        text = bytes(est.get_booster().save_raw("json")).decode()
    elif isinstance(est, LGBMRegressor):
        text = est.booster_.model_to_string()
    else:
        text = str([f["borders"] for f in _json(est)["features_info"]["float_features"]])
    found = np.array(sorted(splits(text)))
    found = found[np.linspace(0, len(found) - 1, 400).astype(int)]
    single = found.astype(np.float32)
    with np.errstate(over="ignore"):
        beside = [np.nextafter(v, v.dtype.type(way)) for v in (found, single) for way in (-np.inf, np.inf)]
    zeros = [0.0, -0.0, 1e-36, -1e-36, float(np.float32(1e-35)), -float(np.float32(1e-35)), 5e-324, 1e300]
    return np.concatenate([found, single, *beside, zeros, [np.nan, np.inf, -np.inf]]).astype(np.float64)


def _json(est: Any) -> Any:
    from sardonyx.converters.catboost import _read

    return _read(est)


@pytest.fixture(scope="module", params=[(name, dtype) for name in REGRESSORS for dtype in ("float32", "float64")])
def fitted(request: pytest.FixtureRequest) -> tuple[Any, Session, ort.InferenceSession, NDArray[Any], str]:
    name, dtype = request.param
    X, y = training(dtype)
    est = REGRESSORS[name].__class__(**REGRESSORS[name].get_params()).fit(X, y)
    model = convert(est, X)
    return est, sardonyx.load(model), ort.InferenceSession(model.SerializeToString()), edges(est), dtype


@settings(derandomize=True, deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_regressors_are_bit_identical(
    fitted: tuple[Any, Session, ort.InferenceSession, NDArray[Any], str], data: st.DataObject
) -> None:
    est, session, other, values, dtype = fitted
    rows = data.draw(st.sampled_from([1, 7, 200]))
    seed = data.draw(st.integers(0, 2**32 - 1))
    with np.errstate(over="ignore"):
        X = np.random.default_rng(seed).choice(values, (rows, 3)).astype(dtype)
    expected = est.predict(X)
    np.testing.assert_array_equal(session.predict(X), expected, strict=True)
    np.testing.assert_array_equal(other.run(None, {"X": X})[0], expected, strict=True)


def test_integers_of_an_array_are_read_as_the_library_reads_them() -> None:
    X = np.random.default_rng(0).integers(2**24, 2**24 + 9, (200, 2))
    for est in (XGBRegressor(**XGB), LGBMRegressor(**LGBM), CatBoostRegressor(**CAT)):
        est.fit(X, X[:, 0] % 5 + X[:, 1])
        np.testing.assert_array_equal(sardonyx.compile(est, X).predict(X), est.predict(X))


def test_codes_of_categories_at_their_edges() -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 100, (300, 2)).astype(float)
    X[rng.random(X.shape) < 0.1] = np.nan
    y = np.isin(X[:, 0] % 7, [0, 1, 3]) * 3 + rng.normal(size=300)
    hard = [-1, -0.5, -0.0, 0.5, 99.7, 1e7, 2**24, 2**24 + 2, 2.0**31, 2.0**31 - 0.5, 2.0**32, 1e30, np.nan, 200]
    test = np.repeat(np.array(hard)[:, None], 2, axis=1)
    small = LGBMRegressor(min_data_per_group=1, cat_smooth=0, **LGBM).fit(X, y, categorical_feature=[0])
    for est in (XGBRegressor(enable_categorical=True, feature_types=["c", "q"], **XGB).fit(X, y), small):
        np.testing.assert_array_equal(sardonyx.compile(est, X).predict(test), est.predict(test))


def test_early_stopping_ends_at_the_best_iteration() -> None:
    X, y = training()
    many = {"n_estimators": 60, "learning_rate": 0.9}
    boost = XGBRegressor(**{**XGB, **many}, early_stopping_rounds=2).fit(X, y, eval_set=[(X[:50], -y[:50])], verbose=0)
    light = LGBMRegressor(**{**LGBM, **many})
    light.fit(X, y, eval_X=X[:50], eval_y=-y[:50], callbacks=[early_stopping(2, verbose=False)])
    cat = CatBoostRegressor(**{**CAT, "iterations": 60}, use_best_model=True).fit(X, y, eval_set=(X[:50], -y[:50]))
    assert boost.best_iteration < 59
    assert light.best_iteration_ < 60
    for est in (boost, light, cat):
        np.testing.assert_array_equal(sardonyx.compile(est, X).predict(X), est.predict(X))


def test_thresholds_of_catboost() -> None:
    X, y = training()
    est = CatBoostClassifier(**CAT).fit(X, y > 0)
    est.set_probability_threshold(0.7)
    np.testing.assert_array_equal(sardonyx.compile(est, X).predict(X), est.predict(X))
    scaled = CatBoostRegressor(**CAT).fit(X, y)
    scaled.set_scale_and_bias(1.7, 0.3)
    np.testing.assert_array_equal(sardonyx.compile(scaled, X).predict(X), scaled.predict(X))


def test_what_a_library_refuses_is_refused() -> None:
    X, y = training()
    est = XGBRegressor(**XGB).fit(X, y)
    session = sardonyx.compile(est, X, methods=["apply"])
    with pytest.raises(InputError, match="XGBRegressor"):
        session.apply(np.full((1, 3), np.inf))
    frame = pd.DataFrame({"city": pd.Categorical(["a", "b"] * 50), "n": np.arange(100.0)})
    est = XGBRegressor(enable_categorical=True, **XGB).fit(frame, np.arange(100))
    with pytest.raises(SardonyxError, match="city"):
        sardonyx.compile(est, frame).predict(pd.DataFrame({"city": ["new"], "n": [1.0]}))


def frame_of(*cities: str) -> pd.DataFrame:
    return pd.DataFrame({"city": pd.Categorical(list(cities) * 50), "n": np.arange(50.0 * len(cities))})


def test_categories_of_catboost_of_every_length() -> None:
    texts = ["\u65e5\0"[: n % 3] + "ab" * (n // 2) + str(n) for n in range(150)]
    frame = pd.DataFrame({"text": texts, "number": np.arange(150)})
    est = CatBoostRegressor(cat_features=["text"], one_hot_max_size=200, **{**CAT, "iterations": 200})
    est.fit(frame[["text"]], frame["number"])
    session = sardonyx.compile(est, frame[["text"]])
    np.testing.assert_array_equal(session.predict(frame), est.predict(frame[["text"]]))
    with pytest.raises(SardonyxError, match=r"'text'.*missing"):
        session.predict(pd.DataFrame({"text": [None]}))


def test_categories_of_catboost_that_it_would_not_take() -> None:
    frame = frame_of("a", "b").assign(k=np.arange(100) % 3)
    cat = CatBoostRegressor(cat_features=["city", "k"], **CAT).fit(frame, frame["n"])
    with pytest.raises(ConversionError, match=r"'k' are float64.*astype\(str\)"):
        convert(cat, frame.assign(k=frame["k"] * 1.0))
    with pytest.raises(ConversionError, match="text where the model has numbers"):
        convert(cat, frame.assign(n=frame["n"].astype(str)))
    several = ["Borders:TargetBorderCount=1", "Borders:TargetBorderCount=2"]
    cat = CatBoostRegressor(cat_features=["k"], simple_ctr=several, **CAT).fit(frame[["k"]], frame["n"])
    with pytest.raises(ConversionError, match=r"simple_ctr.*one TargetBorderCount"):
        convert(cat, frame[["k"]])


def test_what_catboost_keeps_to_itself() -> None:
    X, y = training()
    frame = pd.DataFrame(
        {"t": ["red dog", "blue cat"] * 100, "x": X[:, 0], "e": [list(row) for row in np.nan_to_num(X)]}
    )
    texts = CatBoostClassifier(text_features=["t"], **CAT).fit(frame[["t", "x"]], y > 0)
    with pytest.raises(ConversionError, match=r"text features only in cbm.*TfidfVectorizer"):
        convert(texts, frame[["t", "x"]])
    vectors = CatBoostClassifier(embedding_features=["e"], **CAT).fit(frame[["e", "x"]], y > 0)
    with pytest.raises(ConversionError, match="embedding features only in cbm"):
        convert(vectors, frame[["x", "x"]].set_axis(["e", "x"], axis=1))
    bare = CatBoostRegressor(cat_features=["t"], final_ctr_computation_mode="Skip", one_hot_max_size=1, **CAT)
    with pytest.raises(ConversionError, match="final_ctr_computation_mode"):
        convert(bare.fit(frame[["t", "x"]], y), frame[["t", "x"]])


@pytest.mark.parametrize("size", [2, 10])
def test_several_targets_have_no_statistics_in_json(size: int) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"n": rng.normal(size=400), "city": rng.choice(list("abcdefgh"), 400)})
    est = CatBoostRegressor(loss_function="MultiRMSE", cat_features=["city"], one_hot_max_size=size, **CAT)
    est.set_params(iterations=20).fit(frame, rng.normal(size=(400, 2)))
    if size == 2:  # eight cities are more than one-hot encoding takes: they get statistics
        with pytest.raises(ConversionError, match=r"MultiRMSE.*each of several targets.*one_hot_max_size"):
            convert(est, frame)
    else:
        np.testing.assert_allclose(sardonyx.compile(est, frame).predict(frame), est.predict(frame), rtol=1e-12)


def test_refusals_say_what_to_do() -> None:
    frame = frame_of("a", "b")
    umlauts = frame_of("\u00e9", "\u00e8")
    boost = XGBRegressor(enable_categorical=True, **XGB).fit(umlauts, umlauts["n"])
    with pytest.raises(ConversionError, match=r"'city'.*not ASCII.*Rename"):
        convert(boost, umlauts)
    light = LGBMRegressor(pred_early_stop=True, **LGBM).fit(frame[["n"]], frame["n"])
    with pytest.raises(ConversionError, match="pred_early_stop"):
        convert(light, frame[["n"]])
    ordered = frame.assign(
        size=pd.Categorical(["s", "m"] * 50, ordered=True), k=pd.Categorical([1, 2] * 50, ordered=True)
    )
    light = LGBMRegressor(**LGBM).fit(ordered, frame["n"])
    with pytest.raises(ConversionError, match=r"ordered.*OrdinalEncoder"):
        convert(light, ordered)
