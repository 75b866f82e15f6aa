"""`Array`: what a user's function is called with while tracing instead of an array of rows.

It has NumPy's meaning to the letter, or refuses. Rows are unknown in number and never meet each other: whatever would
mix them (a sum down the rows, a shape that takes rows for columns) is refused, not guessed. The tensor has its rows
first; the user may see them elsewhere, as in ``X.T``::

    user     (3, N)   row_axis = 1          X.T[0]      X.T.sum(axis=0)
    tensor   (N, 3)                         X[:, 0]     X.sum(axis=1)

Arrays share memory in NumPy, so that writing into one may change another. Here `owner` and `views` remember who would
share: writing is allowed where nothing else can see it, else refused.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import ConversionError
from ..graph import Value, current_graph
from ..protos import STRING

#: dtypes that are computed with; narrow integers go through int64 and are cut again
FLOATS: Final = (np.dtype(np.float32), np.dtype(np.float64))
INTEGERS: Final = tuple(np.dtype(t) for t in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"))
KNOWN: Final = (*FLOATS, *INTEGERS, np.dtype(np.bool_))

#: NumPy's functions and ufuncs as functions of arrays, filled by the modules of rules
UFUNCS: dict[np.ufunc, Callable[..., Any]] = {}
FUNCTIONS: dict[Any, Callable[..., Any]] = {}
Axes: TypeAlias = int | Sequence[int] | None


def refuse(reason: str) -> NoReturn:
    """Stop tracing, for this reason."""
    raise ConversionError(reason)


class RowCount:
    """The number of rows, ``X.shape[0]``, of which nothing is known: it may be handed to ``reshape``."""

    def __repr__(self) -> str:
        return "the number of rows"

    def _unknown(self, *_: Any) -> NoReturn:
        refuse(
            "the number of rows is not known while converting; write X.shape[1] for the columns, np.zeros_like(X) for "
            "an array as long as X."
        )

    __index__ = __int__ = __float__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _unknown
    __truediv__ = __rtruediv__ = __floordiv__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = _unknown
    __eq__ = __ne__ = _unknown
    __hash__ = object.__hash__


ROWS: Final = RowCount()


class Array:
    """An array of rows that is being computed.

    Parameters
    ----------
    value : Value of shape (N, ...)
        The tensor.
    row_axis : int, default 0
        Where the user sees the rows.
    owner : Array, optional
        The array whose memory this would be a view of; itself where nothing is shared.
    key : tuple, optional
        The index of the owner that gave this view.
    """

    __array_priority__ = 2000
    #: whether ``x ** 0.5`` is a root, as of NumPy's arrays: of -infinity and -0.0 it is another number than their power
    takes_roots = True

    def __init__(
        self, value: Value, row_axis: int = 0, owner: Array | None = None, key: tuple[Any, ...] | None = None
    ) -> None:
        self.value, self.row_axis, self.key = value, row_axis, key
        self.owner: Array = owner if owner is not None else self
        self.views: list[weakref.ref[Array]] = []
        self.writable = owner is None
        if owner is not None:
            owner.views.append(weakref.ref(self))

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """``isinstance(X, np.ndarray)`` must take the branch that it takes with data."""
        return np.ndarray

    def __hash__(self) -> int:  # noqa: PLE0309
        refuse(f"{self!r} is no key of a dict or a set; use np.isin, np.take on a table, or .map(dict)")

    # ---- what it is

    @property
    def dtype(self) -> np.dtype[Any]:
        """Its dtype; text is of objects."""
        return np.dtype(object) if self.value.dtype == STRING else self.value.dtype

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self.value.ndim

    @property
    def dims(self) -> tuple[int, ...]:
        """Sizes of all axes but the rows, in order."""
        return tuple(self.value.dim(i) for i in range(1, self.ndim))

    @property
    def shape(self) -> tuple[Any, ...]:
        """The shape that the user sees."""
        return (*self.dims[: self.row_axis], ROWS, *self.dims[self.row_axis :])

    def __str__(self) -> str:  # noqa: PLE0307
        refuse(f"{self!r} as text: what it holds is not known while converting")

    def __format__(self, _: str) -> str:
        return str(self)

    def __repr__(self) -> str:
        return f"array of {self.dtype}, shape ({', '.join('N' if n is ROWS else str(n) for n in self.shape)})"

    def like(self, value: Value, row_axis: int | None = None) -> Array:
        """Return an array of its own."""
        return Array(value, self.row_axis if row_axis is None else row_axis)

    def view(self, value: Value, row_axis: int, key: tuple[Any, ...] | None = None) -> Array:
        """Return an array that would share memory with this one."""
        return Array(value, row_axis, self.owner, key if self.owner is self else None)

    def axis(self, axis: Any) -> int:
        """Return the tensor's axis that the user calls `axis`; the rows are refused."""
        number = as_integer(axis)
        place = number + self.ndim if number < 0 else number
        if not 0 <= place < self.ndim:
            refuse(f"axis {number} is out of bounds for {self!r}")
        if place == self.row_axis:
            refuse(
                f"axis {number} of {self!r} are the rows: an answer that depends on other rows has no meaning for one "
                "row. Learn what is needed from all rows in the fit of a transformer of your own"
            )
        return place + 1 if place < self.row_axis else place

    def axes(self, axis: Axes) -> list[int]:
        """Return the tensor's axes of a reduction."""
        if axis is None:
            refuse(f"all of {self!r} would be reduced to one number, over the rows too; name the axis: axis=1")
        return [self.axis(a) for a in (axis if isinstance(axis, tuple | list) else [axis])]

    # ---- what has no meaning

    def _no_number(self, *_: Any) -> NoReturn:
        refuse(f"{self!r} is no single number: Python's float(), int(), range() and math work on one")

    __float__ = __int__ = __index__ = __complex__ = _no_number

    def __bool__(self) -> bool:
        refuse(f"{self!r} has no truth value: it differs from row to row. Use np.where(condition, a, b)")

    def __len__(self) -> int:
        if self.row_axis:
            return self.dims[0]
        ROWS._unknown()

    def __iter__(self) -> Iterator[Any]:
        if not self.row_axis:
            refuse("a loop over the rows: their number is not known. Compute with whole columns")
        return iter([self[i] for i in range(self.dims[0])])

    def __array__(self, *_: Any, **__: Any) -> NDArray[Any]:
        refuse(
            "this function reads the values of an array, which are not known while converting (a table of constants "
            "is read with np.take(table, X, axis=0))"
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not hasattr(self.__class__, name):  # hasattr(X, "iloc") is false of arrays
            raise AttributeError(f"{type(self).__name__.lower()}s have no .{name}")
        refuse(f"{type(self).__name__.lower()}s have no .{name} while converting")

    # ---- NumPy's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        rule = UFUNCS.get(ufunc)
        if rule is None:
            refuse(f"{'numpy.' if _numpys(ufunc) else ''}{ufunc.__name__} has no ONNX form here")
        if method in ("reduce", "accumulate"):
            from .reductions import along

            return along(ufunc, method, *inputs, **{k: v for k, v in options.items() if v is not None})
        out, condition = options.pop("out", None), options.pop("where", True)
        out = None if out is None or out[0] is None else out
        if method != "__call__" or options or (out is None and condition is not True) or (out and len(out) > 1):
            refuse(
                f"numpy.{ufunc.__name__}{_options(method, options)}: only the plain function has an ONNX form, and "
                "where= beside out="
            )
        result = rule(*inputs)
        if out is None:
            return result
        return out[0].assign(result if condition is True else FUNCTIONS[np.where](condition, result, out[0]))

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        rule = FUNCTIONS.get(func)
        if rule is None:
            refuse(f"{func.__module__}.{func.__name__} has no ONNX form here")
        if kwargs.pop("out", None) is not None:
            refuse(f"numpy.{func.__name__}(out=...) writes into an array; assign the result instead")
        try:
            return rule(*args, **kwargs)
        except TypeError as error:
            if isinstance(error, ConversionError):
                raise
            refuse(f"numpy.{func.__name__}: {str(error).replace('<lambda>', func.__name__)}")

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        from .namespace import NAMESPACE

        return NAMESPACE

    # ---- indexing

    def __getitem__(self, key: Any) -> Any:
        from .indexing import get
        from .masks import chosen, is_mask

        return chosen(self, key) if is_mask(key) else get(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        from .indexing import completed, updated
        from .masks import is_mask

        if is_array(value) and value.owner is self and not is_mask(key) and value.key == completed(self, key):
            return  # the second half of X[:, 0] += 1: the view has written already
        self.assign(updated(self, key, value), None if is_mask(key) else completed(self, key))

    def check_writable(self, writer: Array, key: Any = None) -> None:
        """Refuse writing where somebody else than the writer would see it."""
        from .indexing import disjoint

        if self.owner is not self or not self.writable:
            refuse("writing into an array that the caller or another array sees; write into X.copy()")
        views = [view for ref in self.views if (view := ref()) is not None and view is not writer]
        if any(key is None or view.key is None or not disjoint(self, view.key, key) for view in views):
            refuse("writing into an array of which another one is a view; copy that one: X[:, 0].copy()")

    def assign(self, result: Any, key: Any = None) -> Array:
        """Let the array hold other values from here on, as writing into it does; a view writes into its owner."""
        from .indexing import updated
        from .loops import broadcast_like

        self.owner.check_writable(self, key if self.owner is self else self.key)
        new = broadcast_like(result, self)
        if self.dtype != new.dtype and not np.can_cast(new.dtype, self.dtype, "same_kind"):
            refuse(f"cannot write {new.dtype} into an array of {self.dtype}")
        self.value = cast(new.value, self.value.dtype)
        if self.owner is not self:
            if self.key is None:
                refuse("writing into a view of a view; write into X.copy()")
            self.owner.value = updated(self.owner, self.key, Array(self.value, self.row_axis)).value
        return self

    # ---- methods

    @property
    def T(self) -> Array:
        """The transpose, which moves the rows."""
        from .shapes import transposed

        return transposed(self, tuple(reversed(range(self.ndim))))

    @property
    def size(self) -> Any:
        """The number of elements, unknown as the rows are."""
        ROWS._unknown()

    def transpose(self, *axes: Any) -> Array:
        """Permute the axes."""
        from .shapes import transposed

        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        return transposed(self, tuple(order) if order else tuple(reversed(range(self.ndim))))

    def astype(self, dtype: Any, copy: bool = True) -> Array:
        """Cast as NumPy does."""
        return self.like(cast(self.value, np.dtype(dtype)))

    def copy(self, order: str = "C") -> Array:
        """Return an array of its own."""
        return self.like(self.value)

    def reshape(self, *shape: Any, order: str = "C") -> Array:
        """Reshape what is in a row."""
        from .shapes import reshaped

        given = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        return reshaped(self, tuple(given), order)

    def fill(self, value: Any) -> None:
        """Write one number everywhere."""
        self[...] = value

    def item(self, *_: Any) -> NoReturn:
        """Refused: no single number is known."""
        self._no_number()

    def ravel(self, order: str = "C") -> Array:
        """Return one number a row as one axis."""
        from .shapes import reshaped

        return reshaped(self, (-1,), order)

    flatten = ravel

    # ---- operators and more methods: filled by methods.py


def _numpys(ufunc: np.ufunc) -> bool:
    return getattr(np, ufunc.__name__, None) is ufunc


def _options(method: str, options: dict[str, Any]) -> str:
    return ("" if method == "__call__" else f".{method}") + (f"({', '.join(options)}=...)" if options else "")


def as_integer(axis: Any) -> int:
    """Return an axis, or a size, as an int."""
    if isinstance(axis, bool) or not isinstance(axis, int | np.integer):
        refuse(f"axis {axis!r} is no integer")
    return int(axis)


# ---- shared by the rules ---------------------------------------------------------------------------------------------


def is_array(x: Any) -> bool:
    """Whether x is an array that is being traced; ``isinstance`` would ask ``__class__``."""
    return issubclass(type(x), Array)


def cast(value: Value, dtype: np.dtype[Any]) -> Value:
    """Return a tensor in another dtype, as ``astype`` does."""
    if value.dtype == dtype:
        return value
    if value.dtype == STRING or dtype not in (*KNOWN, np.dtype(np.uint64)):
        source = "text" if value.dtype == STRING else value.dtype
        refuse(f"{source} cannot become {dtype} here; computed are {', '.join(map(str, KNOWN))}")
    if dtype == np.bool_:
        return ~_equal_zero(value)
    return value.astype(dtype)


def _equal_zero(value: Value) -> Value:
    wide = value.astype(np.int64) if value.dtype.kind in "iu" else value
    return wide == wide.dtype.type(0)


def constant(x: Any, dtype: np.dtype[Any]) -> Value:
    """Return a constant of a dtype; a Python number that does not fit is refused as NumPy refuses it."""
    try:
        return current_graph().constant(np.asarray(x, dtype) if not isinstance(x, np.ndarray) else x.astype(dtype))
    except (OverflowError, TypeError, ValueError) as error:
        refuse(f"{x!r} is no {dtype}: {error}")
