"""Scores of a fitted estimator on labeled samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Evaluation:
    """What labeled samples show of a network. `print` says it in sentences.

    Metrics are those of the command, by the names that it has for them; all are errors: lower is better.

    Attributes
    ----------
    metric : str
        The name of the metric.
    value : float
        The metric of the network.
    metrics : dict
        Every metric that suits the task; None where it is not defined on these samples.
    samples : int
    weighted : bool
        Whether the samples have weights, by which they count.
    plain : dict, optional
        The metrics of the plain network, if the estimator has one: see `baseline`.
    judgement : dict
        "interval" and "plain_interval", the 95 % intervals of the metric of the two networks: "low", "high", the method
        "by", and with groups their "number" in "groups"; where there is none, "no_interval" says why. "plain", the test of
        whether the samples show a difference between the two networks: its "test" ("mcnemar", the exact test of McNemar,
        "bootstrap", a paired one, or "cluster-bootstrap", which draws whole groups), the probability "p" of such a
        difference between networks that are equally good, and "difference", whether that is small enough to take it for
        one. "against_guessing", the same for a constant guess by the training targets, whose metric is "guessing".
        "verdict" and "no_better_than_guessing", sentences. Each is None where there is nothing to compare or to say.
    details : dict
        The confused classes, or the scores of each label or output.
    """

    metric: str
    value: float
    metrics: dict[str, float | None]
    samples: int
    weighted: bool
    plain: dict[str, float | None] | None
    judgement: dict[str, Any]
    details: dict[str, Any] = field(repr=False)
    text: str = field(repr=False)

    def __str__(self) -> str:
        return self.text
