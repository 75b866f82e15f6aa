"""scikit-learn's own instances of its estimators, a second source beside the case table: each converts and holds.

The instances are those that scikit-learn's `check_estimator` runs on (`sklearn.utils._test_common`, private, so that a
release may lack it). `verify` compares every method in both runtimes, also on rows made to hurt.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.utils import get_tags
from sklearn.utils._testing import set_random_state
from sklearn.utils.estimator_checks import _enforce_estimator_tags_X, _enforce_estimator_tags_y

import sardonyx
from sardonyx import ConversionError, InputError, registry
from sardonyx.proof.agreement import Verdict

generator = pytest.importorskip("sklearn.utils._test_common.instance_generator")

TEXTS = ["one two three", "Two, two! four", "", "fünf Straßen", "three four five"]
DICTS = [{"a": 1.0, "b": 2.0}, {"a": 3.0, "city": "Köln"}, {}, {"city": "東京"}]
#: what estimators take that do not take a matrix of numbers
SAMPLES: dict[str, Any] = {
    "CountVectorizer": TEXTS,
    "TfidfVectorizer": TEXTS,
    "HashingVectorizer": TEXTS,
    "DictVectorizer": DICTS,
    "FeatureHasher": DICTS,
    "LabelBinarizer": np.array([0, 2, 1, 2]),
    "LabelEncoder": np.array(["b", "a", "c"]),
    "MultiLabelBinarizer": np.array([[1, 2], [3, 1], [2, 3]]),
    "SparseCoder": np.random.default_rng(0).normal(size=(20, 3)),
}
#: instances whose own method refuses what it was fitted on, and why nothing is there to compare
REFUSED: dict[str, str] = {
    "DummyClassifier(strategy='stratified')": "answers at random",
}


def methods(estimator: Any) -> list[str]:
    """Return the methods of an estimator, or of a class, that take the sample, one of which may be refused."""
    has = [m for m in registry.METHODS if m not in (*registry.ALIASES, "inverse_transform")]
    return [m for m in has if hasattr(estimator, m)]


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of classes that scikit-learn has deprecated, or cannot make
    # without those that answer for the rows of their fit alone (TSNE, DBSCAN): nothing is there to convert
    INSTANCES = {str(i): i for i in generator._tested_estimators() if methods(type(i))}


def fitted(instance: Any) -> tuple[Any, Any]:
    """Return the instance fitted on what suits its tags, and the sample."""
    instance = clone(instance)
    set_random_state(instance)
    sample = SAMPLES.get(type(instance).__name__)
    if sample is not None:
        return instance.fit(sample), sample
    X, y = make_blobs(60, n_features=5, centers=3, random_state=0)
    X = _enforce_estimator_tags_X(instance, X)
    if get_tags(instance).target_tags.two_d_labels:
        y = np.stack([y, y[::-1]], axis=1)
    return instance.fit(X, _enforce_estimator_tags_y(instance, y)), X


def verdicts(estimator: Any, method: str, sample: Any) -> tuple[Verdict, ...]:
    """Convert one method and compare; nothing is said of what scikit-learn itself refuses for its own sample."""
    model = sardonyx.to_onnx(estimator, sample, methods=[method], verify=False)
    try:
        return sardonyx.verify(estimator, model, sample).verdicts
    except InputError as error:
        if "accepts none of them" in str(error):
            return ()
        raise


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", INSTANCES)
def test_instance_converts_and_holds(name: str) -> None:
    estimator, sample = fitted(INSTANCES[name])
    for method in methods(estimator):
        if registry.lookup(type(estimator), method) is None or name in REFUSED:
            with pytest.raises(ConversionError, match=type(estimator).__name__):
                sardonyx.to_onnx(estimator, sample, methods=[method])
            continue
        for verdict in verdicts(estimator, method, sample):
            assert verdict.ok, str(verdict)
