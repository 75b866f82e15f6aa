"""sklearn.kernel_approximation."""

from sklearn.kernel_approximation import (
    AdditiveChi2Sampler,
    Nystroem,
    PolynomialCountSketch,
    RBFSampler,
    SkewedChi2Sampler,
)

from . import Case

CASES = [
    Case(Nystroem(n_components=20, random_state=0), "regression_near"),
    Case(Nystroem(kernel="poly", degree=2, coef0=1, n_components=15, random_state=0), "regression_near"),
    Case(Nystroem(kernel="laplacian", gamma=0.3, n_components=15, random_state=0), "regression_int"),
    Case(Nystroem(kernel="chi2", kernel_params={"gamma": 0.2}, n_components=9, random_state=0), "positive"),
    Case(Nystroem(n_components=5, gamma=0.1, random_state=0), "regression32_near"),
    Case(RBFSampler(n_components=20, random_state=0), "regression_near"),
    Case(RBFSampler(gamma="scale", n_components=8, random_state=0), "regression_int"),
    Case(RBFSampler(gamma=0.2, n_components=8, random_state=0), "regression32_near"),
    Case(SkewedChi2Sampler(n_components=12, random_state=0), "positive"),
    Case(SkewedChi2Sampler(skewedness=20.0, n_components=12, random_state=0), "regression_near"),
    Case(SkewedChi2Sampler(skewedness=20.0, n_components=12, random_state=0), "regression32_near"),
    Case(AdditiveChi2Sampler(), "positive"),
    Case(AdditiveChi2Sampler(sample_steps=1), "positive32"),
    Case(AdditiveChi2Sampler(sample_steps=3, sample_interval=0.7), "positive32"),
    Case(AdditiveChi2Sampler(sample_steps=3), "counts_int", note="integers truncate"),
    Case(PolynomialCountSketch(n_components=20, random_state=0), "regression_near"),
    Case(PolynomialCountSketch(degree=3, coef0=2, gamma=0.3, n_components=15, random_state=0), "regression_near"),
    Case(PolynomialCountSketch(degree=1, n_components=7, random_state=0), "regression_int"),
    Case(SkewedChi2Sampler(n_components=7, skewedness=0.5, random_state=1), "positive"),
]
