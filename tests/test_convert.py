"""Every row of the case table, in ONNX Runtime: the file says what the estimator says."""

from __future__ import annotations

import pytest

from .cases import KNOWN, Case, cases
from .exactness import assert_exact
from .outcomes import assert_recorded
from .runtimes import in_onnxruntime


@pytest.mark.parametrize("case", list(cases()), ids=lambda c: c.name)
def test_onnxruntime_answers_like_the_estimator(case: Case) -> None:
    if reason := KNOWN.get(case.name, {}).get("onnxruntime"):
        pytest.xfail(reason)
    for answer in in_onnxruntime(case):
        assert_exact(answer.actual, answer.expected, case.rtol)
        assert_recorded(case, "onnxruntime", answer)
