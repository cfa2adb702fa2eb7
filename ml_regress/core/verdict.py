"""Verdicts: the requirements of all problems held against what was measured of one candidate.

A verdict is one of core.checks.VERDICTS, of which the first that occurs wins: fail, incomplete, inconclusive, pass.
What is missing or in error is incomplete, and so is a requirement that checks nothing: absence never passes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ml_regress.core.checks import (
    AT_LEAST,
    CANARIES,
    CELL,
    FAIL,
    INCOMPLETE,
    INCONCLUSIVE,
    METRIC,
    PASS,
    REGRESSIONS,
    SKIPPED,
    VERDICTS,
    CellFacts,
    Check,
    Flips,
    checks_of,
    worst,
)
from ml_regress.core.digest import digest_of
from ml_regress.core.evaluation import NOT_APPLICABLE
from ml_regress.core.waiver import Waiver, Waivers

__all__ = [
    "AT_LEAST", "CANARIES", "CELL", "FAIL", "INCOMPLETE", "INCONCLUSIVE", "METRIC", "NO_WAIVERS", "PASS",
    "REGRESSIONS", "SKIPPED", "VERDICTS", "CellFacts", "Check", "Flips", "ProblemVerdict", "Verdict", "evidence_of",
    "judge", "judge_cell", "worst",
]  # fmt: skip

NO_WAIVERS = Waivers({}, {})


class ProblemVerdict(NamedTuple):
    """The verdict on one problem.

    `own` is the verdict without the rules that compare with production, None where there are no others. `waiver` is the
    one that lets a fail (or a cell that is not applicable) through; `waived` are those of patterns that made a
    difference. `solved`: met now, and not by production.
    """

    problem: str
    title: str
    verdict: str
    own: str | None
    checks: tuple[Check, ...]
    waiver: Waiver | None = None
    waived: tuple[Waiver, ...] = ()
    solved: bool = False
    suite: str | None = None
    passes: int = 0
    answered: int = 0
    errors: int = 0
    flips: Flips | None = None

    @property
    def counted(self) -> str:
        """The verdict as it counts for the candidate: a waiver lets what fails through, and nothing else."""
        if self.waiver is None:
            return self.verdict
        if self.verdict != FAIL:  # not applicable
            return PASS
        return worst([check.verdict for check in self.checks if check.verdict != FAIL]) or PASS

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not a pass: the checks that decide, of a waived fail those that keep it from passing still."""
        decides = self.verdict if self.counted == PASS else self.counted
        return tuple(check.reason for check in self.checks if check.verdict == decides) if decides != PASS else ()

    @property
    def words(self) -> str:
        if self.waiver is None:
            return self.verdict
        return f"{self.verdict} (waived)" if self.counted == PASS else f"{self.counted} ({self.verdict} is waived)"


@dataclass(frozen=True)
class Verdict:
    """The verdict on a candidate: the worst of its problems', with what else keeps it from a pass (`missing`)."""

    candidate: str
    candidate_digest: str
    production: str | None
    production_digest: str | None
    verdict: str
    problems: tuple[ProblemVerdict, ...]
    missing: tuple[str, ...] = ()

    @property
    def waived(self) -> tuple[Waiver, ...]:
        """Every waiver that made a difference."""
        found = [each.waiver for each in self.problems if each.waiver is not None]
        return (*found, *(waiver for each in self.problems for waiver in each.waived))

    @property
    def solved(self) -> tuple[ProblemVerdict, ...]:
        return tuple(each for each in self.problems if each.solved)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not a pass: what decides the verdict, each with its problem."""
        found = [
            f"{each.title} ({each.problem}): {reason}"
            for each in self.problems
            if each.counted == self.verdict
            for reason in each.reasons
        ]
        return (*found, *(self.missing if self.verdict == INCOMPLETE else ())) if self.verdict != PASS else ()

    def counts(self) -> dict[str, int]:
        """How many problems have which verdict, waived ones as "waived"."""
        counts = dict.fromkeys((*VERDICTS, "waived"), 0)
        for each in self.problems:
            counts["waived" if each.waiver is not None and each.counted == PASS else each.counted] += 1
        return counts


def judge(
    candidate: tuple[str, str],
    production: tuple[str, str] | None,
    facts: Sequence[CellFacts],
    *,
    waivers: Waivers | None = None,
    production_met: Mapping[str, bool | None] | None = None,
    missing: Sequence[str] = (),
) -> Verdict:
    """The verdict on a candidate from the facts of its cells, one a problem of the matrix.

    `candidate` and `production` are (id, digest); `production_met` says of each problem whether production meets what
    is asked of a cell alone; `missing` names what should have been judged and cannot be (a refused file, a problem
    without patterns) and makes a pass incomplete.
    """
    alone = production is None or production[0] == candidate[0]
    given = waivers or NO_WAIVERS
    judged = []
    for each in facts:
        baseline = None if production is None or alone else production[0]
        found = judge_cell(each, given, baseline, itself=production is not None and alone)
        met_there = (production_met or {}).get(each.problem.id)
        solved = not alone and met_there is False and found.verdict == PASS
        if solved and found.waived:  # what passes because a pattern is waived is not solved
            solved = judge_cell(each, NO_WAIVERS, baseline).verdict == PASS
        judged.append(found._replace(solved=True) if solved else found)
    verdict = worst(each.counted for each in judged)
    absent = list(missing)
    if verdict is None:
        absent.append("no problem is in the matrix: nothing was checked")
    if absent and verdict != FAIL:
        verdict = INCOMPLETE
    baseline, baseline_digest = production or (None, None)
    return Verdict(
        *candidate, baseline, baseline_digest, verdict or INCOMPLETE, problems=tuple(judged), missing=tuple(absent)
    )


def judge_cell(facts: CellFacts, waivers: Waivers, baseline: str | None, *, itself: bool = False) -> ProblemVerdict:
    """The verdict on one problem; `baseline` is production, None without one or where the candidate is `itself` it."""
    problem = facts.problem
    mine = waivers.of_patterns_in(problem.id) if waivers.of_patterns else {}
    own, checks = checks_of(facts, mine, baseline, itself=itself)
    verdict = worst([check.verdict for check in checks]) or INCOMPLETE
    waiver = waivers.of_problems.get(problem.id) if verdict == FAIL or facts.state == NOT_APPLICABLE else None
    own_verdict = worst([check.verdict for check in own])
    return ProblemVerdict(
        problem.id,
        problem.title,
        verdict,
        INCOMPLETE if facts.unknown and own_verdict not in (None, FAIL) else own_verdict,
        tuple(checks),
        waiver,
        tuple(mine[name] for name in _used(facts, mine)) if mine else (),
        suite=facts.suite,
        passes=facts.passes,
        answered=facts.answered,
        errors=facts.errors,
        flips=facts.flips,
    )


def _used(facts: CellFacts, mine: Mapping[str, Waiver]) -> list[str]:
    failing = {*facts.waived_failures, *facts.canaries_failed, *(facts.flips.regressions if facts.flips else ())}
    return [name for name in mine if name in failing]


def evidence_of(verdict: Verdict) -> dict[str, Any]:
    """What a sign-off is bound to: candidate, suites, production it was compared with, and the verdict table.

    Plain values; equal content has an equal digest (core.digest.digest_of).
    """
    return {
        "candidate": [verdict.candidate, verdict.candidate_digest],
        "production": None if verdict.production is None else [verdict.production, verdict.production_digest],
        "verdict": verdict.verdict,
        "missing": list(verdict.missing),
        "problems": [
            {
                "problem": each.problem,
                "suite": each.suite,
                "verdict": each.words,
                "passes": each.passes,
                "answered": each.answered,
                "errors": each.errors,
                "solved": each.solved,
                # Equal counts may hide that other patterns pass now: these are the ones that moved.
                "moved": None if each.flips is None else digest_of([list(names) for names in each.flips]),
                "waivers": [waiver.number for waiver in (*([each.waiver] if each.waiver else []), *each.waived)],
                "checks": [check._asdict() | {"patterns": list(check.patterns)} for check in each.checks],
            }
            for each in verdict.problems
        ],
    }
