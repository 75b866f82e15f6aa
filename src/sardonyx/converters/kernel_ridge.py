"""sklearn.kernel_ridge."""

# NumPy's functions of Values return Values, which their stubs cannot say.

from __future__ import annotations

from typing import Any

from sklearn.kernel_ridge import KernelRidge

from ..graph import Value
from ..operators.pairwise import pairwise_kernel
from ..registry import converter


@converter(KernelRidge, method="predict")
def kernel_ridge(est: Any, X: Value) -> Value:
    parameters = {"gamma": est.gamma, "degree": est.degree, "coef0": est.coef0}
    return pairwise_kernel(est.kernel, X, est.X_fit_, **parameters) @ est.dual_coef_
