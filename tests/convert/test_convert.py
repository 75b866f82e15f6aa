"""Every row of the case table, in ONNX Runtime: the file says what the estimator says."""

from __future__ import annotations

import pytest

from sardonyx.operators.text import REFUSAL

from ..cases import Case, cases
from ..exactness import assert_exact
from ..outcomes import assert_recorded
from ..runtimes import in_onnxruntime


@pytest.mark.parametrize("case", list(cases()), ids=lambda c: c.name)
def test_onnxruntime_answers_like_the_estimator(case: Case) -> None:
    if not case.standard:
        with pytest.raises(Exception, match=REFUSAL):
            list(in_onnxruntime(case))
        return
    for answer in in_onnxruntime(case):
        assert_exact(answer.actual, answer.expected, case.rtol)
        assert_recorded(case, "onnxruntime", answer)
