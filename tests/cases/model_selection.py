"""sklearn.model_selection."""

from sklearn.decomposition import PCA
from sklearn.experimental import enable_halving_search_cv as _enabled  # noqa: F401
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, HalvingRandomSearchCV, RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from . import Case

ALPHAS = {"alpha": [0.1, 1, 10]}
CHOICES = {"max_depth": [2, 3, 4]}

#: searches, and what they may be over that has other methods than predict
SEARCHES = (
    (RandomizedSearchCV, {"n_iter": 1, "random_state": 0}),
    (HalvingGridSearchCV, {"random_state": 0}),
    (HalvingRandomSearchCV, {"n_candidates": 2, "random_state": 0}),
)
UNSUPERVISED = (
    (GaussianMixture(random_state=0), {"n_components": [1, 2]}, ("score_samples",)),
    (PCA(), {"n_components": [2, 3]}, ("transform",)),
    (PCA(), {"n_components": [2, 3]}, ("inverse_transform",)),
)

CASES = [
    Case(GridSearchCV(Ridge(), {"alpha": [0.1, 10]}, cv=2), "regression"),
    Case(GridSearchCV(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [0.1, 10]}, cv=2), "regression32"),
    Case(GridSearchCV(make_pipeline(StandardScaler(), PCA()), {"pca__n_components": [2, 3]}, cv=2), "regression"),
    Case(GridSearchCV(PCA(), {"n_components": [2, 3]}, cv=2), "regression", ("inverse_transform",)),
    Case(GridSearchCV(GaussianMixture(random_state=0), {"n_components": [1, 2]}, cv=2), "regression"),
    Case(RandomizedSearchCV(Ridge(), ALPHAS, n_iter=2, cv=2, random_state=0), "regression_int"),
    Case(RandomizedSearchCV(LogisticRegression(), {"C": [0.1, 1]}, n_iter=2, cv=2), "multiclass_str"),
    Case(RandomizedSearchCV(SVC(), {"C": [0.1, 1]}, n_iter=2, cv=2, random_state=0), "binary32"),
    Case(RandomizedSearchCV(PCA(), {"n_components": [2, 3]}, n_iter=2, cv=2), "regression", ("inverse_transform",)),
    Case(HalvingGridSearchCV(Ridge(), ALPHAS, cv=2, random_state=0), "regression"),
    Case(HalvingGridSearchCV(DecisionTreeClassifier(random_state=0), CHOICES, cv=2, random_state=0), "multiclass_str"),
    Case(HalvingGridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2, random_state=0), "binary32"),
    Case(HalvingRandomSearchCV(Ridge(), ALPHAS, n_candidates=3, cv=2, random_state=0), "regression_int"),
    Case(HalvingRandomSearchCV(LogisticRegression(), {"C": [0.1, 1]}, n_candidates=2, cv=2, random_state=0), "binary"),
    Case(HalvingRandomSearchCV(SVC(), {"C": [0.1, 1]}, n_candidates=2, cv=2, random_state=0), "multiclass"),
    Case(HalvingRandomSearchCV(Ridge(), ALPHAS, n_candidates=3, cv=2, random_state=0), "regression32"),
    Case(GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2), "binary"),
    *(
        Case(search(model, grid, cv=2, **options), "regression", methods)
        for search, options in SEARCHES
        for model, grid, methods in UNSUPERVISED
    ),
]
