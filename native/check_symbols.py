"""Checks that kernel objects define no symbol the linker could share between instruction sets.

A kernel file is compiled several times. A function with external or weak linkage (an inline function, a template of the
standard library) would exist once per instruction set under one name; the linker keeps any one of them, perhaps the one
that only newer machines can run. Usage: ``python native/check_symbols.py BUILD_DIRECTORY``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

#: Undefined symbols are what kernels call; the others are references the compiler itself makes, data without code.
_HARMLESS_PREFIXES = ("DW.ref.",)


def kernel_objects(build: Path) -> list[Path]:
    """Return the object files of all kernels under a build directory."""
    return sorted(build.glob("native/CMakeFiles/kernels_*.dir/kernels/**/*.o"))


def shared_symbols(listing: str) -> list[str]:
    """Return, from the output of ``nm``, the names defined with other than local linkage."""
    shared = []
    for line in listing.splitlines():
        kind, name = line.split()[-2:]
        if (kind.isupper() or kind in "uvw") and kind != "U" and not name.startswith(_HARMLESS_PREFIXES):
            shared.append(f"{kind} {name}")
    return shared


def main(build: Path) -> int:
    """Print the offending symbols; the exit status is their number, at most 1."""
    objects = kernel_objects(build)
    if shutil.which("nm") is None or not objects:
        print(f"no kernel objects under {build}, or no nm to read them with", file=sys.stderr)
        return 1
    status = 0
    for path in objects:
        listing = subprocess.run(["nm", str(path)], check=True, capture_output=True, text=True).stdout
        for symbol in shared_symbols(listing):
            print(
                f"{path.parent.parent.name}/{path.name}: {symbol}: make it static or put it into an anonymous namespace"
            )
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
