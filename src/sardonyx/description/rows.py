"""Rows of a kind of their own in a description, as JSON; what comes from a file is checked against its inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final, TypeAlias

from ..inputs.bags import Bags, HashedFeatures, LabelSets
from ..inputs.records import RECORD_DTYPES, Field, Records
from ..inputs.rows import Rows
from ..inputs.signature import InputSpec
from .arrays import expect, read_array, refuse, texts, write_array

Specs: TypeAlias = tuple[InputSpec, ...]


def write_rows(rows: Rows | None) -> dict[str, Any] | None:
    """Return what a description says of rows; None if they are rows of columns."""
    if rows is None:
        return None
    kind, write = _WRITERS[type(rows)]
    return {"kind": kind, **write(rows)} if kind else write(rows)


def read_rows(written: dict[str, Any], specs: Specs) -> Rows:
    """Return the rows that `write_rows` wrote, for a model of these inputs.

    Raises
    ------
    ModelError
        If it is malformed, or does not fit the inputs.
    """
    kind = written.get("kind")
    read = _READERS.get(kind if isinstance(kind, str) else "", _read_records)
    rows = read(written, specs)
    if isinstance(rows, Bags) and [(spec.width, spec.dtype != "str") for spec in specs] != [(rows.width, True)]:
        refuse(f"rows that are bags of {rows.width} columns become {[spec.name for spec in specs]}")
    return rows


def _write_labels(rows: LabelSets) -> dict[str, Any]:
    return {"classes": write_array(rows.classes)}


def _read_labels(written: dict[str, Any], specs: Specs) -> LabelSets:
    classes = read_array(written.get("classes"))
    if classes.ndim != 1:
        refuse(f"labels of shape {classes.shape}")
    return LabelSets(classes)


def _read_hashed(written: dict[str, Any], specs: Specs) -> HashedFeatures:
    n_features, input_type = expect(written.get("n_features"), int), expect(written.get("input_type"), str)
    if n_features < 1 or input_type not in ("dict", "pair", "string"):
        refuse(f"features hashed to {n_features} columns from {input_type!r}")
    return HashedFeatures(n_features, input_type, expect(written.get("alternate_sign"), bool))


def _read_records(written: dict[str, Any], specs: Specs) -> Records:
    fields = tuple(_read_field(expect(field, dict)) for field in expect(written.get("fields"), list))
    said = [(field.name, field.text, field.width) for field in fields]
    if said != [(spec.name, spec.dtype == "str", spec.width) for spec in specs]:
        refuse(f"rows that are dicts become {said}")
    if len({spec.dtype for spec in specs} - {"str"}) > 1 or not {s.dtype for s in specs} <= {"str", *RECORD_DTYPES}:
        refuse("numbers of dicts in several dtypes")
    features = texts(written.get("features"))
    owners = tuple(expect(owner, int) for owner in expect(written.get("owners"), list))
    if len(owners) != len(features) or not all(0 <= owner < len(fields) for owner in owners):
        refuse("features of dicts without inputs")
    return Records(expect(written.get("separator"), str), fields, features, owners)


def _read_field(field: dict[str, Any]) -> Field:
    name, key, width = expect(field.get("name"), str), expect(field.get("key"), str), expect(field.get("width"), int)
    if width < 1:
        refuse(f"an input of {width} columns")
    return Field(name, key, expect(field.get("text"), bool), width)


#: class -> the kind that a file names (dicts have no name), and what is written of it
_WRITERS: Final[dict[type[Rows], tuple[str, Callable[[Any], dict[str, Any]]]]] = {
    Records: ("", asdict),
    LabelSets: ("labels", _write_labels),
    HashedFeatures: ("hashed", asdict),
}
#: kind -> how it is read
_READERS: Final[dict[str, Callable[[dict[str, Any], Specs], Rows]]] = {
    "labels": _read_labels,
    "hashed": _read_hashed,
}
