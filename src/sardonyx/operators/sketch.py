"""Products of count sketches: the tensor sketch of polynomial kernels.

Source: N. Pham and R. Pagh, Fast and scalable polynomial kernels via explicit feature maps, KDD 2013.
"""

from __future__ import annotations

import numpy as np

from ..graph import Value, loop, op
from . import operator


@operator("SketchProduct", outputs=("Y",))
def sketch_product(Z: Value, X: Value, places: Value, signs: Value) -> Value:
    """Return sketches convolved, in a circle, with the count sketches of rows.

    Parameters
    ----------
    Z : float64 Value of shape (N, n)
        Sketches.
    X : float64 Value of shape (N, n_features)
        Rows.
    places : int64 Value of shape (n_features,)
        Which of the n numbers of a count sketch a feature is added to.
    signs : float64 Value of shape (n_features,)
        What it is multiplied by, 1 or -1.

    Returns
    -------
    float64 Value of shape (N, n)
        ``Y[:, k] = sum over f of signs[f] * X[:, f] * Z[:, (k - places[f]) % n]``
    """
    n = Z.dim(1)
    numbers = np.arange(n, dtype=np.int64)

    def add(f: Value, total: Value) -> tuple[Value, Value]:
        at = f.reshape(1)
        turned = op.Gather(Z, op.Mod(numbers - op.Gather(places, at, axis=0) + n, n), axis=1)
        return (f >= 0), total + op.Gather(signs, at, axis=0) * op.Gather(X, at, axis=1) * turned

    return loop(add, X.dim(1), Z * 0.0)[0]
