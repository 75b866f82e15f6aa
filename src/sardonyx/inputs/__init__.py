"""From the data people have to the tensors that a model takes.

::

    sample ──▶ signature.py   once, at conversion: names, dtypes, widths of the inputs
    data   ──▶ tensors.py     at every call: what a model of that signature takes, or an error that names the column

    containers.py   arrays, lists, sparse matrices, frames      rows.py      rows that are no rows of columns:
    values.py       what every value becomes                    records.py     dicts
    demands.py      what data must be like beyond a dtype       bags.py        sets of labels, of features by name
"""
