"""What a drift check found: plain values that the store keeps and pages show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DRIFT, NO_DRIFT, NOT_ENOUGH, NOT_COMPARED = "drift", "no drift", "not enough data", "not compared"
STATES = (DRIFT, NOT_ENOUGH, NOT_COMPARED, NO_DRIFT)
NUMBER, CATEGORY = "number", "category"


@dataclass(frozen=True)
class Test:
    """One two-sample test: its name, statistic, p, and p after Benjamini-Hochberg over all tests of the check.

    `size` is how large the difference is, in the unit of `limit`, the practical size that it has to exceed.
    """

    __test__ = False  # pytest takes a class of this name for one of its own

    name: str
    statistic: float
    p: float
    size: float
    limit: float
    adjusted: float = 1.0
    alpha: float = 0.05

    @property
    def significant(self) -> bool:
        return self.adjusted <= self.alpha

    @property
    def drifts(self) -> bool:
        """Significant, and at least of the practical size."""
        return self.significant and self.size >= self.limit


@dataclass(frozen=True)
class ColumnDrift:
    """One column of the reference against that of the batch.

    `kind` is "number" or "category". `values` holds the test of the values that are there, `gaps` that of the missing
    ones; either is None where it was not made. `reason` says why the state is what it is, in words. `reference` and
    `current` count the values that are there, `missing_reference` and `missing_current` the others. `psi` stands
    beside `psi_critical`, its 95% value for these sizes where nothing drifted; `js` is the Jensen-Shannon distance
    (base 2, 0 to 1). `outside` counts values of the batch outside the range of the reference; `new_levels` and
    `vanished` hold levels with their counts, the largest first. `means` are those of both sides, of numbers.
    `shape` is what is drawn: for numbers edges and both shares (n + 1 edges, n shares), for a category levels and
    both shares.
    """

    column: str
    kind: str
    state: str
    reason: str
    reference: int
    current: int
    missing_reference: int = 0
    missing_current: int = 0
    values: Test | None = None
    gaps: Test | None = None
    psi: float | None = None
    psi_critical: float | None = None
    js: float | None = None
    outside: int = 0
    new_levels: tuple[tuple[str, int], ...] = ()
    vanished: tuple[tuple[str, int], ...] = ()
    means: tuple[float, float] | None = None
    shape: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def drifts(self) -> bool:
        return self.state == DRIFT

    @property
    def excess(self) -> float:
        """How far it is beyond its limit (1 is at it): what the worst columns are sorted by."""
        tests = [each for each in (self.values, self.gaps) if each is not None]
        drifting = [each for each in tests if each.drifts] or tests
        return max((each.size / each.limit if each.limit > 0 else each.size for each in drifting), default=0.0)

    def as_dict(self) -> dict[str, Any]:
        return {
            **vars(self),
            "values": None if self.values is None else vars(self.values),
            "gaps": None if self.gaps is None else vars(self.gaps),
            "new_levels": [list(each) for each in self.new_levels],
            "vanished": [list(each) for each in self.vanished],
            "means": None if self.means is None else list(self.means),
            "shape": dict(self.shape),
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "ColumnDrift":
        return cls(
            **{
                **data,
                "values": None if data["values"] is None else Test(**data["values"]),
                "gaps": None if data["gaps"] is None else Test(**data["gaps"]),
                "new_levels": tuple((level, count) for level, count in data["new_levels"]),
                "vanished": tuple((level, count) for level, count in data["vanished"]),
                "means": None if data["means"] is None else tuple(data["means"]),
                "notes": tuple(data["notes"]),
            }
        )


@dataclass(frozen=True)
class DomainDrift:
    """All columns together: how well a classifier tells rows of the batch from rows of the reference.

    `auc` is over held-out rows (`held_out` a side); `bound` is what it stays below in 95% of permutations of their
    sides. `drivers` are the columns by how much the AUC falls when a column is shuffled, the largest first.
    """

    state: str
    reason: str
    auc: float | None = None
    bound: float | None = None
    p: float | None = None
    held_out: tuple[int, int] = (0, 0)
    drivers: tuple[tuple[str, float], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "held_out": list(self.held_out), "drivers": [list(each) for each in self.drivers]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "DomainDrift":
        drivers = tuple((name, fall) for name, fall in data["drivers"])
        return cls(**{**data, "held_out": tuple(data["held_out"]), "drivers": drivers})


@dataclass(frozen=True)
class MetricDrift:
    """The metric on the labelled rows of both sides; `test` is None where it was not made, and `reason` says why."""

    metric: str
    state: str
    reason: str
    reference: float | None = None
    current: float | None = None
    rows: tuple[int, int] = (0, 0)
    test: Test | None = None

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "rows": list(self.rows), "test": None if self.test is None else vars(self.test)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "MetricDrift":
        test = None if data["test"] is None else Test(**data["test"])
        return cls(**{**data, "rows": tuple(data["rows"]), "test": test})


@dataclass(frozen=True)
class DriftReport:
    """A checked batch: inputs, answers (prediction, scores, label), all columns together, and the metric.

    `question` is the digest of everything that the answer depends on; `reference` says in words what the batch was
    held against. `reason` is why nothing could be compared at all, "" where something was.
    """

    batch: str
    question: str
    reference: str
    candidate: str | None
    rows: tuple[int, int]
    columns: tuple[ColumnDrift, ...] = ()
    answers: tuple[ColumnDrift, ...] = ()
    domain: DomainDrift | None = None
    metric: MetricDrift | None = None
    notes: tuple[str, ...] = ()
    reason: str = ""
    checked_at: str = ""

    @property
    def all_columns(self) -> tuple[ColumnDrift, ...]:
        return (*self.columns, *self.answers)

    @property
    def drifting(self) -> tuple[ColumnDrift, ...]:
        """The columns and answers that drift, the farthest beyond its limit first."""
        return tuple(sorted((each for each in self.all_columns if each.drifts), key=lambda each: -each.excess))

    @property
    def state(self) -> str:
        """drift where anything drifts; where nothing could be said, why; else no drift."""
        parts: Sequence[Any] = [each for each in (*self.all_columns, self.domain, self.metric) if each is not None]
        states = {each.state for each in parts}
        if DRIFT in states:
            return DRIFT
        if NO_DRIFT in states:
            return NO_DRIFT
        return NOT_ENOUGH if NOT_ENOUGH in states else NOT_COMPARED

    def as_dict(self) -> dict[str, Any]:
        return {
            **vars(self),
            "rows": list(self.rows),
            "columns": [each.as_dict() for each in self.columns],
            "answers": [each.as_dict() for each in self.answers],
            "domain": None if self.domain is None else self.domain.as_dict(),
            "metric": None if self.metric is None else self.metric.as_dict(),
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "DriftReport":
        return cls(
            **{
                **data,
                "rows": tuple(data["rows"]),
                "columns": tuple(map(ColumnDrift.from_dict, data["columns"])),
                "answers": tuple(map(ColumnDrift.from_dict, data["answers"])),
                "domain": None if data["domain"] is None else DomainDrift.from_dict(data["domain"]),
                "metric": None if data["metric"] is None else MetricDrift.from_dict(data["metric"]),
                "notes": tuple(data["notes"]),
            }
        )
