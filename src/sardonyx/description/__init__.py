"""What a model file says of itself: enough to answer like the estimator.

::

    description.py   methods, inputs, classes, the proof        arrays.py   arrays, and checks of what a file says
    rows.py          rows that are dicts or bags
"""

from .description import CODED, KEY, Description, Form, Method, Proof

__all__ = ["CODED", "KEY", "Description", "Form", "Method", "Proof"]
