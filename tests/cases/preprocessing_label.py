"""sklearn.preprocessing._label: MultiLabelBinarizer, of as many labels a row as the widest has."""

from sklearn.preprocessing import MultiLabelBinarizer

from . import Case

CASES = [
    Case(MultiLabelBinarizer(), "label_sets_str"),
    Case(MultiLabelBinarizer(sparse_output=True), "label_sets_int"),
    Case(MultiLabelBinarizer(classes=["ü", "b", "no", ""]), "label_sets_str", note="classes in another order"),
]
