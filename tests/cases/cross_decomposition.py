"""sklearn.cross_decomposition."""

from sklearn.cross_decomposition import CCA, PLSSVD, PLSCanonical, PLSRegression

from . import Case

CASES = [
    Case(PLSRegression(2), "regression"),
    Case(PLSRegression(3, scale=False), "regression_multi"),
    Case(PLSRegression(2), "regression_int"),
    Case(PLSRegression(2), "regression32", rtol=1e-5),
    Case(PLSRegression(2), "regression_multi", ("inverse_transform",)),
    Case(PLSCanonical(2), "regression_multi"),
    Case(PLSCanonical(2, algorithm="svd"), "regression_multi"),
    Case(PLSCanonical(2), "regression_multi", ("inverse_transform",)),
    Case(CCA(2), "regression_multi"),
    Case(CCA(1, scale=False), "regression_multi"),
    Case(CCA(2), "regression_multi", ("inverse_transform",)),
    Case(PLSSVD(2), "regression_multi"),
    Case(PLSSVD(1, scale=False), "regression_multi"),
    Case(PLSSVD(2), "regression_multi32"),
    Case(PLSRegression(1, max_iter=50, tol=1e-3), "regression_multi"),
    Case(PLSCanonical(1, scale=False), "regression_multi"),
    Case(CCA(2, max_iter=100), "regression_multi"),
    Case(PLSSVD(2, scale=False), "regression_multi"),
]
