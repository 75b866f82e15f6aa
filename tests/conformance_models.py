"""Small models of single operators of ai.onnx.ml and ai.onnx, with attributes of every kind: seeds for `fuzzing`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import onnx.parser

from .kernels.single import Rows, model_of, rows

ML = "ai.onnx.ml"


def tree_attributes(side: str) -> dict[str, Any]:
    """Return two trees: one of three nodes and one that is a leaf."""
    ids = "class" if side == "class" else "target"
    return {
        "nodes_treeids": [0, 0, 0, 1],
        "nodes_nodeids": [0, 1, 2, 0],
        "nodes_featureids": [1, 0, 0, 0],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF", "LEAF"],
        "nodes_values": [0.5, 0.0, 0.0, 0.0],
        "nodes_truenodeids": [1, 0, 0, 0],
        "nodes_falsenodeids": [2, 0, 0, 0],
        "nodes_missing_value_tracks_true": [1, 0, 0, 0],
        f"{ids}_treeids": [0, 0, 1],
        f"{ids}_nodeids": [1, 2, 0],
        f"{ids}_ids": [0, 1, 0],
        f"{ids}_weights": [0.25, 0.5, 1.0],
    }


def _ml(op: str, x: Rows, outputs: int = 1, **attributes: Any) -> onnx.ModelProto:
    return model_of(op, [x], outputs, domain=ML, **attributes)


def classical_models() -> Iterator[onnx.ModelProto]:
    """Yield the models."""
    x = rows("float32", 2)
    yield _ml("TreeEnsembleRegressor", x, n_targets=2, aggregate_function="MAX", **tree_attributes("target"))
    yield _ml("TreeEnsembleRegressor", x, n_targets=2, base_values=[0.5, 1.0], **tree_attributes("target"))
    yield _ml("TreeEnsembleClassifier", x, 2, classlabels_strings=["a", "b"], **tree_attributes("class"))
    pairs: dict[str, Any] = {"kernel_params": [0.5, 0.0, 3.0], "support_vectors": [1.0, 0.0, 0.5, 2.0, -1.0, 1.0]}
    yield _ml("SVMRegressor", x, coefficients=[1.0, -1.0, 0.5], n_supports=3, rho=[0.1], kernel_type="RBF", **pairs)
    yield _ml(
        "SVMClassifier", x, 2, coefficients=[1.0, -1.0, 0.5], vectors_per_class=[2, 1], rho=[0.1], kernel_type="POLY",
        prob_a=[-1.0], prob_b=[0.1], classlabels_ints=[3, 5], **pairs,
    )  # fmt: skip
    yield _ml("LinearClassifier", x, 2, coefficients=[1.0, 2.0], intercepts=[0.5], classlabels_ints=[3, 5])
    yield _ml("LinearRegressor", x, coefficients=[1.0, 2.0, 3.0, 4.0], intercepts=[0.5, 1.0], targets=2)
    yield _ml("Imputer", x, imputed_value_floats=[1.0, 2.0], replaced_value_float=float("nan"))
    yield _ml("OneHotEncoder", rows("str", 2), cats_strings=["a", "b"])
    yield _ml("LabelEncoder", rows("str", 2), keys_strings=["a", "b"], values_floats=[1.0, 2.0])
    yield _ml("CategoryMapper", rows("int64", 2), cats_strings=["a", "b"], cats_int64s=[1, 2])
    yield _ml("Normalizer", x, norm="L2")
    yield _ml("ZipMap", x, classlabels_strings=["a", "b"])
    yield model_of("Concat", [x, x], axis=0)
    yield model_of("TopK", [rows("float64", 4), np.array([2])], outputs=2)
    yield model_of("Slice", [rows("float64", 6), np.array([1]), np.array([4]), np.array([1])])
    yield model_of("Pad", [rows("float64", 3), np.array([0, 1, 0, 2]), np.array(7.5)])
    yield model_of("Gather", [np.ones((5, 2)), rows("int64", 2, values=(0, 1))])
    yield model_of("MatMul", [rows("float64", 2, 3), rows("float64", 3, 4)])
    yield model_of("Einsum", [rows("float32", 3), rows("float32", 3)], equation="ni,ni->n")
    yield model_of("LayerNormalization", [rows("float32", 3), np.ones(3, np.float32)])
    yield from _of_fixed_shapes()
    yield from _parsed()


def _of_fixed_shapes() -> Iterator[onnx.ModelProto]:
    """Yield models without rows, and one whose numbers of n-grams are a tree."""
    at = rows("int64", 2, values=(0, 1))
    yield model_of("GatherND", [rows("float32", 3, 4), rows("int64", 2, 1, values=(0, 1))], batch_dims=1)
    yield model_of("ScatterElements", [rows("float32", 4), at, rows("float32", 2)], axis=1, reduction="add")
    yield model_of("Einsum", [rows("float64", 2, 3), np.ones((3, 2))], equation="nij,jk->nki")
    counts: dict[str, Any] = {"ngram_counts": [0, 2], "ngram_indexes": [0, 1, 2], "pool_int64s": [2, 3, 2, 3]}
    lengths: dict[str, Any] = {"max_gram_length": 2, "min_gram_length": 1, "max_skip_count": 1}
    yield model_of("TfIdfVectorizer", [rows("int64", 6)], mode="TF", **counts, **lengths)


#: texts of models, as onnx.parser reads them
TEXTS = (
    """g (float[2,3] x) => (float[3,1] y)
    { t = Transpose(x) s = Softmax<axis=0>(t) shape = Constant<value_ints=[3,2]>() r = Reshape(s, shape)
      axes = Constant<value_ints=[1]>() y = ReduceMax<keepdims=1>(r, axes) }""",
    """g (float[3,4] x, int64[2,2] at, float[2] u) => (float[3,4] y) { y = ScatterND(x, at, u) }""",
    """g (float[N,4] x) => (float[N,4] y) <int64 n={3}, bool c={1}>
    { y = Loop(n, c, x) <body = b (int64 i, bool go, float[N,4] a) => (bool go_on, float[N,4] z)
      { go_on = Identity(go) z = Add(a, x) }> }""",
    """g (float[N,3,2] x) => (float[N,3] y, float[N,2] z)
    { a, b, c = Split<axis=1, num_outputs=3>(x) s = SequenceConstruct(a, c, b) i = Constant<value_int=-1>()
      e = SequenceAt(s, i) t = Constant<value_ints=[2]>() y = ReduceSum<keepdims=0>(x, t)
      o = Constant<value_ints=[1]>() z = Squeeze(e, o) }""",
    """g (bool[1] c, float[2] x) => (float[2] y)
    { y = If(c) <then_branch = t () => (float[2] p) { p = Neg(x) },
                 else_branch = e () => (float[2] q) { q = Exp(x) }> }""",
    """g (float[N,3] x, int64[2] times) => (float[a,b] y) { s = Softmax<axis=0>(x) y = Tile(s, times) }""",
)


def _parsed() -> Iterator[onnx.ModelProto]:
    for text in TEXTS:
        yield onnx.parser.parse_model(f'<ir_version: 9, opset_import: ["": 18]> {text}')
