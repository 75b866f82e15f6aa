"""Hostile files, without the sanitizers: ``scripts/test`` tries more with them, ``scripts/fuzz`` any number."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from .fuzzing import Watch, attempt, mutate, read, seeds, write


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fuzzing") / "seeds"
    write(seeds(), path)
    return path


@pytest.mark.filterwarnings("ignore")
def test_hostile_files_are_refused_or_run(files: Path) -> None:
    watch = Watch(str(files))
    watch.run(0, 1500, seconds=20)
    assert not watch.findings
    assert watch.outcomes["refused"] > 50
    assert watch.outcomes["ran"] > 20


@pytest.mark.filterwarnings("ignore")
def test_a_case_is_always_the_same_file(files: Path) -> None:
    known = read(str(files))
    assert all(attempt(file) == "ran" for file in known)
    assert mutate(known, 7) == mutate(known, 7) != mutate(known, 8)


def test_a_process_that_dies_is_a_finding(tmp_path: Path) -> None:
    watch = Watch(str(tmp_path / "nowhere"))
    watch.run(0, 1)
    assert watch.outcomes["dies"] == 1
    ((number, what),) = watch.findings
    assert number == 0
    assert "FileNotFoundError" in what


@pytest.mark.filterwarnings("ignore")
def test_seeds_are_many_kinds_of_files(files: Path) -> None:
    known = read(str(files))
    models = [onnx.load_model_from_string(file) for file in known if not file.startswith(b"\x93SDX")]
    assert len(models) < len(known)
    assert {"skl2onnx", "sardonyx"} < {model.producer_name for model in models}
