"""From the data people have to the tensors that a model takes.

::

    sample ──▶ signature.py   once, at conversion: names, dtypes, widths of the inputs
    data   ──▶ tensors.py     at every call: what a model of that signature takes, or an error that names the column

    containers.py   arrays, lists, sparse matrices, frames      records.py   rows that are dicts
    values.py       what every value becomes                    bags.py      rows that are sets of labels or features
    demands.py      what data must be like beyond their dtype, where an estimator would answer otherwise
"""
