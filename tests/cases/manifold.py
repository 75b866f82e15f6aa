"""sklearn.manifold."""

from sklearn.manifold import Isomap, LocallyLinearEmbedding

from . import Case

CASES = [
    Case(Isomap(), "regression_near"),
    Case(Isomap(n_neighbors=8, n_components=3, metric="manhattan"), "regression_near"),
    Case(Isomap(n_neighbors=4, p=1, neighbors_algorithm="brute"), "regression_near"),
    Case(Isomap(n_neighbors=None, radius=20.0), "regression_near"),
    Case(Isomap(), "regression32_near", rtol=1e-4),
    Case(LocallyLinearEmbedding(random_state=0), "regression_near"),
    Case(LocallyLinearEmbedding(n_neighbors=12, n_components=3, reg=0.1, random_state=0), "regression_near"),
    Case(LocallyLinearEmbedding(n_neighbors=4, eigen_solver="dense"), "regression32_near", rtol=1e-4),
]
