"""sklearn.covariance."""

from sklearn.covariance import EllipticEnvelope

from . import Case

CASES = [
    Case(EllipticEnvelope(random_state=0), "regression"),
    Case(EllipticEnvelope(contamination=0.3, assume_centered=True, random_state=0), "regression"),
    Case(EllipticEnvelope(store_precision=False, random_state=0), "regression_int"),
    Case(EllipticEnvelope(random_state=0), "regression32_near", rtol=1e-5),
]
