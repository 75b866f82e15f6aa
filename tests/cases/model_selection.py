"""sklearn.model_selection."""

from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from . import Case

CASES = [
    Case(GridSearchCV(Ridge(), {"alpha": [0.1, 10]}, cv=2), "regression"),
    Case(GridSearchCV(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [0.1, 10]}, cv=2), "regression32"),
    Case(RandomizedSearchCV(Ridge(), {"alpha": [0.1, 1, 10]}, n_iter=2, cv=2, random_state=0), "regression_int"),
    Case(GridSearchCV(make_pipeline(StandardScaler(), PCA()), {"pca__n_components": [2, 3]}, cv=2), "regression"),
    Case(GridSearchCV(PCA(), {"n_components": [2, 3]}, cv=2), "regression", ("inverse_transform",)),
]
