"""Sparse matrices from end to end: what scikit-learn says of them, in every form that SciPy has, in and out."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import scipy.sparse as sp
from sklearn.cluster import AffinityPropagation, Birch, KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import NMF, LatentDirichletAllocation, MiniBatchNMF, TruncatedSVD
from sklearn.ensemble import GradientBoostingRegressor, IsolationForest, RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.kernel_approximation import AdditiveChi2Sampler
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, MultinomialNB
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    KNeighborsTransformer,
    RadiusNeighborsClassifier,
    RadiusNeighborsTransformer,
)
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    MaxAbsScaler,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.random_projection import SparseRandomProjection
from sklearn.svm import SVC, SVR, LinearSVC, NuSVC, OneClassSVM

import sardonyx
from sardonyx.errors import ConversionError, InputError
from sardonyx.inputs.containers import as_array
from sardonyx.lowering.lower import lower
from sardonyx.session.loading import session_of


def data(rows: int = 120, width: int = 90, dtype: str = "float64", seed: int = 0) -> Any:
    """Counts in few places; some rows are empty."""
    X = sp.random_array((rows, width), density=0.08, format="csr", rng=np.random.default_rng(seed))
    X.data = np.ceil(X.data * 9) / (1 if np.dtype(dtype).kind in "iub" else 4)
    return sp.csr_matrix(X.astype(dtype))


def distinct(X: Any) -> Any:
    result = X.copy()
    result.data = np.random.default_rng(1).random(X.nnz)
    return result


X = data()
y = np.arange(X.shape[0]) % 3

ESTIMATORS = {
    type(est).__name__ if name == "" else name: est
    for name, est in [
        ("", LogisticRegression()),
        ("", LinearRegression()),
        ("", SGDClassifier(random_state=0)),
        ("", LinearSVC()),
        ("", MultinomialNB()),
        ("", BernoulliNB(binarize=0.5)),
        ("", ComplementNB()),
        ("", TruncatedSVD(4, random_state=0)),
        ("", RandomForestClassifier(5, random_state=0)),
        ("", GradientBoostingRegressor(n_estimators=4, random_state=0)),
        ("", IsolationForest(n_estimators=4, random_state=0)),
        ("", KNeighborsClassifier()),
        ("KNeighbors by cosine", KNeighborsClassifier(metric="cosine", weights="distance")),
        ("", KNeighborsRegressor(weights="distance")),
        ("", RadiusNeighborsClassifier(radius=1.8, weights="distance", outlier_label=0)),
        ("", SVC()),
        ("", SVR(kernel="poly", degree=2)),
        ("", NuSVC(kernel="sigmoid", nu=0.1)),
        ("", OneClassSVM(kernel="linear")),
        ("", KMeans(3, n_init=1, random_state=0)),
        ("", Birch(n_clusters=3)),
        ("", NMF(3, init="nndsvda", max_iter=20)),
        ("Frobenius", NMF(3, solver="mu", init="random", random_state=0, max_iter=30, alpha_W=0.001)),
        ("Kullback-Leibler", NMF(3, solver="mu", beta_loss=1, init="random", random_state=0, tol=0, max_iter=9)),
        ("beta divergence", NMF(3, solver="mu", beta_loss=1.5, init="random", random_state=0, tol=0, max_iter=9)),
        ("", MiniBatchNMF(3, random_state=0, max_iter=3)),
        ("", LatentDirichletAllocation(3, random_state=0, max_iter=3, max_doc_update_iter=20)),
        ("", MLPClassifier((5,), max_iter=3, random_state=0)),
        ("", MaxAbsScaler()),
        ("", StandardScaler(with_mean=False)),
        ("", RobustScaler(with_centering=False)),
        ("", Binarizer(threshold=0.5)),
        ("", SelectKBest(k=20)),
        ("l1", Normalizer("l1")),
        ("l2", Normalizer("l2")),
        ("max", Normalizer("max")),
        (
            "pipeline",
            make_pipeline(MaxAbsScaler(), SelectKBest(k=40), Normalizer(), LogisticRegression()),
        ),
        (
            "union",
            FeatureUnion(
                [("a", MaxAbsScaler()), ("b", TruncatedSVD(3, random_state=0)), ("c", SelectKBest(k=9))],
                transformer_weights={"a": 0.5},
            ),
        ),
        (
            "columns",
            ColumnTransformer([("a", MaxAbsScaler(), slice(0, 60)), ("b", "passthrough", [88, 70, 80])]),
        ),
    ]
}


def fitted(est: Any, X: Any = X, y: Any = y) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return est.fit(X, y)


def assert_same(actual: Any, expected: Any) -> None:
    assert sp.issparse(actual) == sp.issparse(expected)
    assert actual.dtype == expected.dtype
    if sp.issparse(expected):
        assert type(actual) is type(expected)
        actual, expected = actual.toarray(), expected.toarray()
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators(name: str) -> None:
    # Which of equally distant rows are nearest is the runtime's to know, not the file's: see below.
    given = distinct(X) if "Neighbors" in name else X
    est = fitted(ESTIMATORS[name], given)
    model = sardonyx.to_onnx(est, given)
    session = sardonyx.load(model)
    report = sardonyx.verify(est, model, given)
    assert report.ok, report
    assert session.check().ok
    kernels = {kernel for kernel, _, _ in session.steps}  # type: ignore[attr-defined]
    assert "Densify" not in kernels
    for method in session.methods:
        assert_same(getattr(session, method)(given), getattr(est, method)(given))


def disordered(X: Any) -> Any:
    """The same matrix with columns in no order, values split in two, and stored zeros."""
    rng = np.random.default_rng(0)
    coo = X.tocoo()
    part = np.floor(coo.data * rng.random(coo.nnz) * 4) / 4
    rows = np.concatenate([coo.row, coo.row, coo.row[:5]])
    columns = np.concatenate([coo.col, coo.col, (coo.col[:5] + 1) % X.shape[1]])
    values = np.concatenate([part, coo.data - part, np.zeros(5)])
    order = np.lexsort((rng.random(len(rows)), rows))
    indptr = np.append(0, np.bincount(rows, minlength=X.shape[0]).cumsum())
    result = sp.csr_matrix((values[order], columns[order], indptr), shape=X.shape)
    assert not result.has_canonical_format
    return result


def wide_indices(X: Any) -> Any:
    result = X.copy()
    result.indices, result.indptr = result.indices.astype(np.int64), result.indptr.astype(np.int64)
    return result


FORMS: dict[str, Any] = {
    "csr_array": sp.csr_array,
    "csc": lambda X: X.tocsc(),
    "coo": lambda X: X.tocoo(),
    "lil": lambda X: X.tolil(),
    "dense": lambda X: X.toarray(),
    "no rows": lambda X: X[:0],
    "one row": lambda X: X[7],
    "zeros": lambda X: sp.csr_matrix(X.shape),
    "disordered": disordered,
    "int64 indices": wide_indices,
    "float32": lambda X: X.astype(np.float32),
    "integers": lambda X: (X * 4).astype(np.int64),
    "bools": lambda X: X.astype(bool),
    "many rows": lambda X: sp.vstack([X] * 40, format="csr"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sample", ["sparse", "dense"])
def test_forms_of_the_data(sample: str, form: str) -> None:
    """Given to a program for sparse rows, and to one for dense rows."""
    est = fitted(make_pipeline(MaxAbsScaler(), LogisticRegression()))
    session = sardonyx.compile(est, X if sample == "sparse" else X.toarray())
    given = FORMS[form](X)
    before = given.copy()
    exact = given.astype(np.float64)  # scikit-learn would round in between where it is given float32
    expected = est.predict_proba(exact) if given.shape[0] else np.zeros((0, 3))
    np.testing.assert_allclose(session.predict_proba(given), expected, rtol=1e-12)
    assert abs(given - before).sum() == 0


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool", "uint8"])
@pytest.mark.parametrize("name", ["LogisticRegression", "MultinomialNB", "RandomForestClassifier", "l2", "SelectKBest"])
def test_dtypes_of_the_sample(name: str, dtype: str) -> None:
    X = data(dtype=dtype)
    est = fitted(ESTIMATORS[name], X)
    session = sardonyx.compile(est, X)
    for method in session.methods:
        actual, expected = getattr(session, method)(X), getattr(est, method)(X)
        assert sp.issparse(actual) == sp.issparse(expected)
        assert actual.dtype == expected.dtype
        difference = actual - expected
        single = 1e-6 if dtype == "float32" else 1e-12
        assert abs(difference).max() <= single


def test_rows_of_almost_zero_are_normalized_as_scikit_learn_does_it() -> None:
    """A dense row of norm 1e-20 stays as it is, a sparse one does not."""
    X = sp.csr_matrix(np.array([[1e-20, 0, 2e-20], [0, 0, 0], [3, 0, 4]]))
    for norm in ("l1", "l2", "max"):
        est = Normalizer(norm).fit(X)
        assert_same(sardonyx.compile(est, X).transform(X), est.transform(X))
        assert_same(sardonyx.compile(est, X.toarray()).transform(X.toarray()), est.transform(X.toarray()))


def test_nan_stored_is_refused_or_goes_where_scikit_learn_sends_it() -> None:
    holed = X.copy()
    holed.data[:3] = np.nan
    with pytest.raises(InputError, match="LogisticRegression: Input contains NaN"):
        sardonyx.compile(fitted(LogisticRegression()), X).predict(holed)
    dense = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X.toarray())
    est = fitted(RandomForestClassifier(4, random_state=0), dense)
    with pytest.raises(ValueError, match="NaN"):
        est.predict(holed)
    with pytest.raises(InputError, match="NaN"):
        sardonyx.compile(est, X).predict(holed)
    forest = fitted(IsolationForest(n_estimators=4, random_state=0))
    session = sardonyx.compile(forest, X, methods=["score_samples"])
    assert_same(session.score_samples(holed), forest.score_samples(holed))
    scaler = MaxAbsScaler().fit(holed)
    assert_same(sardonyx.compile(scaler, holed).transform(holed), scaler.transform(holed))


# ---- outputs ---------------------------------------------------------------------------------------------------------


def test_one_hot_of_many_categories_is_sparse_all_the_way() -> None:
    rng = np.random.default_rng(0)
    cities = np.array([[f"city {i}", f"street {j}"] for i, j in rng.integers(0, 300, (2000, 2))], object)
    numbers = rng.normal(size=(2000, 2))
    encoder = OneHotEncoder(handle_unknown="ignore").fit(cities)
    session = sardonyx.compile(encoder, cities)
    result, expected = session.transform(cities), encoder.transform(cities)
    assert_same(result, expected)
    for part in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(result, part), getattr(expected, part))
        assert getattr(result, part).dtype == getattr(expected, part).dtype
    names = session.get_outputs()[0].name
    (dense,) = session.run([names], session.feeds(cities[:5]))
    (kept,) = session.run([names], session.feeds(cities[:5]), sparse=True)
    np.testing.assert_array_equal(dense, kept.toarray())

    target = (numbers[:, 0] > 0).astype(int)
    frame = {"city": cities[:, 0], "street": cities[:, 1], "a": numbers[:, 0], "b": numbers[:, 1]}
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(frame)
    columns = ColumnTransformer(
        [("text", OneHotEncoder(handle_unknown="ignore"), ["city", "street"]), ("rest", StandardScaler(), ["a", "b"])]
    )
    pipeline = make_pipeline(columns, LogisticRegression()).fit(table, target)
    fast = sardonyx.compile(pipeline, table)
    kernels = [kernel for kernel, _, _ in fast.steps]  # type: ignore[attr-defined]
    assert {"SparseConcat", "SparseLinear"} <= set(kernels)
    assert "Densify" not in kernels
    np.testing.assert_allclose(fast.predict_proba(table), pipeline.predict_proba(table), rtol=1e-12)
    assert_same(sardonyx.compile(columns, table).transform(table), columns.transform(table))


@pytest.mark.parametrize("verify", [True, False])
def test_results_are_sparse_where_the_estimators_are(verify: bool) -> None:
    dense = np.random.default_rng(0).normal(size=(50, 3))
    holed = X.copy()
    holed.data[::7] = np.nan
    cases: list[tuple[Any, Any, bool]] = [
        (KBinsDiscretizer(4, encode="onehot", quantile_method="averaged_inverted_cdf"), dense, True),
        (KBinsDiscretizer(4, encode="onehot-dense", quantile_method="averaged_inverted_cdf"), dense, False),
        (OneHotEncoder(), np.rint(dense), True),
        (OneHotEncoder(sparse_output=False), np.rint(dense), False),
        (MaxAbsScaler(), X, True),
        (MaxAbsScaler(), dense, False),
        (TruncatedSVD(2, random_state=0), X, False),
        (FeatureUnion([("a", "passthrough"), ("b", OneHotEncoder())]), np.rint(dense), True),
        (ColumnTransformer([("a", OneHotEncoder(), [0])], remainder="passthrough"), np.rint(dense), False),
        (make_pipeline(OneHotEncoder(), MaxAbsScaler()), np.rint(dense), True),
        (SimpleImputer(), holed, True),
        (MissingIndicator(), holed, True),
        (MissingIndicator(sparse=True), holed.toarray(), True),
        (MissingIndicator(), holed.toarray(), False),
        (make_pipeline(OneHotEncoder(), MissingIndicator(features="all")), np.rint(dense), True),
        (PolynomialFeatures(2), X[:, :5], True),
        (QuantileTransformer(n_quantiles=20), X, True),
        (SparseRandomProjection(4, random_state=0), X, True),
        (SparseRandomProjection(4, random_state=0), X.toarray(), False),
        (AdditiveChi2Sampler(), X, True),
        (KNeighborsTransformer(n_neighbors=3), dense, True),
        (RadiusNeighborsTransformer(radius=1.0), dense, True),
    ]
    for est, sample, is_sparse in cases:
        est.fit(sample)
        session = sardonyx.load(sardonyx.to_onnx(est, sample, verify=verify))
        expected = est.transform(sample)
        assert sp.issparse(expected) == is_sparse, est
        assert_same(session.transform(sample), expected)


def test_what_tells_a_stored_zero_from_none_is_refused() -> None:
    """Also without a look at the answers."""
    graph = make_pipeline(KNeighborsTransformer(n_neighbors=4), KNeighborsClassifier(3, metric="precomputed"))
    dense = np.random.default_rng(0).normal(size=(50, 3))
    with pytest.raises(ConversionError, match="sparse graph"):
        sardonyx.to_onnx(fitted(graph, dense, np.arange(50) % 2), dense, verify=False)
    normal, signed = {"output_distribution": "normal"}, {"ignore_implicit_zeros": True}
    for options, given in ((normal, X), (signed, -X)):
        est = fitted(QuantileTransformer(n_quantiles=9, **options), given)
        with pytest.raises(ConversionError, match="sparse matrix leaves zeros"):
            sardonyx.to_onnx(est, given, verify=False)


def test_a_centre_of_affinity_propagation_is_sparse_after_a_sparse_fit() -> None:
    est = fitted(AffinityPropagation(random_state=0))
    assert_same(sardonyx.compile(est, X).predict(X), est.predict(X))


def test_a_saved_program_takes_and_gives_sparse_rows(tmp_path: Path) -> None:
    est = fitted(make_pipeline(MaxAbsScaler(), SelectKBest(k=30)))
    sardonyx.compile(est, X).save(tmp_path / "model.sdx")
    session = sardonyx.load(tmp_path / "model.sdx")
    assert session.signature.inputs[0].sparse
    assert_same(session.transform(X), est.transform(X))
    assert session.check().ok


@pytest.mark.parametrize("threads", [1, 4])
def test_threads_keep_the_rows_in_order(threads: int) -> None:
    many = sp.vstack([X] * 300, format="csr")
    est = fitted(MaxAbsScaler())
    assert_same(sardonyx.compile(est, X, threads=threads).transform(many), est.transform(many))


# ---- wide, foreign, hostile ------------------------------------------------------------------------------------------


def test_a_million_columns() -> None:
    """Nothing is as wide as the matrix: 200 rows would come to 1.6 GB."""
    rows, width = 200, 1_000_000
    rng = np.random.default_rng(0)
    X = sp.csr_matrix(
        (rng.random(rows * 50), rng.integers(0, width, rows * 50), np.arange(0, rows * 50 + 1, 50)),
        shape=(rows, width),
    )
    X.sum_duplicates()
    est = fitted(make_pipeline(MaxAbsScaler(), SelectKBest(k=500), MultinomialNB()), X, np.arange(rows) % 2)
    model = sardonyx.to_onnx(est, X)
    assert len(model.SerializeToString()) < 40e6
    session = sardonyx.load(model)
    kernels = [kernel for kernel, _, _ in session.steps]  # type: ignore[attr-defined]
    assert "Densify" not in kernels
    assert session.block_rows >= 16  # type: ignore[attr-defined]
    np.testing.assert_array_equal(session.predict(X), est.predict(X))
    np.testing.assert_allclose(session.predict_proba(X), est.predict_proba(X), rtol=1e-12)


def test_wide_rows_are_made_dense_a_few_at_a_time() -> None:
    rng = np.random.default_rng(0)
    X = sp.random_array((40, 20_000), density=1e-3, format="csr", rng=rng)
    est = KNeighborsClassifier(3, metric="manhattan").fit(X[:20], np.arange(20) % 2)
    session = sardonyx.compile(est, sp.csr_matrix(X))
    assert session.block_rows * X.shape[1] * 8 <= 4 << 20  # type: ignore[attr-defined]
    np.testing.assert_array_equal(session.predict(X), est.predict(X))


def test_a_model_that_runs_in_part_by_reference_takes_sparse_rows() -> None:
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("Abs", ["X"], ["a"]),
            onnx.helper.make_node("Einsum", ["a"], ["e"], equation="ij->ij"),
            onnx.helper.make_node("Neg", ["e"], ["y"]),
        ],
        "g",
        [onnx.helper.make_tensor_value_info("X", onnx.TensorProto.DOUBLE, ["N", 90])],
        [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.DOUBLE, ["N", 90]) for n in ("y", "a")],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)], ir_version=10)
    for inputs in ((), ("X",)):
        session = session_of(lower(model, sparse=inputs), model)
        for given in (X, X.toarray(), X.tocsc()):
            y, a = session.run(None, {"X": given})
            np.testing.assert_array_equal(y, -abs(X.toarray()))
            np.testing.assert_array_equal(a, abs(X.toarray()))


@pytest.mark.parametrize("sample", ["sparse", "dense"])
def test_what_does_not_fit_is_refused(sample: str) -> None:
    session = sardonyx.compile(fitted(LogisticRegression()), X if sample == "sparse" else X.toarray())
    with pytest.raises(InputError, match="89 features, but the model is expecting 90"):
        session.predict(X[:, :89])
    with pytest.raises(InputError, match="complex128"):
        session.predict(X.astype(complex))
    broken = X.copy()
    broken.indices = broken.indices.copy()
    broken.indices[5] = 10**6
    for form in (broken, wide_indices(broken)):
        with pytest.raises(InputError, match="not a legal one"):
            session.predict(form)


def test_hostile_matrices_are_refused_before_they_are_made_dense() -> None:
    for name, at, value in (("indices", 0, 90), ("indices", 1, -1), ("indptr", 2, -5), ("indptr", -1, 10**6)):
        broken = X.copy()
        array = getattr(broken, name).copy()
        array[at] = value
        setattr(broken, name, array)
        with pytest.raises(InputError, match="not a legal one"):
            as_array(broken)
    np.testing.assert_array_equal(as_array(disordered(X)), X.toarray())
    np.testing.assert_array_equal(as_array(disordered(X).astype(bool)), disordered(X).toarray().astype(bool))


def test_centring_a_sparse_matrix_is_refused_as_scikit_learn_refuses_it() -> None:
    est = StandardScaler().fit(X.toarray())
    with pytest.raises(sardonyx.ConversionError, match="StandardScaler cannot centre sparse"):
        sardonyx.to_onnx(est, X)
