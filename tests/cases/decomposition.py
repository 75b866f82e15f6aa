"""sklearn.decomposition."""

from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD

from . import Case

INVERSE = ("inverse_transform",)

CASES = [
    Case(PCA(3), "regression"),
    Case(PCA(3, whiten=True), "regression"),
    Case(PCA(0.9, svd_solver="full"), "regression_int"),
    Case(PCA(2), "regression32"),
    Case(PCA(whiten=True, svd_solver="covariance_eigh"), "positive"),
    Case(PCA(4), "regression", INVERSE),
    Case(PCA(4, whiten=True), "regression", INVERSE),
    Case(IncrementalPCA(3), "regression"),
    Case(IncrementalPCA(3, whiten=True, batch_size=50), "regression"),
    Case(IncrementalPCA(2), "regression", INVERSE),
    Case(TruncatedSVD(3, random_state=0), "regression"),
    Case(TruncatedSVD(3, algorithm="arpack", random_state=0), "positive"),
    Case(TruncatedSVD(2, random_state=0), "regression_int"),
    Case(TruncatedSVD(2, random_state=0), "regression32"),
    Case(TruncatedSVD(2, random_state=0), "regression", INVERSE),
]
