"""The command run: what it answers and writes, from which tables, and what it refuses."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import OneHotEncoder

import sardonyx
from sardonyx.cli import INTERRUPTED, OK, USAGE, formats, tables

from .conftest import Run, Titanic


@pytest.mark.parametrize("rows", ["rows.csv", "rows.parquet"])
@pytest.mark.parametrize("out", ["out.csv", "out.parquet", "out.tsv"])
@pytest.mark.parametrize("batch", [7, 65_536])
def test_run_answers_for_a_table(run: Run, titanic: Titanic, tmp_path: Path, rows: str, out: str, batch: int) -> None:
    path = tmp_path / out
    code, _, _ = run("run", titanic("model.onnx"), titanic(rows), "-o", path, "--keep", "name", "--batch", batch)
    assert code == OK
    found = (
        pd.read_parquet(path)
        if path.suffix == ".parquet"
        else pd.read_csv(path, sep="\t" if out[-3:] == "tsv" else ",")
    )
    assert list(found.columns) == ["name", "predict", "predict_proba_0", "predict_proba_1"]
    assert found["name"].tolist() == titanic.rows["name"].tolist()
    assert found["predict"].tolist() == titanic.estimator.predict(titanic.rows[titanic.features]).tolist()
    np.testing.assert_allclose(found.iloc[:, 2:], titanic.expected, rtol=1e-10)


@pytest.mark.parametrize(("rows", "out"), [("rows.arrow", "out.arrows"), ("rows.arrows", "out.feather")])
def test_run_reads_and_writes_arrow(run: Run, titanic: Titanic, tmp_path: Path, rows: str, out: str) -> None:
    table = pa.Table.from_pandas(titanic.rows, preserve_index=False)
    table = table.set_column(table.column_names.index("sex"), "sex", table["sex"].dictionary_encode())
    make = pa.ipc.new_file if rows == "rows.arrow" else pa.ipc.new_stream
    with pa.OSFile(str(tmp_path / rows), "wb") as sink, make(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=50)
    code, _, _ = run("run", titanic("model.onnx"), tmp_path / rows, "-o", tmp_path / out, "--keep", "name", "age")
    assert code == OK
    with pa.OSFile(str(tmp_path / out)) as source:
        reader = pa.ipc.open_stream(source) if out == "out.arrows" else pa.ipc.open_file(source)
        found = reader.read_all()
    assert found.select(["name", "age"]).equals(table.select(["name", "age"]).combine_chunks())
    np.testing.assert_allclose(found["predict_proba_1"], titanic.expected[:, 1], rtol=1e-10)
    whole = (tmp_path / rows).read_bytes()
    (tmp_path / rows).write_bytes(whole[: len(whole) // 2])
    code, _, err = run("run", titanic("model.onnx"), tmp_path / rows, "-o", tmp_path / out)
    assert code == USAGE
    assert rows in err


def test_a_sample_may_be_feather(run: Run, titanic: Titanic, tmp_path: Path) -> None:
    titanic.rows.reset_index(drop=True).to_feather(tmp_path / "rows.feather")
    sample = tmp_path / "rows.feather"
    assert run("convert", titanic("model.joblib"), sample, "--target", "survived", "-o", tmp_path / "m.onnx")[0] == OK


@pytest.mark.parametrize("groups", [1, 40])
def test_tables_are_read_a_batch_at_a_time(tmp_path: Path, groups: int) -> None:
    """Arrow holds a batch and the buffers of the columns, not what was read before nor what comes next."""
    rng = np.random.default_rng(0)
    table = pa.table({f"x{i}": rng.normal(size=400_000) for i in range(8)})
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=400_000 // groups, use_dictionary=False)
    del table
    names = [f"x{i}" for i in range(8)]
    before, held = pa.total_allocated_bytes(), [0]
    batches = formats.PARQUET.batches(tmp_path / "rows.parquet", {}, names, 8_000, lambda share: None)
    count = 0
    for batch in batches:
        count += batch.num_rows
        held.append(pa.total_allocated_bytes())
    assert count == 400_000
    assert max(held) - before < 12e6 < 400_000 * 8 * 8 / 2


@pytest.mark.parametrize("suffix", ["csv", "parquet", "arrow", "arrows"])
def test_broken_tables(run: Run, titanic: Titanic, tmp_path: Path, suffix: str) -> None:
    broken = tmp_path / f"broken.{suffix}"
    broken.write_bytes(b"\0\1ARROW1PAR1" * 20)
    code, _, err = run("run", titanic("model.onnx"), broken, "-o", tmp_path / "out.csv")
    assert code == USAGE
    assert suffix in err
    assert [p.name for p in tmp_path.iterdir()] == [broken.name]


def test_transformed_columns_are_written_under_their_names(run: Run, tmp_path: Path) -> None:
    X = pd.DataFrame({"code": ["a", "b", "a"], "n": [1.0, 2.0, 3.0]})
    encoder = OneHotEncoder().fit(X[["code"]])
    onnx.save(sardonyx.to_onnx(encoder, X[["code"]]), tmp_path / "encode.onnx")
    X.to_parquet(tmp_path / "rows.parquet")
    assert run("run", tmp_path / "encode.onnx", tmp_path / "rows.parquet", "-o", tmp_path / "out.parquet")[0] == OK
    assert pd.read_parquet(tmp_path / "out.parquet").columns.tolist() == ["code_a", "code_b"]


def test_run_prints_csv(run: Run, titanic: Titanic) -> None:
    code, out, _ = run("run", titanic("model.onnx"), titanic("rows.csv"), "--methods", "predict")
    assert code == OK
    lines = out.split()
    assert lines[0].strip('"') == "predict"
    assert [int(x) for x in lines[1:]] == titanic.estimator.predict(titanic.rows[titanic.features]).tolist()


def test_run_writes_nothing_by_halves(run: Run, titanic: Titanic, tmp_path: Path) -> None:
    lines = Path(titanic("rows.csv")).read_text().splitlines()
    bad = lines[-1].replace(lines[-1].rsplit(",", 4)[1], "many", 1)
    (tmp_path / "rows.csv").write_text("\n".join([*lines, bad.replace(",", ",many,", 1)[: len(bad)], ""]))
    code, _, err = run("run", titanic("model.onnx"), tmp_path / "rows.csv", "-o", tmp_path / "out.csv")
    assert code == USAGE
    assert "rows.csv" in err
    assert {p.name for p in tmp_path.iterdir()} == {"rows.csv"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--methods", "transform"], "it has predict, predict_proba"),
        (["--keep", "nam"], "did you mean 'name'"),
        (["--batch", "0"], "at least 1"),
        (["-o", "out.xlsx"], ".parquet"),
        (["-o", "no/such/folder/out.csv"], "cannot be written"),
    ],
)
def test_run_refuses(run: Run, titanic: Titanic, options: list[str], message: str) -> None:
    code, _, err = run("run", titanic("model.onnx"), titanic("rows.csv"), *options)
    assert code == USAGE
    assert message in err


def test_run_writes_over_nothing_that_it_reads(run: Run, titanic: Titanic, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_bytes(Path(titanic("rows.csv")).read_bytes())
    code, _, err = run("run", titanic("model.onnx"), rows, "-o", f"{tmp_path}/../{tmp_path.name}/rows.csv")
    assert code == USAGE
    assert "is a file that is read here; give another name" in err
    assert rows.read_bytes() == Path(titanic("rows.csv")).read_bytes()


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [("age", "many", "column 'age'.*'many'; the model takes tensor.double. there"), ("embarked", b"\xff", "in UTF-8")],
)
def test_a_field_that_cannot_be_read_is_named(
    run: Run, titanic: Titanic, tmp_path: Path, column: str, value: str | bytes, message: str
) -> None:
    rows = titanic.rows.astype({column: object})
    rows[column] = "@"
    text = rows[rows.columns[::-1]].to_csv(index=False).encode()
    (tmp_path / "rows.csv").write_bytes(text.replace(b"@", value if isinstance(value, bytes) else value.encode()))
    code, _, err = run("run", titanic("model.onnx"), tmp_path / "rows.csv")
    assert code == USAGE
    assert re.search(message, err)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_run_takes_a_table_without_rows(run: Run, titanic: Titanic, tmp_path: Path, suffix: str) -> None:
    none = tmp_path / f"none.{suffix}"
    titanic.rows[:0].to_csv(none, index=False) if suffix == "csv" else titanic.rows[:0].to_parquet(none, index=False)
    code, _, err = run("run", titanic("model.onnx"), none, "-o", tmp_path / "out.csv")
    assert code == OK
    assert "0 rows" in err
    assert pd.read_csv(tmp_path / "out.csv").columns.tolist() == ["predict", "predict_proba_0", "predict_proba_1"]


def test_csv_rows_are_longer_than_a_block(
    run: Run, titanic: Titanic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "CSV_BLOCKS", (512, 4096, 1 << 16))
    names = titanic.rows["name"].astype(object).tolist()
    names[10], names[30] = "long \n name " * 60, "very, long " * 900
    rows = titanic.rows.assign(name=names)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    arguments = ("run", titanic("model.onnx"), tmp_path / "rows.csv", "-o", tmp_path / "out.parquet", "--keep", "name")
    assert run(*arguments)[0] == OK
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert found["name"].tolist() == rows["name"].tolist()
    np.testing.assert_allclose(found.iloc[:, 2:], titanic.expected, rtol=1e-10)
    rows.assign(name=[*names[:-1], "x" * (1 << 17)]).to_csv(tmp_path / "rows.csv", index=False)
    code, _, err = run(*arguments)
    assert code == USAGE
    assert "block size" in err


def test_text_stays_text_and_missing_stays_missing(run: Run, tmp_path: Path) -> None:
    X = pd.DataFrame({"code": ["007", "7", "1e3", "ü", "007"]})
    y = np.array(["", "no", "Ja 日本", "no", ""], dtype=object)
    encoder = OneHotEncoder(handle_unknown="ignore").fit(X)
    onnx.save(sardonyx.to_onnx(encoder, X), tmp_path / "encode.onnx")
    rows = pd.DataFrame({"code": ["7", "007", "1000", None, "ü"]})
    rows.to_csv(tmp_path / "rows.csv", index=False)
    assert run("run", tmp_path / "encode.onnx", tmp_path / "rows.csv", "-o", tmp_path / "out.parquet")[0] == OK
    found = pd.read_parquet(tmp_path / "out.parquet").to_numpy()
    np.testing.assert_array_equal(found, encoder.transform(rows.fillna(np.nan)).toarray())
    assert y.size == len(X)


def test_classes_name_the_columns(run: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    classifier = LogisticRegression().fit(X, np.array(["b c", "ä", ""])[rng.integers(0, 3, 60)])
    onnx.save(sardonyx.to_onnx(classifier, X), tmp_path / "m.onnx")
    pd.DataFrame(X, columns=["x", "y", "z"]).assign(id=range(60)).to_parquet(tmp_path / "rows.parquet")
    out = tmp_path / "out.parquet"
    assert run("run", tmp_path / "m.onnx", tmp_path / "rows.parquet", "-o", out, "--keep", "id")[0] == OK
    names = pq.read_schema(out).names
    assert names == ["id", "predict", "predict_proba_", "predict_proba_b c", "predict_proba_ä"]
    assert pd.read_parquet(out)["predict"].tolist() == classifier.predict(X).tolist()


def test_a_matrix_model_says_how_many_columns_it_takes(run: Run, tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(30, 2))
    onnx.save(sardonyx.to_onnx(Ridge().fit(X, X[:, 0]), X), tmp_path / "m.onnx")
    pd.DataFrame(X, columns=["a", "b"]).assign(c=0).to_csv(tmp_path / "rows.csv", index=False)
    code, _, err = run("run", tmp_path / "m.onnx", tmp_path / "rows.csv")
    assert code == USAGE
    assert "takes 2 columns, the table has 3" in err


def test_compiled_programs_are_run_checked_and_verified(run: Run, titanic: Titanic, tmp_path: Path) -> None:
    program, rows = tmp_path / "model.sdx", titanic("rows.csv")
    sardonyx.load(titanic.model).save(program)
    code, out, _ = run("run", program, rows)
    assert code == OK
    assert out == run("run", titanic("model.onnx"), rows)[1]
    assert run("check", program)[0] == OK
    assert run("verify", titanic("model.joblib"), program, rows)[0] == OK
    assert "Linear" in run("show", program)[1]
    assert "give the ONNX file" in run("bench", program)[2]


@pytest.mark.parametrize(
    ("name", "options"),
    [("semicolon.csv", {"sep": ";"}), ("tab.txt", {"sep": "\t"}), ("bom.csv", {"encoding": "utf-8-sig"}),
     ("windows.csv", {"lineterminator": "\r\n"}), ("quoted.csv", {"quoting": 1})],
)  # fmt: skip
def test_csv_of_any_dialect(run: Run, titanic: Titanic, tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    rows = titanic.rows.rename(columns={"survived": 'a;"b";c;d;e;f;g;h;i;j'} if name == "quoted.csv" else {})
    rows.to_csv(tmp_path / name, index=False, **options)
    assert run("run", titanic("model.onnx"), tmp_path / name, "-o", tmp_path / "out.csv")[0] == OK
    answers = pd.read_csv(tmp_path / "out.csv")
    np.testing.assert_allclose(answers["predict_proba_1"], titanic.expected[:, 1], rtol=1e-12)


def test_columns_of_one_name_are_refused(run: Run, titanic: Titanic, tmp_path: Path) -> None:
    header, *lines = (titanic.folder / "rows.csv").read_text().splitlines()
    (tmp_path / "twice.csv").write_text("\n".join([f"{header},age", *(f"{line},1" for line in lines)]))
    code, _, err = run("run", titanic("model.onnx"), tmp_path / "twice.csv", "-o", tmp_path / "out.csv")
    assert code == USAGE
    assert "several columns named 'age'" in err
    assert not (tmp_path / "out.csv").exists()


def test_a_sample_without_rows_is_refused(run: Run, titanic: Titanic, tmp_path: Path) -> None:
    header = (titanic.folder / "rows.csv").read_text().splitlines()[0]
    (tmp_path / "header.csv").write_text(header + "\n")
    code, _, err = run("convert", titanic("model.joblib"), tmp_path / "header.csv", "-o", tmp_path / "m.onnx")
    assert code == USAGE
    assert "has no rows" in err


def test_an_interrupted_run_leaves_no_file(
    run: Run, titanic: Titanic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, calls = tables.columns, []

    def interrupted(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return answer(*arguments)

    monkeypatch.setattr(tables, "columns", interrupted)
    out = tmp_path / "out.csv"
    code, _, err = run("run", titanic("model.onnx"), titanic("rows.csv"), "-o", out, "--batch", 10)
    assert code == INTERRUPTED
    assert "interrupted" in err
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_ended_leaves_no_file(
    run: Run, titanic: Titanic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(tables, "columns", ended)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit, match="143"):
        run("run", titanic("model.onnx"), titanic("rows.csv"), "-o", tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_named(titanic: Titanic, unbuffered: str) -> None:
    command = [sys.executable, "-m", "sardonyx", "run", titanic("model.onnx"), titanic("rows.csv")]
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=env)
    assert done.returncode == USAGE
    assert " ".join(done.stderr.split()) == "error: the standard output cannot be written: No space left on device."


def test_a_kept_column_is_no_result(run: Run, titanic: Titanic, tmp_path: Path) -> None:
    titanic.rows.assign(predict="mine").to_csv(tmp_path / "rows.csv", index=False)
    out = tmp_path / "out [b].csv"
    code, _, err = run("run", titanic("model.onnx"), tmp_path / "rows.csv", "--keep", "predict", "-o", out)
    assert code == USAGE
    assert "--keep predict: results are called so too" in err
    options = ("--keep", "predict", "--methods", "predict_proba", "-o", out)
    code, _, err = run("run", titanic("model.onnx"), tmp_path / "rows.csv", *options)
    assert code == OK
    assert str(out) in err
    assert set(pd.read_csv(out)["predict"]) == {"mine"}


def test_links_and_pipes_stay_what_they_are(run: Run, titanic: Titanic, tmp_path: Path) -> None:
    link, pipe, rows = tmp_path / "link.csv", tmp_path / "pipe.csv", titanic("rows.csv")
    link.symlink_to(tmp_path / "real.csv")
    assert run("run", titanic("model.onnx"), rows, "-o", link)[0] == OK
    assert link.is_symlink()
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as reader:
        read = reader.submit(pipe.read_bytes)
        assert run("run", titanic("model.onnx"), rows, "-o", pipe)[0] == OK
        assert read.result() == (tmp_path / "real.csv").read_bytes()
    assert pipe.is_fifo()
    assert {p.name for p in tmp_path.iterdir()} == {"link.csv", "real.csv", "pipe.csv"}
