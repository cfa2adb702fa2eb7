"""Comparison of two candidates, pattern by pattern: what moved, and whether the patterns can tell the two apart.

Patterns that were chosen on the failures of one side are counted and shown, and take no part in any p: an equally good
other side would look better on them nearly always. Pooled over problems, the patterns of a family (twins, and patterns
varied from one another) are one unit, which passes where all of it pass: they do not err independently.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ml_regress.core.evaluation import FAILED, PASSED
from ml_regress.core.paired import (
    HOLM,
    Compatibility,
    McNemar,
    adjusted,
    compatibility,
    mcnemar,
    newcombe_difference,
)
from ml_regress.core.power import ALPHA

BETTER, WORSE, UNCLEAR, WITHIN, CHOSEN, NOTHING = (
    "better",
    "worse",
    "no clear change",
    "within tolerance",
    "chosen on its failures",
    "nothing to compare",
)
_NEAR = 1e-9


class Pairs(NamedTuple):
    """Patterns of a problem that went the same way: what both candidates made of them (passed, failed or error)."""

    problem: str
    before: str
    after: str
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class Special:
    """What is special of some patterns of a problem: the twin and the parent of each that has one, whose failures it
    was chosen on, and which are canaries.
    """

    twins: Mapping[str, str] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)
    selected_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    canaries: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Paired:
    """Patterns (or families) that both answered: right by both, broken, fixed, wrong by both."""

    both: int = 0
    regressions: int = 0
    fixes: int = 0
    neither: int = 0

    @property
    def compared(self) -> int:
        return self.both + self.regressions + self.fixes + self.neither

    @property
    def before(self) -> int:
        return self.both + self.regressions

    @property
    def after(self) -> int:
        return self.both + self.fixes

    @property
    def table(self) -> tuple[int, int, int, int]:
        return self.both, self.regressions, self.fixes, self.neither

    def __add__(self, other: "Paired") -> "Paired":
        return Paired(*(mine + theirs for mine, theirs in zip(self.table, other.table, strict=True)))


@dataclass(frozen=True)
class ProblemComparison:
    """One problem of a comparison.

    `counted` are all patterns that both answered, `tested` those that take part in the test (none was chosen on the
    failures of one side), `chosen` how many were, `open` how many one side did not answer. `change` is the change of
    the rate on `tested` with its 95% interval; `p_adjusted` is p among all problems. `finding` is one of the words
    above; `pair_score` is (before, after, pairs): how many twin pairs have both patterns right.
    """

    problem: str
    counted: Paired
    tested: Paired
    chosen: int
    open: int
    tolerance: float
    test: McNemar | None
    p_adjusted: float | None
    change: tuple[float, float, float] | None
    finding: str
    pair_score: tuple[int, int, int] | None


@dataclass(frozen=True)
class Comparison:
    """All that was compared of two candidates. `units` pools the tested patterns over problems, a family as one."""

    before: str
    after: str
    correction: str
    problems: tuple[ProblemComparison, ...]
    counted: Paired
    units: Paired
    test: McNemar | None
    change: tuple[float, float, float] | None
    compatibility: Compatibility
    finding: str

    @property
    def chosen(self) -> int:
        return sum(each.chosen for each in self.problems)


def compare(
    before: str,
    after: str,
    pairs: Iterable[Pairs],
    special: Mapping[str, Special],
    *,
    tolerances: Mapping[str, float] | None = None,
    correction: str = HOLM,
) -> Comparison:
    """Compare two candidates on patterns that both were asked; independent of the order of `pairs`.

    `special` says by problem what is special of its patterns; `tolerances` maps a problem to the change of its rate
    that is not called one. Raises ValueError for a correction that there is not.
    """
    by_problem: dict[str, list[Pairs]] = {}
    for group in pairs:
        by_problem.setdefault(group.problem, []).append(group)
    found, units = [], Paired()
    for problem in sorted(by_problem):
        tolerance = (tolerances or {}).get(problem, 0.0)
        one, pooled = _problem(
            problem, by_problem[problem], special.get(problem, Special()), {before, after}, tolerance
        )
        found.append(one)
        units += pooled
    tested = [each for each in found if each.test is not None]
    values = adjusted([each.test.exact for each in tested if each.test is not None], correction)
    p_of = {each.problem: value for each, value in zip(tested, values, strict=True)}
    problems = tuple(_concluded(each, p_of.get(each.problem)) for each in found)
    counted = sum((each.counted for each in problems), Paired())
    test, change = _tested(units)
    return Comparison(
        before,
        after,
        correction,
        problems,
        counted,
        units,
        test,
        change,
        compatibility(*counted.table),
        _finding(units, counted, test.exact if test else None, 0.0),
    )


def _problem(
    problem: str, groups: Sequence[Pairs], special: Special, sides: set[str], tolerance: float
) -> tuple[ProblemComparison, Paired]:
    """The comparison of one problem without its adjusted p, and its families that take part in the pooled test."""
    chosen = {name for name, failed in special.selected_on.items() if sides.intersection(failed)}
    answered: dict[str, Sequence[str]] = {}
    for group in groups:
        way = _WAYS.get((group.before, group.after))
        if way is not None:
            answered[way] = (*answered.get(way, ()), *group.patterns)
    counted = Paired(**{way: len(names) for way, names in answered.items()})
    kept = (
        {way: [name for name in names if name not in chosen] for way, names in answered.items()} if chosen else answered
    )
    tested = Paired(**{way: len(names) for way, names in kept.items()})
    test, change = _tested(tested)
    made = ProblemComparison(
        problem,
        counted,
        tested,
        counted.compared - tested.compared,
        sum(len(group.patterns) for group in groups) - counted.compared,
        tolerance,
        test,
        None,
        change,
        NOTHING,
        _pair_score(answered, special.twins) if special.twins else None,
    )
    families = _families(special)
    return made, _units(tested, kept, families) if families else tested


_WAYS = {
    (PASSED, PASSED): "both",
    (PASSED, FAILED): "regressions",
    (FAILED, PASSED): "fixes",
    (FAILED, FAILED): "neither",
}
_Ways = Mapping[str, Sequence[str]]


def _families(special: Special) -> dict[str, str]:
    """For each pattern that has a twin, a parent or a child the name of its family."""
    root: dict[str, str] = {}
    flat = True

    def find(name: str) -> str:
        while (above := root.setdefault(name, name)) != name:
            root[name] = name = root[above]
        return name

    for name, other in itertools.chain(special.twins.items(), special.parents.items()):
        if name not in root and other not in root:  # nearly all families are such pairs
            root[name] = root[other] = name
        elif root.get(name) != root.get(other):
            root[find(name)] = find(other)
            flat = False
    return root if flat else {name: find(name) for name in root}


def _units(tested: Paired, kept: _Ways, families: Mapping[str, str]) -> Paired:
    """The tested patterns with each family taken together: it passes where all of it pass."""
    members = {way: [families[name] for name in names if name in families] for way, names in kept.items()}
    failed_before = {*members.get("fixes", ()), *members.get("neither", ())}
    failed_after = {*members.get("regressions", ()), *members.get("neither", ())}
    everyone = {family for found in members.values() for family in found}
    together = Paired(
        len(everyone - failed_before - failed_after),
        len(failed_after - failed_before),
        len(failed_before - failed_after),
        len(failed_before & failed_after),
    )
    alone = (count - len(members.get(way, ())) for way, count in zip(_WAYS.values(), tested.table, strict=True))
    return Paired(*alone) + together


def _pair_score(answered: _Ways, twins: Mapping[str, str]) -> tuple[int, int, int] | None:
    there = {name for names in answered.values() for name in names}
    # A pair is counted once, whether one or both of its patterns name the other.
    pairs = [
        (name, twin)
        for name, twin in twins.items()
        if name in there and twin in there and (name < twin or twins.get(twin) != name)
    ]
    if not pairs:
        return None
    failed_before = {*answered.get("fixes", ()), *answered.get("neither", ())}
    failed_after = {*answered.get("regressions", ()), *answered.get("neither", ())}
    before, after = (
        sum(name not in failed and twin not in failed for name, twin in pairs)
        for failed in (failed_before, failed_after)
    )
    return before, after, len(pairs)


def _tested(paired: Paired) -> tuple[McNemar | None, tuple[float, float, float] | None]:
    if not paired.compared:
        return None, None
    return mcnemar(paired.regressions, paired.fixes), newcombe_difference(*paired.table)


def _concluded(one: ProblemComparison, p: float | None) -> ProblemComparison:
    return replace(one, p_adjusted=p, finding=_finding(one.tested, one.counted, p, one.tolerance))


def _finding(tested: Paired, counted: Paired, p: float | None, tolerance: float) -> str:
    """What can be said: a change is called one where it is significant and beyond the tolerance."""
    if not tested.compared:
        return CHOSEN if counted.compared else NOTHING
    if p is None or p >= ALPHA:
        return UNCLEAR
    moved = tested.after - tested.before
    if abs(moved) <= tolerance * tested.compared + _NEAR:  # 0.29 * 100 is a little less than 29
        return WITHIN
    return BETTER if moved > 0 else WORSE
