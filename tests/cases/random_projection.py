"""sklearn.random_projection."""

from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection

from . import Case

CASES = [
    Case(GaussianRandomProjection(n_components=3, random_state=0), "regression"),
    Case(GaussianRandomProjection(n_components=3, random_state=0), "regression_int"),
    Case(GaussianRandomProjection(n_components=3, random_state=0), "regression", ("inverse_transform",)),
    Case(SparseRandomProjection(n_components=4, random_state=0), "regression"),
    Case(SparseRandomProjection(n_components=4, density=0.5, dense_output=True, random_state=0), "regression32_near"),
    Case(
        SparseRandomProjection(n_components=4, compute_inverse_components=True, random_state=0),
        "regression",
        ("inverse_transform",),
    ),
    Case(GaussianRandomProjection(n_components=2, random_state=1), "regression32"),
    Case(GaussianRandomProjection(n_components=5, compute_inverse_components=True, random_state=0), "regression"),
]
