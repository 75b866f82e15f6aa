"""What a model file says of itself, as JSON under the metadata key ``sardonyx``: enough to answer like the estimator.

::

    {"version": "0.1.0", "scikit-learn": "1.9.1", "estimator": "Pipeline",
     "single": false, "by_column": false,
     "inputs": [{"name": "X", "dtype": "float64", "width": 5, "missing": "None", "sparse": false,
                 "moment": ""}],
     "features": ["age", ...] | null, "classes": array | [array, ...] | null,
     "methods": {"predict": {"outputs": ["predict"], "form": "array", "dtypes": ["<U5"], "names": [],
                             "tables": [], "layout": {"formats": ["csr"], "keeps_kind": false, ...} | null}},
     "proof": {"inputs": {name: array}, "outputs": {name: array}, "noise": {name: number}} | null}

    array = {"dtype": "<f8", "shape": [2, 5], "data": base64}  or  {"dtype": "<U5" | "|O", "shape": [3], "items": [...]}
            the first with "at": base64 of int64, where nearly all is zero: places of the data, all else is zero

A file comes from outside: `Description.parse` checks every field before anything uses it. Nothing here needs onnx.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..inputs.demands import DEMANDS
from ..inputs.signature import InputSpec, Signature
from ..layouts import Layout
from .arrays import expect, read_array, refuse, texts, write_array
from .rows import read_rows, write_rows

Array: TypeAlias = NDArray[Any]

#: the key in metadata_props, and in the metadata of a program
KEY: Final = "sardonyx"

#: how a method's arrays are handed out: one; one as a CSR matrix; a list (multi-output); a tuple; named columns of
#: several dtypes; an array whose second axis is the rows; rows that no tensor holds (ragged.py)
Form: TypeAlias = Literal[
    "array", "sparse", "list", "tuple", "columns", "stacked", "tuples", "terms", "dicts", "objects"
]  # fmt: skip
CODED: Final = ("tuples", "terms", "dicts", "objects")


@dataclass(frozen=True, slots=True)
class Method:
    """One inference method: its outputs in the file, and the dtypes (NumPy's codes) that the estimator answers in.

    `names` are those of the result's columns, where the estimator has any (``get_feature_names_out``). `tables`: what
    codes in the output stand for, in the forms of `CODED`. `layout` is that of a sparse matrix.
    """

    outputs: tuple[str, ...]
    form: Form = "array"
    dtypes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    tables: tuple[Array, ...] = field(default=(), compare=False)
    layout: Layout | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """A few rows, as tensors, with the estimator's own answers.

    `noise`: of outputs that are rounding noise in the estimator itself, how far ours were from its answers.
    """

    inputs: dict[str, Array]
    outputs: dict[str, Array]
    noise: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Description:
    """What a file says of itself; see the module. `single`: some of it is computed in float32, as scikit-learn does."""

    estimator: str
    signature: Signature
    methods: dict[str, Method]
    version: str = ""
    sklearn: str = ""
    single: bool = False
    features: tuple[str, ...] | None = None
    classes: Array | list[Array] | None = None
    proof: Proof | None = field(default=None, repr=False)

    def to_json(self) -> str:
        """Return the text form."""
        return json.dumps(
            {
                "version": self.version,
                "scikit-learn": self.sklearn,
                "estimator": self.estimator,
                "single": self.single,
                "by_column": self.signature.by_column,
                "columns": self.signature.columns,
                "demands": dict(self.signature.demands),
                "inputs": [_write_spec(spec) for spec in self.signature.inputs],
                "records": write_rows(self.signature.records),
                "features": self.features,
                "classes": _write_classes(self.classes),
                "methods": {name: _write_method(method) for name, method in self.methods.items()},
                "proof": None if self.proof is None else _write_proof(self.proof),
            },
            ensure_ascii=True,
        )

    @classmethod
    def parse(cls, text: str) -> Description:
        """Read the text form.

        Raises
        ------
        ModelError
            If a field is missing or not what it should be.
        """
        try:
            return _read(expect(json.loads(text), dict))
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
            if isinstance(error, ModelError):
                raise
            refuse(repr(error))


# ---- fields ----------------------------------------------------------------------------------------------------------


def _read(fields: dict[str, Any]) -> Description:
    features, proof = fields.get("features"), fields.get("proof")
    return Description(
        estimator=expect(fields.get("estimator"), str),
        signature=_read_signature(fields),
        methods={name: _read_method(m) for name, m in expect(fields.get("methods"), dict).items()},
        version=expect(fields.get("version"), str),
        sklearn=expect(fields.get("scikit-learn"), str),
        single=expect(fields.get("single"), bool),
        features=None if features is None else texts(features),
        classes=_read_classes(fields.get("classes")),
        proof=None if proof is None else _read_proof(expect(proof, dict)),
    )


def _write_spec(spec: InputSpec) -> dict[str, Any]:
    return {name: value for name, value in asdict(spec).items() if name not in {"objects", "own", "refused"}}


def _read_signature(fields: dict[str, Any]) -> Signature:
    specs = tuple(_read_spec(expect(spec, dict)) for spec in expect(fields.get("inputs"), list))
    records = fields.get("records")
    by_column, columns = expect(fields.get("by_column"), bool), texts(fields.get("columns", []))
    if columns and not (by_column and {spec.name for spec in specs} <= set(columns)):
        refuse("inputs that are no columns")
    known = None if records is None else read_rows(expect(records, dict), specs)
    demands = {name: expect(who, str) for name, who in expect(fields.get("demands", {}), dict).items()}
    if unknown := demands.keys() - DEMANDS:
        refuse(f"demands that this version does not know: {sorted(unknown)}")
    return Signature(specs, by_column, known, columns, demands)


def _read_spec(spec: dict[str, Any]) -> InputSpec:
    width, missing = spec.get("width"), spec.get("missing", "None")
    if missing not in ("NaN", "None"):
        refuse(f"missing text is {missing!r}")
    name, dtype = expect(spec.get("name"), str), expect(spec.get("dtype"), str)
    sparse, moment = expect(spec.get("sparse", False), bool), expect(spec.get("moment", ""), str)
    if moment and (dtype != "float64" or np.dtype(moment).kind not in "mM"):
        refuse(f"moments of dtype {moment} as {dtype}")
    return InputSpec(name, dtype, width and expect(width, int), missing, sparse, moment)


def _write_method(method: Method) -> dict[str, Any]:
    return {
        "outputs": method.outputs,
        "form": method.form,
        "dtypes": method.dtypes,
        "names": method.names,
        "tables": [write_array(table) for table in method.tables],
        "layout": None if method.layout is None else asdict(method.layout),
    }


def _read_method(method: Any) -> Method:
    fields = expect(method, dict)
    outputs, form, dtypes = texts(fields.get("outputs")), fields.get("form"), texts(fields.get("dtypes"))
    if form == "sparse" and (len(outputs) != 1 or len(dtypes) != 1 or np.dtype(dtypes[0]).kind not in "biuf"):
        refuse(f"a sparse matrix of {len(outputs)} outputs, of dtypes {dtypes}")
    if form not in get_args(Form) or len(dtypes) not in (0, len(outputs)) or not outputs:
        refuse(f"a method of form {form!r} with {len(outputs)} outputs and {len(dtypes)} dtypes")
    for dtype in dtypes:
        if np.dtype(dtype).kind not in "biufUO":
            refuse(f"dtype {dtype}")
    tables = tuple(map(read_array, expect(fields.get("tables", []), list)))
    if bool(tables) != (form in CODED) or any(table.ndim != 1 for table in tables):
        refuse(f"a method of form {form!r} with {len(tables)} tables")
    if tables and (len(outputs) != 1 or len(dtypes) != 1):
        refuse(f"codes in {len(outputs)} outputs, of dtypes {dtypes}")
    return Method(outputs, form, dtypes, texts(fields.get("names", [])), tables, _read_layout(fields.get("layout")))


def _read_layout(written: Any) -> Layout | None:
    if written is None:
        return None
    fields = expect(written, dict)
    formats = texts(fields.get("formats"))
    if not set(formats) <= {"csr", "csc"}:
        refuse(f"sparse formats {formats}")
    return Layout(formats, *(expect(fields.get(name), bool) for name in ("keeps_kind", "follows", "prunes")))


def _write_classes(classes: Array | Sequence[Array] | None) -> Any:
    if classes is None:
        return None
    return [write_array(c) for c in classes] if isinstance(classes, list) else write_array(np.asarray(classes))


def _read_classes(written: Any) -> Array | list[Array] | None:
    if written is None:
        return None
    return [read_array(c) for c in written] if isinstance(written, list) else read_array(written)


def _write_proof(proof: Proof) -> dict[str, Any]:
    parts: dict[str, Any] = {
        part: {name: write_array(array) for name, array in arrays.items()}
        for part, arrays in (("inputs", proof.inputs), ("outputs", proof.outputs))
    }
    return parts | {"noise": proof.noise}


def _read_proof(fields: Mapping[str, Any]) -> Proof:
    inputs, outputs = (
        {name: read_array(array) for name, array in expect(fields.get(part), dict).items()}
        for part in ("inputs", "outputs")
    )
    noise = expect(fields.get("noise", {}), dict)
    return Proof(inputs, outputs, {name: float(expect(value, float)) for name, value in noise.items()})
