"""sklearn.preprocessing._data: QuantileTransformer and KernelCenterer."""

from sklearn.preprocessing import KernelCenterer, QuantileTransformer

from . import Case

INVERSE = ("inverse_transform",)

CASES = [
    *(
        Case(QuantileTransformer(n_quantiles=n, output_distribution=d, random_state=0), data)
        for n, data in ((50, "regression"), (30, "regression_nan"), (1000, "regression32"), (100, "regression_int"))
        for d in ("uniform", "normal")
    ),
    Case(QuantileTransformer(n_quantiles=7), "positive", note="repeated quantiles"),
    Case(QuantileTransformer(n_quantiles=20, output_distribution="normal"), "one_feature", note="at quantiles"),
    Case(QuantileTransformer(n_quantiles=1), "regression"),
    Case(QuantileTransformer(n_quantiles=10, output_distribution="normal"), "one_feature_constant"),
    *(
        Case(QuantileTransformer(n_quantiles=n, output_distribution=d, random_state=0), data, INVERSE)
        for n, data in ((50, "regression"), (30, "regression_nan"), (40, "regression32"), (9, "positive"))
        for d in ("uniform", "normal")
    ),
    Case(KernelCenterer(), "gram_square"),
    Case(KernelCenterer(), "gram_square32"),
    Case(KernelCenterer(), "counts_square"),
]
