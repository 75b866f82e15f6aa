"""Text that kernels make: numbers written and read, texts joined, in another case, apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnxruntime
import pytest
from onnx import TensorProto, helper

import sardonyx
from sardonyx.text.code_points import simple_case

from .single import TEXTS, check, model_of, rows
from .single import onnxruntime as judged

SPECIAL = (0.0, -0.0, 1.0, -1.5, 1e-7, 1e10, 123456789.0, 0.1, 1 / 3, np.nan, np.inf, -np.inf, 5e-324, 1.7e308)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int8", "int64", "uint8", "uint64", "bool"])
def test_numbers_are_written_as_onnx_runtime_does(dtype: str) -> None:
    values = {"float64": SPECIAL, "float32": SPECIAL[:-2], "float16": (*SPECIAL[:5], *SPECIAL[7:-2])}.get(dtype, ())
    check("Cast", rows(dtype, 3, values=values), judge=judged, to=TensorProto.STRING)


@pytest.mark.parametrize("to", [TensorProto.FLOAT, TensorProto.DOUBLE])
def test_floats_are_read(to: int) -> None:
    texts = ("1", "-1.5", " 2 ", "1e3", "NaN", "nan", "INF", "-inf", "+INF", "0x10", "12345678901234567890")
    check("Cast", rows("str", 2, values=texts), judge=judged, to=to)


@pytest.mark.parametrize("to", [TensorProto.INT64, TensorProto.INT8, TensorProto.UINT8, TensorProto.BOOL])
def test_integers_are_read(to: int) -> None:
    check("Cast", rows("str", 2, values=("0", "1", " 7\t", "+3", "100")), judge=judged, to=to)


@pytest.mark.parametrize("text", ["", " ", "abc", "12x", "1.5", "1 2", "+-1", "99999999999999999999", "é", "x" * 1000])
def test_what_is_no_integer_is_refused(text: str) -> None:
    session = sardonyx.load(model_of("Cast", [rows("str", 1)], to=TensorProto.INT64))
    with pytest.raises(sardonyx.InputError, match="is no number of the type asked for"):
        session.run(None, {"x0": np.array([["1"], [text]], object)})


def test_texts_are_joined() -> None:
    check("StringConcat", rows("str", 3), rows("str", 3), judge=judged)
    check("StringConcat", rows("str", 3), rows("str", 1), judge=judged)
    check("StringConcat", np.array(["ä"], object), rows("str", 2), judge=judged)


def test_many_texts_on_all_threads() -> None:
    session = sardonyx.load(model_of("StringConcat", [rows("str", 1), rows("str", 1)]), threads=4)
    left = np.array([[f"{i}" * (i % 50)] for i in range(20_000)], object)
    for _ in range(3):
        (joined,) = session.run(None, {"x0": left, "x1": left[::-1].copy()})
        assert joined.ravel().tolist() == [a + b for a, b in zip(left[:, 0], left[::-1, 0], strict=True)]
        assert session.run(None, {"x0": left[:1], "x1": left[9:10]})[0].tolist() == [["9" * 9]]


def test_texts_that_grow_without_end_are_refused() -> None:
    doubled = " ".join(f"t{i + 1} = StringConcat(t{i}, t{i})" for i in range(60))
    text = f'<ir_version: 10, opset_import: ["": 21]> g (string[N] t0) => (string[N] t60) {{ {doubled} }}'
    session = sardonyx.load(onnx.parser.parse_model(text))
    assert "reference" not in session.explain()
    with pytest.raises(sardonyx.InputError, match="more than a gigabyte"):
        session.run(None, {"t0": np.array(["abc"], object)})
    assert session.run(None, {"t0": np.array([""], object)})[0].tolist() == [""]


@pytest.mark.parametrize("shape", [["N"], ["N", 2], [4]])
@pytest.mark.parametrize("case", ["LOWER", "UPPER", "NONE"])
def test_another_case(case: str, shape: list[Any]) -> None:
    node = helper.make_node("StringNormalizer", ["x"], ["y"], case_change_action=case)
    x, y = (helper.make_tensor_value_info(n, TensorProto.STRING, shape) for n in "xy")
    session = sardonyx.load(helper.make_model(helper.make_graph([node], "g", [x], [y])))
    assert "reference" not in session.explain()
    texts = ["", "Ab ÄßΣ x", "日本 İ", "ǅ\U00010400é"]
    given = np.array(texts, object).reshape(-1, *shape[1:]) if len(shape) == 1 else np.array([texts, texts], object).T
    table = {} if case == "NONE" else simple_case(upper=case == "UPPER")
    expected = [t.translate(table) for t in given.ravel().tolist()]
    assert session.run(None, {"x": np.ascontiguousarray(given)})[0].ravel().tolist() == expected
    assert "ß".translate(simple_case(upper=True)) == "ß"


@pytest.mark.parametrize("shape", [["N"], [4], [1, 4], ["N", "M"]])
def test_stop_words_are_left_out(shape: list[Any]) -> None:
    node = helper.make_node("StringNormalizer", ["x"], ["y"], case_change_action="UPPER", stopwords=["the", "É"])
    x, y = (helper.make_tensor_value_info(n, TensorProto.STRING, shape) for n in "xy")
    session = sardonyx.load(helper.make_model(helper.make_graph([node], "g", [x], [y])))
    given = np.array(["The", "end", "é", ""], object).reshape((1,) * (len(shape) - 1) + (-1,))
    (kept,) = session.run(None, {"x": given})
    assert "reference" not in session.explain()
    assert (kept.ravel().tolist(), kept.ndim) == (["END", ""], len(shape))
    if shape == ["N"]:
        assert session.run(None, {"x": given[:1]})[0].tolist() == [""]


@pytest.mark.parametrize(
    "attributes", [{}, {"delimiter": "b"}, {"delimiter": "ab", "maxsplit": 1}, {"maxsplit": 1}], ids=str
)
@pytest.mark.parametrize("shape", [["N"], [7], ["N", 1]])
def test_texts_apart(attributes: dict[str, Any], shape: list[Any]) -> None:
    node = helper.make_node("StringSplit", ["x"], ["y", "n"], **attributes)
    x = helper.make_tensor_value_info("x", TensorProto.STRING, shape)
    y = helper.make_tensor_value_info("y", TensorProto.STRING, None)
    n = helper.make_tensor_value_info("n", TensorProto.INT64, None)
    model = helper.make_model(
        helper.make_graph([node], "g", [x], [y, n]), opset_imports=[helper.make_opsetid("", 20)], ir_version=9
    )
    given = np.array(["", " a  b ", "abab", "b", "bb", "xaby ab", "日 本"], object).reshape(-1, *shape[1:])
    session, judge = sardonyx.load(model), onnxruntime.InferenceSession(model.SerializeToString())
    assert "reference" not in session.explain()
    for some in (given, given[:1]) if shape[0] == "N" else (given,):
        for ours, theirs in zip(session.run(None, {"x": some}), judge.run(None, {"x": some}), strict=True):
            assert (ours.tolist(), ours.shape) == (theirs.tolist(), theirs.shape)


@pytest.mark.parametrize("pattern", ["a*", "(ab)?", "[a-z]*", "x|", "(a|b)*c?"])
def test_patterns_that_the_empty_text_matches(pattern: str) -> None:
    check(
        "RegexFullMatch",
        rows("str", 2, values=(*TEXTS, "", "a", "ab", "abc", "\x01", "\x01a")),
        judge=judged,
        pattern=pattern,
    )
