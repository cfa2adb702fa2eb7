"""What a look for strange rows found, and which kinds of rows no pattern is near."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OUTLIER, CONFIDENT_ERROR, DISAGREEMENT, LOW_RATING = "outlier", "confident error", "disagreement", "low rating"
CAUSES = (CONFIDENT_ERROR, LOW_RATING, DISAGREEMENT, OUTLIER)


@dataclass(frozen=True)
class StrangeRow:
    """One row of a batch (`row` from 0) that is worth a person's look.

    `score` is between 0 and 1, 1 the strangest: of an outlier the share of reference rows that are less strange, of a
    confident error the score of the wrong answer, of a disagreement the share of candidates against the majority.
    """

    row: int
    cause: str
    score: float
    why: str

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "StrangeRow":
        return cls(**data)


@dataclass(frozen=True)
class CoveredCluster:
    """One kind of rows of a batch: how many, a row that stands for it, and the nearest pattern.

    `distance` is that to the nearest pattern in units of `near`, the distance below which it counts as near: within
    it lie half of the rows of this kind. None where no pattern has these inputs. `x` and `y` are where it is drawn.
    """

    number: int
    rows: int
    row: int
    inputs: Mapping[str, Any]
    problem: str | None
    pattern: str | None
    distance: float | None
    x: float
    y: float
    near: float = 1.0

    @property
    def covered(self) -> bool:
        return self.distance is not None and self.distance <= 1.0

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "CoveredCluster":
        return cls(**data)


@dataclass(frozen=True)
class OutlierReport:
    """The strange rows of a batch and its clusters; `reason` says why nothing could be said, "" otherwise.

    `strange` holds the strangest of each cause, `counts` how many there are of each. `proposed` are ids of the
    proposals that came of it.
    """

    batch: str
    question: str
    rows: int
    strange: tuple[StrangeRow, ...] = ()
    counts: Mapping[str, int] | None = None
    clusters: tuple[CoveredCluster, ...] = ()
    proposed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    reason: str = ""
    checked_at: str = ""

    @property
    def uncovered(self) -> tuple[CoveredCluster, ...]:
        return tuple(each for each in self.clusters if not each.covered)

    def as_dict(self) -> dict[str, Any]:
        return {
            **vars(self),
            "strange": [vars(each) for each in self.strange],
            "counts": dict(self.counts or {}),
            "clusters": [{**vars(each), "inputs": dict(each.inputs)} for each in self.clusters],
            "proposed": list(self.proposed),
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "OutlierReport":
        return cls(
            **{
                **data,
                "strange": tuple(map(StrangeRow.from_dict, data["strange"])),
                "clusters": tuple(map(CoveredCluster.from_dict, data["clusters"])),
                "proposed": tuple(data["proposed"]),
                "notes": tuple(data["notes"]),
            }
        )
