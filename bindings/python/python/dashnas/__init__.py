"""Convolutional networks whose kernels fit the data, found and trained by DASH.

>>> import dashnas
>>> model = dashnas.DashClassifier(preset="quick").fit(x_train, y_train)    # doctest: +SKIP
>>> model.predict(x_test)                                                   # doctest: +SKIP

Estimators in the manner of scikit-learn: `DashClassifier` (classes, several labels, masks) and `DashRegressor`
(numbers, fields). The operator alone: `agg_conv` and `agg_conv_backward`. A trained network without an estimator
around it: `Model`. What can go wrong is in `dashnas.errors`.
"""

from dashnas import errors
from dashnas._classifier import DashClassifier
from dashnas._dashnas import Model, __version__, set_threads
from dashnas._operator import agg_conv, agg_conv_backward
from dashnas._regressor import DashRegressor

__all__ = [
    "DashClassifier",
    "DashRegressor",
    "Model",
    "__version__",
    "agg_conv",
    "agg_conv_backward",
    "errors",
    "set_threads",
]
