"""sardonyx._native.Program: loading, running, and the arrays it takes and gives."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sardonyx import _native
from sardonyx.errors import InputError, ProgramError
from sardonyx.inputs.values import MISSING_NAN, MISSING_NONE
from sardonyx.lowering.program import DTYPE_CODES, Program
from sardonyx.lowering.sdx import pack

from .programs import Builder, expected_linear, linear, load

ROWS = (0, 1, 2, 7, 1000, 5000)
NUMBERS = [dtype for dtype in DTYPE_CODES if dtype != "str"]


@pytest.fixture(autouse=True)
def without_hook() -> Iterator[None]:
    previous = _native.set_coerce(None)
    yield
    _native.set_coerce(previous)


def values(dtype: str, *shape: int) -> NDArray[Any]:
    rng = np.random.default_rng(7)
    if dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    return (rng.normal(size=shape) * 50).astype(np.int64).astype(dtype) if dtype[0] != "f" else rng.normal(size=shape)


# ---- running -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("block_rows", [1, 16, 256])
@pytest.mark.parametrize("threads", [1, 4])
def test_blocks_and_threads_do_not_change_the_result(rows: int, block_rows: int, threads: int) -> None:
    program = linear(20, 3, block_rows=block_rows)
    X = np.random.default_rng(1).normal(size=(rows, 20))
    (y,) = load(program, threads).run(None, {"X": X})
    np.testing.assert_allclose(y, expected_linear(program, X), rtol=1e-10, atol=1e-12)
    one_by_one = [load(program).run(None, {"X": row[None]})[0] for row in X[:5]]
    np.testing.assert_array_equal(y[:5], np.reshape(one_by_one, (-1, 3)))


def chain() -> Program:
    """Ten casts through ever wider and narrower types: every intermediate lives in the arena, on reused memory."""
    b = Builder(block_rows=32)
    slot = b.input("X", "float64", (5,))
    tapped = []
    for i, dtype in enumerate(["int32", "float32", "int8", "float64", "int16", "int64", "uint8", "float32", "float64"]):
        slot = b.step("Cast", [slot], (f"{dtype}{i}", dtype, (5,)))
        tapped.append(slot)
    slot = b.step("Identity", [slot], ("again", "float64", (5,)))
    return b.program(slot, tapped[3], tapped[0])


def expected_chain(X: NDArray[Any]) -> list[NDArray[Any]]:
    first = X.astype(np.int32)
    middle = first.astype(np.float32).astype(np.int8).astype(np.float64)
    return [middle.astype(np.int16).astype(np.uint8).astype(np.float64), middle, first]


@pytest.mark.parametrize("rows", ROWS)
def test_a_chain_of_steps(rows: int) -> None:
    X = np.random.default_rng(2).uniform(0, 100, size=(rows, 5))
    for actual, expected in zip(load(chain()).run(None, {"X": X}), expected_chain(X), strict=True):
        assert actual.dtype == expected.dtype
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("names", [["again"], ["int320"], ["int320", "again"], ("float643", "int320", "again")])
def test_chosen_outputs_come_in_the_order_asked(names: list[str]) -> None:
    X = np.random.default_rng(3).uniform(0, 100, size=(100, 5))
    expected = dict(zip(["again", "float643", "int320"], expected_chain(X), strict=True))
    program = load(chain())
    for _ in range(2):
        for name, actual in zip(names, program.run(names, {"X": X}), strict=True):
            np.testing.assert_array_equal(actual, expected[name])


def test_no_output_chosen_means_all_as_in_onnx_runtime() -> None:
    X = np.zeros((3, 5))
    for chosen, all_of_them in zip(load(chain()).run([], {"X": X}), expected_chain(X), strict=True):
        np.testing.assert_array_equal(chosen, all_of_them)


def test_arguments_of_run_by_name() -> None:
    program, X = load(chain()), np.zeros((3, 5))
    calls: list[dict[str, Any]] = [
        {"output_names": ["again"], "input_feed": {"X": X}},
        {"input_feed": {"X": X}, "run_options": None, "output_names": ("again",)},
    ]
    for call in calls:
        (actual,) = program.run(**call)
        np.testing.assert_array_equal(actual, expected_chain(X)[0])
    run: Any = program.run
    np.testing.assert_array_equal(run(["again"], input_feed={"X": X}, run_options=None)[0], expected_chain(X)[0])
    with pytest.raises(TypeError, match="'output_names' twice"):
        run(["again"], {"X": X}, output_names=None)
    with pytest.raises(TypeError, match="no argument 'feeds'"):
        run(None, feeds={"X": X})
    with pytest.raises(TypeError, match="leave them out"):
        run(None, {"X": X}, 5)
    for arguments in ((), (None,), ({"X": X},), (None, {"X": X}, None, None)):
        with pytest.raises(TypeError, match="run takes output_names"):
            run(*arguments)
    with pytest.raises(InputError, match=r"give \['again'\]"):
        run("again", {"X": X})


def test_unknown_and_repeated_outputs_are_refused() -> None:
    program = load(chain())
    with pytest.raises(InputError, match="no output is named 'z'; the outputs are 'again', 'float643', 'int320'"):
        program.run(["z"], {"X": np.zeros((3, 5))})
    with pytest.raises(InputError, match="asked for twice"):
        program.run(["again", "again"], {"X": np.zeros((3, 5))})
    with pytest.raises(TypeError):
        program.run(3, {"X": np.zeros((3, 5))})  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no output is named 3"):
        program.run([3], {"X": np.zeros((3, 5))})  # type: ignore[list-item]


@pytest.mark.parametrize("rows", ROWS)
def test_outputs_that_are_inputs_or_constants(rows: int) -> None:
    b = Builder(16)
    x = b.input("X", "float32", (3,))
    c = b.constant("c", np.array([[1, 2], [3, 4]], np.int8))
    words = b.constant("words", np.array(["é", ""], object))
    X = np.arange(3 * rows, dtype=np.float32).reshape(rows, 3)
    outputs = load(b.program(x, c, words)).run(None, {"X": X})
    np.testing.assert_array_equal(outputs[0], X)
    assert not np.shares_memory(outputs[0], X)
    np.testing.assert_array_equal(outputs[1], np.broadcast_to([[1, 2], [3, 4]], (rows, 2, 2)))
    assert outputs[2].tolist() == [["é", ""]] * rows


def test_a_check_nobody_reads_still_refuses() -> None:
    b = Builder()
    x = b.input("X", "float64", ())
    b.step("CheckFinite", [x], ("unused", "float64", ()), 0)
    y = b.step("Identity", [x], ("y", "float64", ()))
    program = load(b.program(y))
    assert program.run(["y"], {"X": np.ones(2)})[0].tolist() == [1, 1]
    with pytest.raises(InputError, match="NaN"):
        program.run(["y"], {"X": np.array([1, np.nan])})


@pytest.mark.parametrize("threads", [1, 4])
def test_after_a_refusal_the_program_runs_again(threads: int) -> None:
    program = linear(4, 2, block_rows=64)
    native = load(program, threads)
    X = np.ones((100_000, 4))
    for row, value, message in [(99_999, np.nan, "^lr:Ridge: Input contains NaN$"), (5, np.inf, "infinity")]:
        bad = X.copy()
        bad[row, 3] = value
        for _ in range(3):
            with pytest.raises(InputError, match=message):
                native.run(None, {"X": bad})
        np.testing.assert_allclose(native.run(None, {"X": X})[0], expected_linear(program, X))


def test_threads_report_the_first_refused_rows() -> None:
    native = load(linear(4, 2, block_rows=64), threads=4)
    X = np.ones((100_000, 4))
    X[20_000:30_000], X[30_000:] = np.inf, np.nan
    for _ in range(20):
        with pytest.raises(InputError, match="infinity"):
            native.run(None, {"X": X})


def test_many_threads_share_a_program() -> None:
    program = linear(10, 3, block_rows=64)
    native = load(program, threads=3)
    rng = np.random.default_rng(5)
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            rows = np.random.default_rng(seed).integers(0, 4000, size=30)
            for n in [1, 2, *rows]:
                X = rng_rows[: int(n)]
                np.testing.assert_allclose(native.run(None, {"X": X})[0], expected_linear(program, X), rtol=1e-9)
        except BaseException as error:
            failures.append(error)

    rng_rows = rng.normal(size=(4000, 10))
    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(16)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_computes_in_threads_too() -> None:
    program = linear(30, 4, block_rows=64)
    native = load(program, threads=2)
    X = np.random.default_rng(6).normal(size=(100_000, 30))
    expected = native.run(None, {"X": X})[0]
    child = os.fork()
    if child == 0:
        same = all(np.array_equal(native.run(None, {"X": X})[0], expected) for _ in range(3))
        os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    np.testing.assert_array_equal(native.run(None, {"X": X})[0], expected)


#: run in a process of its own: prints the processors of a worker whose caller keeps the first, while others are busy
BUSY = """
import os, subprocess, sys, time
import numpy as np
from sardonyx import _native
from tests.native.programs import linear, load

first, *others = sorted(os.sched_getaffinity(0))
native = load(linear(30, 40, block_rows=64), threads=2)
X = np.ones((100_000, 30))
before = set(os.listdir("/proc/self/task"))
native.run(None, {"X": X})
(worker,) = set(os.listdir("/proc/self/task")) - before
os.sched_setaffinity(0, {first})
spin = [sys.executable, "-c", "import os, sys\\nos.sched_setaffinity(0, {int(sys.argv[1])})\\nwhile True: pass"]
spinning = [subprocess.Popen([*spin, str(other)]) for other in others]
end = time.monotonic() + 20
try:
    while first in os.sched_getaffinity(int(worker)) and time.monotonic() < end:
        native.run(None, {"X": X})
finally:
    for process in spinning:
        process.kill()
print(first in os.sched_getaffinity(int(worker)), set(others) <= os.sched_getaffinity(int(worker)))
os.sched_setaffinity(int(worker), {first})  # somebody else's wish, which holds
for _ in range(3):
    native.run(None, {"X": X})
print(os.sched_getaffinity(int(worker)) == {first})
"""


@pytest.mark.skipif(
    len(getattr(os, "sched_getaffinity", lambda _: ())(0)) < 2, reason="one processor, or a system without affinities"
)
def test_workers_leave_their_callers_processor() -> None:
    done = subprocess.run([sys.executable, "-c", BUSY], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "True"], done.stderr


# ---- arrays --------------------------------------------------------------------------------------------------------


def identity(dtype: str, *shape: int) -> _native.Program:
    b = Builder(64)
    x = b.input("X", dtype, shape)
    return load(b.program(b.step("Identity", [x], ("y", dtype, shape))))


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (0,), (1, 2, 1, 2, 1, 2, 1, 2)])
@pytest.mark.parametrize("rows", [0, 1, 200])
def test_every_dtype_and_shape(dtype: str, shape: tuple[int, ...], rows: int) -> None:
    X = values(dtype, rows, *shape).astype(dtype)
    (y,) = identity(dtype, *shape).run(None, {"X": X})
    assert (y.dtype, y.shape) == (X.dtype, X.shape)
    np.testing.assert_array_equal(y, X)


def test_a_column_may_be_flat() -> None:
    x = np.arange(5.0)
    assert identity("float64", 1).run(None, {"X": x})[0].tolist() == x[:, None].tolist()
    assert identity("float64").run(None, {"X": x[:, None]})[0].tolist() == x.tolist()


IMPROPER: dict[str, Any] = {
    "list": [[1.0, 2.0]],
    "dtype": np.full((2, 2), 2**53 + 1),
    "big-endian": np.ones((2, 2), ">f8"),
    "fortran": np.ones((2, 2), order="F"),
    "strided": np.ones((2, 4))[:, ::2],
    "width": np.ones((2, 3)),
    "flat": np.ones(2),
    "scalar": np.float64(1),
    "zero dimensions": np.array(1.0),
    "deep": np.ones((2, 2, 1)),
    "masked": np.ma.ones((2, 2)),
    "text": np.array([["a", "b"]]),
    "unaligned": np.frombuffer(b"\0" * 33, np.uint8)[1:].view(np.float64).reshape(2, 2),
}


@pytest.mark.parametrize("name", IMPROPER)
def test_improper_feeds_go_to_the_hook(name: str) -> None:
    program = identity("float64", 2)
    feeds = {"X": IMPROPER[name]}
    with pytest.raises(TypeError, match="C-contiguous array"):
        program.run(None, feeds)
    seen: list[Any] = []

    def hook(*arguments: Any) -> dict[str, Any]:
        seen.append(arguments)
        return {"X": np.full((1, 2), 5.0)}

    _native.set_coerce(hook)
    assert program.run(None, feeds)[0].tolist() == [[5, 5]]
    assert seen[0][0] is program
    assert seen[0][1] is feeds


@pytest.mark.parametrize("feeds", [None, {}, {"Z": np.ones((1, 2))}, {"X": np.ones((1, 2)), "Z": 1}, {1: 2}])
def test_other_names_go_to_the_hook(feeds: Any) -> None:
    program = identity("float64", 2)
    with pytest.raises(TypeError, match="C-contiguous array"):
        program.run(None, feeds)
    _native.set_coerce(lambda p, f: {"X": np.zeros((1, 2))})
    assert program.run(None, feeds)[0].tolist() == [[0, 0]]


def test_a_hook_that_raises_or_gives_nonsense() -> None:
    program = identity("float64", 2)

    def refuse(program: Any, feeds: Any) -> dict[str, Any]:
        raise InputError("no")

    _native.set_coerce(refuse)
    with pytest.raises(InputError, match="no"):
        program.run(None, {})
    _native.set_coerce(lambda p, f: {"X": [1]})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="hook did not return"):
        program.run(None, {})
    with pytest.raises(TypeError, match="callable"):
        _native.set_coerce(3)  # type: ignore[arg-type]


def test_several_inputs_of_different_rows_go_to_the_hook() -> None:
    b = Builder()
    x, z = b.input("X", "float64", ()), b.input("Z", "int64", (2,))
    program = load(b.program(z, x))
    outputs = program.run(None, {"Z": np.ones((3, 2), np.int64), "X": np.zeros(3)})
    assert [o.shape for o in outputs] == [(3, 2), (3,)]
    with pytest.raises(TypeError):
        program.run(None, {"X": np.zeros(3), "Z": np.ones((2, 2), np.int64)})


def test_long_long_is_int64() -> None:
    assert identity("int64").run(None, {"X": np.array([1, 2], np.longlong)})[0].tolist() == [1, 2]


def test_nothing_leaks() -> None:
    program = load(linear(3, 2))
    X, feeds = np.ones((2, 3)), {}
    feeds["X"] = X
    before = sys.getrefcount(X)
    for _ in range(100):
        program.run(None, feeds)
        with pytest.raises(InputError):
            program.run(["z"], feeds)
        with pytest.raises(TypeError):
            program.run(None, {"X": X, "Z": X})
    gc.collect()
    assert sys.getrefcount(X) == before


# ---- strings -------------------------------------------------------------------------------------------------------

WORDS = ["", "a", "é", "日本語", "🦀" * 3, "long " * 50, "a", "\ud800 lone"]


@pytest.mark.parametrize("rows", [0, 1, 1000])
def test_strings_of_every_kind_of_array(rows: int) -> None:
    words = (WORDS * rows)[:rows]
    program = identity("str")
    arrays: list[Any] = [np.array(words, object), np.array([np.str_(w) for w in words], object)]
    arrays.append(np.array(words, "U") if rows else np.empty(0, "U3"))
    for array in arrays:
        (y,) = program.run(None, {"X": array})
        assert y.dtype == object
        assert y.tolist() == words
        assert all(type(word) is str for word in y)


def test_strings_of_numpy_string_dtype() -> None:
    words = [w for w in WORDS if "\ud800" not in w] * 10
    array = np.array(words, np.dtypes.StringDType())
    assert identity("str").run(None, {"X": array})[0].tolist() == words
    for missing, mark in ((None, MISSING_NONE), (np.nan, MISSING_NAN)):
        array = np.array(["a", missing, ""], np.dtypes.StringDType(na_object=missing))
        assert identity("str").run(None, {"X": array})[0].tolist() == ["a", mark, ""]
    named = np.array(["a", "gone"], np.dtypes.StringDType(na_object="gone"))
    with pytest.raises(TypeError):
        identity("str").run(None, {"X": named})


def test_lists_and_objects_are_strings_too() -> None:
    for words in (["a", None, float("nan")], np.array(["a", None, float("nan")], object)):
        assert identity("str").run(None, {"X": words})[0].tolist() == ["a", MISSING_NONE, MISSING_NAN]


@pytest.mark.parametrize("improper", [["a", 1], [b"a"], [["a"]], np.array(["a", 1.5], object), np.array([1.5, 2])])
def test_what_is_not_a_string_goes_to_the_hook(improper: Any) -> None:
    with pytest.raises(TypeError):
        identity("str").run(None, {"X": improper})


def test_unicode_arrays_of_the_other_byte_order_go_to_the_hook() -> None:
    swapped = np.array(["ab"]).view(np.array(["ab"]).dtype.newbyteorder())
    with pytest.raises(TypeError):
        identity("str").run(None, {"X": swapped})


def test_constant_strings_are_the_same_objects_every_time() -> None:
    b = Builder()
    x = b.input("X", "bool", ())
    labels = b.constant("labels", np.array([f"label {i}" for i in range(100)], object))
    program = load(b.program(labels, x))
    first = program.run(None, {"X": np.zeros(3, bool)})[0]
    second = program.run(None, {"X": np.zeros(1, bool)})[0]
    assert first[0].tolist() == [f"label {i}" for i in range(100)]
    assert all(one is other for one, other in zip(first[2], second[0], strict=True))


# ---- the object ----------------------------------------------------------------------------------------------------


def test_what_a_program_says_about_itself() -> None:
    program = load(linear(3, 2), threads=3, isa="generic")
    assert program.inputs == (("X", "float64", (3,)),)
    assert program.outputs == (("y", "float64", (2,)),)
    assert program.steps == (("CheckFinite", "generic", "lr:Ridge"), ("Linear", "generic", ""))
    assert program.metadata == {"made by": "the tests"}
    assert program.nbytes == len(pack(linear(3, 2)))
    assert (program.threads, program.block_rows, program.isa) == (3, 256, "generic")


def test_a_subclass_has_attributes_and_weak_references() -> None:
    class Session(_native.Program):
        pass

    session = Session.from_bytes(pack(linear(3, 2)))
    assert type(session) is Session
    session.itself = session  # type: ignore[attr-defined]
    reference = weakref.ref(session)
    assert session.run(None, {"X": np.zeros((1, 3))})[0].shape == (1, 2)
    del session
    gc.collect()
    assert reference() is None


def test_a_program_is_made_by_its_class_methods_only() -> None:
    with pytest.raises(TypeError, match="from_bytes"):
        _native.Program()
    with pytest.raises(TypeError):
        object.__new__(_native.Program)


def test_open_maps_a_file(tmp_path: Path) -> None:
    program = linear(3, 2)
    path = tmp_path / "mödel.sdx"
    path.write_bytes(pack(program))
    native = _native.Program.open(path)
    path.unlink()
    X = np.ones((4, 3))
    np.testing.assert_allclose(native.run(None, {"X": X})[0], expected_linear(program, X))


def test_open_refuses_what_is_not_there_or_empty(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        _native.Program.open(tmp_path / "nowhere.sdx")
    (tmp_path / "empty.sdx").touch()
    with pytest.raises(ProgramError, match="header"):
        _native.Program.open(str(tmp_path / "empty.sdx"))
    with pytest.raises(OSError, match="directory"):
        _native.Program.open(tmp_path)


def test_any_buffer_is_taken_and_later_changes_are_not_seen() -> None:
    program = linear(3, 2)
    file = pack(program)
    X = np.ones((2, 3))
    mutable = bytearray(file)
    unaligned = memoryview(b"\0" + file)[1:]
    for buffer in (mutable, file, memoryview(file), unaligned):
        native = _native.Program.from_bytes(buffer)
        mutable[:] = bytes(len(file))
        np.testing.assert_allclose(native.run(None, {"X": X})[0], expected_linear(program, X))
    with pytest.raises(TypeError):
        _native.Program.from_bytes("text")  # type: ignore[arg-type]


def test_unknown_instruction_sets_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProgramError, match="unknown instruction set 'sse9'"):
        load(linear(3, 2), isa="sse9")
    monkeypatch.setenv("SARDONYX_ISA", "generic")
    assert load(linear(3, 2), isa=None).isa == "generic"
    monkeypatch.setenv("SARDONYX_ISA", "sse9")
    with pytest.raises(ProgramError, match="unknown instruction set 'sse9'"):
        load(linear(3, 2))
