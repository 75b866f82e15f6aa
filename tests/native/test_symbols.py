"""No instruction set leaks into another: see native/check_symbols.py."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECKER = ROOT / "native" / "check_symbols.py"
COMPILER = shutil.which("g++") or shutil.which("clang++")


def check(build: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(CHECKER), str(build)], check=False, capture_output=True, text=True)


@pytest.mark.skipif(not (ROOT / "build" / "release").exists(), reason="not built by scripts/build")
@pytest.mark.skipif(shutil.which("nm") is None, reason="no nm")
def test_kernels_share_no_symbols() -> None:
    result = check(ROOT / "build" / "release")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.skipif(COMPILER is None or shutil.which("nm") is None, reason="no compiler or no nm")
@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("static int f() { return 1; } static int (*volatile g)() = f;", 0),
        ("inline int f() { return 1; } static int (*volatile g)() = f;", 1),
        ("template <class T> int f() { return 1; } static int (*volatile g)() = f<int>;", 1),
        ("int f() { return 1; }", 1),
    ],
)
def test_the_checker_sees_shared_symbols(tmp_path: Path, source: str, status: int) -> None:
    directory = tmp_path / "native" / "CMakeFiles" / "kernels_avx2.dir" / "kernels"
    directory.mkdir(parents=True)
    (tmp_path / "kernel.cpp").write_text(source)
    assert COMPILER is not None
    output = directory / "kernel.cpp.o"
    subprocess.run([COMPILER, "-O3", "-c", str(tmp_path / "kernel.cpp"), "-o", str(output)], check=True)
    assert check(tmp_path).returncode == status
