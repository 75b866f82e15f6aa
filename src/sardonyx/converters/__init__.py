"""Converters, one module per scikit-learn module, found by name when an estimator of it is met (see `registry`).

::

    sklearn.linear_model._base.LinearRegression        linear_model.py
    sklearn.decomposition._nmf.NMF                     decomposition.py, then decomposition_nmf.py
    lightgbm.sklearn.LGBMClassifier                    lightgbm.py

Nothing is listed here: a new file is enough. Modules that begin with an underscore register nothing; they hold what
several share, as ``base.py`` does: labels, links, trees, kernels, metrics.
"""
