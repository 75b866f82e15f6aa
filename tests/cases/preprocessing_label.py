"""sklearn.preprocessing._label: MultiLabelBinarizer, of sets of labels, and of matrices of labels."""

from sklearn.preprocessing import MultiLabelBinarizer

from . import Case

INVERSE = ("inverse_transform",)

CASES = [
    Case(MultiLabelBinarizer(), "label_sets_str"),
    Case(MultiLabelBinarizer(sparse_output=True), "label_sets_int"),
    Case(MultiLabelBinarizer(), "label_bags"),
    Case(MultiLabelBinarizer(sparse_output=True), "label_bags_int"),
    Case(MultiLabelBinarizer(classes=["ü", "q", "a"]), "label_bags", note="classes in another order"),
    Case(MultiLabelBinarizer(), "label_sets_str", INVERSE),
    Case(MultiLabelBinarizer(), "label_sets_int", INVERSE),
    Case(MultiLabelBinarizer(classes=["ü", "b", "no", ""]), "label_sets_str", note="classes in another order"),
]
