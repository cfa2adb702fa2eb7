"""What the evidence says in plain words: the top of the report."""

from dataclasses import dataclass

from ml_regress.core.approval import CURRENT, STALE, Approval, approval_of
from ml_regress.core.evaluation import ERROR, NOT_APPLICABLE, OK
from ml_regress.core.history import MET_FROM_START, REGRESSION, SOLVED
from ml_regress.core.problem import Problem
from ml_regress.core.verdict import Verdict
from ml_regress.report.evidence import DASH, Cell, Evidence
from ml_regress.report.facts import DUE

INTERVALS = (
    "Intervals say how far the rate would move if patterns were random draws. "
    "They are 95% intervals; 10 to 15 patterns leave them wide."
)
MEETS = {True: "yes", False: "no", None: "open"}


@dataclass(frozen=True)
class ProblemLine:
    """One problem at a glance; `met` is "yes", "no" or "open" (cannot be said yet)."""

    problem: Problem
    requirement: str
    production: str
    newest: str
    newest_met: str
    fixes: int
    regressions: int
    history: str
    chosen: str


@dataclass(frozen=True)
class Comparison:
    """The newest candidate against another: titles of problems with their number of flips."""

    newest: str
    baseline: str
    compared: int
    fixed: tuple[tuple[str, int], ...]
    broken: tuple[tuple[str, int], ...]
    not_compared: tuple[str, ...]

    @property
    def fixes(self) -> int:
        return sum(count for _, count in self.fixed)

    @property
    def regressions(self) -> int:
        return sum(count for _, count in self.broken)


@dataclass(frozen=True)
class Judged:
    """A candidate's verdict, and where the decision on it stands."""

    verdict: Verdict
    approval: Approval


def judged(evidence: Evidence) -> list[Judged]:
    """The newest candidate and production, and the candidates that wait with an approval."""
    verdicts = {name: evidence.verdict(name) for name in evidence.order}
    approvals = {name: approval_of(evidence.sign_offs, verdict) for name, verdict in verdicts.items()}
    named = [evidence.newest, evidence.production]
    named += [name for name, approval in approvals.items() if approval.state in (CURRENT, STALE)]
    shown = [name for name in dict.fromkeys(named) if name in verdicts]
    return [Judged(verdicts[name], approvals[name]) for name in shown]


def counted(number: int, word: str) -> str:
    """ "1 problem", "2 problems"."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def scope_words(evidence: Evidence) -> str:
    """What the report covers."""
    watched = sum(problem.state == "watched" for problem in evidence.problems)
    states = f" ({len(evidence.problems) - watched} open, {watched} watched)" if watched else ""
    return (
        f"{counted(len(evidence.problems), 'problem')}{states} with {counted(len(evidence.patterns), 'pattern')}, "
        f"{counted(len(evidence.benchmarks), 'benchmark')}, {counted(len(evidence.candidates), 'candidate')}."
    )


def standings(evidence: Evidence) -> list[tuple[str, int, int, int]]:
    """(candidate, requirements met, patterns passed, patterns answered), the best first, newer before older."""
    rows = []
    for place, candidate in enumerate(evidence.order):
        cells = [evidence.cell(candidate, problem.id) for problem in evidence.problems]
        cells = [cell for cell in cells if cell.state == OK]
        met = sum(evidence.meets(candidate, problem) is True for problem in evidence.problems)
        rows.append((met, sum(cell.passes or 0 for cell in cells), place, candidate, sum(c.answered for c in cells)))
    return [(candidate, met, passes, answered) for met, passes, _, candidate, answered in sorted(rows, reverse=True)]


def best_words(evidence: Evidence) -> str:
    """The candidate that meets most requirements, then passes most patterns."""
    rows = [row for row in standings(evidence) if row[3]]
    if not rows:
        return "No candidate has been measured yet."
    candidate, met, passes, answered = rows[0]
    words = (
        f"meets the requirement of {met} of {counted(len(evidence.problems), 'problem')} "
        f"and passes {passes:,} of {answered:,} patterns"
    )
    equal = [row[0] for row in rows[1:] if row[1:3] == rows[0][1:3]]
    tie = f" (as good: {', '.join(equal)})" if equal else ""
    return f"{candidate} {words}{tie}."


def newest_comparison(evidence: Evidence) -> Comparison | None:
    """The newest candidate against production; None where there is nothing to compare."""
    newest, production = evidence.newest, evidence.production
    if newest is None or production is None or newest == production or production not in evidence.order:
        return None
    fixed, broken, missing, compared = [], [], [], 0
    for problem in evidence.problems:
        counts = evidence.production_counts.get((newest, problem.id))
        if counts is None:
            missing.append(problem.title)
            continue
        compared += 1
        fixed += [(problem.title, counts[0])] if counts[0] else []
        broken += [(problem.title, counts[1])] if counts[1] else []
    return Comparison(
        newest,
        production,
        compared,
        tuple(sorted(fixed, key=lambda item: -item[1])),
        tuple(sorted(broken, key=lambda item: -item[1])),
        tuple(missing),
    )


def newest_flips(evidence: Evidence) -> list[tuple[str, list[str], list[str]]]:
    """(title, fixed patterns, broken patterns) of the newest candidate against production, by problem."""
    found = evidence.production_flips
    found = found[found["candidate"] == evidence.newest]
    rows: dict[str, tuple[list[str], list[str]]] = {}
    for problem, pattern, flip in zip(found["problem"], found["pattern"], found["flip"], strict=True):
        rows.setdefault(problem, ([], []))[flip == REGRESSION].append(pattern)
    return [(problem.title, *rows[problem.id]) for problem in evidence.problems if problem.id in rows]


def no_comparison_words(evidence: Evidence) -> str:
    """Why there is no comparison with production."""
    if evidence.newest is None:
        return "No candidate is registered yet."
    if evidence.production is None:
        return "No candidate is in production, so there is nothing to compare with."
    if evidence.newest == evidence.production:
        return f"The newest candidate, {evidence.newest}, is in production itself."
    return f"{evidence.production} is in production but not among the candidates shown."


def cells_words(evidence: Evidence) -> str:
    """How much of the matrix is measured."""
    counts = evidence.state_counts()
    total = sum(counts.values())
    if counts[OK] == total:
        return f"All {counted(total, 'cell')} of the matrix are measured."
    rest = [f"{counts[state]} {state}" for state in (ERROR, DUE, NOT_APPLICABLE) if counts[state]]
    return f"{counts[OK]:,} of {counted(total, 'cell')} of the matrix are measured; {', '.join(rest)}."


def unmeasured(evidence: Evidence) -> list[Cell]:
    """Cells in error and those that do not apply, which have a reason to read."""
    found = [evidence.cell(candidate, item) for item in evidence.titles for candidate in evidence.order]
    return [cell for cell in found if cell.state in (ERROR, NOT_APPLICABLE)]


def problem_lines(evidence: Evidence) -> list[ProblemLine]:
    """Every problem at a glance, in the order of the evidence."""
    lines = []
    for problem in evidence.problems:
        newest = evidence.newest or ""
        fixes, regressions = evidence.production_counts.get((newest, problem.id), (0, 0))
        production = DASH if evidence.production is None else evidence.cell(evidence.production, problem.id).words
        lines.append(
            ProblemLine(
                problem,
                requirement_words(problem, evidence.canaries_of(problem.id)),
                production,
                evidence.cell(newest, problem.id).words if newest else DASH,
                MEETS[evidence.meets(newest, problem)],
                fixes,
                regressions,
                history_words(evidence, problem),
                chosen_words(evidence, problem),
            )
        )
    return lines


def requirement_words(problem: Problem, canaries: int) -> str:
    """The requirement as a person would say it."""
    asked = problem.requirement
    parts = []
    if asked.at_least is not None:
        parts.append(f"at least {asked.at_least} pass")
    if asked.metric_at_least is not None:
        parts.append(f"{problem.metric} at least {asked.metric_at_least:g}")
    if asked.metric_at_most is not None:
        parts.append(f"{problem.metric} at most {asked.metric_at_most:g}")
    if asked.canaries and canaries:
        parts.append("the canary passes" if canaries == 1 else f"all {canaries} canaries pass")
    if asked.max_regressions is not None:
        most = asked.max_regressions
        parts.append("no regression" if not most else f"at most {counted(most, 'regression')}")
    return ", ".join(parts) or "asks nothing"


def history_words(evidence: Evidence, problem: Problem) -> str:
    """Who solved the problem and who broke it again, in order: "solved by d, broken again by e"."""
    marks = evidence.who_solved(problem.id)
    if marks:
        return ", ".join(
            f"{mark.kind} ({mark.candidate})" if mark.kind == MET_FROM_START else f"{mark.kind} by {mark.candidate}"
            for mark in marks
        )
    states = {evidence.met.get((candidate, problem.id)) for candidate in evidence.order}
    return "not solved yet" if False in states else "cannot be said yet"


def solved_by(evidence: Evidence, problem: Problem) -> str | None:
    """The candidate that solved the problem first, None where nobody did."""
    return next((mark.candidate for mark in evidence.who_solved(problem.id) if mark.kind == SOLVED), None)


def chosen_words(evidence: Evidence, problem: Problem) -> str:
    """The warning that a comparison on these patterns is not even-handed, or ""."""
    counts = evidence.chosen_on(problem.id)
    total = int((evidence.patterns["problem"] == problem.id).sum())
    if not counts:
        return ""
    sides = ", ".join(f"{candidate}: {count} of {total}" for candidate, count in counts.items())
    return (
        f"Chosen on its failures ({sides}): an equally good new candidate "
        "would look better on such patterns nearly always."
    )
