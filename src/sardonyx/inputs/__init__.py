"""From the data people have to the tensors that a model takes: see signature.py and tensors.py."""
