"""What `onnx.reference` does for us: what has no kernel runs in Python, and what is known is folded while lowering.

::

    while lowering     graphs.py      nodes evaluated now; models made of them; types and arrays to ONNX and back
                       steps.py       nodes without a kernel, collected into the model of one reference segment

    while running      native.py      nodes of such a segment run natively after all, where shapes come to be known
                       rounds.py      rounds of loops that Python leads, many at a time
                       operators.py   operators where onnx's own are missing, or do not do what the standard says:
                         numbers.py     of numbers
                         control_flow.py  If, Loop, Scan, optionals
                       sized.py       how large a value an operator is about to make

Nothing here knows kernels; native.py and rounds.py lower what they are given as anybody would.
"""
