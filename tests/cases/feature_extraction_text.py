"""sklearn.feature_extraction.text: every parameter of the analyzers, on English and on text of many scripts."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from . import Case

#: what both kinds of text are tried with
BOTH = [
    CountVectorizer(),
    CountVectorizer(ngram_range=(1, 3), binary=True),
    CountVectorizer(ngram_range=(2, 2), max_features=20, dtype=np.float32),
    CountVectorizer(lowercase=False, token_pattern=r"\S+", dtype=np.int8),
    CountVectorizer(token_pattern=r"[^\W\d_]+"),
    CountVectorizer(token_pattern=r"\b[A-Za-z]{2,}\b", lowercase=False),
    CountVectorizer(token_pattern=r"\w+(?:['’]\w+)?"),
    CountVectorizer(stop_words=["the", "sea", "das", "ist"], ngram_range=(1, 2)),
    CountVectorizer(stop_words="english", strip_accents="unicode"),
    CountVectorizer(vocabulary=["sea", "the", "old mill", "nothing", "größe"], ngram_range=(1, 2)),
    CountVectorizer(analyzer="char", ngram_range=(2, 4), strip_accents="ascii", lowercase=False),
    CountVectorizer(analyzer="char_wb", ngram_range=(1, 2)),
    CountVectorizer(analyzer="char_wb", ngram_range=(5, 6), max_features=50),
    TfidfVectorizer(ngram_range=(1, 2)),
    TfidfVectorizer(sublinear_tf=True, norm="l1", smooth_idf=False, strip_accents="ascii"),
    TfidfVectorizer(use_idf=False, norm=None, dtype=np.float32, sublinear_tf=True),
    TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), strip_accents="unicode", dtype=np.float32),
    make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression()),
    make_pipeline(CountVectorizer(min_df=2), TfidfTransformer(sublinear_tf=True), MultinomialNB()),
]

#: what is tried with text of many scripts alone: what standard operators cannot do, and rows that would cost much twice
OURS = [
    CountVectorizer(analyzer="char", ngram_range=(1, 3)),
    FeatureUnion([("words", TfidfVectorizer()), ("characters", CountVectorizer(analyzer="char", dtype=np.float64))]),
    CountVectorizer(token_pattern=r"\b\w(\w+)\b"),
    CountVectorizer(token_pattern=r"(?u)\d+(?:\.\d+)?|\w"),
    CountVectorizer(token_pattern=r"a|ab|[a-z]+?e"),
    CountVectorizer(token_pattern=r"(?s)..", lowercase=False),
    CountVectorizer(token_pattern=r"(?i)[a-zß]+(?:(?-i:X)|ς)?", lowercase=False),
    TfidfVectorizer(
        token_pattern=r"(?m)^\w+|\w+(?=\s)", ngram_range=(1, 2), strip_accents="unicode", stop_words=["the"]
    ),
    HashingVectorizer(token_pattern=r"(?:(?!er)\w)+$|\w\w(?<=e\w)", n_features=16, strip_accents="ascii"),
    HashingVectorizer(n_features=32),
    HashingVectorizer(n_features=7, alternate_sign=False, norm="l1", ngram_range=(1, 2)),
    HashingVectorizer(n_features=5, binary=True, norm=None, analyzer="char", dtype=np.float32),
    HashingVectorizer(n_features=2**14, norm=None, dtype=np.int64, strip_accents="unicode"),
    make_pipeline(HashingVectorizer(n_features=256), LogisticRegression()),
]

INVERSE = ("inverse_transform",)

CASES = [
    *(Case(estimator, "documents_ascii") for estimator in BOTH),
    *(Case(estimator, "documents", standard=False) for estimator in [*BOTH, *OURS]),
    Case(CountVectorizer(dtype=bool), "documents_ascii"),
    Case(TfidfVectorizer(dtype=np.int8), "documents_loud", note="counts that wrap"),
    Case(HashingVectorizer(n_features=8, norm=None, dtype=bool), "documents", standard=False),
    Case(CountVectorizer(), "documents_ascii", INVERSE),
    Case(CountVectorizer(ngram_range=(1, 2), dtype=np.int8), "documents", INVERSE),
    Case(TfidfVectorizer(), "documents", INVERSE),
    *(Case(TfidfTransformer(), data) for data in ("positive", "positive32", "counts_int")),
    Case(TfidfTransformer(norm=None, sublinear_tf=True), "positive"),
    Case(TfidfTransformer(norm="l1", use_idf=False), "counts_int"),
    Case(
        make_pipeline(
            ColumnTransformer(
                [
                    ("text", TfidfVectorizer(ngram_range=(1, 2), min_df=2), "text"),
                    ("kind", OneHotEncoder(), ["kind"]),
                    ("length", StandardScaler(), ["length"]),
                ]
            ),
            LogisticRegression(),
        ),
        "documents_frame",
    ),
]
