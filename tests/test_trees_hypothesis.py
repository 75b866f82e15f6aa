"""Random ensembles of trees against scikit-learn, bit for bit, on rows that lie on the splits and right beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)

from sardonyx.convert import convert
from sardonyx.errors import InputError
from sardonyx.lowering.lower import lower
from sardonyx.lowering.plan import NativeSegment
from sardonyx.lowering.runner import PlanRunner

Floats = NDArray[Any]

#: estimator, method (one whose result is sums of leaf values), whether it takes NaN
ESTIMATORS = {
    "forest classifier": (RandomForestClassifier(5), "predict_proba", True),
    "deep forest": (RandomForestRegressor(7, bootstrap=False), "predict", True),
    "shallow forest": (RandomForestClassifier(40, max_depth=4), "predict_proba", True),
    "extra trees": (ExtraTreesRegressor(5, max_leaf_nodes=50), "predict", True),
    "leaves": (RandomForestClassifier(5), "apply", True),
    "boosting": (GradientBoostingRegressor(n_estimators=5), "predict", False),
    "multiclass boosting": (GradientBoostingClassifier(n_estimators=4), "decision_function", False),
    "histogram boosting": (HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=2), "predict", True),
    "categories": (
        HistGradientBoostingClassifier(max_iter=4, min_samples_leaf=2, categorical_features=[0, 2]),
        "decision_function",
        True,
    ),
    "isolation": (IsolationForest(n_estimators=5), "predict", True),
}
#: scale and offset of the integers that features are made of: fractions, what float32 rounds, what it cannot hold
SCALES = [(0.1, 0.0), (1.0, 0.0), (1.0, 2.0**24), (1.0, 1.7e9), (1e-40, 0.0), (1e30, 0.0)]


def splits(estimator: Any) -> Iterator[float]:
    """The thresholds of a fitted ensemble."""
    for iteration in getattr(estimator, "_predictors", ()):
        for predictor in iteration:
            yield from predictor.nodes["num_threshold"].tolist()
    for tree in np.ravel(getattr(estimator, "estimators_", ())):
        yield from tree.tree_.threshold.tolist()


def neighbours(values: Floats) -> Floats:
    """Values, and those next to them in float64 and in float32."""
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
        beside = [np.nextafter(a, a.dtype.type(to)) for a in (values, single) for to in (-np.inf, np.inf)]
    every = np.concatenate([values, single, *beside, [0.0, -0.0, 1.0, 254.0]]).astype(np.float64)
    return every[np.abs(every) < 1e38]


def rows_near(estimator: Any, rng: np.random.Generator, X: Floats, nan: bool) -> Floats:
    chosen = np.array(list(splits(estimator)))
    values = np.concatenate([neighbours(chosen[np.isfinite(chosen)]), X.ravel()])
    rows = rng.choice(values, (150, X.shape[1]))
    if nan:
        rows[rng.random(rows.shape) < 0.2] = np.nan
    return rows.astype(X.dtype)


@pytest.mark.parametrize("name", ESTIMATORS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from(SCALES),
    features=st.integers(3, 6),
    dtype=st.sampled_from([np.float32, np.float64]),
    nan_in_training=st.booleans(),
)
def test_bits_are_those_of_the_estimator(
    name: str, seed: int, scale: tuple[float, float], features: int, dtype: type, nan_in_training: bool
) -> None:
    estimator, method, nan = ESTIMATORS[name]
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 60, (120, features)) * scale[0] + scale[1]
    if nan and nan_in_training:
        X[rng.random(X.shape) < 0.1] = np.nan
    X = X.astype(dtype)
    fitted = estimator.set_params(random_state=seed % 1000).fit(X, rng.integers(0, 3, len(X)))
    plan = lower(convert(fitted, X, methods=[method]))
    assert all(isinstance(s, NativeSegment) for s in plan.segments)
    runner = PlanRunner(plan, threads=1)
    rows = rows_near(fitted, rng, X, nan)
    expected = getattr(fitted, method)(rows)
    for n in (len(rows), 9, 1):  # many rows, the rest of a vector, one row: three ways through the kernels
        (answer,) = runner.run(None, {"X": rows[:n]})
        np.testing.assert_array_equal(answer, expected[:n])


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e39])
def test_what_float32_cannot_hold_is_refused(value: float) -> None:
    X = np.arange(40.0).reshape(20, 2)
    forest = RandomForestRegressor(3).fit(X, X[:, 0])
    runner = PlanRunner(lower(convert(forest, X)), threads=1)
    X[7, 1] = value
    with pytest.raises(ValueError, match="infinity"):
        forest.predict(X)
    with pytest.raises(InputError, match="infinity"):
        runner.run(None, {"X": X})


def test_boosting_refuses_nan_but_not_in_apply() -> None:
    X = np.arange(40.0).reshape(20, 2)
    boosting = GradientBoostingRegressor(n_estimators=3).fit(X, X[:, 0])
    predict, apply = (PlanRunner(lower(convert(boosting, X, methods=[m])), threads=1) for m in ("predict", "apply"))
    X[3, 0] = np.nan
    np.testing.assert_array_equal(apply.run(None, {"X": X})[0], boosting.apply(X))
    with pytest.raises(InputError, match="NaN"):
        predict.run(None, {"X": X})


@pytest.mark.parametrize("trees", [1, 2, 3, 7])
def test_rows_whose_score_is_the_offset_of_an_isolation_forest_are_inliers(trees: int) -> None:
    """The last bit of NumPy's power, which scores are made of, depends on the processor; labels are NumPy's own."""
    for seed in range(20):
        X = np.random.default_rng(seed).integers(-9, 9, (101, 3)).astype(float)
        forest = IsolationForest(n_estimators=trees, max_samples=(2, 3, 50)[seed % 3], contamination=0.2)
        forest.set_params(random_state=seed).fit(X)
        (labels,) = PlanRunner(lower(convert(forest, X, methods=["predict"])), threads=1).run(None, {"X": X})
        np.testing.assert_array_equal(labels, forest.predict(X))
