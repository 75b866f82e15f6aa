"""``predict`` from frames: the Titanic and 30 mixed columns, from pandas, polars, pyarrow and Python's own dicts.

    python -m benchmarks.frames

Prints how many times faster than scikit-learn (which is given the pandas frame) a call is. Both are timed in turns in
one process, the shortest time of each counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from rich.console import Console
from rich.table import Table
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import sardonyx
from sardonyx.cli.demo import CATEGORIES, NUMBERS, load_passengers, make_models

ROWS = (1, 100_000)
SECONDS, TURN = 3.0, 0.02


def mixed_rows(rows: int, seed: int = 0) -> pd.DataFrame:
    """Return 10 columns of reals, 5 of integers, bools, text and categories each; a tenth of some is missing."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for i in range(10):
        columns[f"real{i}"] = np.where(rng.random(rows) < 0.1 * (i % 2), np.nan, rng.normal(size=rows))
    for i in range(5):
        columns[f"whole{i}"] = rng.integers(0, 99, rows)
        columns[f"flag{i}"] = rng.random(rows) > 0.5
        cities = rng.choice(np.array(["Oslo", "Köln", "東京", "New York"], object), rows)
        columns[f"city{i}"] = np.where(rng.random(rows) < 0.1 * (i % 2), np.nan, cities)
        columns[f"kind{i}"] = pd.Categorical(rng.choice(["red", "green", "blue"], rows))
    return pd.DataFrame(columns)


def mixed() -> tuple[Pipeline, pd.DataFrame]:
    """Return a fitted pipeline over mixed rows, and those."""
    X = mixed_rows(2000)
    by_kind = {
        kind: [name for name in X if name.startswith(kind)] for kind in ("real", "whole", "flag", "city", "kind")
    }
    prepare = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), by_kind["real"] + by_kind["whole"]),
            ("flags", "passthrough", by_kind["flag"]),
            ("text", OneHotEncoder(handle_unknown="ignore"), by_kind["city"] + by_kind["kind"]),
        ]
    )
    return make_pipeline(prepare, LogisticRegression(max_iter=500)).fit(X, X["real0"] > 0), X


def titanic() -> tuple[Pipeline, pd.DataFrame]:
    """Return the demo's logistic regression, and the passengers it learnt from."""
    people = load_passengers()
    X = people.X[NUMBERS + CATEGORIES]
    return make_models()["logistic"].fit(X, people.y), X


def in_every_kind(X: pd.DataFrame) -> dict[str, Any]:
    """Return the same rows in every kind of frame."""
    table = pa.Table.from_pandas(X, preserve_index=False)
    found = {"pandas": X, "polars": pl.from_pandas(X), "pyarrow": table}
    if len(X) == 1:
        found |= {"dict": X.astype(object).to_dict("list"), "records": X.astype(object).to_dict("records")}
    return found


def shortest(calls: dict[str, Callable[[], Any]], seconds: float) -> dict[str, float]:
    """Return the shortest time of each call, made in turns, and each turn for a while: servers are warm, too."""
    best = dict.fromkeys(calls, np.inf)
    end = time.perf_counter() + seconds
    turns = 0
    while time.perf_counter() < end or turns < 3:
        turns += 1
        for name, call in calls.items():
            stop = time.perf_counter() + TURN
            while True:
                start = time.perf_counter()
                call()
                done = time.perf_counter()
                best[name] = min(best[name], done - start)
                if done > stop:
                    break
    return best


def main() -> None:
    """Time all and print a table."""
    table = Table("rows", "from", "scikit-learn", "sardonyx", "times faster", title="predict(frame), shortest of many")
    for title, (estimator, sample) in {"Titanic": titanic(), "30 mixed columns": mixed()}.items():
        session = sardonyx.load(sardonyx.to_onnx(estimator, sample, methods=["predict"]))
        for rows in ROWS:
            X = sample.sample(rows, replace=True, random_state=1).reset_index(drop=True)
            calls: dict[str, Callable[[], Any]] = {"scikit-learn": partial(estimator.predict, X)}
            for name, frame in in_every_kind(X).items():
                np.testing.assert_array_equal(session.predict(frame), estimator.predict(X))
                calls[name] = partial(session.predict, frame)
            times = shortest(calls, SECONDS)
            slow = times.pop("scikit-learn")
            for name, taken in times.items():
                figures = f"{slow * 1e6:,.0f} µs", f"{taken * 1e6:,.1f} µs", f"{slow / taken:,.0f}"
                table.add_row(f"{rows:,} of {title}", name, *figures)
    Console().print(table)


if __name__ == "__main__":
    main()
