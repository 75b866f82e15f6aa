"""sklearn.discriminant_analysis."""

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis

from . import Case

CASES = [
    Case(LinearDiscriminantAnalysis(), "binary_str"),
    Case(LinearDiscriminantAnalysis(), "multiclass"),
    Case(LinearDiscriminantAnalysis(n_components=1), "multiclass_str"),
    Case(LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto"), "multiclass_float"),
    Case(LinearDiscriminantAnalysis(solver="lsqr"), "binary_bool", ("predict", "predict_proba", "decision_function")),
    Case(LinearDiscriminantAnalysis(priors=[0.2, 0.3, 0.5]), "multiclass_int"),
    Case(LinearDiscriminantAnalysis(), "multiclass32_near"),
    Case(QuadraticDiscriminantAnalysis(), "binary"),
    Case(QuadraticDiscriminantAnalysis(reg_param=0.1), "multiclass_str"),
    Case(QuadraticDiscriminantAnalysis(priors=np.array([0.2, 0.3, 0.5])), "multiclass_float"),
    Case(QuadraticDiscriminantAnalysis(), "multiclass_int"),
    Case(QuadraticDiscriminantAnalysis(), "multiclass32_near", rtol=1e-5),
]
