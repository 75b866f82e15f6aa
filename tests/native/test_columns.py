"""Arrow data from anybody: read in place where they are legal, refused where they are not, released once in any case.

The structs of the C data interface are made here by hand, with ctypes. Worth running with the sanitizers:
scripts/sanitize tests/native/test_columns.py
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sardonyx import _native
from sardonyx.errors import InputError
from sardonyx.inputs.values import MISSING_NAN, MISSING_NONE

from .programs import Builder, load


class Schema(ctypes.Structure):
    pass


class Data(ctypes.Structure):
    pass


RELEASE_SCHEMA = ctypes.CFUNCTYPE(None, ctypes.POINTER(Schema))
RELEASE_DATA = ctypes.CFUNCTYPE(None, ctypes.POINTER(Data))
Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_char_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(Schema))),
    ("dictionary", ctypes.POINTER(Schema)),
    ("release", RELEASE_SCHEMA),
    ("private_data", ctypes.c_void_p),
]
Data._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(Data))),
    ("dictionary", ctypes.POINTER(Data)),
    ("release", RELEASE_DATA),
    ("private_data", ctypes.c_void_p),
]

new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype = ctypes.py_object
new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


#: every array that was made: memory and callbacks must outlive the release, which may be when all tests have ended
MADE: list[Array] = []


class Array:
    """One array of the interface with its type, and what it refers to."""

    def __init__(self, form: bytes, length: int, buffers: list[Any], nulls: int = 0, name: bytes = b"a") -> None:
        MADE.append(self)
        self.kept: list[Any] = [
            None if b is None else ctypes.create_string_buffer(bytes(b), len(bytes(b)) or 1) for b in buffers
        ]
        self.released = {"schema": 0, "data": 0}
        addresses = [None if b is None else ctypes.addressof(b) for b in self.kept]
        self.pointers = (ctypes.c_void_p * max(1, len(buffers)))(*addresses)
        self.schema, self.data = Schema(format=form, name=name), Data(length=length, null_count=nulls)
        self.data.n_buffers, self.data.buffers = len(buffers), self.pointers
        self.schema.release, self.data.release = RELEASE_SCHEMA(self._schema_gone), RELEASE_DATA(self._data_gone)

    def _schema_gone(self, schema: Any) -> None:
        self.released["schema"] += 1
        schema.contents.release = RELEASE_SCHEMA()

    def _data_gone(self, data: Any) -> None:
        self.released["data"] += 1
        data.contents.release = RELEASE_DATA()

    def with_children(self, *children: Array) -> Array:
        self.kept += children
        self.schema_children = (ctypes.POINTER(Schema) * len(children))(*(ctypes.pointer(c.schema) for c in children))
        self.data_children = (ctypes.POINTER(Data) * len(children))(*(ctypes.pointer(c.data) for c in children))
        self.schema.n_children = self.data.n_children = len(children)
        self.schema.children, self.data.children = self.schema_children, self.data_children
        return self

    def with_dictionary(self, values: Array) -> Array:
        self.kept.append(values)
        self.schema.dictionary, self.data.dictionary = ctypes.pointer(values.schema), ctypes.pointer(values.data)
        return self

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[Any, Any]:
        return (
            new_capsule(ctypes.addressof(self.schema), b"arrow_schema", None),
            new_capsule(ctypes.addressof(self.data), b"arrow_array", None),
        )


def table(*columns: Array, rows: int = 3) -> Array:
    return Array(b"+s", rows, [None]).with_children(*columns)


def numbers(values: Any, dtype: str = "int32", form: bytes = b"i", valid: int | None = None) -> Array:
    array = np.array(values, dtype)
    nulls = 0 if valid is None else -1
    return Array(form, len(array), [None if valid is None else bytes([valid]), array.tobytes()], nulls)


def texts(*values: bytes, offsets: Any = None, valid: int | None = None) -> Array:
    ends = np.cumsum([0, *map(len, values)]) if offsets is None else offsets
    bits = None if valid is None else bytes([valid])
    return Array(
        b"u", len(values), [bits, np.array(ends, "int32").tobytes(), b"".join(values)], 0 if valid is None else -1
    )


def view(text: bytes, buffer: int = 0, at: int = 0) -> bytes:
    size = len(text).to_bytes(4, "little", signed=True)
    if len(text) <= 12:
        return size + text.ljust(12, b"\0")
    return size + text[:4] + buffer.to_bytes(4, "little", signed=True) + at.to_bytes(4, "little", signed=True)


def views(*items: bytes, buffer: bytes = b"", sizes: Any = None) -> Array:
    sizes = np.array([len(buffer)] if sizes is None else sizes, "int64")
    return Array(b"vu", len(items), [None, b"".join(items), buffer, sizes.tobytes()])


def coded(codes: Any, values: Array) -> Array:
    return numbers(codes, "int8", b"c").with_dictionary(values)


def runs(ends: Any, values: Array, rows: int = 3) -> Array:
    return Array(b"+r", rows, []).with_children(numbers(ends), values)


def read(columns: dict[str, Any], dtype: str = "str", nulls: Any = None) -> Any:
    """Read column ``a`` as an input of a program that returns it."""
    builder = Builder(4)
    program = load(builder.program(builder.input("a", dtype, (1,))))
    result = program._run_columns(None, columns, nulls)
    return None if result is None else result[0].ravel()


def read_at_once(whole: Any, dtype: str = "str", nulls: Any = None, name: str = "a") -> Any:
    """As `read`, for the table itself: no Column is made."""
    builder = Builder(4)
    program = load(builder.program(builder.input(name, dtype, (1,))))
    result = program._run_table(None, whole, None, nulls)
    return None if result is None else result[0].ravel()


LONG = b"longer than twelve"
LEGAL: dict[str, tuple[Callable[[], Array], str, list[Any]]] = {
    "int32": (lambda: numbers([1, 2, 3]), "int32", [1, 2, 3]),
    "int32 as float64": (lambda: numbers([1, 2, 3], valid=0b101), "float64", [1.0, None, 3.0]),
    "bits": (lambda: Array(b"b", 3, [None, b"\5"]), "bool", [True, False, True]),
    "nulls": (lambda: Array(b"n", 3, [], 3), "float64", [None] * 3),
    "text": (lambda: texts(b"x", b"", "ü".encode()), "str", ["x", "", "ü"]),
    "missing text": (lambda: texts(b"x", b"\xff", b"z", valid=0b101), "str", ["x", MISSING_NONE, "z"]),
    "views": (
        lambda: views(view(b"ab"), view(LONG, at=2), view(b""), buffer=b"__" + LONG),
        "str",
        ["ab", LONG.decode(), ""],
    ),
    "codes": (lambda: coded([1, 0, 1], texts(b"p", b"q")), "str", ["q", "p", "q"]),
    "a null in the dictionary": (
        lambda: coded([1, 0, 1], texts(b"p", b"", valid=1)),
        "str",
        [MISSING_NONE, "p", MISSING_NONE],
    ),
    "codes of numbers": (lambda: coded([1, 0, 1], numbers([5, 6])), "float64", [6.0, 5.0, 6.0]),
    "runs": (lambda: runs([2, 3], texts(b"p", b"q")), "str", ["p", "p", "q"]),
    "runs of codes": (lambda: runs([1, 3], coded([1, 0], texts(b"p", b"q"))), "str", ["q", "p", "p"]),
}


@pytest.mark.parametrize("name", LEGAL)
def test_legal_arrays_are_read_and_released_once(name: str) -> None:
    make, dtype, expected = LEGAL[name]
    whole = table(make())
    columns = _native.arrow_columns(whole)
    values = read(columns, dtype)
    assert values is not None
    assert [None if v != v else v for v in values.tolist()] == expected
    assert whole.released["data"] == 0
    objects = np.asarray(columns["a"]).tolist()
    assert [None if v != v else v for v in objects] == [None if v == MISSING_NONE else v for v in expected]
    del columns
    assert whole.released == {"schema": 1, "data": 1}


@pytest.mark.parametrize("name", LEGAL)
def test_legal_tables_are_read_at_once_and_released_once(name: str) -> None:
    make, dtype, expected = LEGAL[name]
    whole = table(make())
    values = read_at_once(whole, dtype)
    assert values is not None
    assert [None if v != v else v for v in values.tolist()] == expected
    assert whole.released == {"schema": 1, "data": 1}


def test_offsets_of_table_and_column_add_up() -> None:
    column = numbers([0, 1, 2, 3, 4, 5], valid=0b110111)
    column.data.offset, column.data.length = 1, 5
    whole = table(column, rows=3)
    whole.data.offset = 2
    values = read(_native.arrow_columns(whole), "float64")
    assert values is not None
    np.testing.assert_array_equal(values, [np.nan, 4, 5])


def test_what_nulls_stand_for_is_the_callers_to_say() -> None:
    columns = _native.arrow_columns(table(texts(b"x", b"", b"z", valid=0b101)))
    assert read(columns, nulls=b"\1").tolist() == ["x", MISSING_NAN, "z"]
    for wrong in (b"", b"\1\1", "a"):
        with pytest.raises(TypeError, match="one for each input"):
            read(columns, nulls=wrong)


@pytest.mark.parametrize(
    ("make", "dtype"),
    [
        (lambda: numbers([1, 2, 3]), "str"),
        (lambda: numbers([1, 2, 3], valid=0b101), "int32"),
        (lambda: numbers([2**53 + 1, 0, 0], "int64", b"l"), "float64"),
        (lambda: numbers([0.1, 0, 0], "float64", b"g"), "float32"),
        (lambda: numbers([1, 300, 3]), "uint8"),
        (lambda: numbers([0, 1, 2]), "bool"),
        (lambda: texts(b"1", b"2", b"3"), "float64"),
        (lambda: coded([1, 0, 1], numbers([300, 1])), "uint8"),
        (lambda: Array(b"n", 3, [], 3), "int32"),
        (lambda: Array(b"tsm:UTC", 3, [None, bytes(24)]), "int64"),
        (lambda: Array(b"d:19,10", 3, [None, bytes(48)]), "float64"),
        (lambda: Array(b"z", 3, [None, bytes(16), b""]), "str"),
    ],
)
def test_values_that_would_change_are_not_taken(make: Callable[[], Array], dtype: str) -> None:
    assert read(_native.arrow_columns(table(make())), dtype) is None


def changed(array: Array, **fields: Any) -> Array:
    for name, value in fields.items():
        setattr(array.data, name, value)
    return array


HOSTILE: dict[str, tuple[Callable[[], Array], str]] = {
    "negative length": (lambda: changed(table(numbers([1, 2, 3])), length=-1), "length"),
    "absurd length": (lambda: changed(table(numbers([1, 2, 3])), length=2**60), "length"),
    "short column": (lambda: table(numbers([1, 2])), "shorter than its table"),
    "negative offset": (lambda: table(changed(numbers([1, 2, 3]), offset=-1)), "offset"),
    "absurd offset": (lambda: table(changed(numbers([1, 2, 3]), offset=2**62)), "offset"),
    "too few buffers": (lambda: table(changed(numbers([1, 2, 3]), n_buffers=1)), "lacks buffers"),
    "no buffers": (lambda: table(changed(numbers([1, 2, 3]), buffers=None)), "no buffers"),
    "no values": (lambda: table(Array(b"i", 3, [None, None])), "no values"),
    "nulls without a bitmap": (lambda: table(changed(numbers([1, 2, 3]), null_count=1)), "without a bitmap"),
    "offsets that fall": (lambda: table(texts(b"x", b"y", b"z", offsets=[0, 2, 1, 3])), "go backwards"),
    "negative offsets": (lambda: table(texts(b"x", b"y", b"z", offsets=[-1, 0, 1, 2])), "go backwards"),
    "no bytes": (lambda: table(Array(b"u", 1, [None, np.array([0, 1], "int32").tobytes(), None]), rows=1), "no bytes"),
    "not UTF-8": (lambda: table(texts(b"x", b"\xff", b"z")), "'a' cannot be read: a text is not UTF-8"),
    "a cut character": (lambda: table(texts(b"x", "é".encode()[:1], "é".encode()[1:])), "not UTF-8"),
    "surrogates": (lambda: table(texts(b"x", b"\xed\xa0\x80", b"z")), "not UTF-8"),
    "a view outside": (lambda: table(views(view(LONG, at=1), buffer=LONG), rows=1), "outside its buffers"),
    "a view of no buffer": (lambda: table(views(view(LONG, buffer=1), buffer=LONG), rows=1), "outside its buffers"),
    "a view before": (lambda: table(views(view(LONG, at=-1), buffer=LONG), rows=1), "outside its buffers"),
    "a negative view": (lambda: table(views(b"\xff" * 16), rows=1), "is negative"),
    "a code too large": (lambda: table(coded([0, 1, 2], texts(b"p", b"q"))), "code 2 is not in the dictionary"),
    "a negative code": (lambda: table(coded([0, -1, 1], texts(b"p", b"q"))), "code -1 is not in the dictionary"),
    "codes without dictionary": (
        lambda: table(changed(coded([0], texts(b"p")), dictionary=None), rows=1),
        "without a dictionary",
    ),
    "runs that fall": (lambda: table(runs([2, 1, 3], texts(b"p", b"q", b"r"))), "ends of runs"),
    "runs that stop": (lambda: table(runs([1, 2], texts(b"p", b"q"))), "ends of runs"),
    "runs without values": (lambda: table(runs([1, 2, 3], texts(b"p", b"q"))), "without values"),
    "a null row": (lambda: changed(Array(b"+s", 3, [b"\5"]).with_children(numbers([1, 2, 3])), null_count=1), "null"),
    "another number of columns": (lambda: changed(table(numbers([1, 2, 3])), n_children=2), "columns changes"),
    "columns without data": (lambda: changed(table(numbers([1, 2, 3])), children=None), "without data"),
    "no table": (lambda: numbers([1, 2, 3]), "one column"),
    "one name twice": (lambda: table(numbers([1, 2, 3]), numbers([1, 2, 3])), "several columns are named 'a'"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_not_legal_is_refused_and_released_once(name: str) -> None:
    make, message = HOSTILE[name]
    whole = make()
    refusal = ""
    try:
        read(_native.arrow_columns(whole), "str" if b"u" in _formats(whole) else "int32")
    except InputError as error:  # pytest.raises would keep the traceback, and that the columns
        refusal = str(error)
    assert message in refusal
    assert whole.released == {"schema": 1, "data": 1}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_not_legal_is_refused_at_once_or_left_to_the_slow_way(name: str) -> None:
    make, message = HOSTILE[name]
    whole = make()
    refusal, result = "", None
    try:
        result = read_at_once(whole, "str" if b"u" in _formats(whole) else "int32")
    except InputError as error:
        refusal = str(error)
    assert result is None
    assert refusal == "" or message in refusal
    assert whole.released == {"schema": 1, "data": 1}


def test_tables_that_are_left_to_the_slow_way() -> None:
    whole = table(numbers([1, 2, 3]))
    assert read_at_once(whole, "int32", name="b") is None  # no such column
    assert whole.released == {"schema": 1, "data": 1}
    assert read_at_once(whole, "int32") is None  # taken already
    assert read_at_once(numbers([1, 2, 3]), "int32") is None  # one column
    assert read_at_once(table(numbers([1, 2, 3])), "float16") is None
    assert read_at_once(table(numbers([1, 2, 300])), "uint8") is None
    assert read_at_once(5) is None


def test_a_matrix_of_a_tables_columns() -> None:
    builder = Builder(4)
    program = load(builder.program(builder.input("X", "float64", (3,))))

    def columns() -> Array:
        result = table(numbers([1, 2, 3]), numbers([4, 5, 6]), numbers([7, 8, 9], valid=0b011))
        for name, column in zip((b"a", "ä".encode(), b""), result.kept[1:], strict=True):
            column.schema.name = name
        return result

    result = program._run_table(None, columns(), ("", "a", "ä"), None)
    assert result is not None
    np.testing.assert_array_equal(result[0], [[7, 1, 4], [8, 2, 5], [np.nan, 3, 6]])
    assert program._run_table(None, columns(), ("a", "ä"), None) is None
    assert program._run_table(None, columns(), ("a", "ä", "\udc80"), None) is None
    wrong: Any = (["", "a", "ä"], ("", "a", 1), "abc")
    for features in wrong:
        with pytest.raises(TypeError, match="tuple of str"):
            program._run_table(None, columns(), features, None)
    with pytest.raises(InputError, match="no output is named"):
        program._run_table(["z"], columns(), ("", "a", "ä"), None)


def test_many_columns_are_found_by_name() -> None:
    count = 500
    columns = [numbers([i]) for i in range(count)]
    names = [f"column {i * i}" for i in range(count)]
    for name, column in zip(names, columns, strict=True):
        column.schema.name = name.encode()
    builder = Builder(4)
    program = load(builder.program(builder.input("X", "int32", (count,))))
    result = program._run_table(None, table(*columns, rows=1), tuple(reversed(names)), None)
    assert result is not None
    assert result[0].tolist() == [list(reversed(range(count)))]


def test_a_library_that_fails_is_left_to_the_slow_way_and_an_interrupt_is_not() -> None:
    class Failing:
        def __init__(self, error: BaseException) -> None:
            self.error = error

        def __arrow_c_stream__(self, requested_schema: object = None) -> object:
            raise self.error

    assert read_at_once(Failing(ValueError("no such type"))) is None
    with pytest.raises(KeyboardInterrupt):
        read_at_once(Failing(KeyboardInterrupt()))


def _formats(array: Array) -> bytes:
    parts = [array, *(part for part in array.kept if isinstance(part, Array))]
    deeper = [p for part in parts[1:] for p in part.kept if isinstance(p, Array)]
    return b" ".join(part.schema.format for part in [*parts, *deeper])


def test_data_are_taken_once() -> None:
    whole = table(numbers([1, 2, 3]))
    _native.arrow_columns(whole)
    with pytest.raises(InputError, match="was released"):
        _native.arrow_columns(whole)


class Capsules:
    def __init__(self, result: Any) -> None:
        self.result = result

    def __arrow_c_array__(self, requested_schema: object = None) -> Any:
        return self.result


@pytest.mark.parametrize("result", [None, (), (1, 2), ("schema", "array"), 5])
def test_capsules_that_are_none(result: Any) -> None:
    with pytest.raises((InputError, ValueError, TypeError)):
        _native.arrow_columns(Capsules(result))


# ---- pandas' own layouts


def test_masked_and_coded_columns() -> None:
    base = np.arange(6.0)
    masked = _native.masked_column(base[::2], np.array([0, 1, 0], bool))
    np.testing.assert_array_equal(read({"a": masked}, "float32"), [0, np.nan, 4])
    for categories in (np.array(["p", "q"], object), np.array(["p", "q"])):
        column = _native.coded_column(np.array([1, -1, 0], np.int8), categories)
        assert read({"a": column}).tolist() == ["q", MISSING_NAN, "p"]
    with pytest.raises(InputError, match="code 2 is not in the dictionary"):
        read({"a": _native.coded_column(np.array([2]), np.array(["p", "q"]))})
    for wrong in (
        ([1], [True]),
        (np.ones(2), np.ones(3, bool)),
        (np.ones(2), np.ones(2)),
        (np.ones((1, 1)), np.ones((1, 1), bool)),
    ):
        with pytest.raises(TypeError):
            _native.masked_column(*wrong)
    wrong_codes: Any = (
        ([0], np.array(["p"])),
        (np.zeros(1, int), ["p"]),
        (np.zeros(1, int), np.array([object()])),
    )
    for codes, categories in wrong_codes:
        with pytest.raises(TypeError):
            _native.coded_column(codes, categories)


@pytest.mark.parametrize("rows", [0, 1, 1024, 1025, 5000])
def test_columns_are_read_in_pieces(rows: int) -> None:
    """Chunks, pieces and blocks begin in different rows."""
    values = np.arange(rows, dtype=np.int16)
    masked = _native.masked_column(values, values % 7 == 3)
    builder = Builder(100)
    wide = builder.input("wide", "float64", (2,))
    program = load(builder.program(builder.step("Identity", [wide], ("y", "float64", (2,))), wide), threads=2)
    result = program._run_columns(None, {"wide": (masked, values.tolist())}, None)
    assert result is not None
    expected = np.stack([np.where(values % 7 == 3, np.nan, values), values], axis=1)
    for array in result:
        np.testing.assert_array_equal(array, expected)


def test_a_value_that_does_not_fit_in_a_late_piece() -> None:
    values = np.zeros(5000)
    values[4999] = 0.5
    assert read({"a": values}, "int64") is None
    values[4999] = 7
    assert read({"a": values}, "int64")[4999] == 7
