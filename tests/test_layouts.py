"""In which of SciPy's forms results come: in scikit-learn's own, for every form that is given."""

from __future__ import annotations

from pathlib import Path

import pytest
import scipy.sparse as sp
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    FunctionTransformer,
    MaxAbsScaler,
    Normalizer,
    PolynomialFeatures,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.random_projection import SparseRandomProjection

import sardonyx
from sardonyx.layouts import GIVEN, Layout, beside

from .session.test_sparse import X, assert_same, fitted

FORMS = ("csr_matrix", "csr_array", "csc_matrix", "csc_array", "coo_matrix", "coo_array", "lil_matrix")

TRANSFORMERS = {
    "scaled": MaxAbsScaler(),
    "standard": StandardScaler(with_mean=False),
    "robust": RobustScaler(with_centering=False),
    "unit": Normalizer(),
    "above": Binarizer(threshold=0.5),
    "chosen": SelectKBest(k=20),
    "kept": FunctionTransformer(accept_sparse=True),
    "filled": SimpleImputer(),
    "ranks": QuantileTransformer(n_quantiles=20),
    "products": PolynomialFeatures(2, include_bias=False),
    "projected": SparseRandomProjection(9, random_state=0),
    "one after the other": make_pipeline(MaxAbsScaler(), SelectKBest(k=30), MaxAbsScaler(), SimpleImputer()),
    "beside each other": FeatureUnion([("a", MaxAbsScaler()), ("b", SelectKBest(k=9))]),
    "beside dense ones": FeatureUnion([("a", MaxAbsScaler()), ("b", TruncatedSVD(2, random_state=0))]),
    "by columns": ColumnTransformer([("a", MaxAbsScaler(), slice(0, 60)), ("b", "passthrough", [88, 70, 80])]),
}


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_results_have_the_form_of_scikit_learn_s(name: str) -> None:
    est = fitted(TRANSFORMERS[name])
    session = sardonyx.compile(est, X)
    for form in FORMS:
        if name == "by columns" and form.startswith("coo"):  # columns of these cannot be taken
            continue
        given = getattr(sp, form)(X[:30])
        assert_same(session.transform(given), est.transform(given))
    if name not in ("projected", "by columns"):
        assert_same(session.transform(X[:9].toarray()), est.transform(X[:9].toarray()))


@pytest.mark.parametrize("name", ["scaled", "standard", "robust", "chosen", "kept", "ranks"])
def test_the_way_back_has_the_form_of_scikit_learn_s(name: str) -> None:
    est = fitted(TRANSFORMERS[name])
    there = sp.csr_matrix(est.transform(X[:30]))
    session = sardonyx.compile(est, there, methods=["inverse_transform"])
    for form in FORMS:
        given = getattr(sp, form)(there)
        assert_same(session.inverse_transform(given), est.inverse_transform(given))
    assert_same(session.inverse_transform(there.toarray()), est.inverse_transform(there.toarray()))


def test_the_form_survives_a_file(tmp_path: Path) -> None:
    session = sardonyx.compile(make_pipeline(MaxAbsScaler(), fitted(SimpleImputer())).fit(X), X)
    session.save(tmp_path / "m.sdx")
    assert type(sardonyx.load(tmp_path / "m.sdx").transform(sp.csr_array(X))) is sp.csc_array


def test_thresholds_leave_no_zeros() -> None:
    est = Binarizer(threshold=2.0).fit(X)
    assert 0 < sardonyx.compile(est, X).transform(X).nnz == est.transform(X).nnz < X.nnz


def test_layouts_step_by_step() -> None:
    assert GIVEN.taken_as("csr", "csc").formats == ("csr", "csc")
    assert GIVEN.taken_as("csr", "csc").taken_as("csc").formats == ("csc",)
    assert GIVEN.taken_as("csr").taken_as("csc", "csr").formats == ("csr",)
    assert not GIVEN.taken_as("csr", matrix=True).keeps_kind
    assert beside([GIVEN, Layout()]) == Layout(("csr",), keeps_kind=True, follows=False)
    assert beside([]) == Layout()
