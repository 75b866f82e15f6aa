"""The encoders of category_encoders, read from the tables that they have learnt.

A column becomes one column or several, by a table of its categories. Most encoders number categories first, and have a
table by number; what is unknown has the number -1, what is missing -2, and what no table has becomes NaN::

    "Rome" ──▶ 2 ──▶ 0.4375           TargetEncoder, WOEEncoder, ...: one number
                └──▶ 0 1 0            OneHotEncoder, BinaryEncoder, SumEncoder, ...: one row
    "Rome" ─────────▶ 17              CountEncoder, LeaveOneOutEncoder, CatBoostEncoder: no numbers between

Both tables are joined here, so that a file looks a category up once. Numbers are float64 where pandas' dtype depends on
what a batch holds.

Source: category_encoders ordinal.py, utils.py, and the module of each encoder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from category_encoders.utils import SupervisedTransformerMixin, UnsupervisedTransformerMixin
from numpy.typing import NDArray

from ..convert import Columns, Data, as_columns
from ..errors import ConversionError
from ..graph import Value, as_value
from ..inputs.values import MISSING_NAN, MISSING_NONE
from ..operators.categories import category_lookup
from ..operators.checks import refuse
from ..protos import STRING
from ..registry import converter
from .base import defined_by

UNKNOWN, MISSING = -1, -2


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """What a column becomes.

    Attributes
    ----------
    names : list
        Of the columns that come of it.
    rows : dict
        Category -> a number for each of these.
    missing, unknown : list of float, or None
        The same for what is missing, and what is no category; None where that is refused.
    refuses_none : bool
        Missing text that is None is refused: what becomes of it depends on the others of the batch.
    whole : bool
        The numbers are integers, unless one is missing; those of contrasts are floats, also where each is whole.
    """

    names: list[Any]
    rows: dict[Any, list[float]]
    missing: list[float] | None
    unknown: list[float] | None
    refuses_none: bool = False
    whole: bool = False


# ---- from categories to numbers --------------------------------------------------------------------------------------


def _is_nan(key: Any) -> bool:
    return key is None or key != key


def _numbered(est: Any) -> dict[Any, tuple[dict[Any, float], float, float | None]]:
    """Return, for each column, the numbers of categories, of what is missing, and of what is unknown."""
    found = {}
    for switch in est.mapping:
        table = dict(switch["mapping"].items())
        known = {key: float(code) for key, code in table.items() if not _is_nan(key)}
        unknown = _unknown_number(est)
        seen = next((float(code) for key, code in table.items() if _is_nan(key)), None)
        missing = (np.nan if unknown is None else unknown) if seen is None else _missing_number(est, seen)
        found[switch["col"]] = known, missing, unknown
    return found


def _unknown_number(est: Any) -> float | None:
    policy = est.handle_unknown
    if policy == "error":
        return None
    return (
        {"value": float(UNKNOWN), "return_nan": np.nan}.get(policy, np.nan)
        if isinstance(policy, str)
        else (_constant(est, "handle_unknown", policy))
    )


def _missing_number(est: Any, code: float) -> float:
    policy = est.handle_missing
    if isinstance(policy, str) or code != MISSING:
        return np.nan if policy == "return_nan" and code == MISSING else code
    return _constant(est, "handle_missing", policy)


def _constant(est: Any, name: str, policy: Any) -> float:
    if callable(policy):
        raise ConversionError(
            f"{type(est).__name__}({name}={policy!r}): a function of Python cannot be converted. Give a number, or "
            "one of category_encoders' words."
        )
    return float(policy)


def _by_number(
    est: Any, tables: Iterator[tuple[Any, list[Any], Callable[[float], list[float]]]], whole: bool = False
) -> dict[Any, Table]:
    """Return the tables of an encoder that holds an OrdinalEncoder, from what each number becomes."""
    numbered, strict = _numbered(est.ordinal_encoder), est.handle_unknown == "error"
    made = {}
    for column, names, row in tables:
        known, missing, unknown = numbered[column]
        refused = unknown is None or (strict and unknown == UNKNOWN)
        rows = {key: row(code) for key, code in known.items()}
        answer = None if refused or unknown is None else row(unknown)
        made[column] = Table(names, rows, row(missing), answer, whole=whole)
    return made


# ---- the encoders ----------------------------------------------------------------------------------------------------


def _ordinal(est: Any) -> dict[Any, Table]:
    return {
        column: Table([column], {k: [v] for k, v in known.items()}, [missing], None if unknown is None else [unknown])
        for column, (known, missing, unknown) in _numbered(est).items()
    }


def _one_number(est: Any) -> dict[Any, Table]:
    """Return tables of a number each; NaN where there is none."""

    def tables() -> Iterator[tuple[Any, list[Any], Callable[[float], list[float]]]]:
        for column, series in est.mapping.items():
            if getattr(series, "ndim", 1) != 1:
                raise ConversionError(
                    f"{type(est).__name__} with several classes cannot be converted. Encode for one class at a time."
                )
            table = {float(code): float(value) for code, value in series.items()}

            def row(code: float, table: dict[float, float] = table) -> list[float]:
                return [table.get(code, np.nan)]

            yield column, [column], row

    return _by_number(est, tables())


def _one_row(est: Any, nan_as: float = np.nan) -> dict[Any, Table]:
    """Return tables of a row each; of another number, NaN everywhere."""

    def tables() -> Iterator[tuple[Any, list[Any], Callable[[float], list[float]]]]:
        for switch in est.mapping:
            frame = switch["mapping"]
            table = {
                float(code): [float(v) for v in values] for code, values in zip(frame.index, frame.values, strict=True)
            }
            nothing = [np.nan] * frame.shape[1]

            def row(
                code: float, table: dict[float, list[float]] = table, nothing: list[float] = nothing
            ) -> list[float]:
                return table.get(nan_as if np.isnan(code) else code, nothing)

            yield switch["col"], list(frame.columns), row

    whole = all(dtype.kind in "iu" for switch in est.mapping for dtype in switch["mapping"].dtypes)
    return _by_number(est, tables(), whole)


def _one_hot(est: Any) -> dict[Any, Table]:
    return _one_row(est, nan_as=float(MISSING))


def _counts(est: Any) -> dict[Any, Table]:
    if est._min_group_categories:
        raise ConversionError("CountEncoder(min_group_size=...) joins categories by their names. Leave it None.")
    made = {}
    for column, series in est.mapping.items():
        rows = {key: [float(value)] for key, value in series.items() if not _is_nan(key)}
        seen = next((float(value) for key, value in series.items() if _is_nan(key)), np.nan)
        unknown, missing = est._handle_unknown[column], est._handle_missing[column]
        if isinstance(unknown, str):
            fill = None if unknown == "error" else 0.0 if unknown == "value" and missing != "return_nan" else np.nan
        else:
            fill = _constant(est, "handle_unknown", unknown)
        absent = [seen] if seen == seen else None if fill is None else [fill]
        made[column] = Table([column], rows, absent, None if fill is None else [fill])
    return made


def _means(est: Any, mean_of: Callable[[Any, float, float], float]) -> dict[Any, Table]:
    """Return tables of the target's means; a category that was there once has the mean of all."""
    made = {}
    overall = float(est._mean)
    for column, frame in est.mapping.items():
        levels = {
            key: mean_of(est, float(total), float(count)) if count > 1 else overall
            for key, total, count in zip(frame.index, frame["sum"], frame["count"], strict=True)
        }
        seen = next((value for key, value in levels.items() if _is_nan(key)), None)
        missing = np.nan if est.handle_missing == "return_nan" else overall if seen is None else seen
        unknown = {"error": None, "value": [overall]}.get(est.handle_unknown, [np.nan])
        made[column] = Table([column], {k: [v] for k, v in levels.items() if not _is_nan(k)}, [missing], unknown, True)
    return made


def _left_out(est: Any) -> dict[Any, Table]:
    return _means(est, lambda est, total, count: total / count)


def _catboost(est: Any) -> dict[Any, Table]:
    return _means(est, lambda est, total, count: (total + float(est._mean) * est.a) / (count + est.a))


#: the class that defines ``_transform`` -> the tables of its columns
TABLES: Mapping[str, Callable[[Any], dict[Any, Table]]] = {
    "OrdinalEncoder": _ordinal,
    "OneHotEncoder": _one_hot,
    "BaseNEncoder": _one_row,
    "BaseContrastEncoder": _one_row,
    "TargetEncoder": _one_number,
    "WOEEncoder": _one_number,
    "MEstimateEncoder": _one_number,
    "JamesSteinEncoder": _one_number,
    "GLMMEncoder": _one_number,
    "QuantileEncoder": _one_number,
    "CountTargetEncoder": _one_number,
    "CountEncoder": _counts,
    "LeaveOneOutEncoder": _left_out,
    "CatBoostEncoder": _catboost,
}


@converter(UnsupervisedTransformerMixin, SupervisedTransformerMixin, frame=True, finite=False)
def encode(est: Any, X: Data) -> Data:
    owner = defined_by(est, "_transform").__name__
    if owner not in TABLES:
        raise ConversionError(
            f"{type(est).__name__} of category_encoders cannot be converted; {', '.join(TABLES)} can, and what extends "
            f"them. Register one: @sardonyx.converter({type(est).__name__})."
        )
    for name, what in (("min_group_lumping_", "min_group_size"), ("composite_members_", "composite_cols")):
        if getattr(est, name, None):
            raise ConversionError(f"{type(est).__name__}({what}=...) joins categories by their names. Leave it out.")
    if getattr(est, "hierarchy", None) is not None:
        raise ConversionError(f"{type(est).__name__}(hierarchy=...) cannot be converted. Leave it out.")
    return _encoded(est, _as_fitted(est, X), TABLES[owner](est) if len(est.cols) else {})


def _as_fitted(est: Any, X: Data) -> Columns:
    """Return the columns under the names of the fit; those of a matrix go by position."""
    columns = as_columns(X)
    return columns if isinstance(X, Columns) else Columns(tuple(map(str, est.feature_names_in_)), columns.values)


def _encoded(est: Any, X: Columns, tables: dict[Any, Table]) -> Data:
    by_name = {str(column): table for column, table in tables.items()}
    dropped = set(map(str, est.invariant_cols)) if est.drop_invariant else set()
    made: dict[str, Value] = {}
    for name, value in zip(X.names, X.values, strict=True):
        made |= _looked_up(est, name, value, by_name[name]) if name in by_name else {name: value}
    kept = {name: value for name, value in made.items() if name not in dropped}
    result = Columns(tuple(kept), tuple(kept.values()))
    numbers = all(value.dtype != STRING for value in kept.values())
    return result if est.return_df or not numbers else result.matrix()


def _looked_up(est: Any, name: str, value: Value, table: Table) -> dict[str, Value]:
    """Return the columns that come of one."""
    if est.handle_missing == "error" or table.missing is None:
        value = refuse(value, _absent(value), message=f"{type(est).__name__}: column {name!r} has missing values")
    if table.refuses_none and value.dtype == STRING:
        message = (
            f"{type(est).__name__}: column {name!r} has None, of which it makes other numbers in other batches; use NaN"
        )
        value = refuse(value, value == MISSING_NONE, message=message)
    width = len(table.names)
    if not width and table.unknown is None:
        raise ConversionError(
            f"{type(est).__name__}(handle_unknown='error'): column {name!r} had one category, of which no column comes "
            "that could refuse others. Leave it out of cols."
        )
    missing, unknown = ([0.0] * width if row is None else row for row in (table.missing, table.unknown))
    keys, absent = _keys(est, name, value, table), _missing_keys(value)
    each = [*(table.rows[key] for key in keys), *[missing] * len(absent), unknown]
    rows = np.array(each).reshape(len(each), width)  # there are no contrasts of one category
    known = np.array([*keys, *absent, None], object)[:-1]
    if value.dtype != STRING:
        known = known.astype(np.result_type(np.array(known.tolist()), value.dtype) if len(known) else value.dtype)
        value = value.astype(known.dtype)
    place = category_lookup(
        value, known, np.arange(len(rows)), column=name, refuse_unknown=int(table.unknown is None)
    ).reshape(-1)
    found = as_value(rows.astype(np.int64) if table.whole and np.isfinite(rows).all() else rows)[place]
    return {str(made): found[:, i : i + 1] for i, made in enumerate(table.names)}


def _keys(est: Any, name: str, value: Value, table: Table) -> list[Any]:
    text = value.dtype == STRING
    if any(isinstance(key, str) != text for key in table.rows):
        raise ConversionError(
            f"{type(est).__name__}: column {name!r} of the sample holds {'text' if text else value.dtype}, and the "
            f"categories are {list(table.rows)[:3]!r} ... Give the sample the dtypes of the fit."
        )
    return list(table.rows)


def _missing_keys(value: Value) -> list[Any]:
    if value.dtype == STRING:
        return [MISSING_NAN, MISSING_NONE]
    return [np.nan] if value.dtype.kind == "f" else []


def _absent(value: Value) -> NDArray[Any] | Value:
    if value.dtype == STRING:
        return (value == MISSING_NAN) | (value == MISSING_NONE)
    return np.isnan(value) if value.dtype.kind == "f" else value != value
