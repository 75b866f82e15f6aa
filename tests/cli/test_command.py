"""The command itself: help, usage, what it says of missing and broken files, and which estimators it reads."""

from __future__ import annotations

import importlib.util
import os
import pickle
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
from sklearn.preprocessing import FunctionTransformer

import sardonyx
from sardonyx.cli import OK, USAGE
from sardonyx.lowering.sdx import MAGIC

from .conftest import Run, Titanic

COMMANDS = ("convert", "verify", "check", "run", "show", "bench", "demo")


def test_help_names_every_command(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == OK
    assert all(name in out for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(run: Run, command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == OK
    assert f"sardonyx {command}" in out


def test_version(run: Run) -> None:
    assert run("--version")[:2] == (OK, f"{sardonyx.__version__}\n")


@pytest.mark.parametrize(
    "arguments", [["run"], ["frobnicate"], ["show", "a", "--frobnicate"], ["run", "a", "b", "--batch", "x"]]
)
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    code, out, err = run(*arguments)
    assert code == USAGE
    assert err
    assert not out


def test_without_its_packages_it_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    code, _, err = run("--help")
    assert code == USAGE
    assert "pip install 'sardonyx[cli]'" in err


@pytest.mark.parametrize("command", ["check", "show"])
def test_missing_and_broken_files(run: Run, tmp_path: Path, command: str) -> None:
    code, _, err = run(command, tmp_path / "none.onnx")
    assert code == USAGE
    assert "there is no file" in err
    assert "is a folder" in run(command, tmp_path)[2]
    os.mkfifo(tmp_path / "pipe")
    assert "is a pipe or a device" in run(command, tmp_path / "pipe")[2]
    for content in (b"", b"garbage", b"\x08\x0a"):
        (tmp_path / "broken.onnx").write_bytes(content)
        code, _, err = run(command, tmp_path / "broken.onnx")
        assert code == USAGE
        assert "error:" in err


class Bomb(BaseEstimator):  # type: ignore[misc, unused-ignore]
    """Leaves a mark when it is unpickled."""

    def __init__(self, path: str = "") -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(self.path),)


@pytest.mark.parametrize("command", [["check"], ["show"], ["run", "rows"], ["bench"]])
def test_only_commands_that_need_an_estimator_read_pickles(
    run: Run, titanic: Titanic, tmp_path: Path, command: list[str]
) -> None:
    mark, file = tmp_path / "mark", tmp_path / "model.pkl"
    file.write_bytes(pickle.dumps(Bomb(str(mark))))
    rest = [titanic("rows.csv")] if command[1:] else []
    assert run(command[0], file, *rest)[0] == USAGE
    assert not mark.exists()


@pytest.mark.parametrize(("name", "content"), [("a.pkl", b""), ("a.joblib", b"no"), ("a.skops", b"no"), ("a.txt", b"")])
def test_unreadable_estimators(run: Run, titanic: Titanic, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    code, _, err = run("convert", tmp_path / name, titanic("rows.csv"))
    assert code == USAGE
    assert name in err


def test_plain_pickles_are_read(run: Run, tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(30, 2))
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(Ridge().fit(X, X[:, 0])))
    pd.DataFrame(X, columns=["a", "b"]).to_csv(tmp_path / "rows.csv", index=False)
    assert run("convert", tmp_path / "m.pkl", tmp_path / "rows.csv")[0] == OK
    assert (tmp_path / "m.onnx").exists()


def test_skops_files_are_data(run: Run, tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(30, 2))
    pd.DataFrame(X, columns=["a", "b"]).to_csv(tmp_path / "rows.csv", index=False)
    skops.io.dump(Ridge().fit(X, X[:, 0]), tmp_path / "known.skops")
    assert run("convert", tmp_path / "known.skops", tmp_path / "rows.csv")[0] == OK
    skops.io.dump(FunctionTransformer(func=unknown_function).fit(X), tmp_path / "unknown.skops")
    code, _, err = run("convert", tmp_path / "unknown.skops", tmp_path / "rows.csv")
    assert code == USAGE
    assert f"--trust {__name__}.unknown_function" in err


def unknown_function(X: Any) -> Any:
    """Do what nobody can know."""
    return X


@pytest.mark.parametrize("arguments", [["--help"], ["show", "model.onnx"], ["run", "model.onnx", "rows.csv"]])
def test_a_reader_that_has_enough_is_no_error(titanic: Titanic, arguments: list[str]) -> None:
    command = [sys.executable, "-m", "sardonyx", *arguments]
    with subprocess.Popen(command, cwd=titanic.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", OK)


@pytest.mark.parametrize("arguments", [["--help"], ["check", "model.onnx"], ["run", "model.onnx", "rows.csv"]])
@pytest.mark.parametrize("where", ["> /dev/full", ">&-"])
def test_an_output_that_takes_nothing_is_named(titanic: Titanic, arguments: list[str], where: str) -> None:
    command = shlex.join([sys.executable, "-m", "sardonyx", *arguments])
    done = subprocess.run(
        f"{command} {where}", check=False, shell=True, cwd=titanic.folder, capture_output=True, text=True
    )
    if where == ">&-" and "run" not in arguments:  # who closes it wants the exit code alone
        assert (done.returncode, done.stderr) == (OK, "")
    else:
        assert done.returncode == USAGE
        assert done.stderr.startswith("error: the standard output")
        assert done.stderr.count("\n") == 1


def test_what_a_terminal_cannot_say_is_marked(titanic: Titanic) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "sardonyx", "check", "model.onnx"]
    done = subprocess.run(command, check=False, cwd=titanic.folder, capture_output=True, env=environment)
    assert (done.returncode, done.stderr) == (OK, b"")
    assert done.stdout.isascii()


def test_a_file_that_cannot_be_loaded_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "broken [b].sdx").write_bytes(MAGIC)
    code, _, err = run("check", tmp_path / "broken [b].sdx")
    assert code == USAGE
    assert "broken [b].sdx" in err
