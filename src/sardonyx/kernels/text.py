"""Terms of documents and their weights (native/kernels/text/count_terms.cpp, tf_idf.cpp)."""

from __future__ import annotations

import numpy as np
from onnx import helper

from ..lowering.program import Param
from ..lowering.reference.graphs import dtype_of, to_array, type_of
from ..lowering.rules import Array, Builder, NodeView, ReferenceStep, Row, Values, decline, lowers
from ..text.methods import METHODS, kind_of

ANALYZERS = {"word": 0, "char": 1, "char_wb": 2, "": 3}
NORMS = {"": 0, "l1": 1, "l2": 2}


def _analysis(node: NodeView) -> tuple[list[Row | Array], list[Param]]:
    """Return the inputs and params that every kernel of text begins with."""
    x = node.row(0)
    analyzer = node.text("analyzer", "")
    if x.dtype != "str" or (x.width != 1 and analyzer):
        decline("the input is not rows of one text")
    if analyzer not in ANALYZERS:
        decline(f"no analyzer {analyzer!r}")
    tables = [node.const(i) for i in range(1, 5)]
    least, most = node.integers("ngram_range") or decline("no range of n-grams")
    before, after = node.integers("skipped") or (0, 0)
    params: list[Param] = [ANALYZERS[analyzer], node.integer("lowercase", 0), least, most, before, after]
    return [x, *tables, to_array(node.attributes["stop_words"])], params


@lowers("CountTerms", domain="sardonyx")
def count_terms(b: Builder, node: NodeView) -> Values:
    inputs, params = _analysis(node)
    vocabulary = to_array(node.attributes["vocabulary"])
    form = (dtype_of(node.integer("to", 0)), vocabulary.shape)
    return b.step("CountTerms", [*inputs, vocabulary], [form], [*params, node.integer("binary", 0)], gives_sparse=True)


@lowers("FindTokens", domain="sardonyx")
def find_tokens(b: Builder, node: NodeView) -> Values:
    """Leave the node to Python: its body would refuse what `FindTokens` of reference/operators.py can do."""
    reason = f"FindTokens: token_pattern={node.text('token_pattern', '')!r} has no automaton"
    return (in_python(b, node, "str", reason),)


def in_python(b: Builder, node: NodeView, dtype: str, reason: str) -> Row:
    """Return what an operator of the ``sardonyx`` domain makes of rows of one text, in Python."""
    x = node.row(0)
    if x.dtype != "str" or x.shape:
        decline("the input is not rows of one text")
    level = b.reference_level([x.slot])
    result = Row(b.new_slot(dtype, (), level), dtype, ())
    names = [b.slots[row.slot].name for row in (x, result)]
    found = helper.make_node(node.op_type.partition(":")[0], names[:1], names[1:], domain="sardonyx")
    found.attribute.extend(node.proto.attribute)
    opsets = (("", node.function.opset_import[0].version if node.function else 21), ("sardonyx", 1))
    b.reference(ReferenceStep(level, (found,), (x.slot,), (result.slot,), {}, opsets, reason, (type_of(x),)))
    return result


@lowers("TextMethod", domain="sardonyx")
def text_method(b: Builder, node: NodeView) -> Values:
    """Leave the node to Python: no kernel makes text."""
    method = node.text("method", "")
    if node.row(0).dtype != "str" or method not in METHODS:
        decline(f"no method {method!r} of text")
    dtype = {str: "str", int: "float64", bool: "bool"}[kind_of(method)]
    return (in_python(b, node, dtype, f"TextMethod: {method}"),)


@lowers("HashTerms", domain="sardonyx")
def hash_terms(b: Builder, node: NodeView) -> Values:
    inputs, params = _analysis(node)
    form = (dtype_of(node.integer("to", 0)), (node.integer("n_features", 0),))
    signs, once = node.integer("alternate_sign", 0), node.integer("binary", 0)
    return b.step("HashTerms", inputs, [form], [*params, signs, once], gives_sparse=True)


@lowers("TfIdf", domain="sardonyx")
def tf_idf(b: Builder, node: NodeView) -> Values:
    x, norm = node.row(0), node.text("norm", "")
    idf = node.const(1) if node.has(1) else np.zeros(0)
    if x.dtype not in ("float32", "float64") or len(x.shape) != 1 or norm not in NORMS:
        decline("not weights of terms")
    form, params = (x.dtype, x.shape), [node.integer("sublinear_tf", 0), NORMS[norm]]
    if not x.sparse:
        (x,) = b.step("Sparsify", [x], [form], gives_sparse=True)
    return b.step("TfIdf", [x, idf.astype(np.float64)], [form], params, takes_sparse=True, gives_sparse=True)
