"""sklearn.feature_extraction.image: nothing of it has an ONNX form."""

from __future__ import annotations

from sklearn.feature_extraction.image import PatchExtractor

from ..registry import impossible

impossible(
    PatchExtractor,
    method="transform",
    reason="it makes many rows of one image, at random where max_patches is set, while a model answers a row for each "
    "row. Extract the patches first, and give the model those.",
)
