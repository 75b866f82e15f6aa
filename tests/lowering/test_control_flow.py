"""If, Loop, Scan, sequences and optionals, taken apart: native where they can be, right everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import sardonyx
from sardonyx.errors import ModelError
from sardonyx.lowering.control_flow import MOST_UNROLLED
from sardonyx.lowering.lower import lower
from sardonyx.lowering.plan import Plan
from sardonyx.lowering.reference.control_flow import MOST_ROUNDS
from sardonyx.lowering.reference.operators import evaluator
from sardonyx.lowering.runner import PlanRunner

from ..kernels.single import assert_same
from ..parsing import parsed

Array = NDArray[Any]
X = np.random.default_rng(0).normal(size=(5, 4))


def answers(text: str, *arrays: Array, native: bool = True) -> Plan:
    """Assert that a model answers as the reference does, natively or not."""
    model = parsed(text)
    plan = lower(model)
    assert bool(plan.reference_operators) != native, plan.reference_operators
    feeds = dict(zip([value.name for value in model.graph.input], arrays, strict=True))
    with np.errstate(all="ignore"):
        expected = evaluator(model).run(None, feeds)
    for a, e in zip(PlanRunner(plan).run(None, feeds), expected, strict=True):
        if isinstance(e, list):
            assert len(a) == len(e)
            for item, wanted in zip(a, e, strict=True):
                assert_same(item, wanted)
        else:
            assert_same(a, e)
    return plan


LOOPS = {
    "carried": """Y = Loop(n, c, X) <body = b (int64 i, bool go, double[N,4] a) => (bool g, double[N,4] z)
        { g = Identity(go) h = Exp(a) z = Sub(h, X) }>""",
    "by round": """Y = Loop(n, c, X) <body = b (int64 i, bool go, double[N,4] a) => (bool g, double[N,4] z)
        { g = Identity(go) f = Cast<to=11>(i) z = Mul(a, f) }>""",
    "stacked": """Z, S = Loop(n, c, X) <body =
        b (int64 i, bool go, double[N,4] a) => (bool g, double[N,4] z, double[N,4] s)
        { g = Identity(go) z = Neg(a) s = Abs(a) }> Y = Transpose<perm=[1,0,2]>(S)""",
    "ended": """Y = Loop(n, c, X) <body = b (int64 i, bool go, double[N,4] a) => (bool g, double[N,4] z)
        { one = Constant<value_int=1>() g = Less(i, one) z = Add(a, X) }>""",
    "nested": """Y = Loop(n, c, X) <body = b (int64 i, bool go, double[N,4] a) => (bool g, double[N,4] z)
        { g = Identity(go) z = Loop(n, c, a) <body = d (int64 j, bool gi, double[N,4] e) => (bool gg, double[N,4] w)
          { gg = Identity(gi) w = Add(e, X) }> }>""",
}


@pytest.mark.parametrize("body", LOOPS.values(), ids=LOOPS.keys())
def test_loops_of_known_rounds(body: str) -> None:
    plan = answers(f"g (double[N,4] X) => (double[N,a,b] Y) <int64 n={{3}}, bool c={{1}}> {{ {body} }}", X)
    assert plan.native


def test_no_round_gives_what_was_carried_and_nothing_stacked() -> None:
    answers(
        """g (double[N,4] X) => (double[N,4] Y, double[k,2] S) <int64 n={0}, bool c={1}>
        { Y, S = Loop(n, c, X) <body = b (int64 i, bool go, double[N,4] a) => (bool g, double[N,4] z, double[2] s)
          { g = Identity(go) z = Neg(a) s = Constant<value_floats=[1.0, 2.0]>() }> }""",
        X,
    )


def test_a_long_loop_is_left_to_the_reference() -> None:
    text = """g (double[N,4] X) => (double[N,4] Y) <int64 n={%d}, bool c={1}>
        { Y = Loop(n, c, X) <body = b (int64 i, bool go, double[N,4] a) => (bool g, double[N,4] z)
          { g = Identity(go) z = Abs(a) }> }"""
    answers(text % MOST_UNROLLED, X, native=False)
    session = sardonyx.load(parsed(text % (MOST_ROUNDS + 1)))
    with pytest.raises(ModelError, match=f"more than {MOST_ROUNDS} rounds"):
        session.run(None, {"X": X[:1]})


def test_rows_that_decide_are_left_to_the_reference() -> None:
    answers(
        """g (double[N,4] X, bool c) => (double[N,4] Y) <int64 n={2}>
        { Y = Loop(n, c, X) <body = b (int64 i, bool go, double[N,4] a) => (bool g, double[N,4] z)
          { g = Identity(go) z = Abs(a) }> }""",
        X, np.array(True), native=False,
    )  # fmt: skip


SCANS = {
    "sums": "Z, Y = Scan<num_scan_inputs=1, scan_input_axes=[1], scan_output_axes=[1], body=b>(S, X)",
    "backwards": "Z, Y = Scan<num_scan_inputs=1, scan_input_axes=[-1], scan_input_directions=[1], "
    "scan_output_axes=[1], scan_output_directions=[1], body=b>(S, X)",
}


@pytest.mark.parametrize("scan", SCANS.values(), ids=SCANS.keys())
def test_scans_along_the_columns(scan: str) -> None:
    body = "b (double[N] s, double[N] x) => (double[N] t, double[N] y) { t = Add(s, x) y = Mul(t, x) }"
    text = scan.replace("body=b", f"body = {body}")
    plan = answers(f"g (double[N,4] X, double[N] S) => (double[N,4] Y, double[N] Z) {{ {text} }}", X, X[:, 0].copy())
    assert plan.native


def test_a_scan_of_a_fixed_number_of_rows() -> None:
    answers(
        """g (double[5,4] X, double[4] S) => (double[4] Z, double[5,4] Y)
        { Z, Y = Scan<num_scan_inputs=1, body = b (double[4] s, double[4] x) => (double[4] t, double[4] y)
          { t = Add(s, x) y = Exp(s) }>(S, X) }""",
        X, X[0].copy(),
    )  # fmt: skip


def test_slices_of_a_known_list_are_scalars() -> None:
    text = """g (double[N,4] X) => (double[N,4] Y, int64[3] S) <int64[3] k = {2, 5, 7}> {
        Y, S = Scan(X, k) <num_scan_inputs=1, body = b (double[N,4] a, int64 i) => (double[N,4] z, int64 s)
        { f = Cast<to=11>(i) z = Add(a, f) s = Identity(i) }> }"""
    answers(text, X)


def test_a_computed_condition_chooses_between_both_branches() -> None:
    text = """g (double[5,4] X) => (double[a,b] Y)
        { m = ReduceMax<keepdims=0>(X) z = Constant<value=double {0.0}>() c = Greater(m, z)
          Y = If(c) <then_branch = t () => (double[5,4] p) { p = Neg(X) },
                     else_branch = e () => (double[5,4] q) { q = Exp(X) }> }"""
    answers(text, X)
    answers(text, -np.abs(X))


def test_a_branch_that_may_refuse_is_not_tried() -> None:
    answers(
        """g (double[5,4] X, int64[1] i, bool c) => (double[a,b] Y)
        { Y = If(c) <then_branch = t () => (double[1,4] p) { p = Gather(X, i) },
                     else_branch = e () => (double[1,4] q) { k = Constant<value_ints=[0]>() q = Gather(X, k) }> }""",
        X, np.array([9]), np.array(False), native=False,
    )  # fmt: skip


SEQUENCES = {
    "at": "s = SequenceConstruct(X, Z, X) Y = SequenceAt(s, last)",
    "inserted": "s = SequenceConstruct(X) t = SequenceInsert(s, Z, first) u = SequenceInsert(t, W) Y = Identity(u)",
    "erased": "s = SequenceConstruct(X, Z, W) t = SequenceErase(s, first) Y = SequenceErase(t)",
    "length": "s = SequenceConstruct(X, Z, W) n = SequenceLength(s) f = Cast<to=11>(n) Y = Mul(X, f)",
    "from nothing": "s = SequenceEmpty<dtype=11>() Y = SequenceInsert(s, X)",
    "joined": "s = SequenceConstruct(X, Z, W) Y = ConcatFromSequence<axis=1>(s)",
    "joined along a new axis": "s = SequenceConstruct(X, Z) Y = ConcatFromSequence<axis=1, new_axis=1>(s)",
    "parted": "Y = SplitToSequence<axis=1>(X, three)",
    "parted one by one": "Y = SplitToSequence<axis=1, keepdims=0>(X)",
    "parted by sizes": "Y = SplitToSequence<axis=1>(X, sizes)",
    "mapped": "s = SequenceConstruct(X, Z) "
    "Y = SequenceMap<body = b (double[N,4] a) => (double[N,4] c) { c = Exp(a) }>(s)",
    "an optional": "o = Optional(X) h = OptionalHasElement(o) Y = OptionalGetElement(o)",
}  # fmt: skip


@pytest.mark.parametrize("body", SEQUENCES.values(), ids=SEQUENCES.keys())
def test_sequences(body: str) -> None:
    constants = "int64 first={0}, int64 last={-1}, int64 three={3}, int64[3] sizes={1,2,1}"
    kind = "seq(double[N,a])" if any(k in body for k in ("Insert", "Erase", "Split", "Map")) else "double[N,a]"
    answers(f"g (double[N,4] X) => ({kind} Y) <{constants}> {{ Z = Neg(X) W = Abs(X) {body} }}", X)


def test_places_that_are_not_there_are_told_at_run_time() -> None:
    session = sardonyx.load(
        parsed("g (double[N,4] X) => (double[N,4] Y) <int64 i={3}> { s = SequenceConstruct(X) Y = SequenceAt(s, i) }")
    )
    with pytest.raises(ValueError, match="SequenceAt"):
        session.run(None, {"X": X})
