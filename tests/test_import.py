"""What importing sardonyx costs, and which module may import which."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import sardonyx

PACKAGE = Path(sardonyx.__file__).parent
HEAVY = ["sklearn", "scipy", "pandas", "polars", "pyarrow", "onnxruntime", "onnx"]

#: the order in which imports flow: a module imports only from its own line or the lines above
LAYERS = [
    ["errors", "_native"],
    ["text"],
    ["protos"],
    ["layouts"],
    ["graph"],
    ["operators"],
    ["registry"],
    ["inputs"],
    ["description", "session.node_args"],
    ["session.ragged", "proof.agreement"],
    ["convert"],
    ["tracing"],
    ["converters"],
    ["lowering.sizes"],
    ["lowering.program"],
    ["lowering.sdx"],
    ["lowering.borders"],
    ["lowering.reference.control_flow", "lowering.reference.sized"],
    ["lowering.reference.numbers"],
    ["lowering.reference.operators"],
    ["lowering.kinds"],
    ["lowering.node_view", "lowering.builder"],
    ["lowering.rules", "lowering.reference.graphs", "lowering.plan"],
    ["lowering.runner"],
    ["lowering.inference"],
    ["passes", "kernels"],
    ["lowering"],
    ["session"],
    ["ort"],
    ["backend"],
    ["capi"],
    ["proof"],
    ["api"],
    ["bench", "cli", "__main__"],
]


def run(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def loaded(code: str) -> set[str]:
    return set(run(f"{code}\nimport sys; print(' '.join(sys.modules))").split())


def test_import_loads_nothing_heavy() -> None:
    assert not loaded("import sardonyx").intersection([*HEAVY, "numpy"])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4))
    model = sardonyx.to_onnx(LinearRegression().fit(X, X @ [1, 2, 3, 4]), X)
    (directory / "model.onnx").write_bytes(model.SerializeToString())
    sardonyx.load(model).save(directory / "model.sdx")
    return directory


def test_a_compiled_file_runs_without_onnx(files: Path) -> None:
    code = FIRST.format(str(files / "model.sdx"))
    assert not loaded(code).intersection(HEAVY)


def test_an_onnx_file_runs_without_scikit_learn(files: Path) -> None:
    code = FIRST.format(str(files / "model.onnx"))
    assert not loaded(code).intersection(HEAVY[:-1])


FIRST = "import sardonyx, numpy; s = sardonyx.load({!r}); s.predict(numpy.zeros((1, 4))); s.check()"

MEMORY = """
import resource, numpy
def kilobytes(): return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() // 1024
before = kilobytes()
{}
print(kilobytes() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from Linux's /proc")
def test_a_first_prediction_takes_less_than_half_of_onnxruntimes_memory(files: Path) -> None:
    pytest.importorskip("onnxruntime")
    theirs = "import onnxruntime; s = onnxruntime.InferenceSession({!r}); s.run(None, {{'X': numpy.zeros((1, 4))}})"
    ours = "import sardonyx; s = sardonyx.load({!r}); s.run(None, {{'X': numpy.zeros((1, 4))}})"
    measured = [
        int(run(MEMORY.format(code.format(str(files / name)))))
        for code, name in ((theirs, "model.onnx"), (ours, "model.sdx"))
    ]
    assert measured[1] < measured[0] / 2


def imports_of(path: Path) -> set[str]:
    """The sardonyx modules that a file imports when it is run; imports for type checkers do not count."""
    tree = ast.parse(path.read_text())
    level_of_package = len(path.relative_to(PACKAGE).parts) - 1
    checking = {id(n) for block in ast.walk(tree) if _is_type_checking(block) for n in ast.walk(block)}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and id(node) not in checking:
            package = path.relative_to(PACKAGE).parts[: level_of_package - node.level + 1]
            parts = [*package, *(node.module or "").split(".")] if node.module else list(package)
            found |= {".".join([*parts, alias.name]) for alias in node.names}
    return found


def level_of(module: str) -> int:
    """The layer of a module, its own or its package's."""
    levels = {name: number for number, names in enumerate(LAYERS) for name in names}
    while module and module not in levels:
        module = module.rpartition(".")[0]
    return levels.get(module, -1)


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def test_imports_flow_downwards() -> None:
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        if module == "__init__":
            continue
        assert level_of(module) >= 0, f"{module} has no place in LAYERS"
        wrong += [f"{module} imports {other}" for other in imports_of(path) if level_of(other) > level_of(module)]
    assert not wrong


def test_public_names_resolve() -> None:
    for name in sardonyx.__all__:
        assert getattr(sardonyx, name).__name__ == name
    assert set(sardonyx.__all__) <= set(dir(sardonyx))
    importlib.import_module("sardonyx.proof.verification")
    assert callable(sardonyx.verify)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = sardonyx.nonsense


def test_to_convert_without_scikit_learn_says_what_to_install() -> None:
    code = "import importlib.machinery, importlib.util; importlib.util.find_spec = lambda name: None; import sardonyx"
    said = run(
        f"{code}\ntry: sardonyx.to_onnx(1, [[1.0]])\nexcept ModuleNotFoundError as error: print(error.name, error)"
    )
    assert said.startswith("sklearn ")
    assert "pip install 'sardonyx[sklearn]'" in said
