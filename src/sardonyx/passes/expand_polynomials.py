"""Sums of polynomial kernels: one polynomial of the features, step Polynomial, where that is less work.

::

    sum over s of c[s] (gamma x.s + coef0)^d   =   sum over k <= j <= .. <= i of T[k, j, .., i] z[k] z[j] .. z[i]

with ``z = (x, 1)``. A thousand vectors of five features are 56 monomials of degree 3; the number of vectors no longer
counts. (Y.-W. Chang et al., Training and testing low-degree polynomial data mappings via linear SVM, JMLR 11, 2010.)

Contract: the same sums within rounding. Each monomial's coefficient is rounded once more than the kernels are, so the
pass leaves alone sums whose monomials are large beside the kernels (LARGEST_EXCESS, tried on the vectors themselves).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from ..lowering.program import Program, Step
from .rewriting import add_slot

Floats = NDArray[np.float64]

#: codes of native/kernels/svm/svm.cpp; params before the sizes of the groups
POLY, FIXED = 0, 4
DEGREES = range(2, 9)
#: what a monomial costs beside a product of a kernel
MONOMIAL = 1.4
#: how many times larger than the kernels' magnitudes those of the monomials may be
LARGEST_EXCESS = 100.0
#: vectors on which that is tried; vectors whose products are added in one go
TRIED, CHUNK = 16, 64


def expand_polynomials(program: Program) -> Program:
    """Return the program with such sums as polynomials."""
    steps: list[Step] = []
    for step in program.steps:
        blocks = _expanded(program, step) if step.kernel == "KernelSums" and step.params[0] == POLY else None
        if blocks is None:
            steps.append(step)
            continue
        slot = replace(program.slots[step.inputs[1]], shape=blocks.shape, data=blocks)
        program, added = add_slot(program, slot)
        steps.append(Step("Polynomial", (step.inputs[0], added), step.outputs, (step.params[1],), step.label))
    return replace(program, steps=tuple(steps))


def _expanded(program: Program, step: Step) -> Floats | None:
    """Return the blocks of native/kernels/svm/polynomial.cpp, one row an output, or None where they do not pay."""
    vectors, weights = (np.asarray(program.slots[slot].data, np.float64) for slot in step.inputs[1:3])
    if program.slots[step.inputs[0]].dtype != "float64":
        return None
    degree, sizes = int(step.params[1]), [int(size) for size in step.params[FIXED:]]
    outputs = len(sizes) * len(weights)
    if degree not in DEGREES or not _pays(len(vectors), vectors.shape[1], len(weights), outputs, degree):
        return None
    z = np.c_[vectors * step.params[2], np.full(len(vectors), step.params[3])]
    stops = np.cumsum(sizes).tolist()
    groups = [slice(stop - size, stop) for size, stop in zip(sizes, stops, strict=True)]
    rows = [_blocks(z[group], c[group], degree) for group in groups for c in weights]
    if not all(np.isfinite(row).all() for row in rows) or _excess(z, vectors, weights, groups, rows, degree):
        return None
    return np.stack(rows)


def _pays(vectors: int, features: int, coefs: int, outputs: int, degree: int) -> bool:
    monomials = math.comb(features + degree, degree)
    return outputs * (MONOMIAL * monomials + 4 * features) < vectors * (features + coefs + degree)


def prefixes(n: int, degree: int) -> Iterator[tuple[tuple[int, ...], int, int]]:
    """Yield the factors between the first and the last of a monomial, and the bounds of these."""
    for prefix in combinations_with_replacement(range(n), degree - 2):
        yield prefix, prefix[0] if prefix else n - 1, prefix[-1] if prefix else 0


def _blocks(z: Floats, c: Floats, degree: int) -> Floats:
    """Return the coefficients of all monomials: first factor by last factor, for each prefix."""
    n = z.shape[1]
    return np.concatenate(
        [
            (_sum(z, c * z[:, list(prefix)].prod(1), first, last) * _counts(prefix, first, last, n)).ravel()
            for prefix, first, last in prefixes(n, degree)
        ]
    )


def _sum(z: Floats, c: Floats, first: int, last: int) -> Floats:
    """Return ``sum(c[s] z[s, k] z[s, i])`` for k <= first and i >= last, chunk by chunk in extended precision."""
    total = np.zeros((first + 1, z.shape[1] - last), np.longdouble)
    for at in range(0, len(z), CHUNK):
        part = slice(at, at + CHUNK)
        total += (c[part, None] * z[part, : first + 1]).T @ z[part, last:]
    return total.astype(np.float64)


def _counts(prefix: tuple[int, ...], first: int, last: int, n: int) -> Floats:
    """Return how many products of the power are each monomial (of degree 2, none where k > i)."""
    k, i = np.arange(first + 1)[:, None], np.arange(last, n)
    inner = Counter(prefix)
    total = math.factorial(len(prefix) + 2) / math.prod(math.factorial(m) for m in inner.values())
    # k and i add one to the count of what they equal: m! becomes (m + 1)!
    of_first = np.array([1.0 + inner[int(j)] for j in k[:, 0]])[:, None]
    of_last = np.array([1.0 + inner[int(j)] for j in i]) + (k == i)
    counts: Floats = total / (of_first * of_last)
    return counts if prefix else np.where(k <= i, counts, 0.0)


def _excess(z: Floats, vectors: Floats, weights: Floats, groups: list[slice], rows: list[Floats], degree: int) -> bool:
    """Whether magnitudes of the monomials exceed those of the kernels, at some of the vectors."""
    tried = vectors[:: max(1, len(vectors) // TRIED)]
    x = np.c_[tried, np.ones(len(tried))]
    kernels = abs(x @ z.T) ** degree
    n = x.shape[1]
    for row, (group, c) in zip(rows, ((group, c) for group in groups for c in weights), strict=True):
        magnitude, at = np.zeros(len(x)), 0
        for prefix, first, last in prefixes(n, degree):
            block = abs(row[at : at + (first + 1) * (n - last)]).reshape(first + 1, n - last)
            at += block.size
            inner = ((abs(x[:, : first + 1]) @ block) * abs(x[:, last:])).sum(1)
            magnitude += abs(x[:, list(prefix)]).prod(1) * inner
        if not (magnitude <= LARGEST_EXCESS * (kernels[:, group] @ abs(c[group]))).all():
            return True
    return False
