"""sklearn.feature_extraction: DictVectorizer, whose input is no tensor."""

from __future__ import annotations

from sklearn.feature_extraction import DictVectorizer

from ..registry import impossible

impossible(
    DictVectorizer,
    method="transform",
    reason="a row is a dict of any keys, whose values are numbers, text or lists from row to row; a tensor has the same "
    "columns in every row, and cannot tell an absent key from None and NaN, which are 0 and NaN here. Vectorize before "
    "the file, and convert what follows: it takes the sparse matrix. Or use a frame, with OneHotEncoder for its text.",
)
impossible(
    DictVectorizer,
    method="inverse_transform",
    reason="it gives a dict for each row, of the keys that are not zero there, which no tensor holds. "
    "Take vectorizer.get_feature_names_out() and index it with the columns of each row.",
)
