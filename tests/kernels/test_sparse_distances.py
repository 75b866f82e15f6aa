"""Neighbours, kernel machines and topics of sparse rows: scikit-learn's numbers, bit by bit, and never a dense row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import scipy.sparse as sp
from sklearn.decomposition import NMF, LatentDirichletAllocation
from sklearn.feature_selection import SelectKBest
from sklearn.metrics.pairwise import cosine_distances, euclidean_distances
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Binarizer, MaxAbsScaler, Normalizer
from sklearn.svm import SVC

import sardonyx
from sardonyx.lowering.lower import lower
from sardonyx.session.loading import session_of

from ..session.test_sparse import X, data, fitted


@pytest.mark.parametrize("dtype", ["float64", "float32", "int32"])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_equally_distant_neighbours_are_those_of_scikit_learn(metric: str, dtype: str) -> None:
    known = sp.vstack([data(dtype=dtype, seed=1), data(dtype=dtype, seed=2)] * 2).tocsr()
    est = NearestNeighbors(n_neighbors=7, metric=metric).fit(known)
    session = sardonyx.compile(est, known[:20], methods=["kneighbors"])
    rows = sp.vstack([data(dtype=dtype, seed=1), data(dtype=dtype, seed=3)]).tocsr()
    for actual, expected in zip(session.kneighbors(rows), est.kneighbors(rows), strict=True):
        np.testing.assert_array_equal(actual, expected, strict=True)


def grown(call: Any) -> float:
    """By how many megabytes the process grew at most during a call."""
    status, reset = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if not reset.exists():
        pytest.skip("the system does not say how much memory was in use")

    def megabytes(kind: str) -> float:
        return next(float(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith(kind))

    reset.write_text("5")
    before = megabytes("VmRSS")
    call()
    return megabytes("VmHWM") - before


@pytest.mark.parametrize(
    "est",
    [
        KNeighborsClassifier(3),
        KNeighborsClassifier(3, metric="cosine"),
        SVC(C=10),
        SVC(kernel="linear"),
        make_pipeline(
            MaxAbsScaler(), Normalizer(), SelectKBest(k=1000), NMF(2, init="random", random_state=0, tol=0.1)
        ),
        make_pipeline(Binarizer(), LatentDirichletAllocation(2, random_state=0, max_iter=1)),
    ],
    ids=lambda est: str(est)[:40],
)
def test_a_million_columns_are_never_made_dense(est: Any) -> None:
    """Dense, the 600 rows would take 4.8 GB, the 200 of the fit 1.6."""
    rng, rows, width, entries = np.random.default_rng(0), 600, 1_000_000, 50
    columns = np.where(rng.random(rows * entries) < 0.5, rng.integers(0, 300, rows * entries), rng.integers(0, width))
    wide = sp.csr_matrix(
        (rng.random(rows * entries), columns, np.arange(0, rows * entries + 1, entries)), (rows, width)
    )
    wide.sum_duplicates()
    fitted(est, wide[:200], np.arange(200) % 2)
    method = "predict" if hasattr(est, "predict") else "transform"
    sessions: list[Any] = []
    assert grown(lambda: sessions.append(sardonyx.compile(est, wide[:20], methods=[method]))) < 400
    results: list[Any] = []
    assert grown(lambda: results.append(getattr(sessions[0], method)(wide))) < 60
    np.testing.assert_allclose(results[0], getattr(est, method)(wide), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("form", ["pairs", "places", "disordered", "twice", "empty"])
@pytest.mark.parametrize("metric", ["sparse_euclidean", "sparse_cosine"])
def test_constants_written_sparse_are_read_by_their_entries(metric: str, form: str) -> None:
    known = sp.csr_matrix(data(40)[:20]).tocoo()
    at, values = np.stack([known.row, known.col], axis=1).astype(np.int64), known.data
    if form == "places":
        at = at[:, 0] * known.shape[1] + at[:, 1]
    elif form == "disordered":
        at, values = at[::-1], values[::-1]
    elif form == "twice":
        at, values = np.concatenate([at, at[:3]]), np.concatenate([values, values[:3]])
    elif form == "empty":
        at, values = at[:0], values[:0]
    tensor = onnx.helper.make_sparse_tensor(
        onnx.numpy_helper.from_array(np.ascontiguousarray(values), "v"),
        onnx.numpy_helper.from_array(np.ascontiguousarray(at)),
        list(known.shape),
    )
    body = [onnx.helper.make_node("MatMul", ["X", "T"], ["y"])]
    opsets = [onnx.helper.make_opsetid("", 21), onnx.helper.make_opsetid("sardonyx", 1)]
    function = onnx.helper.make_function("sardonyx", "PairwiseDistances", ["X", "T", "p", "w"], ["y"], body, opsets)
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("Constant", [], ["T"], sparse_value=tensor),
            onnx.helper.make_node("PairwiseDistances", ["X", "T", "p", "w"], ["y"], domain="sardonyx", metric=metric),
        ],
        "g",
        [onnx.helper.make_tensor_value_info("X", onnx.TensorProto.DOUBLE, ["N", 90])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.DOUBLE, ["N", 20])],
        [onnx.numpy_helper.from_array(np.full((), 2.0), "p"), onnx.numpy_helper.from_array(np.ones(90), "w")],
    )
    model = onnx.helper.make_model(graph, functions=[function], opset_imports=opsets, ir_version=10)
    session = session_of(lower(model, sparse=("X",)), model)
    fit = known.tocsr() * (0 if form == "empty" else 1)
    distances = euclidean_distances if metric == "sparse_euclidean" else cosine_distances
    np.testing.assert_array_equal(session.run(None, {"X": X})[0], distances(X, sp.csr_matrix(fit)))


def matrix_model(places: Any, values: Any, rows: int, columns: int) -> onnx.ModelProto:
    """``X @ M.T`` of a matrix that says it has these entries, in a body that makes zeros."""
    opsets = [onnx.helper.make_opsetid("", 21), onnx.helper.make_opsetid("sardonyx", 1)]
    body = [
        onnx.helper.make_node("Constant", [], ["shape"], value_ints=[2, 90]),
        onnx.helper.make_node("ConstantOfShape", ["shape"], ["Y"], value=onnx.helper.make_tensor("v", 11, [1], [0.0])),
    ]
    function = onnx.helper.make_function(
        "sardonyx", "SparseMatrix", ["values", "places"], ["Y"], body, opsets, attributes=["rows", "columns"]
    )
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node(
                "SparseMatrix", ["values", "places"], ["M"], domain="sardonyx", rows=rows, columns=columns
            ),
            onnx.helper.make_node("Transpose", ["M"], ["T"], perm=[1, 0]),
            onnx.helper.make_node("MatMul", ["X", "T"], ["y"]),
        ],
        "g",
        [onnx.helper.make_tensor_value_info("X", onnx.TensorProto.DOUBLE, ["N", 90])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.DOUBLE, ["N", 2])],
        [onnx.numpy_helper.from_array(np.asarray(values), "values"), onnx.numpy_helper.from_array(places, "places")],
    )
    return onnx.helper.make_model(graph, functions=[function], opset_imports=opsets, ir_version=10)


def test_a_matrix_of_entries_is_read_by_them_or_by_its_body_if_they_are_none() -> None:
    def result(places: Any, values: Any, rows: int = 2, columns: int = 90) -> Any:
        model = matrix_model(np.asarray(places), values, rows, columns)
        return session_of(lower(model, sparse=("X",)), model).run(None, {"X": X})[0]

    expected = np.stack([2 * X[:, 5].toarray()[:, 0], 3 * X[:, 89].toarray()[:, 0]], axis=1)
    np.testing.assert_array_equal(result([5, 179], [2.0, 3.0]), expected)
    for places, values, shape in [
        ([5, 180], [2.0, 3.0], (2, 90)),
        ([-1, 5], [2.0, 3.0], (2, 90)),
        ([5, 5], [2.0, 3.0], (2, 90)),
        ([179, 5], [2.0, 3.0], (2, 90)),
        ([5, 6, 7], [2.0, 3.0], (2, 90)),
        ([5], [2.0], (2, 0)),
        ([5], [2.0], (2**40, 2**40)),
        ([5], [2.0], (-2, -90)),
        ([5.0], [2.0], (2, 90)),
        ([5], ["a"], (2, 90)),
    ]:
        assert not result(places, values, *shape).any()


@pytest.mark.parametrize("est", [SVC(), KNeighborsClassifier(metric="cosine")])
def test_files_hold_no_sparse_tensors(est: Any) -> None:
    """ONNX Runtime 1.32 crashes, now and then, when it loads one whose function has a sparse constant."""
    model = sardonyx.to_onnx(fitted(est), X)
    assert not model.graph.sparse_initializer
    nodes = [*model.graph.node, *(node for function in model.functions for node in function.node)]
    assert any(node.op_type == "SparseMatrix" for node in nodes)
    assert not any(a.type == onnx.AttributeProto.SPARSE_TENSOR for node in nodes for a in node.attribute)
