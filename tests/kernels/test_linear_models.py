"""LinearRegressor, LinearClassifier and the kernel machines of ai.onnx.ml, against ONNX Runtime."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from sardonyx.lowering.lower import lower
from sardonyx.lowering.runner import PlanRunner

from .single import Rows, assert_same, draw, model_of, native_plan, onnxruntime, rows

TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO")  # of PROBIT, ONNX Runtime leaves columns unwritten
KERNELS = ("LINEAR", "POLY", "RBF", "SIGMOID")
X = rows("float32", 3, values=(-1.5, -0.5, 0.0, -0.0, 0.25, 1.0, 2.0))


def agrees(op: str, x: Rows, outputs: int = 1, **attributes: Any) -> None:
    model = model_of(op, [x], outputs, domain="ai.onnx.ml", **attributes)
    runner = PlanRunner(native_plan(model, block_rows=16), threads=1)
    feeds = {"x0": draw(x, 60, np.random.default_rng(1))}
    for actual, expected in zip(runner.run(None, feeds), onnxruntime(model, feeds), strict=True):
        assert_same(actual, expected, rtol=5e-5)


def normal(rng: np.random.Generator, *size: int) -> list[float]:
    return [float(v) for v in rng.normal(size=size).ravel()]


@pytest.mark.parametrize("transform", [*TRANSFORMS, "PROBIT"])
@pytest.mark.parametrize("targets", [1, 3])
def test_linear_regressor(targets: int, transform: str) -> None:
    weights = [0.1 * w for w in normal(np.random.default_rng(0), targets, 3)]
    given: dict[str, Any] = {"coefficients": weights, "targets": targets, "post_transform": transform}
    agrees("LinearRegressor", X, intercepts=[0.45] * targets, **given)
    if transform != "SOFTMAX_ZERO":  # of zeros alone, ONNX Runtime makes NaN, onnx.reference 0.5, and so do we
        agrees("LinearRegressor", X, **given)


@pytest.mark.parametrize("labels", ["classlabels_ints", "classlabels_strings"])
@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize(("scores", "classes"), [(1, 2), (2, 2), (3, 3)])
def test_linear_classifier(scores: int, classes: int, transform: str, labels: str) -> None:
    names: list[Any] = [5, 3, 9] if labels == "classlabels_ints" else ["b", "a", "ä"]
    given: dict[str, Any] = {labels: names[:classes], "coefficients": normal(np.random.default_rng(0), scores, 3)}
    agrees("LinearClassifier", X, 2, intercepts=[0.3] * scores, post_transform=transform, **given)


@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_other_numbers(dtype: str) -> None:
    x = rows(dtype, 3, values=(-1, 0, 1, 2))
    agrees("LinearClassifier", x, 2, coefficients=[1.0, 2.0, 0.5], intercepts=[0.25], classlabels_ints=[0, 1])


def machine(rng: np.random.Generator, kernel: str, sizes: list[int], n_rows: int, rhos: int) -> dict[str, Any]:
    count = sum(sizes)
    return {
        "coefficients": normal(rng, n_rows, count),
        "support_vectors": normal(rng, count, 3),
        "rho": normal(rng, rhos),
        "kernel_type": kernel,
        "kernel_params": [0.5, 0.1, 3.0],
    }


@pytest.mark.parametrize("one_class", [0, 1])
@pytest.mark.parametrize("kernel", KERNELS)
def test_svm_regressor(kernel: str, one_class: int) -> None:
    given = machine(np.random.default_rng(0), kernel, [6], 1, 1)
    for transform in TRANSFORMS:  # one score: none changes it
        agrees("SVMRegressor", X, n_supports=6, one_class=one_class, post_transform=transform, **given)


def test_svm_regressor_without_vectors() -> None:
    given: dict[str, Any] = {"kernel_type": "LINEAR", "kernel_params": [0.5, 0.1, 3.0]}
    agrees("SVMRegressor", X, coefficients=[1.0, -2.0, 0.5], rho=[0.25], **given)


@pytest.mark.parametrize("labels", ["classlabels_ints", "classlabels_strings"])
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("classes", [2, 3, 4])
def test_svm_classifier(classes: int, kernel: str, labels: str) -> None:
    names: list[Any] = [5, 3, 9, 1] if labels == "classlabels_ints" else ["b", "a", "ä", ""]
    pairs, sizes = classes * (classes - 1) // 2, [2, 3, 4, 2][:classes]
    for transform, platt in product(TRANSFORMS, (False, True)):
        rng = np.random.default_rng(classes)
        given = machine(rng, kernel, sizes, classes - 1, pairs) | {labels: names[:classes], "vectors_per_class": sizes}
        given |= {"prob_a": [-abs(a) - 0.5 for a in normal(rng, pairs)], "prob_b": [0.1] * pairs} if platt else {}
        if transform == "SOFTMAX_ZERO" and platt:
            continue  # what is 1e-7 decides
        agrees("SVMClassifier", X, 2, post_transform=transform, **given)


def test_linear_svm_classifier() -> None:
    given: dict[str, Any] = {"kernel_type": "LINEAR", "kernel_params": [0.5, 0.1, 3.0], "classlabels_ints": [5, 3, 9]}
    agrees("SVMClassifier", X, 2, coefficients=normal(np.random.default_rng(0), 3, 3), rho=[0.25], **given)


HURT: dict[str, dict[str, Any]] = {
    "too few coefficients": {"coefficients": [1.0]},
    "too few support vectors": {"support_vectors": [1.0, 2.0]},
    "groups that are not all": {"vectors_per_class": [2, 3]},
    "a negative group": {"vectors_per_class": [-1, 6]},
    "no rho": {"rho": [1.0, 2.0]},
    "a broken degree": {"kernel_type": "POLY", "kernel_params": [0.5, 0.1, 2.5]},
    "an infinite degree": {"kernel_type": "POLY", "kernel_params": [0.5, 0.1, float("inf")]},
    "a kernel that is not there": {"kernel_type": "CUBIC"},
    "sigmoids for other pairs": {"prob_a": [1.0, 2.0], "prob_b": [1.0, 2.0]},
    "one label": {"classlabels_ints": [1]},
}


@pytest.mark.parametrize("what", HURT)
def test_what_does_not_fit_has_no_kernel(what: str) -> None:
    given = machine(np.random.default_rng(0), "RBF", [2, 3], 1, 1)
    given |= {"classlabels_ints": [0, 1], "vectors_per_class": [2, 3]}
    if what == "groups that are not all":
        given["coefficients"] = given["coefficients"][:4]
    given |= {key: value for key, value in HURT[what].items() if what != "groups that are not all"}
    model = model_of("SVMClassifier", [X], 2, domain="ai.onnx.ml", **given)
    assert lower(model).reference_operators == ("SVMClassifier",)
