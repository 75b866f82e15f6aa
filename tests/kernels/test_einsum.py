"""Einsum: equations of every form, by rows and without, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from sardonyx.lowering.lower import lower

from .single import assert_declined, check, check_whole, model_of, native_plan, numpy, rows

W = np.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize(
    ("equation", "constants"),
    [
        ("ni,ij->nj", [W]),
        ("ni,ji->nj", [np.ascontiguousarray(W.T)]),
        ("n i , i j -> n", [W]),
        ("ni,i->n", [W[:, 0].copy()]),
        ("ni,ij,j->n", [W, W[0].copy()]),
        ("...i,ij->...j", [W]),
    ],
)
def test_rows_and_constants(equation: str, constants: list[Any]) -> None:
    finite = (0.0, 1.0, -2.5, 3.25)
    judge = numpy(lambda x: np.einsum(equation.replace(" ", ""), x, *constants))
    check("Einsum", rows("float64", 3, values=finite), *constants, judge=judge, equation=equation)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int8", "uint32"])
@pytest.mark.parametrize("equation", ["nij,njk->nik", "nij,nkj->nki", "nij,nij->n", "nij,nij->nij", "nii,nij->ni"])
def test_rows_and_rows(equation: str, dtype: str) -> None:
    values = (0.0, 1.0, -2.5, 3.25) if dtype.startswith("f") else (0, 1, 2, 100)
    operands = [rows(dtype, 3, 3, values=values)] * 2
    judge = numpy(lambda x, y: np.einsum(equation, x, y).astype(dtype))
    check("Einsum", *operands, judge=judge, equation=equation)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("nhqd,nhkd->nhqk", [(2, 3, 4), (2, 5, 4)]),
        ("nhqk,nhkd->nqhd", [(2, 3, 5), (2, 5, 4)]),
        ("nqhd,nkhd->nhqk", [(3, 2, 4), (5, 2, 4)]),
        ("nabc,ncb->na", [(2, 3, 4), (4, 3)]),
        ("nab,ncd->nabcd", [(2, 3), (4, 2)]),
        ("nij,ni->nj", [(3, 4), (3,)]),
        ("ni,nj->nij", [(3,), (4,)]),
    ],
)
def test_products_of_any_dimensions(equation: str, shapes: list[tuple[int, ...]]) -> None:
    operands = [rows("float64", *shape, values=(0.0, 1.0, -2.5, 3.25)) for shape in shapes]
    check("Einsum", *operands, judge=numpy(lambda x, y: np.einsum(equation, x, y)), equation=equation)


def test_products_are_those_of_matrices() -> None:
    for equation, last in (("nij,njk->nik", "MatMul"), ("nij,njk->nki", "Transpose")):
        plan = native_plan(model_of("Einsum", [rows("float32", 3, 3)] * 2, equation=equation))
        assert plan.native is not None
        kernels = [step.kernel for step in plan.native.steps]
        assert "Einsum" not in kernels
        assert kernels[-1] == last


def test_a_constant_stack_of_matrices() -> None:
    w = np.random.default_rng(0).normal(size=(2, 4, 3))
    for equation in ("nhi,hij->nhj", "nih,hij->nj"):
        x = rows("float64", *((2, 4) if equation == "nhi,hij->nhj" else (4, 2)), values=(0.0, 1.0, -2.5))
        check("Einsum", x, w, judge=numpy(lambda x, e=equation: np.einsum(e, x, w)), equation=equation)


def test_a_row_times_a_matrix_is_linear() -> None:
    plan = native_plan(model_of("Einsum", [rows("float64", 3), W], equation="ni,ij->nj"))
    assert plan.native is not None
    assert [step.kernel for step in plan.native.steps] == ["Linear"]


@pytest.mark.parametrize("equation", ["ij->ji", "ij->", "ij->j", "ij", "ii->i", "ii"])
def test_one_operand_without_rows(equation: str) -> None:
    x = np.random.default_rng(0).normal(size=(3, 3))
    check_whole(f'g (double[3,3] x) => (double[a] y) {{ y = Einsum<equation="{equation}">(x) }}', x)


def test_broadcast_in_the_dots() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 1, 3, 4)), np.random.default_rng(1).normal(size=(5, 4, 2))
    check_whole(
        'g (double[2,1,3,4] x, double[5,4,2] y) => (double[a] z) { z = Einsum<equation="...ij,...jk->...ik">(x, y) }',
        x, y,
    )  # fmt: skip


@pytest.mark.parametrize("equation", ["ni,nj->ij", "ni,ki->nk", "ni,nj"])
def test_rows_that_meet_are_left_to_the_reference(equation: str) -> None:
    assert_declined(
        "Einsum", rows("float64", 3, values=(1.0, 2.0)), rows("float64", 3, values=(1.0, 2.0)), equation=equation
    )


@pytest.mark.parametrize("equation", ["ni,ij,k->n", "nij->n", "n1->n", "ni->nn", "ni->k", "->"])
def test_equations_that_do_not_fit(equation: str) -> None:
    model = model_of("Abs", [rows("float64", 3)])
    model.graph.node[0].op_type = "Einsum"
    model.graph.node[0].attribute.append(onnx.helper.make_attribute("equation", equation))
    assert lower(model).reference_operators == ("Einsum",)
