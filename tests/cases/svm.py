"""sklearn.svm."""

from __future__ import annotations

from typing import Any

from scipy.sparse import csr_array
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVC, NuSVR, OneClassSVM

from . import Case


class SparseSVC(SVC):  # type: ignore[misc]
    """Fitted on a sparse matrix."""

    def fit(self, X: Any, y: Any) -> SparseSVC:
        super().fit(csr_array(X), y)
        return self


KERNELS = ("linear", "poly", "rbf", "sigmoid")
PROBA = {"probability": True, "random_state": 0}

CASES = [
    *(Case(SVC(kernel=kernel), data) for kernel in KERNELS for data in ("binary", "multiclass_str")),
    *(Case(SVC(kernel=kernel, **PROBA), data) for kernel in KERNELS for data in ("binary_str", "multiclass")),
    *(Case(SVC(kernel=kernel, decision_function_shape="ovo"), "multiclass_str") for kernel in KERNELS),
    Case(SVC(kernel="poly", degree=2, gamma=0.1, coef0=1.5), "multiclass_float"),
    Case(SVC(kernel="poly", degree=0), "binary"),
    Case(SVC(kernel="sigmoid", gamma="auto", coef0=-0.5), "binary_bool"),
    Case(SVC(gamma=3.0, C=100.0), "multiclass"),
    Case(SVC(gamma=1e-3, class_weight="balanced"), "binary_classes_int32"),
    Case(SVC(break_ties=True), "multiclass_str"),
    Case(SVC(), "binary32"),
    Case(SVC(kernel="linear"), "multiclass32"),
    Case(SVC(**PROBA), "multiclass32"),
    Case(SVC(), "multiclass_int"),
    Case(SVC(kernel="poly"), "multiclass_int"),
    Case(SVC(**PROBA), "offset", note="far from the origin"),
    Case(SVC(kernel="precomputed"), "gram"),
    Case(SVC(kernel="precomputed", **PROBA), "gram"),
    Case(SparseSVC(), "multiclass", note="sparse fit"),
    Case(SparseSVC(kernel="linear", **PROBA), "binary", note="sparse fit"),
    Case(SparseSVC(kernel="poly", **PROBA), "multiclass", note="sparse fit"),
    Case(NuSVC(), "binary"),
    Case(NuSVC(nu=0.3, kernel="poly", degree=2), "multiclass_str"),
    Case(NuSVC(nu=0.2, **PROBA), "multiclass"),
    Case(NuSVC(nu=0.2, kernel="sigmoid", decision_function_shape="ovo"), "multiclass32"),
    *(Case(SVR(kernel=kernel), "regression") for kernel in KERNELS),
    Case(SVR(epsilon=0.01, C=50.0), "regression32"),
    Case(SVR(kernel="poly", coef0=1.0), "regression_int"),
    Case(NuSVR(), "regression"),
    Case(NuSVR(kernel="linear", nu=0.2), "regression_int"),
    Case(NuSVR(kernel="sigmoid"), "regression32"),
    *(Case(OneClassSVM(kernel=kernel, nu=0.2), "regression") for kernel in KERNELS),
    Case(OneClassSVM(), "regression32"),
    Case(OneClassSVM(gamma="auto"), "regression_int"),
    Case(LinearSVC(random_state=0), "binary"),
    Case(LinearSVC(random_state=0), "multiclass_str"),
    Case(LinearSVC(random_state=0, multi_class="crammer_singer"), "multiclass"),
    Case(LinearSVC(random_state=0, fit_intercept=False), "binary32"),
    Case(LinearSVR(random_state=0), "regression"),
    Case(LinearSVR(random_state=0, fit_intercept=False), "regression32"),
    Case(LinearSVR(random_state=0, epsilon=0.5), "regression_int"),
]
