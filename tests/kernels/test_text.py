"""CountTerms, HashTerms and TfIdf: text at random through every analyzer, against scikit-learn's own vectorizers."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer

from sardonyx import _native, load
from sardonyx.convert import convert
from sardonyx.errors import InputError, ProgramError
from sardonyx.inputs.values import MISSING_NAN, MISSING_NONE
from sardonyx.lowering.lower import lower
from sardonyx.lowering.program import Program, Step
from sardonyx.lowering.sdx import pack

from ..native.programs import Builder
from ..native.programs import load as load_program
from ..native.test_hostile_kernels import mutants

#: characters at which rules meet: case, final sigma, accents, whitespace, boundaries, widths of UTF-8, surrogates
ALPHABET = (
    "abXY ΣσςΑα\u0301\u0345'’.,İıIßﬁé日😀\u200d\ud800\udfff\x00\x1c\x1f\x85\u00a0"
    "\u2003\t\n_0٣Ⅷ²ǅ\u0307Ⱥ\U0001d400\ufdfa\u212a\u00ad:"
)
TEXT = st.text(st.one_of(st.sampled_from(ALPHABET), st.characters(codec=None)), max_size=40)
#: hypothesis draws constants of the modules that are loaded, too: what stands for a missing value is no text
TEXTS = st.lists(TEXT.filter(lambda text: text not in (MISSING_NAN, MISSING_NONE)), min_size=1, max_size=30)
ANALYZERS: list[dict[str, Any]] = [
    {},
    {"ngram_range": (1, 3), "strip_accents": "unicode"},
    {"lowercase": False, "token_pattern": r"\S+", "stop_words": ["ab", "σ"]},
    {"token_pattern": r"\w(\w)\b", "strip_accents": "ascii"},
    {"token_pattern": r"[Σσς]+|\w+?(?:b|\b)", "ngram_range": (2, 2)},
    {"token_pattern": r"(?s)..|.", "lowercase": False},
    {"analyzer": "char", "ngram_range": (1, 3)},
    {"analyzer": "char", "ngram_range": (3, 3), "strip_accents": "unicode", "lowercase": False},
    {"analyzer": "char_wb", "ngram_range": (1, 4)},
    {"analyzer": "char_wb", "ngram_range": (5, 6), "strip_accents": "ascii"},
]


def terms_of(parameters: dict[str, Any], texts: list[str]) -> list[str]:
    """All terms that have a UTF-8 form."""
    analyze = CountVectorizer(**parameters).build_analyzer()
    terms = sorted({term for text in texts for term in analyze(text)})
    return [term for term in terms if not any("\ud800" <= c <= "\udfff" for c in term)]


def program_of(estimator: Any) -> Program:
    plan = lower(convert(estimator.fit(["any"]), ["sample"]))
    assert plan.native is not None
    return plan.native


def answer(program: bytes, texts: list[str], isa: str | None = None) -> Any:
    X = np.empty(len(texts), dtype=object)
    X[:] = texts
    return _native.Program.from_bytes(program, threads=1, isa=isa).run(None, {"X": X}, sparse=True)[0]


def assert_same(actual: Any, expected: Any) -> None:
    expected.sort_indices()
    assert actual.dtype == expected.dtype
    for part in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(actual, part), getattr(expected, part))


@pytest.mark.parametrize("parameters", ANALYZERS, ids=str)
def test_counts(parameters: dict[str, Any]) -> None:
    @given(TEXTS)
    @settings(max_examples=4, deadline=None, derandomize=True, database=None)
    @example(["ΑΣ ΑΣ' 'Σ Α.Σ.Α ΑΣ\u0301Β", "İİ", "", "\x00", "the cat sat on the mat " * 9, "x" * 70_000 + " yy"])
    @example(["." * i + "bé Ab日 日ΑΣ 😀 İst b" for i in range(40, 68)])  # characters across 64 bytes
    @example(["é" * 60_000 + "a b" * i for i in (0, 1, 5)])
    @example(["sixteen" * i + letter for i in range(1, 5) for letter in ("", "a", "ab", " abc", "é b")])  # long terms
    def check(texts: list[str]) -> None:
        vocabulary = [*terms_of(parameters, texts), "never there"]
        estimator = CountVectorizer(**parameters, vocabulary=vocabulary).fit(["any"])
        program = pack(program_of(estimator))
        for isa in (None, "generic"):
            assert_same(answer(program, texts, isa), estimator.transform(texts))

    check()


@pytest.mark.parametrize(
    "parameters", [{}, {"lowercase": False, "token_pattern": r"\S+"}, {"strip_accents": "unicode"}]
)
def test_every_character_among_others(parameters: dict[str, Any]) -> None:
    """Scripts are told apart by whole cells of them, so that each end of a cell counts."""
    starts = (*range(0, 0x20000, 61), *range(0xE0000, 0xE0200, 61), 0x110000 - 61)
    texts = ["".join(map(chr, range(start, start + 61))).encode(errors="ignore").decode() for start in starts]
    estimator = CountVectorizer(**parameters).fit(texts)
    program = pack(program_of(estimator))
    for isa in (None, "generic"):
        assert_same(answer(program, texts, isa), estimator.transform(texts))


WIDTHS = [chr(c) for c in (0, 0x7F, 0x80, 0xE9, 0xFF, 0x100, 0x7FF, 0x800, 0x4E2D, 0xD800, 0xFFFF, 0x10000, 0x10FFFF)]


@given(st.lists(st.text(st.sampled_from(WIDTHS), min_size=60, max_size=100), min_size=1))
@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@example(["".join(chr(c) for c in range(least, least + 0x800)) for least in (0, 0x700, 0xD000, 0xF900, 0x10000)])
def test_long_texts_are_encoded_as_python_encodes_them(texts: list[str]) -> None:
    builder = Builder(4)
    program = load_program(builder.program(builder.input("X", "str", ())))
    X = np.array(texts, dtype=object)
    assert program.run(None, {"X": X})[0].tolist() == texts


@pytest.mark.parametrize("n_features", [1, 7, 2**20, 2**31 - 2])
@pytest.mark.parametrize("binary", [False, True])
def test_hashes(n_features: int, binary: bool) -> None:
    @given(TEXTS)
    @settings(max_examples=15, deadline=None, derandomize=True, database=None)
    @example(["a b ab abc abcd abcde ΑΣ " * 3])
    def check(texts: list[str]) -> None:
        estimator = HashingVectorizer(
            n_features=n_features, norm=None, binary=binary, analyzer="char_wb", ngram_range=(1, 5)
        )
        program = pack(program_of(estimator))
        for text in texts:
            try:
                expected = estimator.transform([text])
            except UnicodeEncodeError:
                with pytest.raises(InputError, match="surrogate"):
                    answer(program, [text])
            else:
                assert_same(answer(program, [text]), expected)

    check()


@pytest.mark.parametrize("n_features", [2, 300, 4097, 2**20, 2**22 + 1, 2**24])
@pytest.mark.parametrize("isa", [None, "generic"])
def test_rows_of_any_length(n_features: int, isa: str | None) -> None:
    """Columns are counted, tallied or sorted; short and long rows follow each other, signs cancel."""
    words = ["a", "bb", "é", "日本", "x" * 63, "y" * 64, "z" * 65, "w" * 300, *(f"w{i}" for i in range(2000))]
    rng = np.random.default_rng(0)
    lengths = (0, 1, 30, 3000, 25, 700, 24, 3, 150, 0, 2000, 60)
    texts = [" ".join(rng.choice(words[: 3 * n + 8], n)) for n in lengths]
    for dtype, binary in ((np.float64, False), (np.float32, True), (np.float32, False)):
        estimator = HashingVectorizer(
            n_features=n_features, norm=None, binary=binary, dtype=dtype, token_pattern=r"\S+", ngram_range=(1, 2)
        )
        assert_same(answer(pack(program_of(estimator)), texts, isa), estimator.transform(texts))


@pytest.mark.parametrize("analyzer", ["char", "char_wb", "word"])
@pytest.mark.parametrize("sizes", [(1, 1), (2, 3), (4, 5), (6, 6)])
def test_n_grams_of_a_vocabulary_of_any_lengths(analyzer: str, sizes: tuple[int, int]) -> None:
    terms = ["a", "ab", "abc", " a ", " ab", " ab ", "b ", "  ", " ", "", "ab cd", "éß", " éß ", "日本語", "b cd ab"]
    vocabulary = {term: i for i, term in enumerate(reversed(terms))}
    texts = ["ab a b abc", "", "a", "zz  zz ab cd", " a  b", "éß\t日本語 ", "ab cd ab", "\u3000日本語日本語"]
    estimator = CountVectorizer(analyzer=analyzer, ngram_range=sizes, vocabulary=vocabulary, dtype=np.float32)
    program = pack(program_of(estimator))
    for isa in (None, "generic"):
        assert_same(answer(program, texts, isa), estimator.transform(texts))


@pytest.mark.parametrize("missing", [MISSING_NAN, MISSING_NONE])
def test_missing_documents_are_refused(missing: str) -> None:
    program = pack(program_of(CountVectorizer(vocabulary=["a"])))
    with pytest.raises(InputError, match="invalid document"):
        answer(program, ["a", missing])
    assert answer(program, [missing + " "]).nnz == 0


def test_documents_may_come_one_by_one() -> None:
    texts = ["the cat", "a cat"]
    estimator = CountVectorizer().fit(texts)
    session = load(convert(estimator, texts))
    for X in (iter(texts), (text for text in texts), map(str, texts), dict.fromkeys(texts).keys()):
        assert_same(session.transform(X), estimator.transform(texts))
    with pytest.raises(InputError, match="X is one value, 'the cat'; give a list"):
        session.transform("the cat")


def test_every_kind_of_text_goes_in() -> None:
    session = load(convert(CountVectorizer().fit(["a bb ccc"]), ["a bb"]))
    texts = ["bb ccc bb", "", "é"]
    for X in (texts, np.array(texts), np.array(texts, dtype=object), np.array(texts, dtype=np.dtypes.StringDType())):
        np.testing.assert_array_equal(np.asarray(_dense(session.transform(X))), [[2, 1], [0, 0], [0, 0]])


def _dense(result: Any) -> Any:
    return result.toarray() if hasattr(result, "toarray") else result


# ---- hostile programs ------------------------------------------------------------------------------------------------


PROGRAMS = {
    "words": CountVectorizer(vocabulary=["a", "ab", "a ab"], ngram_range=(1, 2), stop_words=["b"]),
    "characters": CountVectorizer(vocabulary=["a", "ab", "ä"], analyzer="char", ngram_range=(1, 2)),
    "words of characters": CountVectorizer(vocabulary=["a", " a"], analyzer="char_wb", strip_accents="unicode"),
    "hashes": HashingVectorizer(n_features=8),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_mutants_are_refused_or_run(name: str) -> None:
    program, random = program_of(PROGRAMS[name]), Random(name)
    assert runs(program) or name == "hashes"  # which refuses a surrogate among the texts
    for mutant in (*mutants(program, random, 40), *changed_tables(program, random, 150)):
        runs(mutant)


def changed_tables(program: Program, random: Random, count: int) -> list[Program]:
    """Programs with a few numbers of a table changed."""
    tables = [i for i, slot in enumerate(program.slots) if slot.data is not None and slot.dtype in ("int32", "uint8")]
    found = []
    for _ in range(count):
        slots, at = list(program.slots), random.choice(tables)
        data = np.array(slots[at].data)
        for _ in range(random.choice((1, 3, 50))):
            place = random.randrange(data.size) if random.random() < 0.5 else random.randrange(min(300, data.size))
            value = random.choice((0, 1, 2, 3, 31, 63, 255, 256, -1, 1 << 21, (1 << 22) + 31, 2**31 - 1, -(2**31)))
            data.reshape(-1)[place] = np.array(value, np.int64).astype(data.dtype)
        slots[at] = replace(slots[at], data=data)
        found.append(replace(program, slots=tuple(slots)))
    return found


def runs(program: Program) -> bool:
    """Load and run a program, unless it is refused."""
    try:
        native = _native.Program.from_bytes(pack(program), threads=1)
    except ProgramError:
        return False
    texts = ["", "a ab aAbZ Ä\u0301 ΑΣ", "日本 \ud800\x00" * 9, "aab ab a" * 40]
    feeds: dict[str, Any] = {}
    for name, dtype, shape in native.inputs:
        feeds[name] = (
            np.resize(np.array(texts, object if dtype == "str" else None), (4, *shape))
            if dtype == "str"
            else np.zeros((4, *shape), dtype)
        )
    try:
        native.run(None, feeds)
    except InputError:
        return False
    return True


def test_illegal_steps_are_named() -> None:
    program = program_of(PROGRAMS["words"])
    (step,) = program.steps
    for at, value, message in ((0, 3, "analyzer"), (2, 0, "n-grams"), (3, 1 << 21, "n-grams"), (4, -1, "skipped")):
        params = [*step.params[:at], value, *step.params[at + 1 :]]
        wrong = replace(program, steps=(Step(step.kernel, step.inputs, step.outputs, tuple(params), step.label),))
        with pytest.raises(ProgramError, match=message):
            _native.Program.from_bytes(pack(wrong))
