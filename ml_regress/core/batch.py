"""Batches: production data that arrived together."""

from dataclasses import dataclass, field
from typing import Any

ACCEPTED, QUARANTINED, RELEASED = "accepted", "quarantined", "released"
STATES = (ACCEPTED, QUARANTINED, RELEASED)


@dataclass(frozen=True)
class Batch:
    """A batch as the store knows it.

    `digest` names the kept rows (Parquet, in the archive), `schema` the production schema that they were read under.
    `starts` and `ends` are the first and the last moment of its rows, ISO texts in UTC. `candidate` served users when
    it arrived (None where nobody was production). `reasons` say why it is quarantined, or was; `notes` what was put
    right. `predicted` and `labelled` count its rows with a prediction and with a true label. A cell that broke the
    schema is missing in the kept rows.
    """

    id: str
    state: str
    digest: str
    schema: str
    rows: int
    starts: str
    ends: str
    source: str
    received_at: str
    candidate: str | None = None
    predicted: int = 0
    labelled: int = 0
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    released_by: str | None = None
    released_why: str | None = None
    released_at: str | None = None
    updated_at: str = field(default="")

    @property
    def usable(self) -> bool:
        """Whether it is checked, and may be part of a reference."""
        return self.state != QUARANTINED

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "reasons": list(self.reasons), "notes": list(self.notes)}
