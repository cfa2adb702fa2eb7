"""Evaluations: the stored measurement of a cell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

OK = "ok"
ERROR = "error"
NOT_APPLICABLE = "not applicable"
PASSED, FAILED, OUTCOME_ERROR = "passed", "failed", "error"


@dataclass(frozen=True)
class Measure:
    """One metric: a value or the reason why it is undefined, and its 95% interval where one exists.

    `low` and `high` are the ends of the two-sided interval, `lower` and `upper` the one-sided 95% bounds.
    """

    name: str
    value: float | None
    reason: str | None = None
    low: float | None = None
    high: float | None = None
    lower: float | None = None
    upper: float | None = None


class Outcome(NamedTuple):
    """A prediction held against a pattern's expectation: passed, failed or error, and why."""

    pattern: str
    outcome: str
    reason: str | None = None


@dataclass(frozen=True)
class Evaluation:
    """The measurement of one candidate on one suite (or on one benchmark, which has no outcomes).

    `passes` of `answered` patterns, `errors` beside them, together `answered + errors` patterns;
    for a benchmark the three count rows and passes is None. `measures` holds the problem's metric
    first. `outcomes` are there when it is made; the store keeps them apart.
    `warnings` are for a person: dropped columns, library versions, unknown labels.
    """

    candidate: str
    problem: str
    suite: str
    state: str
    reason: str | None = None
    passes: int | None = None
    answered: int = 0
    errors: int = 0
    measures: tuple[Measure, ...] = ()
    warnings: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    seconds: float = 0.0
    run: str = ""
    evaluated_at: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...] | None = field(default=None, compare=False, repr=False)

    @property
    def metric(self) -> Measure | None:
        """The headline measure: the problem's metric, a benchmark's first."""
        return self.measures[0] if self.measures else None
