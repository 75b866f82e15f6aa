"""Whole models: functions, branches, models of other converters, what is left to the reference, blocks, passes."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx.parser
import pytest
from numpy.typing import NDArray
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sardonyx.errors import InputError, ModelError
from sardonyx.lowering.lower import lower
from sardonyx.lowering.partition import choose_block_rows
from sardonyx.lowering.plan import NativeSegment, Plan, ReferenceSegment
from sardonyx.lowering.program import Program
from sardonyx.lowering.runner import PlanRunner
from sardonyx.passes import optimize

from ..kernels.single import assert_same, onnxruntime, reference

HEAD = '<ir_version: 10, opset_import: ["" : 21, "ai.onnx.ml" : 5, "sardonyx" : 1, "sardonyx.steps" : 1]>'


def parse(text: str) -> onnx.ModelProto:
    """Return a model from onnx's text form, without its header."""
    return onnx.parser.parse_model(HEAD + text)


def run(plan: Plan, **feeds: NDArray[Any]) -> list[Any]:
    return PlanRunner(plan, threads=1).run(None, feeds)


def program_of(model: onnx.ModelProto) -> Program:
    plan = lower(model)
    assert plan.native is not None, plan.reference_operators
    return plan.native


def kernels_of(model: onnx.ModelProto) -> list[str]:
    return [step.kernel for step in program_of(model).steps]


X = np.random.default_rng(0).normal(size=(9, 4))

# ---- functions and branches ------------------------------------------------------------------------------------------

STEPS = """
    g (double[N,4] X) => (double[N,2] Y) <double[4] m={1,2,3,4}, double[4] s={1,2,3,4}, double[4,2] w={1,2,3,4,5,6,7,8}>
    { A = sardonyx.steps.scale(X, m, s)  Y = sardonyx.steps.model <power=2.0> (A, w) }
    <domain: "sardonyx", opset_import: ["" : 21]> CheckFinite <allow_nan, estimator> (X) => (Y) { Y = Identity(X) }
    <domain: "sardonyx.steps", opset_import: ["" : 21, "sardonyx" : 1]> scale (X, mean, scale) => (Y)
    { A = sardonyx.CheckFinite<allow_nan=0, estimator="StandardScaler">(X)  B = Sub(A, mean)  Y = Div(B, scale) }
    <domain: "sardonyx.steps", opset_import: ["" : 21]> model <power> (X, w) => (Y)
    { A = MatMul(X, w)  p = Constant<value_float: float = @power>()  q = CastLike(p, A)  Y = Pow(A, q) }
"""


def test_functions_are_walked_and_known_ones_become_kernels() -> None:
    model = parse(STEPS)
    program = program_of(model)
    assert [step.kernel for step in program.steps] == ["CheckFinite", "SubDiv", "Linear", "Mul"]
    assert [step.label for step in program.steps] == ["StandardScaler", "scale", "model", "model"]
    assert_same(run(lower(model), X=X)[0], (((X - [1, 2, 3, 4]) / [1, 2, 3, 4]) @ np.arange(1.0, 9).reshape(4, 2)) ** 2)


def test_a_function_refuses_what_its_kernel_refuses() -> None:
    with pytest.raises(Exception, match=r"StandardScaler.*NaN"):
        run(lower(parse(STEPS)), X=np.full((2, 4), np.nan))


def test_functions_that_call_each_other_in_a_circle_are_refused() -> None:
    model = parse("""g (double[N] X) => (double[N] Y) { Y = sardonyx.f(X) }
        <domain: "sardonyx", opset_import: ["" : 21, "sardonyx" : 1]> f (X) => (Y) { Y = sardonyx.f(X) }""")
    with pytest.raises(ModelError, match="do they call each other"):
        lower(model)


def test_functions_that_multiply_are_refused() -> None:
    doubling = "".join(
        f"""<domain: "sardonyx", opset_import: ["" : 21, "sardonyx" : 1]>
        f{i} (X) => (Y) {{ T = sardonyx.f{i - 1}(X)  Y = sardonyx.f{i - 1}(T) }}"""
        for i in range(1, 40)
    )
    model = parse(f"""g (double[N] X) => (double[N] Y) {{ Y = sardonyx.f39(X) }}
        <domain: "sardonyx", opset_import: ["" : 21]> f0 (X) => (Y) {{ Y = Abs(X) }} {doubling}""")
    with pytest.raises(ModelError, match="do its functions multiply"):
        lower(model)


def test_names_in_a_body_are_its_own() -> None:
    model = parse("""g (double[N,4] X) => (double[N,4] Y) <double t={2.0}>
        { A = sardonyx.f(X)  Y = Mul(A, t) }
        <domain: "sardonyx", opset_import: ["" : 21]> f (t) => (X) { A = Exp(t)  X = Neg(A) }""")
    assert_same(run(lower(model), X=X)[0], -np.exp(X) * 2)


@pytest.mark.parametrize("branch", [True, False])
def test_a_known_branch_is_walked(branch: bool) -> None:
    model = parse(f"""g (double[N,4] X) => (double[N,4] Y) <bool c={{{int(branch)}}}, double two={{2.0}}>
        {{ A = Exp(X)
           Y = If(c) <then_branch = a () => (double[N,4] T) {{ T = Mul(A, two) }},
                      else_branch = b () => (double[N,4] E) {{ E = Identity(X) }}> }}""")
    assert kernels_of(model) == (["Exp", "Mul"] if branch else ["Identity"])
    assert_same(run(lower(model), X=X)[0], np.exp(X) * 2 if branch else X)


def test_what_depends_on_constants_is_folded() -> None:
    model = parse("""g (double[N,4] X) => (double[N,4] Y, double[2] C) <double[4] a={1,2,3,4}, double[2] b={1,2}>
        { s = Sqrt(a)  t = ReduceSum(s)  Y = Mul(X, t)  C = Exp(b) }""")
    plan = lower(model)
    assert [s.kernel for segment in plan.segments for s in segment.program.steps] == ["Mul"]  # type: ignore[union-attr]
    actual = run(plan, X=X)
    assert_same(actual[0], X * np.sqrt([1.0, 2, 3, 4]).sum())
    assert_same(actual[1], np.exp([1.0, 2.0]))


# ---- what is left to the reference -----------------------------------------------------------------------------------


def test_an_operator_without_a_kernel_is_a_segment_of_its_own() -> None:
    model = parse("""g (double[N,4] X) => (double[N,4] Y, double[N] Z) <double[4] m={1,2,3,4}>
        { A = Sub(X, m)  B = Einsum<equation="ij,kj->ik">(A, A)  C = Einsum<equation="ii->i">(B)
          D = Einsum<equation="ij->ij">(A)  Y = Abs(D)  Z = Sqrt(C) }""")
    plan = lower(model)
    assert [type(segment) for segment in plan.segments] == [NativeSegment, ReferenceSegment, NativeSegment]
    assert plan.reference_operators == ("Einsum",)
    assert plan.native is None
    actual = run(plan, X=X)
    assert_same(actual[0], np.abs(X - [1, 2, 3, 4]))
    np.testing.assert_allclose(actual[1], np.sqrt(((X - [1, 2, 3, 4]) ** 2).sum(axis=1)), rtol=1e-12)


def test_a_segment_says_why() -> None:
    model = parse("g (double[N,4] X) => (double[1,4] Y) <int64[1] a={0}> { Y = ReduceSum(X, a) }")
    (segment,) = lower(model).segments
    assert isinstance(segment, ReferenceSegment)
    assert segment.reasons == ("ReduceSum: axis 0 is the row dimension",)
    assert_same(run(lower(model), X=X)[0], X.sum(axis=0, keepdims=True))


def test_loops_see_the_values_around_them() -> None:
    model = parse("""g (double[N,4] X) => (double[N,4] Y) <int64 n={3}, bool c={1}, double half={0.5}>
        { A = Exp(X)
          Y = Loop(n, c, A) <body = b (int64 i, bool go, double[N,4] A_in) => (bool go_out, double[N,4] A_out)
              { go_out = Identity(go)  H = Mul(A_in, half)  A_out = Add(H, A) }> }""")
    plan = lower(model)
    assert plan.native
    expected = np.exp(X)
    for _ in range(3):
        expected = expected * 0.5 + np.exp(X)
    assert_same(run(plan, X=X)[0], expected)


def test_a_shape_with_the_rows_in_it_reaches_the_reference() -> None:
    model = parse(
        """g (double[N,4] X) => (int64[K] Y, double[1,N,4] Z) <int64[1] one={1}, int64[1] k={4}, int64 zero={0}>
        { s = Shape(X)  t = Concat<axis=0>(one, s)  Z = Reshape(X, t)  n = Gather(s, zero)
          u = Unsqueeze(n, one_zero)  v = Concat<axis=0>(u, k)  Y = Mul(v, v) }
        """.replace("int64 zero={0}>", "int64 zero={0}, int64[1] one_zero={0}>")
    )
    actual = run(lower(model), X=X)
    assert_same(actual[0], np.array([81, 16]))
    assert_same(actual[1], X[None])


def test_inputs_that_are_not_rows() -> None:
    model = parse("g (double[3,4] X, double[N,4] Z) => (double[3,4] Y, double[N,4] W) { Y = Exp(X)  W = Exp(Z) }")
    plan = lower(model)
    assert [i.rows for i in plan.inputs] == [False, True]
    actual = run(plan, X=X[:3], Z=X)
    assert_same(actual[0], np.exp(X[:3]))
    assert_same(actual[1], np.exp(X))


def test_rows_of_two_names_are_not_the_same_rows() -> None:
    model = parse("g (double[N,4] X, double[M,4] Z) => (double[N,M] Y) { T = Transpose(Z)  Y = MatMul(X, T) }")
    assert_same(run(lower(model), X=X, Z=X[:2])[0], X @ X[:2].T, rtol=1e-10)


def test_a_random_operator_is_not_folded() -> None:
    model = parse("g (double[N,4] X) => (double[2] Y) { Y = RandomNormal<shape=[2], dtype=11>() }")
    runner = PlanRunner(lower(model))
    first, second = (runner.run(None, {"X": X})[0] for _ in range(2))
    assert (first != second).any()


# ---- outputs ---------------------------------------------------------------------------------------------------------


def test_outputs_that_are_inputs_or_each_other() -> None:
    model = parse("g (double[N,4] X) => (double[N,4] A, double[N,4] B, double[N,4] C, double[N,4] D)"
                  "{ A = Identity(X)  B = Exp(X)  C = Identity(B)  D = Identity(B) }")  # fmt: skip
    actual = run(lower(model), X=X)
    for value, expected in zip(actual, (X, np.exp(X), np.exp(X), np.exp(X)), strict=True):
        assert_same(value, expected)
    assert lower(model).native is not None


def test_some_outputs_and_wrong_names() -> None:
    model = parse("g (double[N,4] X) => (double[N,4] A, double[N,4] B) { A = Exp(X)  B = Neg(X) }")
    runner = PlanRunner(lower(model))
    assert_same(runner.run(["B"], {"X": X})[0], -X)
    with pytest.raises(InputError, match="unknown outputs"):
        runner.run(["C"], {"X": X})
    with pytest.raises(InputError, match="missing inputs"):
        runner.run(None, {})


def test_all_inputs_of_a_native_model_stay_its_inputs() -> None:
    program = program_of(
        parse("g (double[N,4] X, str[N,1] T) => (double[N,4] A) { A = Exp(X) }".replace("str", "string"))
    )
    assert [program.slots[i].name for i in program.inputs] == ["X", "T"]


def test_names_like_those_of_slots_do_no_harm() -> None:
    model = parse("""g (double[N,4] X) => (double[N,4] Y) { A = Exp(X)  B = Neg(A)  Y = Abs(B) }""")
    for node in model.graph.node:
        node.input[:] = [{"X": "%1", "A": "%2", "B": "%0"}[name] for name in node.input]
        node.output[:] = [{"A": "%2", "B": "%0", "Y": "%3"}[name] for name in node.output]
    model.graph.input[0].name, model.graph.output[0].name = "%1", "%3"
    assert_same(PlanRunner(lower(model)).run(["%3"], {"%1": X})[0], np.exp(X))


def test_a_value_that_nobody_writes_is_refused() -> None:
    model = parse("g (double[N,4] X) => (double[N,4] Y) { Y = Add(X, Z) }")
    with pytest.raises(ModelError, match="'Z' is read before it is written"):
        lower(model)


# ---- passes and blocks -----------------------------------------------------------------------------------------------


def test_passes_fuse_what_belongs_together() -> None:
    model = parse("""g (double[N,4] X) => (double[N,2] Y)
        <double[4] m={1,2,3,4}, double s={2.0}, double[4,2] w={1,2,3,4,5,6,7,8}, double[2] b={1,2}>
        { A = Identity(X)  B = Sub(A, m)  C = Div(B, s)  D = MatMul(C, w)  Y = Add(b, D)  U = Exp(D) }""")
    assert kernels_of(model) == ["SubDiv", "Linear"]
    expected = ((X - [1, 2, 3, 4]) / 2) @ np.arange(1.0, 9).reshape(4, 2) + [1, 2]
    np.testing.assert_allclose(run(lower(model), X=X)[0], expected, rtol=1e-12)


def test_passes_leave_what_others_read() -> None:
    model = parse("""g (double[N,4] X) => (double[N,4] B, double[N,4] C, double[N,2] D, double[N,2] E)
        <double[4] m={1,2,3,4}, double s={2.0}, double[4,2] w={1,2,3,4,5,6,7,8}, double[2] b={1,2}>
        { B = Sub(X, m)  C = Div(B, s)  D = MatMul(C, w)  E = Add(D, b) }""")
    assert kernels_of(model) == ["Sub", "Div", "Linear", "Add"]


def test_optimizing_twice_changes_nothing() -> None:
    program = program_of(parse(STEPS))
    assert [s.kernel for s in optimize(program).steps] == [s.kernel for s in program.steps]


def test_block_rows() -> None:
    def wide(n: int) -> Program:
        return program_of(parse(f"g (double[N,{n}] X) => (double[N,{n}] Y) {{ Y = Exp(X) }}"))

    assert [wide(n).block_rows for n in (1, 100, 100_000)] == [4096, 160, 16]
    assert choose_block_rows(wide(1000), least=1024) == 1024
    plan = lower(parse("g (double[N,4] X) => (double[N,4] Y) { Y = Exp(X) }"), block_rows=32)
    assert plan.native is not None
    assert plan.native.block_rows == 32


# ---- models of skl2onnx ----------------------------------------------------------------------------------------------

ESTIMATORS = {
    "StandardScaler": StandardScaler(),
    "LogisticRegression": LogisticRegression(max_iter=2000),
    "MLP": make_pipeline(StandardScaler(), MLPClassifier(hidden_layer_sizes=(5, 4), max_iter=2000, random_state=0)),
    "PCA": PCA(2),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("estimator", ESTIMATORS.values(), ids=ESTIMATORS.keys())
def test_models_of_skl2onnx(estimator: Any, dtype: Any) -> None:
    data, target = load_iris(return_X_y=True)
    fitted = estimator.fit(data, target)
    options = {"zipmap": False} if hasattr(fitted, "predict_proba") else {}
    model = to_onnx(fitted, data[:1].astype(dtype), options=options)
    runner = PlanRunner(lower(model), threads=1)
    for n in (1, 7, 150):
        feeds = {"X": data[:n].astype(dtype)}
        for actual, expected in zip(runner.run(None, feeds), onnxruntime(model, feeds), strict=True):
            assert_same(actual, expected, rtol=1e-4 if expected.dtype == np.float32 else 1e-6)


def test_a_model_with_text_and_columns() -> None:
    model = parse("""g (string[N,1] city, double[N,1] size) => (double[N,3] Y)
        <double[1] zero={0}>
        { L = ai.onnx.ml.LabelEncoder<keys_strings=["a", "ä"], values_int64s=[0, 1], default_int64=-1>(city)
          depth = Constant<value_int=2>()
          values = Constant<value=double[2] {0, 1}>()  axes = Constant<value_ints=[1]>()
          H = OneHot<axis=-1>(L, depth, values)  S = Squeeze(H, axes)  Y = Concat<axis=1>(S, size) }""")
    assert kernels_of(model) == ["LabelEncoder", "OneHot", "Identity", "Concat"]
    feeds: dict[str, Any] = {
        "city": np.array([["a"], ["ä"], ["x"]], dtype=object),
        "size": np.arange(3.0).reshape(3, 1),
    }
    expected = [[1.0, 0, 0], [0, 1, 1], [0, 1, 2]]  # ONNX: the index -1 is the last one
    assert_same(run(lower(model), **feeds)[0], np.array(expected))
    assert_same(reference(model, feeds)[0], np.array(expected))


def test_a_fixed_number_of_rows_is_native_by_rows_or_as_a_whole() -> None:
    head = '<ir_version: 9, opset_import: ["": 18]> g (float[2, 3] x) => (float[2, 3] y)'
    by_row = lower(onnx.parser.parse_model(f"{head} {{ y = Softmax <axis = 1> (x) }}"))
    assert by_row.native
    across = lower(onnx.parser.parse_model(f"{head} {{ y = Softmax <axis = 0> (x) }}"))
    assert across.native is None
    assert not across.reference_operators
    with pytest.raises(InputError, match=r"float32 of shape \[3, 3\]; the model takes float32 of shape \[2, 3\]"):
        PlanRunner(across).run(None, {"x": np.zeros((3, 3), np.float32)})
    x = np.array([[1, 2, 3], [4, 4, 4]], np.float32)
    for plan, axis in ((by_row, 1), (across, 0)):
        (y,) = PlanRunner(plan).run(None, {"x": x})
        np.testing.assert_allclose(y.sum(axis=axis), 1, rtol=1e-6)
