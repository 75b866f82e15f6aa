"""sklearn.decomposition._kernel_pca."""

from sklearn.decomposition import KernelPCA

from . import Case

CASES = [
    Case(KernelPCA(3), "regression"),
    Case(KernelPCA(3, kernel="rbf", gamma=0.1), "regression_near"),
    Case(KernelPCA(2, kernel="rbf"), "regression_near"),
    Case(KernelPCA(2, kernel="poly", degree=2, coef0=0.5), "regression_int"),
    Case(KernelPCA(3, kernel="cosine", remove_zero_eig=True), "regression_near"),
    Case(KernelPCA(2, kernel="sigmoid", gamma=0.05), "regression32_near"),
    Case(KernelPCA(2, kernel="precomputed"), "gram"),
    Case(KernelPCA(3, kernel="rbf", fit_inverse_transform=True), "regression_near", ("inverse_transform",)),
]
