"""Exceptions. The message states the fact and the cause; `hint` gives advice.

Files that cannot be read or written are `OSError`s; Ctrl-C is `KeyboardInterrupt`.
"""


class DashnasWarning(UserWarning):
    """What is probably a mistake, or what a fit left out."""


class DashnasError(Exception):
    """Any error of this package's own."""

    hint: str | None

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\nhint: {self.hint}"


class DataError(DashnasError, ValueError):
    """Arrays that cannot be trained on or predicted from."""


class ConfigError(DashnasError, ValueError):
    """Settings that are invalid or do not fit the data."""


class ModelError(DashnasError, ValueError):
    """A model file that is damaged or of another version, or a model that cannot be exported."""


class TrainingError(DashnasError, RuntimeError):
    """Training that failed: it diverged, or all tuning trials failed."""


class OperatorError(DashnasError, ValueError):
    """Operands of the operator that do not fit together."""
