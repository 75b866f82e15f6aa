"""What the rules of kernels/ make of a node: as it is, in float32 where it computes in halves, or row by row."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from ..kernels.elementwise import cast as cast_to
from .control_flow import joined_rows, row_of
from .halves import has_halves, narrowed, rounds_within, widened
from .inference import is_since
from .reference.graphs import is_known
from .rules import ROWLESS, Batch, Builder, Declined, NodeView, Row, Values, rules_for

#: rows of a tensor that a model without rows may take apart
MOST_SLICES = 64


class ByRule:
    """Asks the rules, one node after the other.

    Parameters
    ----------
    builder : Builder
        Takes the steps.
    whole : bool
        Whether tensors are the one row of the program.
    """

    def __init__(self, builder: Builder, *, whole: bool) -> None:
        self.builder, self.whole = builder, whole

    def __call__(self, view: NodeView, reasons: list[str]) -> Values | None:
        """Return the values that a node makes, or None and why no rule takes it."""
        domain = view.proto.domain
        if domain in ("", "ai.onnx") and view.version < 7 and not is_since(view.op_type, view.version, 7):
            return None
        if all(is_known(value) for value in view.inputs) or any(isinstance(value, Batch) for value in view.inputs):
            return None
        if rounds_within(view):
            return None
        outer, self.builder.label = self.builder.label, self.builder.label or view.proto.name or view.op_type
        try:
            if has_halves(view):
                return self._by_halves(view, reasons)
            return self._by_first_rule(view, reasons, whole=self.whole) or self._row_by_row(view, reasons)
        finally:
            self.builder.label = outer

    def _row_by_row(self, view: NodeView, reasons: list[str]) -> Values | None:
        """Return what an operator of ai.onnx.ml makes of the rows of tensors that are none to the program.

        Each slice is taken for the only row of a batch; few can be, as every one has steps of its own.
        """
        rows = [value for value in view.inputs if isinstance(value, Row)]
        count = rows[0].shape[0] if rows and rows[0].shape else 0
        if view.proto.domain != "ai.onnx.ml" or not self.whole or not 0 < count <= MOST_SLICES:
            return None
        mark = self.builder.mark()
        try:
            joined = joined_rows(self.builder, [self._of_slice(view, i, reasons) for i in range(count)])
        except Declined as declined:
            reasons.append(str(declined))
            joined = None
        if joined is None:
            self.builder.undo(mark)
        return joined

    def _of_slice(self, view: NodeView, i: int, reasons: list[str]) -> Values | None:
        inputs = tuple(row_of(self.builder, value, i) if isinstance(value, Row) else value for value in view.inputs)
        self.builder.lead = 0
        try:
            return self._by_first_rule(replace(view, inputs=inputs), reasons, whole=False)
        finally:
            self.builder.lead = ROWLESS

    def _by_halves(self, view: NodeView, reasons: list[str]) -> Values | None:
        cast = partial(cast_to, self.builder)
        mark = self.builder.mark()
        wider = widened(view, cast)
        wide = self._by_first_rule(wider, reasons, whole=self.whole) or self._row_by_row(wider, reasons)
        results = None if wide is None else narrowed(view, wide, cast)
        if results is None:
            self.builder.undo(mark)
        return results

    def _by_first_rule(self, view: NodeView, reasons: list[str], *, whole: bool) -> Values | None:
        for rule in rules_for(view.proto.domain, view.op_type, whole=whole):
            try:
                result = rule(self.builder, view)
            except Declined as declined:
                reasons += [str(declined)] if str(declined) else []
                continue
            if result is not None:
                return result
        return None
