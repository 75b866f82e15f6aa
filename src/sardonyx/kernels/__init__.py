"""Lowering rules, one module a family of native kernels (native/kernels/).

A rule says which steps a node becomes (see rules.py). Modules are imported here by listing the directory, so a new file
is enough.
"""

from __future__ import annotations

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
