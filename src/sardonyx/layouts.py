"""Which of SciPy's sparse forms a result has: scikit-learn's transformers keep that which is given, or choose one.

::

    given              MaxAbsScaler takes csr, csc      Normalizer takes csr      SelectKBest goes back to csc
    csr_matrix     ─▶  csr_matrix                   ─▶  csr_matrix            ─▶  csc_matrix
    csc_array      ─▶  csc_array                    ─▶  csr_array             ─▶  csc_matrix
    coo_array      ─▶  csr_array                    ─▶  csr_array             ─▶  csc_matrix
    ndarray        ─▶  ndarray                      ─▶  ndarray               ─▶  ndarray

That is decided step by step at conversion, before any matrix is given. SciPy is imported where there is one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Layout:
    """What becomes of the form that is given.

    Attributes
    ----------
    formats : tuple of str
        Those that the result may have (SciPy's names): the given matrix's if it is among them, else the first. Without
        any, the given matrix's.
    keeps_kind : bool
        Whether arrays (``csr_array``) give arrays; else all is a matrix.
    follows : bool
        Whether a dense array gives a dense array.
    prunes : bool
        Whether stored zeros are left out.
    """

    formats: tuple[str, ...] = ("csr",)
    keeps_kind: bool = False
    follows: bool = False
    prunes: bool = False

    def taken_as(self, *accepted: str, matrix: bool = False) -> Layout:
        """Return the layout of what a transformer makes that takes only these formats, the first if it must convert."""
        kept = tuple(f for f in self.formats if f in accepted) if self.formats else accepted
        return replace(self, formats=kept or accepted[:1], keeps_kind=self.keeps_kind and not matrix)


#: of the data themselves
GIVEN: Final = Layout((), keeps_kind=True, follows=True)


def beside(layouts: list[Layout]) -> Layout:
    """Return the layout of blocks joined by ``scipy.sparse.hstack(...).tocsr()``."""
    follows = bool(layouts) and all(layout.follows for layout in layouts)
    return Layout(("csr",), keeps_kind=any(layout.keeps_kind for layout in layouts), follows=follows)


def laid_out(matrix: Any, layout: Layout, given: Any) -> Any:
    """Return a ``csr_matrix`` in the form that scikit-learn returns for what was given, sparse or not."""
    form = getattr(given, "format", None) if hasattr(given, "toarray") else None
    if layout.prunes:
        matrix.eliminate_zeros()
    formats = layout.formats or (form or "csr",)
    result = matrix.asformat(form if form in formats else formats[0])
    if not layout.keeps_kind or form is None:
        return result
    import scipy.sparse

    return getattr(scipy.sparse, f"{result.format}_array")(result) if _is_array(given) else result


def _is_array(given: Any) -> bool:
    import scipy.sparse

    return isinstance(given, scipy.sparse.sparray)
