"""sklearn.isotonic."""

from sklearn.isotonic import IsotonicRegression

from . import Case

CASES = [
    Case(IsotonicRegression(), "one_feature"),
    Case(IsotonicRegression(out_of_bounds="clip"), "one_feature"),
    Case(IsotonicRegression(out_of_bounds="clip", increasing=False, y_min=-1, y_max=2), "one_feature"),
    Case(IsotonicRegression(out_of_bounds="clip", increasing="auto"), "one_feature32"),
    Case(IsotonicRegression(out_of_bounds="raise"), "one_feature_inside"),
    Case(IsotonicRegression(out_of_bounds="clip"), "one_feature_constant", note="a single knot"),
]
