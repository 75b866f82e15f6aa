"""A model is drawn as the pipeline it was."""

from __future__ import annotations

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import helper
from rich.console import Console, RenderableType
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from sardonyx.bench import Timing
from sardonyx.cli import report
from sardonyx.convert import convert


def text_of(renderable: RenderableType) -> str:
    """What a terminal of 100 columns shows."""
    console = Console(width=100, file=None, record=True, quiet=False, color_system=None)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(40, 3)), columns=["a", "b", "c"]).assign(city=rng.choice(["x", "y"], 40))
    columns = ColumnTransformer(
        [
            ("numbers", make_pipeline(MinMaxScaler(), StandardScaler()), ["c", "a"]),
            ("text", OneHotEncoder(), ["city"]),
        ]
    )
    return convert(Pipeline([("prepare", columns), ("fit", Ridge())]).fit(X, X["a"]), X)


def test_parts_are_the_pipelines_steps(model: onnx.ModelProto) -> None:
    whole = report.read_parts(model)
    assert whole.class_name == "Pipeline"
    prepare, fit = whole.parts
    assert (prepare.name, prepare.class_name) == ("prepare", "ColumnTransformer")
    assert (fit.name, fit.class_name, fit.columns) == ("fit", "Ridge", ())
    numbers, text = prepare.parts
    assert (numbers.name, numbers.columns) == ("numbers", ("a", "c"))
    assert (text.name, text.class_name, text.columns) == ("text", "OneHotEncoder", ("city",))
    assert [p.class_name for p in numbers.parts] == ["MinMaxScaler", "StandardScaler"]
    assert "MatMul" in dict(fit.operators)
    assert whole.weights >= prepare.weights + fit.weights > 0


def test_tree_names_what_matters(model: onnx.ModelProto) -> None:
    shown = text_of(report.model_tree(model, "m.onnx", 12_345))
    for expected in ("m.onnx", "12.3 kB", "numbers Pipeline", "← a, c", "← city", "OneHotEncoder", "predict", "(N, 1)"):
        assert expected in shown


def test_models_of_others_are_listed_by_operators() -> None:
    node = helper.make_node("Relu", ["X"], ["Y"])
    value = [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, ["N", 2]) for n in "XY"]
    foreign = helper.make_model(helper.make_graph([node], "net", value[:1], value[1:]))
    part = report.read_parts(foreign)
    assert (part.class_name, part.operators, part.parts) == ("net", (("Relu", 1),), ())
    assert "Relu" in text_of(report.model_tree(foreign, "net.onnx", 1))


@pytest.mark.parametrize("value", ["not json", "[1, 2]", "", "{"])
def test_hostile_metadata_are_ignored(value: str) -> None:
    model = onnx.ModelProto()
    model.metadata_props.add(key="sardonyx", value=value)
    assert report.describe_file(model) == {}
    assert report.read_parts(model).class_name == "model"


def test_markup_in_names_is_text() -> None:
    model = onnx.ModelProto()
    model.metadata_props.add(key="[red]key[/]", value="[bold]value[/")
    assert "[red]key[/]" in text_of(report.metadata_table(model))
    assert "[bold]value[/" in text_of(report.metadata_table(model))


TIMINGS = [
    Timing("sardonyx", 1, 1e-6, 1e-6, 1e-6, 9),
    Timing("other", 1, 4e-6, 4e-6, 4e-6, 9),
    Timing("sardonyx", 1000, 2e-3, 2e-3, 2e-3, 9),
    Timing("other", 1000, 1e-3, 1e-3, 1e-3, 9),
]


def test_timings_say_how_much_faster() -> None:
    shown = text_of(report.timing_table(TIMINGS, "sardonyx", "title"))
    assert "×4.0" in shown
    assert "×0.5" in shown
    assert "| 1 | 1 µs | 4 µs  ×4.0 |" in report.timing_markdown(TIMINGS, "sardonyx")


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2e6, "2.0 MB"), (3e9, "3.0 GB")]
)
def test_sizes_have_units(size: float, text: str) -> None:
    assert report.bytes_text(size) == text
