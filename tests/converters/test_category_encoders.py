"""The encoders of category_encoders answer as they do: known, unknown and missing categories, every policy."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import sardonyx
from sardonyx import ConversionError, InputError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    ce = pytest.importorskip("category_encoders")

pytestmark = pytest.mark.filterwarnings("ignore")
RNG = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "city": RNG.choice(["Rom", "Köln", "", "東京", "nan"], 120),
        "x": RNG.normal(size=120),
        "kind": RNG.choice(["a", "b", "c"], 120),
        "size": RNG.choice([1.0, 2.5, -0.0], 120),
    }
).assign(once=["only", *["often"] * 119])
Y = (X["x"] + (X["kind"] == "a") > 0.3).astype(int)
COLUMNS = ["city", "kind", "size", "once"]
ENCODERS = [
    "BackwardDifferenceEncoder", "BaseNEncoder", "BinaryEncoder", "CatBoostEncoder", "CountEncoder",
    "CountTargetEncoder", "GLMMEncoder", "GrayEncoder", "HelmertEncoder", "JamesSteinEncoder", "LeaveOneOutEncoder",
    "MEstimateEncoder", "OneHotEncoder", "OrdinalEncoder", "PolynomialEncoder", "QuantileEncoder", "SumEncoder",
    "TargetEncoder", "WOEEncoder",
]  # fmt: skip
MISSING = X.assign(city=X["city"].where(RNG.random(120) > 0.2), size=X["size"].where(RNG.random(120) > 0.2))
STRANGE = MISSING.assign(kind=MISSING["kind"].where(RNG.random(120) > 0.2, "never seen"))


def assert_same(encoder: Any, sample: pd.DataFrame, rows: pd.DataFrame) -> None:
    session = sardonyx.compile(encoder, sample)
    for given in (rows, rows[:1], rows[-1:]):
        try:
            expected = encoder.transform(given)
        except (ValueError, KeyError):
            with pytest.raises(InputError):
                session.transform(given)
            continue
        actual = np.asarray(session.transform(given), float)
        np.testing.assert_allclose(actual, np.asarray(expected, float), rtol=1e-14, atol=0)


@pytest.mark.parametrize("name", ENCODERS)
def test_known_unknown_and_missing(name: str) -> None:
    assert_same(getattr(ce, name)(cols=COLUMNS).fit(MISSING, Y), MISSING, STRANGE)


POLICIES = [("value", "value"), ("value", "return_nan"), ("return_nan", "value"), ("error", "error")]


@pytest.mark.parametrize(("unknown", "missing"), POLICIES)
@pytest.mark.parametrize("name", ["OrdinalEncoder", "OneHotEncoder", "TargetEncoder", "LeaveOneOutEncoder"])
def test_policies(name: str, unknown: str, missing: str) -> None:
    encoder = getattr(ce, name)(cols=COLUMNS, handle_unknown=unknown, handle_missing=missing).fit(X, Y)
    assert_same(encoder, X, STRANGE)


@pytest.mark.parametrize("parameters", [{"handle_unknown": 0}, {"handle_unknown": "return_nan"}, {"normalize": True}])
def test_counts(parameters: dict[str, Any]) -> None:
    encoder = ce.CountEncoder(cols=COLUMNS, **parameters).fit(MISSING)
    assert_same(encoder, MISSING, STRANGE)


def test_indicators_invariant_columns_and_arrays() -> None:
    same = X.assign(flat="always")
    for encoder in (
        ce.OneHotEncoder(cols=COLUMNS, handle_unknown="indicator", handle_missing="indicator", use_cat_names=True),
        ce.SumEncoder(cols=COLUMNS, handle_unknown="indicator", handle_missing="indicator"),
        ce.OrdinalEncoder(cols=[*COLUMNS, "flat"], drop_invariant=True),
        ce.TargetEncoder(cols=[*COLUMNS, "flat"], return_df=False),
        ce.BaseNEncoder(cols=[*COLUMNS, "flat"], base=3),
    ):
        sample = same if "flat" in encoder.cols else X
        assert_same(encoder.fit(sample, Y), sample, STRANGE.assign(flat="never")[list(sample)])


@pytest.mark.parametrize("categories", [1, 2, 3, 4])
@pytest.mark.parametrize("policy", ["value", "return_nan", "error", "indicator"])
@pytest.mark.parametrize(
    "name", ["BackwardDifferenceEncoder", "BinaryEncoder", "HelmertEncoder", "OneHotEncoder", "SumEncoder"]
)
def test_contrasts_are_floats_and_digits_are_integers(name: str, policy: str, categories: int) -> None:
    if categories == 1 and policy == "error":
        pytest.skip("refused: no column would be left to refuse another category")
    sample = pd.DataFrame({"letter": [*"abcd"[:categories]] * 4, "digit": [1, 2] * 2 * categories})
    encoder = getattr(ce, name)(cols=list(sample), handle_unknown=policy, handle_missing=policy).fit(sample)
    actual = np.asarray(sardonyx.compile(encoder, sample).transform(sample))
    expected = encoder.transform(sample).to_numpy()
    assert actual.dtype == expected.dtype
    np.testing.assert_array_equal(actual, expected)


def test_a_pipeline_in_both_runtimes_reads_like_it() -> None:
    pipeline = make_pipeline(ce.TargetEncoder(cols=COLUMNS), LogisticRegression()).fit(MISSING, Y)
    model = sardonyx.to_onnx(pipeline, MISSING)
    assert sardonyx.verify(pipeline, model, STRANGE).ok
    assert "Python" not in sardonyx.load(model).explain()


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (ce.HashingEncoder(cols=["kind"]), "HashingEncoder of category_encoders cannot be converted; OrdinalEncoder"),
        (ce.OrdinalEncoder(cols=["kind"], handle_unknown=lambda v, m: 3), "a function of Python"),
        (ce.CountEncoder(cols=["kind"], min_group_size=45), "min_group_size"),
        (ce.SumEncoder(cols=["flat"], handle_unknown="error"), "'flat' had one category, of which no column comes"),
    ],
)
def test_what_has_no_form_is_refused(encoder: Any, message: str) -> None:
    sample = X.assign(flat="always")
    with pytest.raises(ConversionError, match=message):
        sardonyx.to_onnx(encoder.fit(sample, Y), sample)


def test_none_is_refused_where_its_meaning_depends_on_the_batch() -> None:
    encoder = ce.LeaveOneOutEncoder(cols=["kind"]).fit(X[["kind"]], Y)
    session = sardonyx.compile(encoder, X[["kind"]].astype(object))
    with pytest.raises(InputError, match=r"'kind' has None.*use NaN"):
        session.transform(pd.DataFrame({"kind": np.array([None], dtype=object)}))
