"""Every row of the case table, in each runtime: the file says what the estimator says."""

from __future__ import annotations

import pytest

from sardonyx.operators.text import REFUSAL

from .cases import Case, cases
from .exactness import assert_exact
from .outcomes import assert_recorded
from .runtimes import RUNTIMES


@pytest.mark.parametrize("runtime", RUNTIMES)  # the first to change, so that a case is fitted and converted once
@pytest.mark.parametrize("case", list(cases()), ids=lambda c: c.name)
def test_a_runtime_answers_like_the_estimator(case: Case, runtime: str) -> None:
    if runtime == "onnxruntime" and not case.standard:
        with pytest.raises(Exception, match=REFUSAL):
            list(RUNTIMES[runtime](case))
        return
    for answer in RUNTIMES[runtime](case):
        assert_exact(answer.actual, answer.expected, case.rtol)
        assert_recorded(case, runtime, answer)
