"""What vectorizers refuse, with the parameter and the way out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer, strip_accents_ascii

import sardonyx
from sardonyx.convert import convert
from sardonyx.errors import ConversionError, InputError, ModelError

DOCUMENTS = ["the cat sat", "on the mat", "a cat"]


def shout(text: str) -> str:
    return text.upper()


class Stemmed(CountVectorizer):  # type: ignore[misc]
    """A vectorizer of the user's own, as scikit-learn's user guide has it."""

    def build_analyzer(self) -> Any:
        analyze = super().build_analyzer()
        return lambda document: [term[:3] for term in analyze(document)]


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (CountVectorizer(analyzer=lambda s: [t for t in s.split() if t]), "analyzer=<lambda>.*loop over the pieces"),
        (CountVectorizer(tokenizer=str.splitlines, token_pattern=None), "tokenizer=splitlines.*str.splitlines"),
        (CountVectorizer(tokenizer=str.lower, token_pattern=None), "a tokenizer that gives Text"),
        (TfidfVectorizer(preprocessor=lambda s: "".join(sorted(s))), "preprocessor=<lambda>.*loop over the rows"),
        (Stemmed(), "Stemmed overrides build_analyzer"),
        (CountVectorizer(dtype=np.longdouble), "dtype=float128.*float32"),
    ],
)
def test_code_of_the_users_is_refused(estimator: Any, message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        convert(estimator.fit(DOCUMENTS), DOCUMENTS)


HARD = ["The CAT, sat; 42", "\u0130stanbul na\xefve \u03a3\u0391\u03a3", "a  cat", "x", "don't"]


@pytest.mark.parametrize(
    "estimator",
    [
        CountVectorizer(token_pattern=r"\w*"),
        CountVectorizer(token_pattern=r"(?=\w)|x*", ngram_range=(1, 3)),
        TfidfVectorizer(token_pattern=r"\w(\w*)(?=\W|$)", ngram_range=(1, 2), stop_words=["at", ""]),
        CountVectorizer(tokenizer=lambda s: s.split(" "), token_pattern=None, ngram_range=(1, 2)),
        HashingVectorizer(token_pattern=r"[a-z]*", n_features=16),
        CountVectorizer(tokenizer=str.split, token_pattern=None),
        CountVectorizer(tokenizer=str.split, token_pattern=None, ngram_range=(1, 2), strip_accents="unicode"),
        CountVectorizer(tokenizer=re.compile(r"\w+").findall, token_pattern=None, lowercase=False),
        TfidfVectorizer(tokenizer=lambda s: re.findall(r"[a-z]+", s), token_pattern=None, stop_words=["cat"]),
        TfidfVectorizer(preprocessor=shout),
        CountVectorizer(preprocessor=lambda s: re.sub(r"\d+", "#", s.lower().replace("cat", "dog")), analyzer="char"),
        CountVectorizer(preprocessor=lambda s: s.strip().lower() if s.endswith("cat") else "none"),
        CountVectorizer(analyzer=lambda s: s.lower().split()),
        CountVectorizer(analyzer=list),
        HashingVectorizer(analyzer=str.split, n_features=32),
        HashingVectorizer(strip_accents=shout, n_features=32),
        CountVectorizer(strip_accents=strip_accents_ascii, binary=True),
    ],
)
def test_code_of_the_users_is_traced(estimator: Any) -> None:
    estimator.fit(DOCUMENTS + HARD)
    session = sardonyx.compile(estimator, DOCUMENTS)
    expected = estimator.transform(HARD).toarray()
    np.testing.assert_allclose(dense(session.transform(HARD)), expected, rtol=1e-10)


def test_a_vocabulary_needs_no_fit() -> None:
    session = sardonyx.compile(CountVectorizer(vocabulary=["mat", "cat"]), DOCUMENTS)
    np.testing.assert_array_equal(dense(session.transform(DOCUMENTS)), [[0, 1], [1, 0], [0, 1]])
    with pytest.raises(ConversionError, match="TfidfVectorizer is not fitted"):
        convert(TfidfVectorizer(vocabulary=["mat"]), DOCUMENTS)
    with pytest.raises(ConversionError, match="CountVectorizer is not fitted"):
        convert(CountVectorizer(), DOCUMENTS)


def test_patterns_without_an_automaton_run_in_python(tmp_path: Path) -> None:
    estimator = CountVectorizer(token_pattern=r"\S+(?=\s)").fit(DOCUMENTS)
    session = sardonyx.compile(estimator, DOCUMENTS)
    assert "FindTokens: token_pattern" in session.explain()
    assert list(session.to_frame(DOCUMENTS)) == ["a", "cat", "on", "the"]
    with pytest.raises(ModelError, match=r"FindTokens cannot be compiled.*Save the \.onnx file"):
        session.save(tmp_path / "words.sdx")
    for wrong in ("a\ufdd1b c", "\ufdd0NaN"):
        with pytest.raises(InputError, match=r"noncharacters|invalid document"):
            session.transform([wrong])


def test_half_characters_in_a_vocabulary_are_refused() -> None:
    with pytest.raises(ConversionError, match="half a character"):
        convert(CountVectorizer(analyzer="char").fit(["a\ud800"]), DOCUMENTS)


def test_files_are_refused() -> None:
    estimator = CountVectorizer(input="filename", vocabulary=["a"]).fit([])
    with pytest.raises(ConversionError, match=r"input='filename'.*input='content'"):
        convert(estimator, DOCUMENTS)


def test_documents_are_one_text_each() -> None:
    estimator = CountVectorizer().fit(DOCUMENTS)
    for X in (np.array([["a", "b"]], dtype=object), np.array([1, 2])):
        with pytest.raises(ConversionError, match="takes documents, one text each"):
            convert(estimator, X)
    with pytest.raises(ConversionError, match="target_opset=20"):
        convert(estimator, DOCUMENTS, target_opset=19)


def test_missing_documents_are_refused_as_scikit_learn_does() -> None:
    session = sardonyx.load(convert(CountVectorizer().fit(DOCUMENTS), DOCUMENTS))
    for missing in (None, np.nan):
        with pytest.raises(InputError, match="invalid document"):
            session.transform(np.array(["cat", missing], dtype=object))


def test_a_series_and_a_column_of_a_frame() -> None:
    series = pd.Series(DOCUMENTS, name="text")
    session = sardonyx.compile(CountVectorizer().fit(series), series)
    expected = CountVectorizer().fit_transform(DOCUMENTS).toarray()
    np.testing.assert_array_equal(dense(session.transform(series)), expected)
    frame = pd.DataFrame({"text": DOCUMENTS, "n": [1.0, 2.0, 3.0]})
    columns = ColumnTransformer([("count", CountVectorizer(), "text")], remainder="passthrough").fit(frame)
    np.testing.assert_array_equal(
        dense(sardonyx.compile(columns, frame).transform(frame)), np.c_[expected, [1.0, 2.0, 3.0]]
    )


def dense(result: Any) -> Any:
    return result.toarray() if hasattr(result, "toarray") else result


def test_what_is_no_tensor_is_refused() -> None:
    with pytest.raises(ConversionError, match=r"input_type='dict'.*a list of such rows"):
        convert(FeatureHasher(), np.array([["a"]], dtype=object))
    estimator = CountVectorizer().fit(DOCUMENTS)
    with pytest.raises(ConversionError, match="takes 5 columns"):
        convert(estimator, np.ones((1, 4)), methods=["inverse_transform"])
