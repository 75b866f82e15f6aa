"""sklearn.kernel_ridge."""

from sklearn.kernel_ridge import KernelRidge

from . import Case

CASES = [
    Case(KernelRidge(), "regression"),
    Case(KernelRidge(kernel="rbf"), "regression_multi"),
    Case(KernelRidge(kernel="rbf", gamma=0.3), "regression32_near", rtol=1e-4, note="float32 loses digits"),
    Case(KernelRidge(kernel="poly", degree=2, gamma=0.2, coef0=2), "regression_near"),
    Case(KernelRidge(kernel="polynomial", degree=2.5, gamma=0.001, coef0=9.0), "positive"),
    Case(KernelRidge(kernel="sigmoid", gamma=0.1, alpha=3.0), "regression"),
    Case(KernelRidge(kernel="laplacian", gamma=0.2), "regression_near"),
    Case(KernelRidge(kernel="laplacian"), "regression_int"),
    Case(KernelRidge(kernel="cosine"), "regression"),
    Case(KernelRidge(kernel="chi2", gamma=0.5), "positive"),
    Case(KernelRidge(kernel="additive_chi2"), "positive"),
    Case(KernelRidge(kernel="precomputed"), "gram"),
]
