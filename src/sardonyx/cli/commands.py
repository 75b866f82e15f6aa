"""The commands. Each reads its arguments, calls one function of the package and prints; the exit codes are in `cli`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter

import sardonyx

from .. import bench as timings
from ..errors import InputError, SardonyxError, VerificationError
from ..inputs.tensors import coerce_feeds
from ..session.session import Session
from . import DISAGREES, INTERRUPTED, OK, USAGE, report, samples, tables
from .files import compiled, is_program, load_fitted, load_session, read_model
from .paths import check_apart, write
from .printing import Errors, Output, forget_output
from .waiting import counted, progress, status

# An option of several values would take the files after it for its own: usage lines name the files first.
Names = Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")]
Trust = Annotated[
    list[str] | None, Parameter(negative="", help="A type that a .skops file may hold beyond the known ones.")
]

app = App(
    name="sardonyx",
    help="Fitted scikit-learn models as exact ONNX files: converted, proven, fast.",
    version=sardonyx.__version__,
    result_action="return_value",
    suppress_keyboard_interrupt=False,  # run_app says what became of the output
    help_epilogue="Exit codes: 0 all well, 1 a model disagrees or a check failed, 2 wrong usage or bad input.",
)


def run_app(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code; errors of ours are printed, others are bugs and keep their traceback."""
    errors = Errors()
    try:
        result = app(list(arguments), exit_on_error=False, print_error=True, console=Output(), error_console=errors)
    except CycloptsError:
        return USAGE
    except VerificationError as error:
        errors.refused(report.error_text(error))
        return DISAGREES
    except SardonyxError as error:
        errors.refused(report.error_text(error))
        return USAGE
    except BrokenPipeError:
        forget_output()
        return OK
    except OSError as error:
        errors.refused(report.error_text(InputError(_untaken(error))))
        return USAGE
    except KeyboardInterrupt:
        errors.print("interrupted; no output was written")
        return INTERRUPTED
    return result if isinstance(result, int) else OK


@app.command(usage="Usage: sardonyx convert ESTIMATOR DATA [OPTIONS]")
def convert(
    estimator: Path,
    data: Path,
    /,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    target: str | None = None,
    methods: Names = None,
    target_opset: int | None = None,
    inline: bool = False,
    rows: int = 1000,
    trust: Trust = None,
) -> int:
    """Convert a fitted estimator to ONNX and prove the result.

    A pickle is a program: naming one here runs it. Use .skops files for models you did not write.

    Parameters
    ----------
    estimator
        The fitted estimator: .pkl, .joblib, .cloudpickle or .skops.
    data
        A sample of its input, CSV, Parquet or Arrow: gives names and types, and rows for the proof.
    output
        The ONNX file, or the compiled program (.sdx); by default the ONNX file beside the estimator.
    target
        A column of the sample that is no feature.
    methods
        Methods to convert, e.g. predict predict_proba.
    target_opset
        Version of the ONNX operators.
    inline
        Write no functions, for runtimes that know none.
    rows
        Rows of the sample to use.
    """
    out = output or estimator.with_suffix(".onnx")
    if out.suffix not in (".onnx", ".sdx"):
        raise InputError(f"{out.name}: models are written to .onnx files, compiled programs to .sdx files.")
    _check_rows(rows)
    with status("reading"):
        fitted = load_fitted(estimator, trust)
        X = samples.as_sample(samples.read_frame(data, rows), fitted, target)
    with status(f"converting and proving {type(fitted).__name__}"):
        model = sardonyx.to_onnx(fitted, X, methods=methods, target_opset=target_opset, inline=inline)
        result = sardonyx.verify(fitted, model, X)
    content = model.SerializeToString()
    console = Output()
    console.print(report.model_tree(model, out.name, len(content)))
    console.print()
    console.print(report.verdict_table(result))
    if not result.ok:
        return DISAGREES
    write(out, content if out.suffix == ".onnx" else compiled(model))
    console.told(f"written to {out}")
    return OK


@app.command(usage="Usage: sardonyx verify ESTIMATOR MODEL DATA [OPTIONS]")
def verify(
    estimator: Path,
    model: Path,
    data: Path,
    /,
    *,
    target: str | None = None,
    rows: int = 10_000,
    trust: Trust = None,
) -> int:
    """Compare a fitted estimator with an ONNX file, in sardonyx and in ONNX Runtime.

    A pickle is a program: naming one here runs it.

    Parameters
    ----------
    estimator
        The fitted estimator: .pkl, .joblib, .cloudpickle or .skops.
    model
        The ONNX file.
    data
        Rows to compare on, CSV, Parquet or Arrow; more rows are made from the model's own thresholds.
    target
        A column of the data that is no feature.
    rows
        Rows of the data to use.
    """
    _check_rows(rows)
    with status("reading"):
        fitted = load_fitted(estimator, trust)
        X = samples.as_sample(samples.read_frame(data, rows), fitted, target)
    with status("comparing"):
        result = sardonyx.verify(fitted, load_session(model) if is_program(model) else read_model(model), X)
    Output().print(report.verdict_table(result))
    return OK if result.ok else DISAGREES


@app.command
def check(model: Path, /) -> int:
    """Prove a file again, without scikit-learn: run the rows it carries and compare with the answers it carries.

    Parameters
    ----------
    model
        The .onnx or .sdx file.
    """
    result = load_session(model).check()
    Output().print(report.verdict_table(result))
    return OK if result.ok else DISAGREES


@app.command(usage="Usage: sardonyx run MODEL DATA [OPTIONS]")
def run(
    model: Path,
    data: Path,
    /,
    *,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    methods: Names = None,
    keep: Names = None,
    batch: int = 65_536,
    threads: int = 0,
) -> int:
    """Run a model on a table of any size, batch by batch.

    Parameters
    ----------
    model
        The .onnx or .sdx file.
    data
        CSV, Parquet or Arrow (Feather).
    output
        CSV, Parquet or Arrow (Feather); without it, CSV goes to the standard output.
    methods
        What to compute, e.g. predict; by default everything the model has.
    keep
        Columns of the data to copy, such as an id.
    batch
        Most rows at a time.
    threads
        Threads; 0 for all cores.
    """
    if batch < 1:
        raise InputError(f"--batch {batch} is not possible; give at least 1.")
    check_apart(output, model, data)
    session = load_session(model, threads)
    names, kept = _output_names(session, methods), keep or []
    chosen = tables.choose_columns(session.get_inputs(), tables.column_names(data), _features(session), kept)
    types = {column: i.type for i in session.get_inputs() for column in chosen[i.name]}
    done = 0
    with progress(data.name) as told, tables.writer(output) as write:
        for rows in tables.batches(data, types, kept, batch, told):
            results = dict(zip(names, _answers(session, names, rows, chosen), strict=True))
            write(tables.beside({k: rows.column(k) for k in kept}, tables.columns(results, session.description)))
            done += rows.num_rows
    if output is not None:
        Errors().told(f"{done:,} rows → {output}")
    return OK


@app.command(usage="Usage: sardonyx show MODEL [OPTIONS]")
def show(model: Path, /, *, metadata: bool = False, plan: bool = False) -> int:
    """Draw a model as the pipeline it is.

    Parameters
    ----------
    model
        The ONNX file; a compiled program (.sdx) is listed as with --plan.
    metadata
        List what the file says of itself.
    plan
        List the steps that our runtime runs.
    """
    console, compiled = Output(), is_program(model)
    if not compiled:
        proto = read_model(model)
        console.print(report.model_tree(proto, model.name, model.stat().st_size))
        if metadata:
            console.print(report.metadata_table(proto))
    if plan or compiled:
        console.told(str(load_session(model).explain()))
    return OK


@app.command(usage="Usage: sardonyx bench MODEL [DATA] [OPTIONS]")
def bench(
    model: Path,
    data: Path | None = None,
    /,
    *,
    estimator: Path | None = None,
    batches: Annotated[list[int] | None, Parameter(consume_multiple=True, negative="")] = None,
    seconds: float = 1.0,
    threads: int = 0,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    trust: Trust = None,
) -> int:
    """Time a model in sardonyx and in ONNX Runtime, interleaved, medians.

    Parameters
    ----------
    model
        The ONNX file.
    data
        Rows to time with, CSV, Parquet or Arrow; repeated as needed. By default the few that the file carries.
    estimator
        Time this fitted estimator too, on the data. A pickle is a program: naming one here runs it.
    batches
        Rows of a call, e.g. 1 100 10000.
    seconds
        Time to spend on each batch size.
    threads
        Threads of each runtime; 0 for its own choice.
    output
        A picture to draw, .png, .svg or .pdf; by default a PNG beside the model.
    """
    if is_program(model):
        raise InputError(f"{model.name} is a compiled program, which ONNX Runtime does not read; give the ONNX file.")
    picture = _picture(output or model.with_suffix(".png"))
    session, sizes = load_session(model, threads), batches or list(timings.BATCHES)
    if min(sizes) < 1:
        raise InputError(f"--batches {min(sizes)} is not possible; give at least 1.")
    if not 0 < seconds < math.inf:
        raise InputError(f"--seconds {seconds} is not possible; give a number above 0.")
    feeds = _first_rows(session, data, max(sizes))
    runners = {"sardonyx": timings.sardonyx_runner(session), **_onnxruntime(model, threads)}
    X = None
    if estimator is not None and data is None:
        raise InputError("--estimator needs the data as a table: give a file of rows after the model.")
    if estimator is not None and data is not None:
        fitted = load_fitted(estimator, trust)
        X = samples.as_sample(samples.read_frame(data, max(sizes)), fitted)
        runners["scikit-learn"] = timings.sklearn_runner(fitted, session.methods)
    with counted("timing", len(sizes)) as step:
        found = timings.compare(runners, feeds, sizes, X, seconds, step)
    drawn = timings.save_plot({model.name: found}, picture)
    console = Output()
    console.print(report.timing_table(found, "sardonyx", f"{model.name}: median time of a call"))
    console.told(f"drawn in {picture}" if drawn else "no picture: pip install matplotlib")
    return OK


@app.command
def demo(*, output: Annotated[Path, Parameter(alias="-o")] = Path("demo_output"), seconds: float = 0.6) -> int:
    """Train, convert, prove and time two models of who survived the Titanic.

    Parameters
    ----------
    output
        Folder for the models and the picture.
    seconds
        Time to spend on each batch size.
    """
    try:
        from .demo import main as run_demo
    except ImportError as error:
        raise InputError(
            f"the demo needs scikit-learn and pandas ({error}): pip install 'sardonyx[cli,sklearn]' pandas"
        ) from error
    return OK if run_demo(output, seconds, Output()) else DISAGREES


# -------------------------------------------------------------------------------------------------------------- details


def _untaken(error: OSError) -> str:
    """Return what the system refused: a file, or else the standard output, of which no more is tried."""
    if error.filename is None:
        forget_output()
    return f"{error.filename or 'the standard output'}: {error.strerror or error}."


def _check_rows(rows: int) -> None:
    if rows < 1:
        raise InputError(f"--rows {rows} is not possible; give at least 1.")


def _picture(path: Path) -> Path:
    """Refuse a name that no picture has: the model's, or the data's."""
    if path.suffix not in (".png", ".svg", ".pdf"):
        raise InputError(f"{path.name or path}: pictures are drawn in .png, .svg or .pdf files.")
    return path


def _output_names(session: Session, methods: Sequence[str] | None) -> list[str]:
    """Return the outputs that belong to methods; all of them by default."""
    names = [o.name for o in session.get_outputs()]
    if not methods:
        return names
    outputs = (
        {m: list(entry.outputs) for m, entry in session.description.methods.items()} if session.description else {}
    )
    outputs = outputs or {n: [n] for n in names}
    if missing := [m for m in methods if m not in outputs]:
        raise InputError(f"the model has no {', '.join(missing)}; it has {', '.join(outputs)}.")
    return list(dict.fromkeys(n for m in methods for n in outputs[m]))


def _answers(session: Session, names: Sequence[str], rows: Any, chosen: Mapping[str, Sequence[str]]) -> list[Any]:
    """Run a batch of rows: its columns in place if they fit as they are, else converted."""
    inputs = session.get_inputs()
    nulls = session._reader.nulls if session.description else bytes([1]) * len(inputs)
    program = session._program
    if program is not None:
        result = program._run_columns(names, tables.feeds(rows, inputs, chosen), nulls)
        if result is not None:
            return result
    return session.run(names, tables.tensors(rows, inputs, chosen))


def _features(session: Session) -> list[str] | None:
    names = getattr(session, "feature_names_in_", None)
    return None if names is None else [str(n) for n in names]


def _first_rows(session: Session, data: Path | None, rows: int) -> dict[str, Any]:
    if data is None:
        if session.description is None or session.description.proof is None:
            raise InputError("this file carries no rows; give some: a CSV or Parquet file after the model.")
        return session.description.proof.inputs
    inputs = session.get_inputs()
    chosen = tables.choose_columns(inputs, tables.column_names(data), _features(session), ())
    types = {column: i.type for i in inputs for column in chosen[i.name]}
    first = next(iter(tables.batches(data, types, (), rows, lambda share: None)), None)
    if first is None or not first.num_rows:
        raise InputError(f"{data.name} has no rows.")
    ports = [(i.name, i.dtype, i.row_shape) for i in session.signature.inputs]
    return coerce_feeds(tables.tensors(first, inputs, chosen), ports)


def _onnxruntime(path: Path, threads: int) -> dict[str, Any]:
    try:
        return {"ONNX Runtime": timings.onnxruntime_runner(path.read_bytes(), threads)}
    except ImportError:
        return {}
