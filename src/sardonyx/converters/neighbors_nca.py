"""sklearn.neighbors._nca: neighbourhood components analysis."""

from __future__ import annotations

from typing import Any

from sklearn.neighbors import NeighborhoodComponentsAnalysis

from ..graph import Value
from ..registry import converter


@converter(NeighborhoodComponentsAnalysis)
def neighborhood_components(est: Any, X: Value) -> Value:
    embedded: Value = X @ est.components_.T
    return embedded
