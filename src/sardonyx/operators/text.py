r"""Operators of text: how often terms occur in documents, and their weights.

::

    X (N,) ──▶ CountTerms / HashTerms ──▶ counts (N, terms) ──▶ TfIdf ──▶ weights (N, terms)

Our runtime tokenizes with Python's own Unicode rules, which the node carries as tables (`code_points.py`) and as an
automaton (`patterns.py`). The standard has no tokenizer. What its operators for strings can do is exact on ASCII::

    cut at one character    StringSplit, then Compress the pieces that are not empty, with the rows they come from
    is it a token           RegexFullMatch (RE2) of each piece
    n-grams                 StringConcat of neighbours of the same row
    their columns           LabelEncoder, then ScatterND(reduction="add")

Single characters are cut out with StringSplit too, one step a character of the vocabulary; the cut itself is put back
between the pieces. Such a body refuses what it cannot treat exactly - text beyond ASCII, a piece that holds tokens but
is none, terms that are hashed - with an index beyond the data, the only error the standard can raise: the name of that
node (`REFUSAL`) says what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray

from ..graph import Value, attribute_ref, concat, current_graph, op, where
from ..protos import numpy_type
from ..text.assembler import Unsupported
from ..text.methods import BEHIND
from ..text.re2 import PieceForm, piece_form
from . import operator

Array: TypeAlias = NDArray[Any]

#: name of the node that refuses text: it is what the error of another runtime shows
REFUSAL: Final = "sardonyx: only the sardonyx runtime treats this text, standard operators cannot"

#: what finds those tokens again
TOKENS: Final = f"([^{BEHIND}]*){BEHIND}"

#: first version of ai.onnx with StringSplit, StringConcat and RegexFullMatch
OPSET: Final = 20

ASCII, NOTHING = r"[\x00-\x7f]*", r"[^\x00-\x{10FFFF}]"
SPACES: Final = "".join(c for c in map(chr, range(128)) if c.isspace())


@operator("CountTerms")
def count_terms(
    X: Value,
    pages: Value,
    fold: Value,
    kinds: Value,
    automaton: Value,
    *,
    vocabulary: Array,
    stop_words: Array,
    analyzer: str,
    lowercase: int,
    strip_accents: str,
    token_pattern: str,
    skipped: Sequence[int],
    ngram_range: Sequence[int],
    binary: int,
    to: int,
) -> Any:
    """Return (N, n_terms): how often each term of a vocabulary occurs in each document, as CountVectorizer counts.

    Parameters
    ----------
    X : Value of shape (N,)
        Documents.
    pages : Value of shape (2, 4352)
        int32: the page of each 256 code points, in `fold` and in `kinds`.
    fold : Value
        int32: what `lowercase` and `strip_accents` make of each code point; see ``sardonyx.text.code_points.fold``.
    kinds : Value
        uint8: the class of each code point in the automaton (for characters: 1 for whitespace), and its case.
    automaton : Value of shape (states, classes + 1)
        int32: finds the tokens; see ``sardonyx.text.patterns.Automaton``.
    vocabulary : tensor of shape (n_terms,)
        The terms, in the order of the columns.
    stop_words : tensor of shape (n_stop_words,)
        Tokens that are left out before n-grams are made.
    analyzer : {"word", "char", "char_wb"}
    lowercase : int
        1 to lower as `str.lower` does.
    strip_accents : {"", "ascii", "unicode"}
    token_pattern : str
        The regular expression of the tokens, in Python's syntax.
    skipped : sequence of int
        How many characters of a match stand before and after the group that is the token.
    ngram_range : sequence of int
        The least and most tokens, or characters, of a term.
    binary : int
        1 to count each term at most once.
    to : int
        ONNX element type of the output.
    """
    rows, terms = _Analysis(analyzer, lowercase, token_pattern, skipped, ngram_range, stop_words, vocabulary).of(X)
    columns = op.LabelEncoder(
        terms,
        keys_tensor=attribute_ref("keys_tensor", onnx.AttributeProto.TENSOR, "vocabulary"),
        values_tensor=np.arange(len(vocabulary)),
        default_tensor=np.array([-1]),
    )
    known = columns >= 0
    places = concat([op.Compress(v, known, axis=0)[:, None] for v in (rows, columns)])
    shape = op.Concat(op.Shape(X), np.array([len(vocabulary)]), axis=0)
    nothing = op.ConstantOfShape(shape, value=np.zeros(1, np.int64))
    ones = op.ConstantOfShape(op.Shape(places, start=0, end=1), value=np.ones(1, np.int64))
    counts = op.ScatterND(nothing, places, ones, reduction="add")
    return op.Cast(counts > 0 if binary else counts, to=to)


@operator("FindTokens")
def find_tokens(X: Value, *, token_pattern: str, lowercase: int, strip_accents: str) -> Any:
    """Return (N,): each document as its tokens, with `BEHIND` behind each, for patterns that have no automaton.

    Our runtime asks Python's `re`; the body refuses every document.

    Parameters
    ----------
    X : Value of shape (N,)
        Documents.
    token_pattern : str
        The regular expression, in Python's syntax, with one group at most.
    lowercase, strip_accents
        As for CountTerms.
    """
    return refused(X)


@operator("HashTerms")
def hash_terms(
    X: Value,
    pages: Value,
    fold: Value,
    kinds: Value,
    automaton: Value,
    *,
    n_features: int,
    alternate_sign: int,
    stop_words: Array,
    analyzer: str,
    lowercase: int,
    strip_accents: str,
    token_pattern: str,
    skipped: Sequence[int],
    ngram_range: Sequence[int],
    binary: int,
    to: int,
) -> Any:
    """Return (N, n_features): terms counted in the column that MurmurHash3 gives them, as HashingVectorizer counts.

    The body refuses every document: the standard has no operator from the bytes of a string to numbers.

    Parameters
    ----------
    X : Value of shape (N,) or (N, n_texts)
        Documents; where `analyzer` is empty, texts that are terms as they are.
    pages, fold, kinds, automaton
        As for CountTerms, like the other attributes.
    n_features : int
        Number of columns.
    alternate_sign : int
        1 to subtract one where the hash is negative.
    binary : int
        1 to set every column that is met to one.
    """
    rows = op.Shape(refused(X if X.ndim == 1 else X[:, 0]))
    return op.ConstantOfShape(op.Concat(rows, np.array([n_features]), axis=0), value=np.zeros(1, numpy_type(to)))


@operator("TfIdf")
def tf_idf(X: Value, *idf: Value, sublinear_tf: int, norm: str) -> Any:
    """Return counts as weights of terms, as TfidfTransformer does: scaled by `idf`, each row then of length one.

    Parameters
    ----------
    X : Value of shape (N, n_terms)
        float32 or float64.
    *idf : Value of shape (n_terms,), optional
        What to multiply each column with.
    sublinear_tf : int
        1 to take 1 + log(count) of each count other than zero first.
    norm : {"", "l1", "l2"}
    """
    dtype = X.dtype
    if sublinear_tf:
        X = where(X == 0, 0.0, np.log(X) + 1.0)
    for factors in idf:
        X = (X * factors).astype(dtype)
    if not norm:
        return op.Identity(X)
    length = abs(X).sum(1, keepdims=True) if norm == "l1" else np.sqrt((X * X).sum(1, keepdims=True))
    return X / where(length == 0, 1.0, length)


# ---- bodies of standard operators ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Strings of all documents one after the other, and a number for each: which document, or word, it is of."""

    texts: Value  # (M,)
    of: Value  # (M,) int64

    def where(self, condition: Any) -> _Pieces:
        flat = op.Reshape(condition, np.array([-1]))
        return _Pieces(*(op.Compress(op.Reshape(v, np.array([-1])), flat, axis=0) for v in (self.texts, self.of)))

    def cut(self, character: str, keep: bool) -> _Pieces:
        """Cut at a character, which stays as a piece of its own or vanishes; empty pieces vanish."""
        parts, count = op.StringSplit(self.texts, delimiter=character)
        of = op.Expand(self.of[:, None], op.Shape(parts))
        if not keep:
            return _Pieces(parts, of).where(parts != "")
        numbers = op.Range(np.int64(1), op.Squeeze(op.Shape(parts, start=1, end=2)) + 1, np.int64(1))
        cuts = where(numbers[None, :] < count[:, None], np.array(character, object), np.array("", object))
        cells = op.Concat(parts[:, :, None], cuts[:, :, None], axis=2)
        return _Pieces(cells, op.Expand(self.of[:, None, None], op.Shape(cells))).where(cells != "")

    def grams(self, least: int, most: int, gap: str) -> list[tuple[int, Value, Value]]:
        """Return (n, text, place of the first) of all runs of n pieces of one number."""
        found, grams = [], self.texts
        places = op.Range(np.int64(0), op.Squeeze(op.Shape(self.of)), np.int64(1))
        for n in range(1, most + 1):
            if n > 1:
                grams = op.StringConcat(_part(grams, None, -1), _part(self.texts, n - 1, None))
                same = _part(self.of, None, 1 - n) == _part(self.of, n - 1, None)
                gram, place = op.Compress(grams, same, axis=0), op.Compress(_part(places, None, 1 - n), same, axis=0)
            else:
                gram, place = grams, places
            found.append((n, gram, place))
            if gap and n < most:
                grams = op.StringConcat(grams, np.array(gap, object))
        return [gram for gram in found if gram[0] >= least]


def _part(x: Value, start: int | None, stop: int | None) -> Any:
    """Return ``x[start:stop]`` of an array of unknown length."""
    bounds = [0 if start is None else start, 2**62 if stop is None else stop]
    return op.Slice(x, *(np.array([b], np.int64) for b in (*bounds, 0)))


@dataclass(frozen=True, slots=True)
class _Analysis:
    """An analyzer in standard operators."""

    analyzer: str
    lowercase: int
    token_pattern: str
    skipped: Sequence[int]
    ngram_range: Sequence[int]
    stop_words: Array
    vocabulary: Array

    def of(self, X: Value) -> tuple[Any, Any]:
        """Return (document, text) of each term, of shape (M,) each."""
        form = self._form()
        if form is None:
            X = refused(X)
        X = or_refused(X, op.RegexFullMatch(X, pattern=ASCII))
        X = _lowered(X) if self.lowercase else X
        documents = _Pieces(X, op.Range(np.int64(0), op.Squeeze(op.Shape(X)), np.int64(1)))
        if self.analyzer == "word":
            return self._words(documents, form or PieceForm("", NOTHING))
        characters = self._characters(documents)
        return self._of_words(characters) if self.analyzer == "char_wb" else self._of_text(characters)

    def _form(self) -> PieceForm | None:
        if self.analyzer != "word":
            return PieceForm("", "")
        try:
            return None if any(self.skipped) else piece_form(self.token_pattern)
        except Unsupported:
            return None

    def _words(self, pieces: _Pieces, form: PieceForm) -> tuple[Any, Any]:
        for character in form.separators:
            pieces = pieces.cut(character, keep=False)
        whole = op.RegexFullMatch(pieces.texts, pattern=form.expression)
        partly = op.RegexFullMatch(pieces.texts, pattern=f"(?s).*(?:{form.expression}).*")
        tokens = _Pieces(or_refused(pieces.texts, whole | ~partly), pieces.of).where(whole)
        if len(self.stop_words):
            stops = op.LabelEncoder(
                tokens.texts,
                keys_tensor=attribute_ref("keys_tensor", onnx.AttributeProto.TENSOR, "stop_words"),
                values_tensor=np.ones(len(self.stop_words), np.int64),
                default_tensor=np.array([0]),
            )
            tokens = tokens.where(stops == 0)
        least, most = self.ngram_range
        return self._joined(tokens.of, tokens.grams(least, most, " "))

    def _joined(self, of: Value, grams: list[tuple[int, Value, Value]]) -> tuple[Any, Any]:
        rows = [op.Gather(of, place, axis=0) for _, _, place in grams]
        return concat(rows, axis=0), concat([text for _, text, _ in grams], axis=0)

    def _characters(self, pieces: _Pieces) -> _Pieces:
        """Return the characters that terms are made of and whitespace; others stay together, as no term holds them."""
        wanted = {c for term in self.vocabulary.tolist() for c in term if c < "\x80"} | set(SPACES)
        for character in sorted(wanted):
            pieces = pieces.cut(character, keep=True)
        return pieces

    def _of_text(self, characters: _Pieces) -> tuple[Any, Any]:
        """Terms of whole texts, in which runs of whitespace are one space."""
        is_space = _is_space(characters.texts)
        same = _part(characters.of, None, -1) == _part(characters.of, 1, None)
        both = _part(is_space, None, -1) & _part(is_space, 1, None) & same
        texts = where(_after(both, False, is_space), np.array(" ", object), characters.texts)
        kept = _Pieces(texts, characters.of).where(~_before(False, both, is_space))
        least, most = self.ngram_range
        return self._joined(kept.of, kept.grams(least, most, ""))

    def _of_words(self, characters: _Pieces) -> tuple[Any, Any]:
        """Terms of words that have a space on both sides."""
        is_space = _is_space(characters.texts)
        new_row, _ = _borders(characters.of)
        word = op.CumSum((is_space | new_row).astype(np.int64), np.int64(0))
        document = characters.where(~is_space).of
        inside = _Pieces(characters.texts, word).where(~is_space)
        first, last = _borders(inside.of)
        space, nothing = np.array(" ", object), np.array("", object)
        before, after = (where(border, space, nothing)[:, None] for border in (first, last))
        cells = op.Concat(before, inside.texts[:, None], after, axis=1)
        padded = _Pieces(cells, op.Expand(inside.of[:, None], op.Shape(cells))).where(cells != "")
        rows = _Pieces(cells, op.Expand(document[:, None], op.Shape(cells))).where(cells != "").of
        return self._joined(rows, self._padded_grams(padded))

    def _padded_grams(self, padded: _Pieces) -> list[tuple[int, Value, Value]]:
        """N-grams of each word; of a word that is shorter than the least n, the word itself."""
        least, most = self.ngram_range
        first, last = _borders(padded.of)
        found = padded.grams(1, most, "")
        grams = [gram for gram in found if gram[0] >= least]
        for n, text, place in found:
            if 3 <= n < least:
                whole = op.Gather(first, place, axis=0) & op.Gather(last, place + (n - 1), axis=0)
                grams.append((n, op.Compress(text, whole, axis=0), op.Compress(place, whole, axis=0)))
        return grams


def _is_space(texts: Value) -> Any:
    codes = "".join(rf"\x{ord(c):02x}" for c in SPACES)
    return op.RegexFullMatch(texts, pattern=f"[{codes}]")


def _borders(of: Any) -> tuple[Any, Any]:
    """Return which elements are the first of a run of equal numbers, and which the last."""
    changes = _part(of, None, -1) != _part(of, 1, None)
    return _before(True, changes, of), _after(changes, True, of)


def _before(value: bool, flags: Any, like: Value) -> Any:
    """Return flags on two neighbours as flags on the second one, of the length of `like`."""
    return op.Slice(op.Concat(np.array([value]), flags, axis=0), np.array([0]), op.Shape(like), np.array([0]))


def _after(flags: Any, value: bool, like: Value) -> Any:
    """Return flags on two neighbours as flags on the first one, of the length of `like`."""
    return op.Slice(op.Concat(flags, np.array([value]), axis=0), np.array([0]), op.Shape(like), np.array([0]))


def _lowered(X: Value) -> Any:
    return recased(X, "LOWER")


def recased(X: Value, case: str) -> Any:
    """Change the case of ASCII. The operator takes no empty array, so one text more goes in."""
    more = op.Concat(X, np.array([""], object), axis=0)
    return _part(op.StringNormalizer(more, case_change_action=case, is_case_sensitive=1, locale="C"), None, -1)


def refused(X: Value) -> Any:
    """Return X, but fail where it has any row."""
    return or_refused(X, op.RegexFullMatch(X, pattern=NOTHING))


def or_refused(X: Value, fine: Any) -> Any:
    """Return X, but fail where a row is not fine."""
    count = op.Squeeze(op.Shape(X))
    rows = op.Range(np.int64(0), count, np.int64(1))
    result = op.Gather(X, op.Where(fine, rows, count), axis=0)
    current_graph().nodes[-1].name = current_graph().fresh(REFUSAL)  # names of nodes are unique
    return result
