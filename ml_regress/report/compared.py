"""Two candidates compared: read from the store at one moment, with what a person needs to look at each flip."""

import heapq
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ml_regress.core.candidate import Candidate
from ml_regress.core.collector import without_circles
from ml_regress.core.comparison import Comparison, Pairs, Special, compare
from ml_regress.core.environments import environment_differences
from ml_regress.core.evaluation import FAILED, PASSED
from ml_regress.core.history import FIX, REGRESSION
from ml_regress.core.paired import HOLM
from ml_regress.core.pattern import Suite, suite_from_content
from ml_regress.core.prediction import Prediction
from ml_regress.core.problem import SEVERITIES, Problem
from ml_regress.errors import InvalidInput
from ml_regress.report.stated import stated
from ml_regress.store import Store
from ml_regress.store.database import now
from ml_regress.store.facts import CellRow

# Flips that are read with inputs and answers: more of them nobody looks at, one by one.
LIMIT = 200


@dataclass(frozen=True)
class Flipped:
    """A pattern that moved: `flip` is core.history.FIX or REGRESSION, answers are raw.

    `chosen` says that it was chosen on the failures of one side.
    """

    problem: Problem
    pattern: str
    flip: str
    canary: bool
    chosen: bool
    polarity: str
    inputs: Mapping[str, Any] | None
    expectation: str
    before: Any
    after: Any
    before_outputs: Mapping[str, Any] | None
    after_outputs: Mapping[str, Any] | None


@dataclass(frozen=True)
class Compared:
    """A comparison with the names and patterns behind its numbers.

    `flipped` holds the worst flips first (regressions, canaries, severe problems), at most `limit` of `flips`.
    `not_compared` says by problem why there is nothing; `older` names problems that were compared on the common
    patterns of different suites. `environments` are differences between the two sides, in words.
    """

    name: str
    made_at: str
    before: Candidate
    after: Candidate
    production: str | None
    comparison: Comparison
    problems: Mapping[str, Problem]
    flips: int
    flipped: tuple[Flipped, ...] = field(repr=False)
    not_compared: Mapping[str, str]
    older: Mapping[str, str]
    environments: tuple[str, ...]


def gather_compared(
    store: Store,
    name: str,
    before: str,
    after: str,
    *,
    common: bool = False,
    correction: str = HOLM,
    limit: int = LIMIT,
) -> Compared:
    """Compare two candidates, archived ones too, on the problems of the matrix.

    Only cells on the same current suite are compared; with `common`, a side that was measured on an older suite
    alone is compared on the patterns that did not change since. Raises NotFound for a candidate that there is not,
    InvalidInput for one that is compared with itself.
    """
    if before == after:
        raise InvalidInput.single("command line", "is the same candidate twice: name two", value=after)
    with store.database.read(), without_circles():
        sides = store.candidates.get(before), store.candidates.get(after)
        problems = {problem.id: problem for problem in store.problems.all()}
        suites = {each.id: each.suite for each in store.problems.measured() if each.id in problems}
        rows = {(row.candidate, row.problem): row for row in store.facts.cells([before, after])}
        if common:
            for side in (before, after):
                for problem, row in store.facts.latest(side).items():
                    if problem in suites and not _usable(rows.get((side, problem))):
                        rows[side, problem] = row
        pairs, absent = [], dict[str, str]()
        for problem in suites:
            here = rows.get((before, problem)), rows.get((after, problem))
            if all(map(_usable, here)):
                pairs.append(here)
            else:
                absent[problem] = _why_absent((before, after), here)
        found: Sequence[Pairs] = store.facts.pairs(
            [one.number for one, _ in pairs if one], [two.number for _, two in pairs if two]
        )
        older = {
            one.problem: _older_words(suites[one.problem], one, two)
            for one, two in pairs
            if one and two and {one.suite, two.suite} != {suites[one.problem]}
        }
        found = _unchanged(store, found, {one.problem: (one, two) for one, two in pairs if one and two}, suites, older)
        special = store.facts.special()
        comparison = compare(
            before,
            after,
            found,
            special,
            tolerances={each.id: each.requirement.tolerance or 0.0 for each in problems.values()},
            correction=correction,
        )
        flips = _worst_first(found, special, problems, limit)
        return Compared(
            name,
            now(),
            *sides,
            store.candidates.production(),
            comparison,
            {problem: problems[problem] for problem in suites},
            comparison.counted.regressions + comparison.counted.fixes,
            _flipped(store, flips, problems, suites, sides, special=special, drawn=_drawn(store, rows, suites)),
            absent,
            older,
            _environments(store, [(one, two) for one, two in pairs if one and two]),
        )


def _usable(row: CellRow | None) -> bool:
    return row is not None and row.answered > 0


def _why_absent(sides: tuple[str, str], rows: tuple[CellRow | None, CellRow | None]) -> str:
    said = []
    for side, row in zip(sides, rows, strict=True):
        if row is None:
            said.append(f"{side} is not measured on the current suite")
        elif not _usable(row):
            said.append(f"{side}: {row.state}" + (f" ({row.reason})" if row.reason else ""))
    return "; ".join(said)


def _older_words(current: str, one: CellRow, two: CellRow) -> str:
    old = [row.candidate for row in (one, two) if row.suite != current]
    return f"on the patterns that did not change since {' and '.join(old)} was measured"


def _unchanged(
    store: Store,
    found: Sequence[Pairs],
    rows: Mapping[str, tuple[CellRow, CellRow]],
    suites: Mapping[str, str],
    older: Mapping[str, str],
) -> Sequence[Pairs]:
    """The pairs, without patterns of older suites whose content is another one now."""
    if not older:
        return found
    same: dict[str, set[str]] = {}
    for problem in older:
        contents = [_contents(store, problem, suite) for suite in {suites[problem], *(r.suite for r in rows[problem])}]
        same[problem] = {
            name for name, said in contents[0].items() if all(each.get(name) == said for each in contents[1:])
        }
    return [
        group
        if group.problem not in same
        else group._replace(patterns=tuple(name for name in group.patterns if name in same[group.problem]))
        for group in found
    ]


def _contents(store: Store, problem: str, suite: str) -> dict[str, str]:
    """Inputs and expectation of each pattern of a stored suite, as one text."""
    content = store.facts.content(problem, suite)
    return {
        each["id"]: json.dumps([each["inputs"], each["expectation"]], sort_keys=True) for each in content["patterns"]
    }


_FLIPS = {(PASSED, FAILED): REGRESSION, (FAILED, PASSED): FIX}
_NONE = Special()


def _worst_first(
    found: Sequence[Pairs], special: Mapping[str, Special], problems: Mapping[str, Problem], limit: int
) -> list[tuple[str, str, str]]:
    """(problem, pattern, flip): regressions first, then canaries, then the problem that is severe or broke most."""
    groups = [(group, flip) for group in found if (flip := _FLIPS.get((group.before, group.after))) is not None]
    broken = Counter({group.problem: len(group.patterns) for group, flip in groups if flip == REGRESSION})
    keyed = (
        (
            flip == FIX,
            pattern not in canaries,
            -SEVERITIES.index(problems[group.problem].severity),
            -broken[group.problem],
            group.problem,
            pattern,
            flip,
        )
        for group, flip in groups
        for canaries in (special.get(group.problem, _NONE).canaries,)
        for pattern in group.patterns
    )
    return [(problem, pattern, flip) for *_, problem, pattern, flip in heapq.nsmallest(limit, keyed)]


def _drawn(store: Store, rows: Mapping[tuple[str, str], CellRow], suites: Mapping[str, str]) -> frozenset[str]:
    """The problems of which one side was asked more than once."""
    numbers = {row.number: problem for (_, problem), row in rows.items() if problem in suites}
    return frozenset(numbers[number] for number in store.evaluations.reliabilities(numbers))


def _flipped(
    store: Store,
    flips: Sequence[tuple[str, str, str]],
    problems: Mapping[str, Problem],
    suites: Mapping[str, str],
    sides: tuple[Candidate, Candidate],
    *,
    special: Mapping[str, Special],
    drawn: Collection[str],
) -> tuple[Flipped, ...]:
    names = dict[str, set[str]]()
    for problem, pattern, _ in flips:
        names.setdefault(problem, set()).add(pattern)
    frozen: list[Suite] = []
    for problem, wanted_here in names.items():
        # Which of several draws stands for a pattern is decided over its whole suite.
        content = store.facts.content(problem, suites[problem], None if problem in drawn else wanted_here)
        frozen.append(suite_from_content(suites[problem], problem, content))
    patterns = {(suite.problem, each.id): each for suite in frozen for each in suite.patterns}
    answers = [stated(store, side, frozen) for side in sides]
    both, none = {side.id for side in sides}, Prediction()
    made = []
    for problem, pattern, flip in flips:
        frozen_pattern = patterns[problem, pattern]
        before, after = (given.get((problem, pattern), none) for given in answers)
        made.append(
            Flipped(
                problems[problem],
                pattern,
                flip,
                frozen_pattern.canary,
                bool(both.intersection(special.get(problem, _NONE).selected_on.get(pattern, ()))),
                frozen_pattern.polarity,
                frozen_pattern.inputs,
                frozen_pattern.expectation.words,
                before.answer,
                after.answer,
                before.outputs,
                after.outputs,
            )
        )
    return tuple(made)


def _environments(store: Store, pairs: Sequence[tuple[CellRow, CellRow]]) -> tuple[str, ...]:
    """In what the cells of the two sides differ, each pair by itself: other cells do not make up for it."""
    named = {digest for pair in pairs for row in pair for digest in json.loads(row.environments)}
    known = {digest: store.evaluations.environment(digest) for digest in named}

    def contents(row: CellRow) -> list[dict[str, Any]]:
        return [known[digest] for digest in json.loads(row.environments)]

    asked = {(one.environments, two.environments): (one, two) for one, two in pairs}
    said = (environment_differences(contents(one), contents(two)) for one, two in asked.values())
    return tuple(dict.fromkeys(words for each in said for words in each))
