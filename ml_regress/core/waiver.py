"""Waivers and sign-offs: what a person decided, with name, reason and time."""

from collections.abc import Iterable
from dataclasses import dataclass

APPROVE, REJECT, APPROVE_WITH_WAIVERS = "approve", "reject", "approve with waivers"
DECISIONS = (APPROVE, REJECT, APPROVE_WITH_WAIVERS)


@dataclass(frozen=True)
class Waiver:
    """A dated permission for one failing requirement: of a problem, or of one of its patterns (`pattern`).

    `until` is the last day (ISO date, UTC) on which it counts; `why` and `by` are a person's words and name.
    """

    number: int
    candidate: str
    problem: str
    pattern: str | None
    by: str
    why: str
    until: str
    at: str

    def counts_at(self, moment: str) -> bool:
        """Whether it still counts at an ISO time in UTC."""
        return moment[:10] <= self.until

    @property
    def words(self) -> str:
        return f"waived until {self.until} by {self.by}: {self.why}"


@dataclass(frozen=True)
class Waivers:
    """The waivers of one candidate that count at one moment."""

    of_problems: dict[str, Waiver]
    of_patterns: dict[tuple[str, str], Waiver]

    def of_patterns_in(self, problem: str) -> dict[str, Waiver]:
        """The waivers of patterns of one problem, by pattern."""
        return {pattern: waiver for (name, pattern), waiver in self.of_patterns.items() if name == problem}

    @classmethod
    def of(cls, waivers: Iterable[Waiver], candidate: str, moment: str) -> "Waivers":
        """Those of a candidate that count at an ISO time; of several for one thing the newest."""
        counting = [each for each in waivers if each.candidate == candidate and each.counts_at(moment)]
        counting.sort(key=lambda each: each.number)
        return cls(
            {each.problem: each for each in counting if each.pattern is None},
            {(each.problem, each.pattern): each for each in counting if each.pattern is not None},
        )


@dataclass(frozen=True)
class SignOff:
    """A person's decision on a candidate, bound to the evidence that the person saw.

    `evidence_digest` names `evidence` (core.verdict.evidence_of as JSON). `used` tells that a promotion rests on it.
    """

    number: int
    candidate: str
    person: str
    role: str
    decision: str
    words: str
    at: str
    evidence_digest: str
    evidence: str
    used: bool = False

    @property
    def approves(self) -> bool:
        return self.decision in (APPROVE, APPROVE_WITH_WAIVERS)
