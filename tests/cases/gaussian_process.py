"""sklearn.gaussian_process."""

from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    ExpSineSquared,
    Matern,
    PairwiseKernel,
    RationalQuadratic,
    WhiteKernel,
)

from . import Case

_STD, _COV = ("predict_std",), ("predict_cov",)


def _regressor(kernel: object = None, **parameters: object) -> GaussianProcessRegressor:
    """Fixed hyperparameters: the rows are about prediction."""
    return GaussianProcessRegressor(kernel, alpha=0.1, optimizer=None, **parameters)


def _classifier(kernel: object = None, **parameters: object) -> GaussianProcessClassifier:
    return GaussianProcessClassifier(kernel, optimizer=None, **parameters)


CASES = [
    Case(_regressor(), "regression_near"),
    Case(_regressor(), "regression_near", _STD),
    Case(GaussianProcessRegressor(RBF() + WhiteKernel(), normalize_y=True, random_state=0), "regression_near", _STD),
    Case(_regressor(normalize_y=True), "regression_multi", _STD),
    Case(_regressor(RBF([0.5, 1, 2, 3, 4, 5, 6.0])), "regression_near", _STD),
    Case(_regressor(Matern(2.0, nu=0.5)), "regression_near"),
    Case(_regressor(Matern(2.0, nu=1.5)), "regression_near", _STD),
    Case(_regressor(Matern([1.0, 2, 3, 4, 5, 6, 7], nu=2.5)), "regression_near", _STD),
    Case(_regressor(Matern(2.0, nu=3.5)), "regression_near"),
    Case(_regressor(Matern(2.0, nu=0.8)), "regression_few", note="a Bessel function"),
    Case(_regressor(Matern(2.0, nu=3.2)), "regression_few", _STD, note="a Bessel function"),
    Case(_regressor(Matern(2.0, nu=float("inf"))), "regression_near"),
    Case(_regressor(RationalQuadratic(2.0, alpha=0.7)), "regression_near", _STD),
    Case(_regressor(ExpSineSquared(1.5, periodicity=3.0)), "one_feature_inside", _STD),
    Case(_regressor(DotProduct(2.0)), "regression_near", _STD),
    Case(_regressor(DotProduct(2.0) ** 2 + ConstantKernel(3.0)), "regression_near", _STD),
    Case(_regressor(2.0 * RBF(2.0) * Matern(3.0) + WhiteKernel(0.3)), "regression_int", _STD),
    Case(_regressor(PairwiseKernel(metric="laplacian", gamma=0.3)), "regression_near", _STD),
    Case(_regressor(PairwiseKernel(metric="poly", pairwise_kernels_kwargs={"degree": 2})), "regression_near", _STD),
    Case(_regressor(PairwiseKernel(metric="cosine")), "regression_near", _STD),
    Case(_regressor(ConstantKernel(2.0)), "regression_near", _STD),
    Case(_regressor(RBF(2.0)), "regression32_near", _STD, rtol=1e-5),
    Case(_regressor(), "regression_near", _COV),
    Case(_regressor(2.0 * RBF(2.0) * Matern(3.0) + WhiteKernel(0.3), normalize_y=True), "regression_int", _COV),
    Case(_regressor(DotProduct(2.0) ** 2 + ConstantKernel(3.0)), "regression_near", _COV),
    Case(_regressor(PairwiseKernel(metric="laplacian", gamma=0.3), normalize_y=True), "regression_multi", _COV),
    Case(_classifier(), "binary_few"),
    Case(_classifier(2.0 * RBF(3.0)), "multiclass_few"),
    Case(_classifier(Matern(2.0)), "multiclass_int_few"),
    Case(_classifier(RBF(2.0), multi_class="one_vs_one"), "multiclass_few", ("predict",)),
    Case(_classifier(DotProduct() + RationalQuadratic()), "binary_few"),
    Case(GaussianProcessClassifier(random_state=0), "binary32", rtol=1e-5),
]
