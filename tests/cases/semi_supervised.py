"""sklearn.semi_supervised."""

from sklearn.linear_model import LogisticRegression
from sklearn.semi_supervised import LabelPropagation, LabelSpreading, SelfTrainingClassifier

from . import Case

CASES = [
    Case(SelfTrainingClassifier(LogisticRegression()), "partly_labelled"),
    Case(SelfTrainingClassifier(LogisticRegression(), criterion="k_best", k_best=20), "partly_labelled"),
    Case(SelfTrainingClassifier(LogisticRegression(), threshold=0.9), "multiclass_str"),
    Case(LabelPropagation(gamma=0.5), "partly_labelled"),
    Case(LabelPropagation(kernel="knn", n_neighbors=3), "partly_labelled"),
    Case(LabelPropagation(gamma=0.3), "partly_labelled32", rtol=1e-5),
    Case(LabelSpreading(gamma=0.5, alpha=0.5), "partly_labelled"),
    Case(LabelSpreading(kernel="knn"), "partly_labelled"),
    Case(LabelSpreading(gamma=0.2), "partly_labelled_int"),
]
