"""What a model file says of itself, enough to answer like the estimator: description.py; its arrays are in arrays.py."""

from .description import CODED, KEY, Description, Form, Method, Proof

__all__ = ["CODED", "KEY", "Description", "Form", "Method", "Proof"]
