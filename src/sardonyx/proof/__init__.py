"""Does the converted model say what the estimator says? See verification.py."""
