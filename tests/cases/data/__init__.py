"""Small data sets with hard corners: each gives training data and different rows to predict.

``X_test`` always has rows that training never saw: extremes, values at the edge of float32, zeros of both signs.
Modules are found by listing the folder; a data set has the name of its function.
"""

from __future__ import annotations

import importlib
import pkgutil

from .base import Dataset, dataset

__all__ = ["Dataset", "dataset"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
