"""Proof that a converted model says what the estimator says.

::

    the user's rows, and rows made to hurt (hurting.py) ──▶ estimator, runtimes (verification.py)
                                                        ──▶ what equal means, and the Report (agreement.py)
"""
