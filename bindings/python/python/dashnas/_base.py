"""What the estimators share: parameters, inputs, and the trained model."""

from __future__ import annotations

import inspect
import os
import warnings
import zlib
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight, check_array, check_is_fitted, validate_data

from dashnas import _dashnas, _inputs
from dashnas._config import PARAMETERS, of_estimator, path_of, seconds, whole
from dashnas._evaluation import Evaluation
from dashnas._inputs import Layout, Lengths
from dashnas._progress import Callback, Event, Follower
from dashnas._report import Report
from dashnas._threads import threads
from dashnas._torch_module import as_module
from dashnas.errors import ConfigError, DashnasWarning, DataError

#: The parameters of both estimators, for `help`.
DESCRIBED = """preset : {"quick", "standard", "paper"}
        The amount of computation: for minutes, for a laptop, or as in appendix A.5.2 of the paper.
    time_limit : float, optional
        The longest time for fitting in seconds; all stages are planned to fit into it, and a fit that needs less ends
        earlier.
    seed : int
        The seed of all random numbers: the same seed gives the same model.
    random_state : int, RandomState or Generator, optional
        scikit-learn's name for `seed`; a generator gives another seed at each fit.
    n_jobs : int, optional
        The number of threads, -1 for one for each core. By default as many as joblib allows, or `set_threads` says. The
        result does not depend on it.
    channels : int, optional
        The number of channels of a table N×L, whose columns hold one channel behind the other. By default 1.
    layout : {"channels-first", "channels-last"}, optional
        The axis of the channels of X. By default the second one.
    fill_missing : {"linear", "zero", "mean"}, optional
        Fills missing values (NaN) within each channel of each sample. By default they are an error.
    lengths : {"pad", "truncate", "resample", "mask"}, optional
        What is done with series of unequal lengths: zeros at the end (the default), cut to the shortest, stretched to the
        longest, or kept, so that the network leaves out what follows the end.
    length : int, optional
        The length that series are brought to. By default it follows from the training data.
    kernel_sizes : list of int, optional
        The kernel sizes that are searched, all odd. By default 3, 7, 11, 15, 19 for series and 3, 5, 7, 9 for images.
    dilations : list of int, optional
        The dilations that are searched. By default 1, 3, 7, 15.
    kernels : list of (kernel size, dilation), optional
        A kernel for each layer, instead of a search.
    strategy : {"race", "paper"}, optional
        The search: a race of networks, or that of the paper. By default that of the preset.
    tune : bool, optional
        Whether the hyperparameters of the training are tuned. By default they are.
    epochs : int, optional
        The epochs of the final training, instead of those of the preset with its limits on steps.
    batch_size : int, optional
        The samples of a batch of the final training.
    learning_rate, weight_decay, momentum, dropout : float or list of float, optional
        The value in the final training, or the values that tuning chooses from.
    baseline : bool
        Whether the plain network, with the original kernels of the backbone, is trained as well, for `evaluate` to compare
        with. It is tuned and trained in the same way, and takes about as long as the tuning and the training.
    config : dict, optional
        Further settings over the preset, as {"search": {"epochs": 20}} or {"search.epochs": 20};
        docs/reference/config.md describes all of them. One that changes nothing here is an error.
    validation : (X, y), optional
        Samples for scoring the tuning trials, instead of a share of the training data.
    run_dir : path, optional
        A directory to create for the run, as by the command. Without one, nothing is left behind.
    progress : callable, optional
        A function that is called with every event of the run, a dict; an exception that it raises stops `fit`.
    verbose : {0, 1, 2}
        Prints stages and notes (1), and epochs and trials (2), to standard error; in a terminal or a notebook `tqdm`, if
        it is installed, shows the steps of a stage."""

#: The attributes of both estimators.
ATTRIBUTES = """model_ : dashnas.Model
    architecture_ : list of (kernel size, dilation), one for each searched layer
    search_ : str
        What came of the search: "searched"; "undecided", where it preferred no kernels clearly; "plain", where none were
        better than those of the plain network; "not searched", where a time limit left no time; or "given".
    choice_ : dict
        How the kernels were chosen: "by" ("race", "supernet", "given" or "not-searched"), and how sure that is: after a race
        "better_than_plain" and "better_than_random", probabilities, and "conclusion", a sentence; after the search of the
        paper "shares", those of the chosen kernels, "chance", and "undecided_layers", how many of how many layers.
    judgement_ : dict, optional
        What the last `evaluate` found in comparison with the plain network and with guessing, as `Evaluation.judgement`; of
        a run directory that was loaded, what its test split shows. None before.
    plain_ : dashnas.Model, optional
        The plain network, if it was trained.
    notes_ : list of the notes and warnings of the data and the run, as the command prints them
    n_parameters_ : int, the trained parameters of the network
    history_ : list of the events of epochs and trials; those of a race have the stage "search" and a trial
    n_features_in_ : int, channels, or columns of a table"""

Class = TypeVar("Class", bound=type)


def documented(cls: Class) -> Class:
    """Puts the shared parameters and attributes into the documentation of a class."""
    cls.__doc__ = (cls.__doc__ or "").replace("{parameters}", DESCRIBED).replace("{attributes}", ATTRIBUTES)
    return cls


def with_shared_parameters(init: Any) -> inspect.Signature:
    """The signature of an `__init__` with the parameters that both estimators have."""
    own, shared = inspect.signature(init).parameters, inspect.signature(DashEstimator.__init__).parameters
    last = [p for p in own.values() if p.name not in shared and p.kind is inspect.Parameter.KEYWORD_ONLY]
    return inspect.Signature([*shared.values(), *last])


class DashEstimator(BaseEstimator):  # type: ignore[misc]
    """The part of the estimators that does not depend on the kind of target."""

    model_: _dashnas.Model
    history_: list[Event]
    notes_: list[str]
    search_: str
    choice_: dict[str, Any]
    judgement_: dict[str, Any] | None
    plain_: _dashnas.Model | None
    n_parameters_: int
    n_features_in_: int
    #: Whether the model comes from a file, which then describes the inputs.
    _loaded = False
    #: What was subtracted from the inputs and the targets of the training.
    _centers: tuple[NDArray[np.float32] | None, NDArray[np.float32] | None] = (None, None)
    #: What the training targets suggest to guess for every sample.
    _guess: list[float] | None = None
    #: The value that stands for an unknown target in the files of a run.
    _unknown: float | None = None

    def __init__(
        self,
        *,
        preset: Literal["quick", "standard", "paper"] = "standard",
        time_limit: float | None = None,
        seed: int = 0,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
        n_jobs: int | None = None,
        channels: int | None = None,
        layout: Layout | None = None,
        fill_missing: Literal["linear", "zero", "mean"] | None = None,
        lengths: Lengths | None = None,
        length: int | None = None,
        kernel_sizes: Sequence[int] | None = None,
        dilations: Sequence[int] | None = None,
        kernels: Sequence[tuple[int, int]] | None = None,
        strategy: Literal["race", "paper"] | None = None,
        tune: bool | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | Sequence[float] | None = None,
        weight_decay: float | Sequence[float] | None = None,
        momentum: float | Sequence[float] | None = None,
        dropout: float | Sequence[float] | None = None,
        baseline: bool = False,
        config: Mapping[str, Any] | None = None,
        validation: tuple[ArrayLike, ArrayLike] | None = None,
        run_dir: str | PathLike[str] | None = None,
        progress: Callback | None = None,
        verbose: int = 0,
    ) -> None:
        self.preset = preset
        self.time_limit = time_limit
        self.seed = seed
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.channels = channels
        self.layout = layout
        self.fill_missing = fill_missing
        self.lengths = lengths
        self.length = length
        self.kernel_sizes = kernel_sizes
        self.dilations = dilations
        self.kernels = kernels
        self.strategy = strategy
        self.tune = tune
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.momentum = momentum
        self.dropout = dropout
        self.baseline = baseline
        self.config = config
        self.validation = validation
        self.run_dir = run_dir
        self.progress = progress
        self.verbose = verbose

    @property
    def architecture_(self) -> list[tuple[int, int]]:
        """Kernel size and dilation of every searched layer, from the input on."""
        check_is_fitted(self, "model_")
        return [(k, d) for k, d in self.model_.card["architecture"]["kernels"]]

    def evaluate(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        metric: str | None = None,
    ) -> Evaluation:
        """What labeled samples show: the metrics of the command, and whether they tell the network from the plain one.

        The comparison needs the plain network: fit with `baseline=True`, or load a run directory that has it. `metric` is
        the name of the metric to compare by; by default it is the one that the model was trained for. Unknown targets (NaN)
        of labels, masks, numbers and fields are left out. With weights, each sample counts by its weight.

        `groups` names the group of each sample, such as its recording or its person. Samples of one group are alike: with
        groups, the interval and the tests count groups, and not samples; for fewer than 5 groups there are none.
        """
        inputs = self._check_inputs(X)
        truth = np.asarray(y)
        if len(truth) != len(inputs):
            raise DataError(f"Found input variables with inconsistent numbers of samples: {[len(inputs), len(truth)]}")
        if self._unknown is not None and truth.dtype.kind in "fiu":
            truth = np.where(truth == np.float32(self._unknown), np.nan, truth)
        inputs, truth, weights, names = weighted(inputs, truth, sample_weight, groups)
        input_centers, target_centers = self.model_.centers
        found = _inputs.as_float32(inputs, input_centers, "X")
        targets = self._targets(found, truth, target_centers)
        expected = self._outputs()
        if targets.ndim > 1 and targets.shape[1] != expected:
            raise DataError(f"y of shape {truth.shape} has {targets.shape[1]} outputs; this model has {expected}")
        result = _dashnas.evaluate(
            self.model_,
            {"x": found, "y": targets, "weights": None if weights is None else weights.tolist(), "groups": names},
            {
                "metric": metric,
                "plain": getattr(self, "plain_", None),
                "guess": self._guess,
                "chosen_by": (getattr(self, "choice_", None) or {}).get("by"),
                "threads": threads(self.n_jobs),
            },
        )
        evaluation = Evaluation(**result)
        self.judgement_ = evaluation.judgement
        return evaluation

    def _outputs(self) -> int:
        """Classes, labels, numbers of each sample, or channels of a field."""
        task = self.model_.card["task"]
        return int(next(value for name, value in task.items() if name != "kind"))

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> None:
        """Writes the trained model to a file, which `load` and the command `dashnas predict` read.

        A file that dashnas did not write is replaced with `overwrite` only. To keep the estimator itself, parameters and
        all, pickle it.
        """
        check_is_fitted(self, "model_")
        self.model_.save(path, overwrite=overwrite)

    def to_onnx(
        self,
        path: str | PathLike[str],
        *,
        opset: int | None = None,
        raw: bool = False,
        fold: bool = False,
        overwrite: bool = False,
    ) -> None:
        """Writes the trained model as an ONNX file: raw inputs in, probabilities or values out.

        `raw` leaves out the normalization of inputs and the softmax, sigmoid or decoding of outputs; `fold` merges
        batch normalization into the convolutions. The file is verified on random inputs, and written only if it agrees
        with the model. A file that dashnas did not write is replaced with `overwrite` only.
        """
        check_is_fitted(self, "model_")
        self.model_.save_onnx(path, opset=opset, raw=raw, fold=fold, overwrite=overwrite)

    def to_torch(self, *, raw: bool = False) -> Any:
        """The trained network as a module of PyTorch, which must be installed: raw inputs in, probabilities or values out.

        `raw` leaves out the normalization of inputs and the softmax, sigmoid or decoding of outputs.
        """
        check_is_fitted(self, "model_")
        return as_module(self.model_, raw)

    def report(self, path: str | PathLike[str] | None = None, *, overwrite: bool = False) -> Report:
        """The report of the training: its course, the kernels, the settings. Notebooks show it; with a path it is
        written there, as one HTML file. A file that dashnas did not write is replaced with `overwrite` only."""
        check_is_fitted(self, "model_")
        packed: bytes | None = getattr(self, "_packed_report", None)
        if packed is None:
            raise DataError(
                "the model comes from a file, which holds no report", "`dashnas report RUN` makes that of a run directory"
            )
        report = Report(packed)
        if path is not None:
            report.save(path, overwrite=overwrite)
        return report

    def _train(
        self,
        x: NDArray[np.float32],
        y: NDArray[np.float32],
        task: str,
        classes: list[str] | None,
        weights: NDArray[np.float32] | None = None,
        groups: list[str] | None = None,
    ) -> None:
        """Searches, tunes and trains; sets `model_` and what is known of it."""
        parameters = {name: getattr(self, name) for name in PARAMETERS}
        if self._length is not None:
            # The model file says how further series are read.
            parameters["length"] = self._length
        if not isinstance(self.preset, str):
            raise ConfigError(f"preset is {self.preset!r}, not a name", "one of quick, standard, paper")
        if self.progress is not None and not callable(self.progress):
            raise ConfigError(f"progress is {self.progress!r}, not a function", "give a function of one argument, an event")
        whole("verbose", self.verbose, 0)
        chosen = [("seed", str(self._seed())), *of_estimator(self.config, parameters)]
        if self.time_limit is not None:
            chosen.append(("budget.time-limit", str(seconds(self.time_limit))))
        follower = Follower(self.verbose, self.progress)
        request: _dashnas._Request = {
            "task": task,
            "classes": classes,
            "preset": self.preset,
            "settings": chosen,
            "run_dir": None if self.run_dir is None else path_of("run_dir", self.run_dir),
            "threads": threads(self.n_jobs),
        }
        input_centers, target_centers = self._centers
        samples: _dashnas._Samples = {
            "x": x,
            "y": y,
            "weights": None if weights is None else weights.tolist(),
            "groups": groups,
            "input_centers": [] if input_centers is None else input_centers.tolist(),
            "target_centers": [] if target_centers is None else target_centers.tolist(),
        }
        try:
            self.model_, facts = _dashnas.fit(samples, request, self._validation(), follower)
        finally:
            follower.close()
        self.history_, self._loaded = follower.history, False
        self.search_, self.n_parameters_ = facts["search"], facts["parameters"]
        self.choice_, self.judgement_ = facts["choice"], None
        self.plain_, self._guess, self._unknown = facts["plain"], facts["guess"], None
        self._packed_report = zlib.compress(facts["report"].encode())
        self.notes_ = [*facts["notes"], *facts["warnings"], *follower.notes]
        for message in dict.fromkeys([*facts["warnings"], *follower.warnings]):
            warn(message)
        if self.choice_.get("undecided_layers") and self.choice_["conclusion"]:
            warn(f"{self.choice_['conclusion']} (`choice_` has the shares, and `search_` is \"{self.search_}\")")

    def _seed(self) -> int:
        if self.random_state is None:
            return whole("seed", 0 if self.seed is None else self.seed, 0)
        if self.seed not in (0, None):
            raise ConfigError(f"seed is {self.seed}, and random_state is given, too", "give one of them")
        if isinstance(self.random_state, np.random.RandomState):
            return int(self.random_state.randint(2**31 - 1))
        if isinstance(self.random_state, np.random.Generator):
            return int(self.random_state.integers(2**31 - 1))
        return whole("random_state", self.random_state, 0)

    def _validation(self) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """The samples for scoring tuning trials, if they are given."""
        if self.validation is None:
            return None
        if not isinstance(self.validation, (tuple, list)) or len(self.validation) != 2:
            raise ConfigError("validation is not a pair", "give the inputs and the targets, (X, y)")
        given_x, given_y = self.validation
        series = _inputs.samples(given_x)
        if series is not None:
            given_x = _inputs.brought_together(series, self.lengths or "pad", self._length or self.length)
        x = np.asarray(given_x)
        if self.layout == "channels-last" and x.ndim > 2:
            x = np.moveaxis(x, -1, 1)
        if not np.issubdtype(x.dtype, np.floating):
            x = x.astype(np.float64)
        found = _inputs.as_float32(_inputs.arranged(x, None, self.channels), self._centers[0], "X of validation")
        return found, self._targets(found, given_y, self._centers[1])

    def _targets(self, x: NDArray[np.float32], y: ArrayLike, centers: Any) -> NDArray[np.float32]:
        """Targets as the library expects them, without their centers."""
        raise NotImplementedError

    #: The length that series of unequal lengths were brought to.
    _length: int | None = None

    def _training_inputs(self, given: Any) -> NDArray[Any]:
        """Inputs to train on, N×C×L or N×C×H×W, as `float32` or `float64`."""
        self._length, self._centers = None, (None, None)
        series = _inputs.samples(given)
        own: list[int] = []
        if series is not None:
            own = [one.shape[1] for one in series]
            given = _inputs.brought_together(series, self.lengths or "pad", self.length)
            self._length = given.shape[2]
        elif self.layout == "channels-last" and np.ndim(given) > 2:
            given = np.moveaxis(np.asarray(given), -1, 1)
        x = validate_data(
            self, given, allow_nd=True, dtype=[np.float64, np.float32], ensure_min_samples=2, ensure_all_finite=False
        )
        check_finite(x, "X", missing=self.fill_missing is not None or self.lengths == "mask")
        if own and min(own) < max(own) and self.lengths is None:
            warn(
                f"the series are {min(own)} to {max(own)} long: {'cut or ' if self._length != max(own) else ''}padded with "
                f"zeros at the end to {self._length}; `lengths` does otherwise (\"truncate\", \"resample\" or \"mask\")"
            )
        units = _inputs.columns_of_several_units(x)
        if units is not None and (self.channels or 1) == 1:
            warn(
                f"X is a table whose columns differ in scale (deviations from {units[0]:.3g} to {units[1]:.3g}), but it is "
                "read as series of one channel, which are normalized as a whole: scale the columns first, as "
                f"make_pipeline(StandardScaler(), {type(self).__name__}()) does"
            )
        if self.layout is None and series is None and _inputs.looks_channels_last(x.shape):
            warn(
                f"X of shape {'×'.join(map(str, x.shape))} is read as {x.shape[1]} channels of "
                f"{'×'.join(map(str, x.shape[2:]))}: if its last axis holds the channels, give layout=\"channels-last\""
            )
        return _inputs.arranged(x, self.layout if self.layout != "channels-last" else None, self.channels)

    def _center_inputs(self, x: NDArray[Any]) -> NDArray[np.float32]:
        """Inputs without their offsets, which `float32` has too few digits for."""
        self._centers = (_inputs.centers(x), self._centers[1])
        return _inputs.as_float32(x, self._centers[0], "X")

    def _predict(self, given: ArrayLike) -> tuple[NDArray[Any], NDArray[np.uint32] | None]:
        """Probabilities or values, and the numbers of the classes."""
        x = self._check_inputs(given)
        input_centers, target_centers = self.model_.centers
        found = _inputs.as_float32(x, input_centers, "X")
        jobs = threads(self.n_jobs)
        values, classes = self.model_.predict_centered(found, jobs)
        if target_centers is None:
            return values, classes
        return values.astype(np.float64) + np.asarray(target_centers, dtype=np.float64), classes

    def _check_inputs(self, x: Any) -> NDArray[Any]:
        """Inputs to predict from, N×C×L or N×C×H×W."""
        check_is_fitted(self, "model_")
        card = self.model_.card
        sample, reading = card["read_as"], card["reading"]
        dtypes = [np.float64, np.float32]
        masked = reading.get("lengths") == "mask"
        missing = reading.get("fill-missing", "auto") != "auto" or masked
        length = reading.get("length", "auto")
        # A model of unequal lengths brings further series to its own.
        series = _inputs.samples(x, lists=length != "auto")
        if series is not None:
            x = _inputs.brought_together(series, reading.get("lengths", "pad"), None if length == "auto" else length)
        elif self.layout == "channels-last" and np.ndim(x) > 2:
            x = np.moveaxis(np.asarray(x), -1, 1)
        if self._loaded:
            table = by_name(x, reading.get("columns"))
            found = check_array(table, allow_nd=True, dtype=dtypes, estimator=self, ensure_all_finite=False)
            found = by_channel(found, sample)
        else:
            found = validate_data(self, x, reset=False, allow_nd=True, dtype=dtypes, ensure_all_finite=False)
            found = _inputs.arranged(found, None, self.channels if found.ndim == 2 else None)
        check_finite(found, "X", missing=missing)
        if found.ndim != len(sample) + 1:
            raise DataError(
                f"X has shape {found.shape}; this model takes {shown(sample)}",
                "the first axis is the sample, the second the channel",
            )
        return found

    def _adopt(self, model: _dashnas.Model, path: str | PathLike[str]) -> None:
        """Takes a model from a file, and from a run directory what else there is."""
        self.model_, self.history_, self._loaded = model, [], True
        self.judgement_, self.plain_, self._guess = None, None, None
        if os.path.isdir(path):
            run = _dashnas.of_run(path)
            self.search_, self.choice_ = run["search"], run["choice"]
            self.judgement_, self.plain_, self._unknown = run["judgement"], run["plain"], run["unknown"]
            self._guess, centers = run["guess"], model.centers[1]
            if self._guess is not None and centers is not None:
                # Scores are those without what is far from 0 in the targets.
                self._guess = (np.asarray(self._guess, np.float32) - np.asarray(centers, np.float32)).tolist()
        self.notes_, self.n_parameters_ = [], model.n_parameters
        self.n_features_in_ = model.card["read_as"][0]
        columns = model.card["reading"].get("columns")
        if columns is not None and not columns["sequences"]:
            self.n_features_in_ = len(columns["inputs"])
            if columns["named"]:
                self.feature_names_in_ = np.array([columns["names"][i] for i in columns["inputs"]], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = self.fill_missing is not None
        return tags


def warn(message: str) -> None:
    """Warns the caller of `fit`."""
    warnings.warn(message, DashnasWarning, stacklevel=4)


def check_finite(x: NDArray[Any], name: str, *, missing: bool = False) -> None:
    """Refuses infinite values, and missing ones unless they are to be filled."""
    bad = np.isinf(x) if missing else ~np.isfinite(x)
    if not bad.any():
        return
    place = tuple(int(i) for i in np.argwhere(bad)[0])
    nan = bool(np.isnan(x[place]))
    raise DataError(
        f"Input {name} contains {'NaN' if nan else 'infinity'}: {name}[{', '.join(map(str, place))}] is {x[place]}",
        "give `fill_missing` (\"linear\", \"zero\" or \"mean\"), or leave the samples out" if nan else "replace it by a number",
    )


def weighted(
    x: NDArray[Any], y: NDArray[Any], sample_weight: ArrayLike | None, groups: ArrayLike | None
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float32] | None, list[str] | None]:
    """The samples of some weight with their weights and groups, if there are any."""
    names = None if groups is None else [str(group) for group in np.asarray(groups).reshape(-1)]
    if names is not None and len(names) != len(x):
        raise DataError(f"{len(names)} groups for {len(x)} samples", "give the group of each sample")
    if sample_weight is None or len(x) != len(y):
        return x, y, None, names
    weights = _check_sample_weight(sample_weight, x, dtype=np.float32, ensure_non_negative=True)
    kept = weights > 0
    if not kept.any():
        raise DataError("the weights of all samples are 0", "give some samples a weight")
    if names is not None:
        names = [name for name, keep in zip(names, kept) if keep]
    return x[kept], y[kept], np.ascontiguousarray(weights[kept]), names


def shown(sample: list[int]) -> str:
    """The shape of a batch, in words: N×3×128."""
    return "×".join(["N", *map(str, sample)])


def by_name(x: Any, columns: dict[str, Any] | None) -> Any:
    """The columns of a data frame that a model was trained on, in their order, whatever else there is."""
    if columns is None or columns["sequences"] or not hasattr(x, "columns"):
        return x
    here, wanted = [str(name) for name in x.columns], columns["inputs"]
    if not columns["named"]:
        # By place: with the label, as in the training table, or without.
        return np.asarray(x)[:, wanted] if len(here) == len(columns["names"]) else x
    names = [columns["names"][i] for i in wanted]
    missing = [name for name in names if name not in here]
    if missing:
        raise DataError(
            f"X has no column {', '.join(missing[:8])}{', …' if len(missing) > 8 else ''} that the model was trained on",
            "name the columns as the training table did, or give an array of them in the same order",
        )
    return x[[x.columns[here.index(name)] for name in names]]


def by_channel(x: NDArray[Any], sample: list[int]) -> NDArray[Any]:
    """A table for a model of series: the points of the first channel, then those of the second, and so on."""
    if x.ndim != 2 or len(sample) != 2:
        return x
    channels, length = sample
    if channels == 1:
        return x[:, None, :]
    if x.shape[1] != channels * length:
        raise DataError(
            f"X has {x.shape[1]} columns; this model takes {channels * length}, {length} for each of {channels} channels",
            f"give all columns of the training table but the label, or an array {shown(sample)}",
        )
    return x.reshape(len(x), channels, length)


def over_the_grid(x: NDArray[Any], y: ArrayLike) -> NDArray[np.float32]:
    """Targets over the inputs' own grid, with their channel axis: N×C×L or N×C×H×W."""
    y = np.ascontiguousarray(y, dtype=np.float32)
    grid = x.shape[2:]
    if y.shape[1:] == grid:
        return y[:, None]
    if y.ndim == x.ndim and y.shape[2:] == grid:
        return y
    raise DataError(
        f"targets of shape {y.shape} are not over the grid of inputs of shape {x.shape}",
        "targets are [N], [N, outputs], or N×C×L or N×C×H×W over the inputs' own grid",
    )
