"""From an ONNX model to what the native core runs.

::

    ModelProto ──▶ lower.py walks the nodes, from the inputs on (sources.py)
                     what an operator becomes is said by a rule (kernels/), which by_rule.py asks for,
                     written in what rules.py offers:
                     kinds.py (values), node_view.py (nodes), builder.py (steps)
                     control_flow.py  windows.py  quantization.py  halves.py     taken apart before rules are asked
                     scope.py  inference.py     what names and foreign nodes mean
               ──▶ partition.py cuts the steps into segments ──▶ Plan (plan.py), which runner.py runs in order
                     a native segment is a Program (program.py), written as a .sdx file (sdx.py)
                     a segment without kernels is a model for `onnx.reference` (reference/)
               ──▶ borders.py makes of rows what no program gives: lists, maps, texts cut apart

    shaped.py  seen.py            programs for shapes that only the data say, and the short way to those known
    reference/                    what runs in Python, and folds nodes whose inputs are known
    sizes.py                      how large a value may be that a file asks for
"""
