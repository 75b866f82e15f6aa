"""A model that is loaded, and answers.

::

    file ──▶ loading.py ──▶ Session (session.py) ──▶ predict, transform, run, to_frame, explain, check
                             one native program: native_session.py      several segments: plan_session.py

    frames.py      columns read where they lie, answers as the caller's kind of frame
    answers.py     arrays in the estimator's own forms and dtypes       ragged.py      rows that no tensor holds
    node_args.py   inputs and outputs as ONNX Runtime describes them    given.py       inputs that are no rows
    explanation.py what runs, for people                                writing.py     files, never by halves
    missing.py     methods that the file lacks
"""
