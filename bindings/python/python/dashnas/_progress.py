"""Progress of a run on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]
Callback = Callable[[Event], object]


class _Bar:
    """A bar of the steps of a stage, where `tqdm` is installed and somebody looks: in a terminal or a notebook."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._of: tuple[str, int] | None = None

    def show(self, event: Event) -> None:
        """Shows a step."""
        of = event["stage"], event["steps_total"]
        if of != self._of:
            self.close()
            self._of, self._bar = of, self._new(*of)
        if self._bar is not None:
            self._bar.update(max(0, event["step"] - self._bar.n))

    def close(self) -> None:
        """Removes the bar."""
        if self._bar is not None:
            self._bar.close()
        self._bar = self._of = None

    @staticmethod
    def _new(stage: str, total: int) -> Any:
        if not ("ipykernel" in sys.modules or sys.stderr.isatty()):
            return None
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return None
        return tqdm(total=total or None, desc=stage, unit="step", leave=False, file=sys.stderr)


class Follower:
    """Keeps the events of epochs and trials, prints those that `verbose` asks for, and calls the user's function."""

    def __init__(self, verbose: int, callback: Callback | None) -> None:
        self.verbose = int(verbose)
        self.callback = callback
        self.history: list[Event] = []
        #: All that was noted, and what of it should be known without being asked for.
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self._bar = _Bar()

    def __call__(self, event: Event) -> None:
        if event["event"] in ("epoch", "trial-finished"):
            self.history.append(event)
        self._keep(event)
        line = self._line(event)
        if line is not None:
            self._bar.close()
            print(line, file=sys.stderr)
        if self.verbose >= 1 and event["event"] == "step":
            self._bar.show(event)
        if event["event"] == "stage-finished":
            self._bar.close()
        if self.callback is not None:
            self.callback(event)

    def close(self) -> None:
        """Ends what is shown."""
        self._bar.close()

    def _keep(self, event: Event) -> None:
        """Keeps what is noted. A plan notes what a time limit leaves out."""
        kind = event["event"]
        said = [event["message"]] if kind in ("note", "warning") else []
        if kind == "planned":
            said = event["plan"]["notes"]
        self.notes += [message for message in said if message not in self.notes]
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
