"""What is searched with a memory answers as `re` does, and no pattern takes for ever."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

import sardonyx
from sardonyx.errors import InputError
from sardonyx.text import matching
from sardonyx.text.assembler import Unsupported
from sardonyx.text.matching import Pattern
from sardonyx.text.patterns import compile_pattern

PATTERNS = [
    r"(a+)+$", r"(a|a)*b", r"(?:a*)*b", r"(a*)+", r"(?i)(A|b)+?c", r"(\w+)\s+(\w+)", r"(?=(a+))a*b\1", r"(a)|b",
    r"(?:(a)|b)*", r"(?<=a)b+", r"(?<!a)b", r"^a|b$", r"(?m)^a.*$", r"(a)?(?(1)b|c)", r"a++b", r"(?>a+)ab", r"a{2,3}?b",
    r"(?:a{0,2}){2,4}c", r"", r"a*", r"\b", r"(?!)", r"[^a]+", r"(?:|a)+", r"(?:a?)*?b", r"(?P<x>a)(?P<y>b)?",
    r"(?a:\w)é", r"(?:a|ab)(?:c|bcd)(d*)", r"(?s:.)b", r"((a)|(b))*c?", r"(?i:é)+s", r"(?:(?=a)|b)*a", r"(?=a|(b))\w+?",
]  # fmt: skip
TEXTS = st.text(st.sampled_from("aabbcd éÉſs\n"), max_size=9)
#: what Python's own search would not end with
ENDLESS = [
    (r"(a+)+$", "a" * 3000 + "b"),
    (r"(x+x+)+y", "x" * 2000),
    (r"(.*)(.*)(.*)(.*)(.*)[^a]", "a" * 2000),
    (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 1000),
    (r"(?:|){40}b", "a"),
    (r"(?=(a|aa)+$)b", "a" * 100 + "b"),
    (r"(?:(?:a{0,4}){0,4}){0,3}b", "a" * 60),
]


def _parts(found: Any) -> Any:
    return None if found is None else (found.span(), found.group(), found.groups())


def _answers(pattern: Any, text: str) -> list[Any]:
    found = [_parts(method(text)) for method in (pattern.search, pattern.match, pattern.fullmatch)]
    replaced = [pattern.sub(r"<\g<0>>\n", text), pattern.sub("-", text, 1)]
    return [found, [_parts(m) for m in pattern.finditer(text)], pattern.findall(text), replaced, pattern.split(text)]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_answers_as_re_does(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "MOST_WAYS", -1)
    ours, theirs = Pattern(pattern), re.compile(pattern)

    @given(TEXTS)
    @settings(max_examples=60, deadline=None, derandomize=True, database=None)
    def check(text: str) -> None:
        assert _answers(ours, text) == _answers(theirs, text)

    check()


def test_names_of_groups_in_what_replaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "MOST_WAYS", -1)
    pattern, text = r"(?P<first>\w)(?P<second>\w)(x)?", "abcxde"
    assert Pattern(pattern).sub(r"\g<second>\1[\3]", text) == re.sub(pattern, r"\g<second>\1[\3]", text)


@pytest.mark.parametrize(("pattern", "text"), ENDLESS)
def test_no_pattern_takes_for_ever(pattern: str, text: str) -> None:
    assert Pattern(pattern).search(text) is None


def test_long_texts_are_found_in_all_the_same() -> None:
    text = "1" * 3000 + "-" + "2" * 3000
    found = Pattern(r"(\d+)-(\d+)").search(text)
    assert found is not None
    assert (found.span(), found.group(2)) == ((0, len(text)), "2" * 3000)


def test_what_a_memory_does_not_help_is_refused() -> None:
    with pytest.raises(InputError, match="more than 1000000 steps"):
        Pattern(r"(a*)*(a*)*\1\2b").search("a" * 60)


@pytest.mark.parametrize("pattern", ["(" * 5000 + ")" * 5000, r"(?:\b){100000}", "(a?)" * 200, r"(?i)(a+)+\1b"])
def test_patterns_of_absurd_size(pattern: str) -> None:
    with pytest.raises(re.error, match=r"absurd|more than|whatever its case"):
        Pattern(pattern).search("a" * 50)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("".join(map(chr, range(300, 600))), "sets of characters"),
        ("(" * 3000 + "a" + ")" * 3000, "nested"),
        ("".join(f"{c}?" for c in "abcdefghijklmnopqrstuvwxyz") * 30 + "0", "states"),
    ],
)
def test_automata_of_absurd_size(pattern: str, reason: str) -> None:
    with pytest.raises(Unsupported, match=reason):
        compile_pattern(pattern)


def _model(op_type: str, domain: str, output: int, **attributes: Any) -> bytes:
    node = helper.make_node(op_type, ["X"], ["Y"], domain=domain, **attributes)
    names = ("N",) if op_type != "Tokenizer" else ("N", 1)
    X = helper.make_tensor_value_info("X", TensorProto.STRING, names)
    graph = helper.make_graph([node], "g", [X], [helper.make_tensor_value_info("Y", output, None)])
    opsets = [helper.make_opsetid("", 21), *([helper.make_opsetid(domain, 1)] if domain else [])]
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("text", ["a" * 200 + "!", "a" * 200])
def test_hostile_patterns_in_files(text: str) -> None:
    X = np.array([text], object)
    session = sardonyx.InferenceSession(_model("RegexFullMatch", "", TensorProto.BOOL, pattern=r"^(a+)+$"))
    assert session.run(None, {"X": X})[0].tolist() == ["!" not in text]
    session = sardonyx.InferenceSession(
        _model(
            "Tokenizer", "com.microsoft", TensorProto.STRING, tokenexp=r"(a+)+$", mark=0, mincharnum=1, pad_value="#"
        )
    )
    assert session.run(None, {"X": X[:, None]})[0].size == ("!" not in text)
