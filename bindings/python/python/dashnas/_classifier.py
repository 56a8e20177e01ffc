"""Classes, several labels, and masks."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, _check_y, check_is_fitted, validate_data

from dashnas import _dashnas
from dashnas._base import DashEstimator, documented, over_the_grid, warn, weighted, with_shared_parameters
from dashnas.errors import ConfigError, DataError, ModelError

#: The probability above which a label or a point of a mask is predicted.
THRESHOLD = 0.5


@documented
class DashClassifier(ClassifierMixin, DashEstimator):  # type: ignore[misc]
    """A convolutional classifier whose kernels are searched for the data (DASH).

    `fit(X, y)` takes X as N×C×L (series) or N×C×H×W (images, fields); a table N×L is series of one channel. The kind
    of task follows from y:

    - `[N]`, any labels: one class for each sample; `predict_proba` is N×classes;
    - `[N, labels]` of 0 and 1: any of several labels; `predict_proba` is N×labels;
    - over the grid of X, of 0 and 1 (N×C×L, N×C×H×W or N×H×W): a mask; `predict_proba` has its shape.

    Parameters
    ----------
    {parameters}
    class_weight : dict or "balanced", optional
        The weight of each class, as if its samples had that weight; "balanced" gives each class the same sum.

    Attributes
    ----------
    classes_ : array of the classes; the indices of the labels for several labels, [0, 1] for masks
    {attributes}

    Examples
    --------
    >>> model = DashClassifier(preset="quick", time_limit=120).fit(x_train, y_train)    # doctest: +SKIP
    >>> model.score(x_test, y_test)                                                     # doctest: +SKIP
    """

    classes_: NDArray[Any]

    def __init__(
        self, *, class_weight: Mapping[Any, float] | Literal["balanced"] | None = None, **parameters: Any
    ) -> None:
        super().__init__(**parameters)
        self.class_weight = class_weight

    # scikit-learn reads the parameters from the signature.
    __init__.__signature__ = with_shared_parameters(__init__)  # type: ignore[attr-defined]

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> DashClassifier:
        """Searches the kernels, tunes and trains; X and y are described with the class.

        With weights, each sample counts by its weight in the loss and in the scores that choose settings. Samples of one
        group are kept together where samples are held out to choose settings.
        """
        if y is None:
            # scikit-learn's message.
            validate_data(self, X, y)
        x = self._training_inputs(X)
        x, labels, weights, names = weighted(x, np.asarray(y), sample_weight, groups)
        self._axes = labels.ndim
        if labels.ndim > 2:
            self.classes_ = np.array([0, 1])
            task, classes = "dense-binary", None
        elif labels.ndim == 2 and labels.shape[1] > 1:
            labels = _check_y(labels, multi_output=True)
            if type_of_target(labels, input_name="y") != "multilabel-indicator":
                raise DataError(
                    f"y of shape {labels.shape} has other values than 0 and 1",
                    "give one class for each sample, [N], or 0 and 1 for each label, [N, labels]",
                )
            if labels.shape[1:] == x.shape[2:]:
                warn(
                    f"y of shape {'×'.join(map(str, labels.shape))} is read as {labels.shape[1]} labels of each sample: if "
                    "it is a mask over the series, give it an axis of channels, y[:, None]"
                )
            self.classes_ = np.arange(labels.shape[1])
            task, classes = "multi-label", [str(label) for label in self.classes_]
        else:
            labels = _check_y(labels, multi_output=False)
            check_classification_targets(labels)
            self._axes = 1
            self.classes_ = np.unique(labels)
            task, classes = "classification", [str(label) for label in self.classes_]
        if self.class_weight is not None:
            weights = self._with_classes(labels, weights)
        found = self._center_inputs(x)
        targets = self._targets(found, labels, None)
        if len(targets) != len(found):
            raise DataError(f"Found input variables with inconsistent numbers of samples: {[len(found), len(targets)]}")
        self._train(found, targets, task, classes, weights, names)
        return self

    def _with_classes(self, labels: NDArray[Any], weights: NDArray[np.float32] | None) -> NDArray[np.float32]:
        """The weights of samples times those of their classes."""
        if labels.ndim > 1:
            raise ConfigError("class_weight is for one class for each sample", "leave it out for labels and masks")
        of_classes: NDArray[np.float32] = compute_sample_weight(self.class_weight, labels).astype(np.float32)
        if not (np.isfinite(of_classes) & (of_classes > 0)).all():
            raise ConfigError("the weights of classes are not positive", "leave out the samples of a class that is not to count")
        return of_classes if weights is None else of_classes * weights

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable class of each sample; for labels and masks, 0 or 1 for each."""
        probabilities, classes = self._predict(X)
        if classes is not None:
            return self.classes_[classes]
        return self._as_given((probabilities > THRESHOLD).astype(np.int64))

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """The probability of each class (they sum to 1), of each label, or at each point of a mask."""
        return self._as_given(self._predict(X)[0])

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """The accuracy: for several labels, of all of a sample's labels at once; for masks, over all points."""
        truth = np.asarray(y)
        if truth.ndim > 2:
            right = np.asarray(self.predict(X) == truth)
            if sample_weight is None:
                return float(np.mean(right))
            weights = _check_sample_weight(sample_weight, right)
            return float(np.average(right.reshape(len(right), -1).mean(axis=1), weights=weights))
        return float(accuracy_score(truth, self.predict(X), sample_weight=sample_weight))

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> None:
        """Writes the trained model to a file, which `load` and the command `dashnas predict` read.

        A file that dashnas did not write is replaced with `overwrite` only. To keep the estimator itself, parameters and
        all, pickle it.
        """
        check_is_fitted(self, "model_")
        kinds = {"b": "bool", "i": "int", "u": "int", "f": "float"}
        classes = self.model_.card["task"]["kind"] == "classification"
        labels = kinds.get(self.classes_.dtype.kind, "str") if classes else None
        self.model_.save(path, labels=labels, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> DashClassifier:
        """An estimator around a model file that `save` or the command wrote; its parameters are the defaults.

        Its classes have the type that `fit` was given. If the command trained the model, the type follows from the names
        in the file: whole numbers, False and True, or else strings. X may be the table that the command was
        given, as a data frame, with the label or without.
        """
        model = _dashnas.Model.load(path)
        kind = model.card["task"]["kind"]
        if kind not in ("classification", "multi-label", "dense-binary"):
            raise ModelError(f"{path} holds a model for {kind}", "load it with DashRegressor.load")
        estimator = cls()
        estimator._adopt(model, path)
        estimator._axes = {"classification": 1, "multi-label": 2}.get(kind, model.card["graph"]["dims"] + 2)
        if kind == "classification":
            names = model.card["classes"] or range(model.card["task"]["classes"])
            estimator.classes_ = _labels([str(name) for name in names], model.card.get("labels"))
        else:
            estimator.classes_ = np.arange(model.card["task"].get("labels", 2))
        return estimator

    def _targets(self, x: NDArray[np.float32], y: ArrayLike, centers: Any) -> NDArray[np.float32]:
        """Classes by number, labels as they are, masks with their channel axis."""
        labels = np.asarray(y)
        if self._axes > 2:
            return over_the_grid(x, labels)
        if self._axes == 2:
            return np.ascontiguousarray(labels, dtype=np.float32)
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
        numbers = np.minimum(np.searchsorted(self.classes_, labels), len(self.classes_) - 1)
        unknown = self.classes_[numbers] != labels
        if unknown.any():
            raise DataError(f"class {labels[unknown][0]} is not among those of y")
        return numbers.astype(np.float32)

    def _as_given(self, values: NDArray[Any]) -> NDArray[Any]:
        """A mask without the channel axis that `fit` was not given."""
        return values[:, 0] if self._axes > 2 and values.ndim > self._axes else values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _labels(names: list[str], kind: str | None) -> NDArray[Any]:
    """Classes from their names: of the type in the file or, without one, of the type that all names can have."""
    if kind is None:
        # A name like 007 is more than its number.
        whole = all(name.removeprefix("-").isdecimal() and str(int(name)) == name for name in names)
        kind = "int" if whole else "bool" if set(names) <= {"False", "True"} else "str"
    if kind == "bool":
        return np.array([name == "True" for name in names])
    return np.array(names).astype({"int": np.int64, "float": np.float64, "str": np.str_}[kind])
