"""Converters, one module per scikit-learn module, found by name when an estimator of it is met (see `registry`)."""
