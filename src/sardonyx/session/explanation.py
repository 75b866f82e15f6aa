"""What `Session.explain` says: the model, and step by step what runs."""

from __future__ import annotations

from .. import _native
from .session import Session


def heading(session: Session) -> list[str]:
    """Return whose model it is, its inputs and its outputs."""
    said = session.description
    title = (
        f"{said.estimator}, scikit-learn {said.sklearn}, sardonyx {said.version}"
        if said
        else "a model of unknown origin"
    )
    lines = [title]
    for heading, nodes in (("inputs", session.get_inputs()), ("outputs", session.get_outputs())):
        lines.append(heading)
        lines += [f"  {n.name}  {n.type}  {n.shape}" for n in nodes]
    return lines


def program_lines(program: _native.Program) -> list[str]:
    """Return the steps of a program, and in which kernels they run."""
    size, count = program.nbytes / 1024, len(program.steps)
    blocks = f"blocks of {program.block_rows} rows, up to {program.threads} threads"
    blocks = blocks if program.block_rows else "all rows at once"
    lines = [f"native    {count} steps, {program.isa}, {blocks}, {size:.1f} KiB"]
    width = max((len(kernel) for kernel, _, _ in program.steps), default=0)
    lines += [f"  {i:3d}  {kernel:{width}}  {isa:7}  {label}" for i, (kernel, isa, label) in enumerate(program.steps)]
    return lines
