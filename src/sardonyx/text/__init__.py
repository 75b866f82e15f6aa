"""Python's rules of text as tables: regular expressions as automata, and what Unicode says of each code point.

::

    pattern ──▶ assembler.py ──▶ instructions ──┬──▶ patterns.py       an automaton, for kernels that find tokens
                                                └──▶ backtracking.py   a search in bounded time ◀── matching.py: `re`
    code_points.py   lower case, accents, classes ──▶ tables.py: what kernels read
    re2.py           patterns of ONNX's own operators          methods.py   str's methods, called by name
"""
