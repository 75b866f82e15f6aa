"""Labels: one-dimensional, several a row, sets of them, some unknown."""

from __future__ import annotations

import numpy as np

from .base import Dataset, data
from .categories import categories_int, categories_int_unknown, categories_str, categories_str_unknown
from .numbers import multiclass, multiclass_int, multiclass_str, numbers_with_corners


@data
def labels_str() -> Dataset:
    """Labels, for LabelEncoder."""
    full = categories_str()
    return Dataset(full.X[:, 0], None, full.X_test[:, 0])


@data
def labels_int() -> Dataset:
    full = categories_int()
    return Dataset(full.X[:, 0], None, full.X_test[:, 0])


@data
def labels_float() -> Dataset:
    """Labels that float32 does not tell apart."""
    labels = np.array([0.1, -0.0, 1e300, np.float64(np.float32(0.1)), -5.5])
    return Dataset(np.tile(labels, 4), None, np.r_[labels[::-1], 0.0])


@data
def multilabel() -> Dataset:
    """A matrix of zeros and ones."""
    X, test = numbers_with_corners()
    return Dataset(X, (np.c_[X[:, 0] + X[:, 1], X[:, 2], X[:, 3] * X[:, 4]] > 0.3).astype(int), test)


@data
def multilabel32() -> Dataset:
    full = multilabel()
    return Dataset(full.X.astype(np.float32), full.y, np.clip(full.X_test, -10, 10).astype(np.float32))


@data
def multilabel_constant() -> Dataset:
    """A label that no row has and one that every row has."""
    full = multilabel()
    return Dataset(full.X, np.c_[full.y, np.zeros(len(full.y), int), np.ones(len(full.y), int)], full.X_test)


@data
def partly_labelled() -> Dataset:
    """Two of three labels unknown (-1)."""
    full, rng = multiclass(), np.random.default_rng(13)
    codes = np.searchsorted([10, 20, 2**40], full.y)
    return Dataset(full.X, np.where(rng.random(len(codes)) < 0.6, -1, codes), np.clip(full.X_test, -4, 4))


@data
def partly_labelled32() -> Dataset:
    full = partly_labelled()
    return Dataset(full.X.astype(np.float32), full.y, full.X_test.astype(np.float32))


@data
def partly_labelled_int() -> Dataset:
    full = multiclass_int()
    return Dataset(full.X, np.where(np.arange(len(full.y)) % 3 == 0, full.y, -1), np.clip(full.X_test, -5, 5))


@data
def labels_multi_str() -> Dataset:
    """Multi-output classification of text labels."""
    full = multiclass_str()
    return Dataset(full.X, np.c_[full.y, full.y[::-1]].astype(str), full.X_test)


@data
def labels_two() -> Dataset:
    return Dataset(np.array(["no", "ü", "ü", "no"], dtype=object), None, np.array(["ü", "no"], dtype=object))


@data
def labels_int32() -> Dataset:
    return Dataset(np.array([7, -1, 3, 7], np.int32), None, np.array([3, 7, 5, -1], np.int32))


@data
def labels_matrix() -> Dataset:
    """Which of three labels each row has."""
    matrix = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 1]])
    return Dataset(matrix, None, matrix[::-1])


@data
def label_sets_str() -> Dataset:
    """Labels of each row, some of them twice, some of them unknown in prediction."""
    full = categories_str_unknown()
    return Dataset(full.X[:40], None, full.X_test)


@data
def label_sets_int() -> Dataset:
    full = categories_int_unknown()
    return Dataset(full.X[:40], None, full.X_test)


@data
def label_bags() -> Dataset:
    """Sets of labels of any size, later ones with strangers."""
    train = [("b", "a"), (), ["ü", "b", "b"], {"a"}]
    return Dataset(train, None, [*train, ("zz", "a"), {"zz"}, ["a", "b", "ü", "ü"]])


@data
def label_bags_int() -> Dataset:
    train = [[1, 2], [3], [], (2**40,)]
    return Dataset(train, None, [*train, [1, 99, -1], [3.0], {2, 1}])
