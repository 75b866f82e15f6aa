"""What cannot be traced is refused, naming the function, the user's line, and why."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
import scipy.special
from sklearn.preprocessing import FunctionTransformer, scale

from sardonyx.convert import convert
from sardonyx.errors import ConversionError

X = np.random.default_rng(0).normal(size=(20, 4))
COUNTER = itertools.count()


def refused(function: Callable[..., Any], data: Any = X) -> str:
    with pytest.raises(ConversionError) as caught:
        convert(FunctionTransformer(function), data)
    return str(caught.value)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda X: X.sum(), "over the rows too"),
        (lambda X: X - X.mean(axis=0), "axis 0 .* are the rows"),
        (lambda X: np.sort(X, axis=0), "are the rows"),
        (np.median, "name one: axis=1"),
        (np.cumsum, "over the rows too"),
        (lambda X: X.max(axis=(0, 1)), "are the rows"),
        (lambda X: X[0], "index 0 chooses rows"),
        (lambda X: X[::-1], "chooses rows"),
        (lambda X: X[X[:, 0] > 0], r"X\[mask\]"),
        (lambda X: X[:, 9], "out of bounds"),
        (lambda X: X.T, "first axis is not the rows"),
        (lambda X: X.reshape(4, -1), "fixed number of rows"),
        (lambda X: X.ravel(), "from row to row"),
        (lambda X: X[:, 0] + X, "aligned from the right"),
        (lambda X: X + np.zeros((20, 1)), "a value for each row"),
        (lambda X: X @ X.T, "constant on the right"),
        (lambda X: np.einsum("ij,ij->j", X, X), "sums over the rows"),
        (lambda X: np.concatenate([X, X]), "are the rows"),
        (lambda X: np.hstack([X[:, 0], X[:, 1]]), "column_stack"),
        (lambda X: X.squeeze(), "name the axis"),
        (lambda X: np.where(X > 0), "both branches"),
        (lambda X: X if X[:, :1] > 0 else -X, "no truth value"),
        (list, "loop over the rows"),
        (float, "no single number"),
        (math.log, "no single number"),
        (lambda X: X * len(X), "number of rows is not known"),
        (lambda X: np.ones((1, X.shape[0])), "rows are not the first axis"),
        (lambda X: np.arange(X.shape[0]), "number of rows is not known"),
        (lambda X: X / X.shape[0], "number of rows is not known"),
        (lambda X: X * np.random.default_rng(0).normal(size=X.shape), "takes it where it is called by this name"),
        (lambda X: X[X > 0].sum(), "number is not known"),
        (lambda X: X.copy()[X > 0] + X[:, 0], "value by value"),
        (lambda X: np.eye(3)[np.digitize(X[:, 0], [0, 1])], "np.take"),
        (lambda X: X[X < 0] + X[X > 0], "one mask and by another"),
        (lambda X: np.percentile(X, 50), "axis=1"),
        (lambda X: np.apply_along_axis(sum, 1, X), "apply_along_axis"),
        (np.maximum.accumulate, "are the rows"),
        (lambda X: np.insert(X, 0, 1), "name the axis"),
        (lambda X: f"{X}", "as text"),
        (lambda X: {X: 1}, "no key"),
        (lambda X: X + np.random.rand(), "random numbers"),
        (lambda X: X + next(COUNTER), "counts its calls"),
        (lambda X: np.random.normal(size=X.shape), "number of rows"),
        (np.linalg.svd, "numpy.linalg.svd has no ONNX form"),
        (lambda X: np.isin(X, cast(Any, {1.0})), "one object that nothing equals"),
        (np.unique, "numpy.unique has no ONNX form"),
        (scipy.special.expit, "expit has no ONNX form"),
        (scale, "scale"),
        (lambda X: np.add(X, 1, where=X > 0), "where=...*only the plain function"),
        (lambda X: np.add(X, 1, dtype=np.float32), "dtype=...*only the plain function"),
        (lambda X: np.ones(3), "not an array of rows"),
        (lambda X: X.tolist(), "tolist"),
        (lambda X: X.foo, "AttributeError"),
        (lambda X: X.astype(np.complex128), "complex128"),
        (lambda X: np.interp(X, [1, 0], [0, 1]), "ascending order"),
        (lambda X: np.log(X.astype(np.int8)), "float16"),
    ],
)
def test_reasons(function: Callable[..., Any], why: str) -> None:
    assert re.search(why, refused(function))


def test_the_message_names_function_file_and_line() -> None:
    def centred(X: Any) -> Any:
        shifted = X + 1
        return shifted - shifted.mean(axis=0)

    line = centred.__code__.co_firstlineno + 2
    message = refused(centred)
    assert message.startswith(f"FunctionTransformer(func=centred): {__file__}, line {line}: `return shifted")
    assert "register a converter" in message


def test_the_callers_data_stay_as_they_are() -> None:
    def add(X: Any) -> Any:
        X += 1
        return X

    def alias(X: Any) -> Any:
        X = X.copy()
        first = X[:, 0]
        X[:, 0] = 5
        return first

    assert "write into X.copy()" in refused(add)
    assert "is a view" in refused(alias)


def test_numpy_is_itself_again() -> None:
    own = (np.asarray, np.array, np.c_)
    refused(lambda X: np.asarray(X).sum())
    assert (np.asarray, np.array, np.c_) == own
