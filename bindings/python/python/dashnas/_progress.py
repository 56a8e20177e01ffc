"""Progress of a run on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]
Callback = Callable[[Event], object]


class Follower:
    """Keeps the events of epochs and trials, prints those that `verbose` asks for, and calls the user's function."""

    def __init__(self, verbose: int, callback: Callback | None) -> None:
        self.verbose = int(verbose)
        self.callback = callback
        self.history: list[Event] = []
        #: All that was noted, and what of it should be known without being asked for.
        self.notes: list[str] = []
        self.warnings: list[str] = []
        #: Whether the search was a race.
        self.raced = False

    def __call__(self, event: Event) -> None:
        if event["event"] in ("epoch", "trial-finished"):
            self.history.append(event)
        self._keep(event)
        line = self._line(event)
        if line is not None:
            print(line, file=sys.stderr)
        if self.callback is not None:
            self.callback(event)

    def _keep(self, event: Event) -> None:
        """Keeps what is noted. A plan notes what a time limit leaves out."""
        kind = event["event"]
        said = [event["message"]] if kind in ("note", "warning") else []
        if kind == "planned":
            said = event["plan"]["notes"]
        self.notes += [message for message in said if message not in self.notes]
        self.raced |= kind == "trial-finished" and event.get("stage") == "search"
        if kind in ("warning", "planned"):
            self.warnings += [message for message in said if message not in self.warnings]

    def _line(self, event: Event) -> str | None:
        kind = event["event"]
        if self.verbose >= 1 and kind == "stage-finished":
            return f"{event['stage']}: finished in {event['seconds']:.1f} s"
        if self.verbose >= 1 and kind == "note":
            return str(event["message"])
        if self.verbose >= 1 and kind == "warning":
            return f"warning: {event['message']}"
        # The search of the paper has epochs, a race has trials.
        race = event.get("stage") == "search" and event.get("trial") is not None
        if self.verbose >= 2 and kind == "epoch":
            heading = f"race: trial {event['trial'] + 1}" if race else event["stage"]
            return f"{heading}: epoch {event['epoch'] + 1}/{event['epochs']}, loss {event['train_loss']:.4g}"
        if self.verbose >= 2 and kind == "trial-finished":
            score, loss = event.get("score"), event.get("loss")
            if race:
                result = event.get("reason") or "no score" if loss is None else f"loss {loss:.4g}"
                return f"race: trial {event['trial'] + 1} of {event['trials']}, {result}"
            result = event.get("reason") or "no score" if score is None else f"validation metric {score:.4g}"
            return f"{event['stage']}: trial {event['trial'] + 1}/{event['trials']}, learning rate {event['lr']:g}: {result}"
        return None
