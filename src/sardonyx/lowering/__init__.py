"""From an ONNX model to what the native core runs.

::

    ModelProto ──▶ lower.py walks the nodes, from the inputs on (sources.py)
                     what an operator becomes is said by a rule (kernels/), written in what rules.py offers:
                     kinds.py (values), node_view.py (nodes), builder.py (steps)
                     control_flow.py  windows.py  quantization.py  halves.py     taken apart before rules are asked
                     scope.py  inference.py     what names and foreign nodes mean
               ──▶ partition.py cuts the steps into segments ──▶ Plan (plan.py), which runs them in order
                     a native segment is a Program (program.py), written as a .sdx file (sdx.py)
                     a segment without kernels is a model for `onnx.reference`: reference_nodes.py collects it
               ──▶ borders.py makes of rows what no program gives: lists, maps, texts cut apart

    shaped.py  seen.py            programs for shapes that only the data say, and the short way to those known
    reference.py                  folds a node whose inputs are known
    reference_native.py           runs nodes of a reference segment natively after all, where shapes come to be known
    reference_rounds.py           rounds of loops that Python leads, many at a time
    reference_operators.py  reference_numbers.py  reference_control_flow.py   where onnx's own falls short
    sizes.py  reference_sizes.py  how large a value may be that a file asks for
"""
