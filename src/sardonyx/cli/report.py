"""What people read: a model drawn as the pipeline it is, a proof, timings; as rich renderables.

`read_parts` finds the pipeline in an ONNX model again: its steps are functions called ``name:Class`` (`graph.STEPS`),
and the columns of a step are those inputs of the model that reach it without passing through another step::

    age ────┬──────▶ [numbers:Pipeline] ──┐
    fare ───┘                             ├─ Concat ─▶ [classify:LogisticRegression] ─▶ predict
    sex ───────────▶ [text:OneHotEncoder]─┘                    no columns of its own
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import onnx
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from ..bench.timing import Timing, duration
from ..graph import STEPS

if TYPE_CHECKING:
    from ..proof.agreement import Report

#: columns named before the rest is only counted
SHOWN = 8
#: operators of a step named at most
OPERATORS_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Part:
    """A step of a pipeline as the file has it.

    Attributes
    ----------
    name, class_name : str
        The step's name and its estimator's class.
    columns : tuple of str
        The model's inputs that it takes directly; empty if it takes what other steps made.
    operators : tuple of (str, int)
        Operators of its own body, the most frequent first.
    weights : int
        Bytes of constants, those of its parts included.
    parts : tuple of Part
        The steps inside it.
    """

    name: str
    class_name: str
    columns: tuple[str, ...]
    operators: tuple[tuple[str, int], ...]
    weights: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class _Source:
    """What a value is made of: model inputs that reach it directly, and bytes if it is a constant."""

    columns: frozenset[str] = frozenset()
    size: int = 0


def read_parts(model: onnx.ModelProto) -> Part:
    """Return the pipeline in a model; a model without steps is one part that lists its operators.

    Parameters
    ----------
    model : ModelProto
        Any ONNX model.
    """
    functions = {(f.domain, f.name): f for f in model.functions}
    inputs = [i.name for i in model.graph.input]
    scope = {name: _Source(frozenset([name])) for name in inputs}
    scope |= {t.name: _Source(size=t.ByteSize()) for t in model.graph.initializer}
    operators, parts = _read_scope(model.graph.node, scope, functions, inputs)
    weights = sum(t.ByteSize() for t in model.graph.initializer) + _constants(model.graph.node, functions)
    class_name = str(describe_file(model).get("estimator", model.graph.name or "model"))
    return Part("", class_name, tuple(inputs), operators, weights, parts)


def describe_file(model: onnx.ModelProto) -> dict[str, Any]:
    """Return what a file says of itself under the key ``sardonyx``; empty if it says nothing readable."""
    text = next((p.value for p in model.metadata_props if p.key == "sardonyx"), "{}")
    try:
        description = json.loads(text)
    except ValueError:
        return {}
    return description if isinstance(description, dict) else {}


def model_tree(model: onnx.ModelProto, name: str, size: int) -> Tree:
    """Draw a model: inputs, the pipeline, outputs.

    Parameters
    ----------
    model : ModelProto
        The model.
    name : str
        Its file's name.
    size : int
        Its file's bytes.
    """
    part, description = read_parts(model), describe_file(model)
    opset = next((o.version for o in model.opset_import if o.domain == ""), "?")
    facts = [bytes_text(size), f"opset {opset}"]
    facts += [f"{key} {description[key]}" for key in ("scikit-learn",) if key in description]
    facts += (
        [f"{model.producer_name} {description.get('version', model.producer_version)}".strip()]
        if model.producer_name
        else []
    )
    tree = Tree(Text.assemble((name, "bold"), "  ", (" · ".join(facts), "dim")), guide_style="dim")
    _add_tensors(tree.add(Text("inputs", "bold")), model.graph.input)
    _add_part(tree, replace(part, columns=()), part.columns)
    _add_tensors(tree.add(Text("outputs", "bold")), model.graph.output)
    return tree


def metadata_table(model: onnx.ModelProto) -> Table:
    """List a file's metadata, long values cut."""
    table = Table("key", "value", title="metadata", title_justify="left", box=None, padding=(0, 2))
    description = describe_file(model)
    entries = {**{p.key: p.value for p in model.metadata_props if p.key != "sardonyx"}, **description}
    for key, value in entries.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        table.add_row(escape(key), escape(text if len(text) <= 160 else f"{text[:160]} ... ({len(text)} characters)"))
    return table


def verdict_table(result: Report) -> Table:
    """Lay a comparison out: a row for each method in each runtime, the first wrong row in words.

    Parameters
    ----------
    result : Report
        Of `sardonyx.verify` or `Session.check`.
    """
    said = ("says what the estimator says", "bold green") if result.ok else ("IS WRONG", "bold red")
    title = Text.assemble((result.estimator, "bold"), ": the model ", said)
    table = Table(title=title, title_justify="left", title_style="", header_style="bold", box=None, padding=(0, 2))
    for name in ("method", "runtime"):
        table.add_column(name)
    for name in ("rows", "wrong", "max error", "relative"):
        table.add_column(name, justify="right")
    table.add_column("")
    for v in result.verdicts:
        mark = Text("✓", "green") if v.ok else Text(f"✗ {v.worst}", "red")
        errors = f"{v.max_abs:.1e}" if v.max_abs else "0", f"{v.max_rel:.1e}" if v.max_rel else "0"
        table.add_row(v.method, v.runtime, f"{v.rows:,}", f"{v.wrong:,}", *errors, mark)
    return table


def timing_table(timings: Sequence[Timing], against: str, title: str) -> Table:
    """Lay timings out: a row for each batch size, a column for each runtime.

    Parameters
    ----------
    timings : sequence of Timing
        Of `against` and others.
    against : str
        The name in whose time the others' are expressed: ``×3`` is three times as long.
    title : str
        What was timed.
    """
    table = Table(
        title=Text(title), title_justify="left", title_style="bold", header_style="bold", box=None, padding=(0, 2)
    )
    table.add_column("rows", justify="right")
    names = list(dict.fromkeys(t.name for t in timings))
    for name in names:
        table.add_column(name, justify="right", style="bold" if name == against else "", no_wrap=True)
    for rows, seconds in by_rows(timings).items():
        table.add_row(f"{rows:,}", *(_cell(seconds, name, against) for name in names))
    return table


def timing_markdown(timings: Sequence[Timing], against: str) -> str:
    """Return the same table as Markdown."""
    names = list(dict.fromkeys(t.name for t in timings))
    lines = [f"| rows a call | {' | '.join(names)} |", f"| {' | '.join(['---:'] * (len(names) + 1))} |"]
    for rows, seconds in by_rows(timings).items():
        lines.append(f"| {rows:,} | {' | '.join(_cell(seconds, name, against).plain for name in names)} |")
    return "\n".join(lines)


def by_rows(timings: Iterable[Timing]) -> dict[int, dict[str, float]]:
    """Return number of rows -> name -> median seconds."""
    table: dict[int, dict[str, float]] = {}
    for timing in timings:
        table.setdefault(timing.rows, {})[timing.name] = timing.seconds
    return table


def error_text(error: BaseException) -> RenderableType:
    """Return an error of ours as one paragraph."""
    return Group(Text.assemble(("error: ", "bold red"), str(error)))


def bytes_text(size: float) -> str:
    """Return a size with its unit: ``12.3 kB``."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


# -------------------------------------------------------------------------------------------------------------- details


def _read_scope(
    nodes: Iterable[onnx.NodeProto],
    scope: dict[str, _Source],
    functions: Mapping[tuple[str, str], onnx.FunctionProto],
    order: Sequence[str],
) -> tuple[tuple[tuple[str, int], ...], tuple[Part, ...]]:
    """Walk one body: its own operators, and the steps it calls."""
    operators: Counter[str] = Counter()
    parts: list[Part] = []
    for node in nodes:
        sources = [scope.get(name, _Source()) for name in node.input]
        function = functions.get((node.domain, node.op_type)) if node.domain == STEPS else None
        if function is not None:
            parts.append(_read_step(function, sources, functions, order))
            continue
        operators[node.op_type.partition(":")[0]] += 1
        together = _Source(frozenset().union(*(s.columns for s in sources)))
        scope.update((name, together) for name in node.output)
    for plumbing in ("Identity", "Constant"):
        operators.pop(plumbing, None)
    return tuple(operators.most_common()), tuple(parts)


def _read_step(
    function: onnx.FunctionProto,
    sources: Sequence[_Source],
    functions: Mapping[tuple[str, str], onnx.FunctionProto],
    order: Sequence[str],
) -> Part:
    inside = dict(zip(function.input, sources, strict=False))
    operators, parts = _read_scope(function.node, inside, functions, order)
    name, _, class_name = function.name.partition(":")
    reached = frozenset().union(*(s.columns for s in sources))
    weights = sum(s.size for s in sources) + _constants(function.node, functions)
    return Part(name, class_name.partition(":")[0], tuple(c for c in order if c in reached), operators, weights, parts)


def _constants(nodes: Iterable[onnx.NodeProto], functions: Mapping[tuple[str, str], onnx.FunctionProto]) -> int:
    """Bytes of the constants in a body and in the steps it calls."""
    total = 0
    for node in nodes:
        if node.op_type == "Constant":
            total += sum(a.t.ByteSize() for a in node.attribute if a.name == "value")
        elif node.domain == STEPS and (node.domain, node.op_type) in functions:
            total += _constants(functions[node.domain, node.op_type].node, functions)
    return total


def _add_part(tree: Tree, part: Part, inherited: tuple[str, ...]) -> None:
    label = Text.assemble((f"{part.name} ", "cyan") if part.name else "", (part.class_name, "bold green"))
    if part.columns and part.columns != inherited:
        label.append(f"  ← {_listed(part.columns)}")
    if not part.parts and part.operators:
        label.append("  " + _brief([n for n, _ in part.operators]), "dim")
    if part.weights >= 1000:
        label.append(f"  {bytes_text(part.weights)}", "magenta")
    branch = tree.add(label)
    for inner in part.parts:
        _add_part(branch, inner, part.columns or inherited)


def _add_tensors(tree: Tree, tensors: Sequence[onnx.ValueInfoProto]) -> None:
    shown = tensors if len(tensors) <= 3 * SHOWN else tensors[: 2 * SHOWN]
    for tensor in shown:
        shape = [d.dim_param or d.dim_value for d in tensor.type.tensor_type.shape.dim]
        dtype = onnx.TensorProto.DataType.Name(tensor.type.tensor_type.elem_type).lower()
        tree.add(Text.assemble(f"{tensor.name}  ", (f"{dtype} ({', '.join(map(str, shape))})", "dim")))
    if len(shown) < len(tensors):
        tree.add(Text(f"and {len(tensors) - len(shown)} more", "dim"))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _brief(operators: Sequence[str]) -> str:
    return " ".join(operators[:OPERATORS_SHOWN]) + (" …" if len(operators) > OPERATORS_SHOWN else "")


def _cell(seconds: Mapping[str, float], name: str, against: str) -> Text:
    if name not in seconds:
        return Text("")
    if name == against or against not in seconds:
        return Text(duration(seconds[name]))
    factor = seconds[name] / seconds[against]
    shown = f"×{factor:.1f}" if factor < 100 else f"×{factor:,.0f}"
    return Text.assemble(duration(seconds[name]), (f"  {shown}", "green" if factor >= 1 else "red"))
