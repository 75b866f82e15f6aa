"""sklearn.naive_bayes."""

from __future__ import annotations

from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB

from . import Case

CASES = [
    Case(GaussianNB(), "binary"),
    Case(GaussianNB(priors=[0.2, 0.3, 0.5], var_smoothing=1e-3), "multiclass"),
    Case(GaussianNB(), "multiclass_str"),
    Case(GaussianNB(var_smoothing=0.5), "multiclass_str"),
    Case(GaussianNB(), "multiclass32"),
    Case(GaussianNB(), "multiclass_int"),
    Case(GaussianNB(), "binary_bool"),
    Case(BernoulliNB(), "multiclass_str"),
    Case(BernoulliNB(binarize=0.3, alpha=2.0), "binary32"),
    Case(BernoulliNB(binarize=1.5, fit_prior=False), "counts_int"),
    Case(BernoulliNB(binarize=None), "categories"),
    Case(MultinomialNB(), "positive"),
    Case(MultinomialNB(alpha=0.1, fit_prior=False), "counts_int"),
    Case(MultinomialNB(class_prior=[0.1, 0.9]), "positive32"),
    Case(ComplementNB(), "positive"),
    Case(ComplementNB(norm=True), "counts_int"),
    Case(ComplementNB(alpha=3.0), "positive32"),
    Case(CategoricalNB(), "categories"),
    Case(CategoricalNB(min_categories=6, alpha=0.5), "categories"),
    Case(CategoricalNB(fit_prior=False), "codes_float"),
]
