"""Convolutional networks whose kernels are searched for the data (DASH).

>>> import dashnas
>>> model = dashnas.DashClassifier(preset="quick").fit(x_train, y_train)    # doctest: +SKIP
>>> model.predict(x_test)                                                   # doctest: +SKIP

scikit-learn compatible estimators: `DashClassifier` (classes, several labels, masks) and `DashRegressor` (numbers,
fields). Data sets by name or path: `load_dataset`. The operator alone: `agg_conv` and `agg_conv_backward`. A trained
network without an estimator: `Model`. Exceptions are in `dashnas.errors`.
"""

from dashnas import errors
from dashnas._classifier import DashClassifier
from dashnas._dashnas import Model, __version__, set_threads
from dashnas._dataset import Dataset, load_dataset
from dashnas._evaluation import Evaluation
from dashnas._operator import agg_conv, agg_conv_backward
from dashnas._regressor import DashRegressor

__all__ = [
    "DashClassifier",
    "DashRegressor",
    "Dataset",
    "Evaluation",
    "Model",
    "__version__",
    "agg_conv",
    "agg_conv_backward",
    "errors",
    "load_dataset",
    "set_threads",
]
