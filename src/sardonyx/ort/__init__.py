"""ONNX Runtime's names over our sessions, so that ``import sardonyx as ort`` is enough for scripts of inference.

::

    inference_session.py   InferenceSession      values.py        OrtValue, IOBinding: arrays that are kept or bound
    options.py             of sessions, runs     devices.py       places of memory, of which there is one
    environment.py         of the runtime        variants.py      inputs other than the file says, where it allows that
    errors.py              names of errors       refusals.py      which of them, and ONNX Runtime's words
"""
