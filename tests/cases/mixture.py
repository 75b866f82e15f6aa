"""sklearn.mixture."""

from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

from . import Case

CASES = [
    *(
        Case(GaussianMixture(2, covariance_type=c, reg_covar=0.1, random_state=0), "yes_and_no")
        for c in ("diag", "spherical")
    ),
    Case(GaussianMixture(2, covariance_type="spherical", random_state=0), "small_integers"),
    *(
        Case(GaussianMixture(3, covariance_type=kind, random_state=0), data)
        for kind in ("full", "tied", "diag", "spherical")
        for data in ("regression", "regression_int")
    ),
    Case(GaussianMixture(2, random_state=0), "regression32_near"),
    Case(GaussianMixture(2, covariance_type="diag", random_state=0), "regression32_near"),
    Case(GaussianMixture(1), "regression"),
    *(
        Case(BayesianGaussianMixture(n_components=3, covariance_type=kind, random_state=0), "regression")
        for kind in ("full", "tied", "diag", "spherical")
    ),
    Case(
        BayesianGaussianMixture(
            n_components=3, weight_concentration_prior_type="dirichlet_distribution", random_state=0
        ),
        "regression_near",
    ),
]
