"""Every error this package raises on purpose.

    MlRegressError
    ├── InvalidInput      a file, a row of SQL or a manifest that breaks a rule; carries its faults
    │   └── UnknownPatterns   recorded predictions of patterns that are not known (yet)
    ├── Conflict          two truths that cannot both be stored
    ├── NotFound          an id that nobody registered
    ├── NotPermitted      something only the operator may allow
    ├── NotPassed         a decision that the verdict or an approval does not carry
    ├── CannotOpen        an artefact that does not become a predictor
    ├── PredictionFailed  a predictor that did not answer
    └── Unavailable       the store, a port or a folder that cannot be used now

A message says what is wrong, where it is and what to do about it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

FAULTS_SHOWN = 20


class MlRegressError(Exception):
    """Base of all errors raised on purpose."""


@dataclass(frozen=True)
class Fault:
    """One broken rule of an input.

    `row` counts records from 1 and leaves the header out; None where no row is concerned.
    `file` is the path as the person gave it, or `table <name>` for rows written with SQL.
    """

    file: str
    row: int | None
    column: str | None
    value: str | None
    rule: str

    def __str__(self) -> str:
        place = self.file
        if self.row is not None:
            place += f", row {self.row}"
        if self.column is not None:
            place += f", column {self.column!r}"
        value = "" if self.value is None else f": {shortened(self.value)!r}"
        return f"{place}{value}: {self.rule}"


def shortened(text: str, limit: int = 80) -> str:
    """The text cut to `limit` characters, with an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


class InvalidInput(MlRegressError):
    """Input that was refused whole; `faults` lists each broken rule."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        lines = [str(fault) for fault in self.faults[:FAULTS_SHOWN]]
        if len(self.faults) > FAULTS_SHOWN:
            lines.append(f"… and {len(self.faults) - FAULTS_SHOWN} more")
        super().__init__("\n".join(lines))

    @classmethod
    def single(
        cls,
        file: str,
        rule: str,
        *,
        row: int | None = None,
        column: str | None = None,
        value: str | None = None,
    ) -> "InvalidInput":
        return cls([Fault(file, row, column, value, rule)])


class UnknownPatterns(InvalidInput):
    """Recorded predictions that are sound, of patterns that the store does not know: it may know them tomorrow."""


class Conflict(MlRegressError):
    """The store holds something else under this name."""


class NotFound(MlRegressError):
    """Nothing is registered under this id."""


class NotPermitted(MlRegressError):
    """The operator has not allowed this."""


class NotPassed(MlRegressError):
    """The candidate may not be approved or promoted; the message holds every reason."""


class CannotOpen(MlRegressError):
    """The artefact did not become a predictor."""


class PredictionFailed(MlRegressError):
    """The predictor did not answer as it must."""


class Unavailable(MlRegressError):
    """The store, a port, a folder or a process cannot be used now."""
