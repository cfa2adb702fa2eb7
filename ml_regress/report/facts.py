"""Facts: what verdicts are functions of, read from the store at one moment.

They are the part of the Evidence that needs no pattern's inputs and no answer, so a gate reads them alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ml_regress.core.candidate import Candidate
from ml_regress.core.collector import without_circles
from ml_regress.core.evaluation import ERROR, FAILED, OK, OUTCOME_ERROR, PASSED
from ml_regress.core.problem import Problem
from ml_regress.core.verdict import FAIL, PASS, CellFacts, Flips, ProblemVerdict, Verdict, judge, judge_cell
from ml_regress.core.waiver import Waiver, Waivers
from ml_regress.errors import NotFound
from ml_regress.store import Store
from ml_regress.store.database import now
from ml_regress.store.facts import CellRow

DUE = "due"
MET = {PASS: True, FAIL: False}
NO_WAIVERS = Waivers({}, {})
NO_FLIPS = Flips()
GONE = "outcomes of this cell are gone from the store: put them back, or change its suite to have it measured anew"
Cell = tuple[str, str]


@dataclass(frozen=True)
class Facts:
    """What was measured of some candidates on open and watched problems, and what people waived.

    `cells` holds a CellFacts for each of `candidates` x `problems`, with the flips against `production`, which is one
    of the candidates where there is one. `digests` are those of all candidates; `missing` says what cannot be judged,
    and `refused` why the folder of a candidate is not what was registered.
    """

    made_at: str
    production: str | None
    candidates: tuple[str, ...]
    digests: Mapping[str, str]
    problems: tuple[Problem, ...]
    cells: Mapping[Cell, CellFacts] = field(repr=False)
    waivers: tuple[Waiver, ...] = ()
    missing: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _verdicts(self) -> dict[str, Verdict]:
        return {}

    def verdict(self, candidate: str) -> Verdict:
        """The verdict on a candidate; raises NotFound for one that the facts do not hold."""
        if candidate not in self._verdicts:
            if candidate not in self.candidates:
                raise NotFound(f"{candidate} is no active candidate; `ml-regress candidates list` names those")
            production = None if self.production is None else (self.production, self.digests[self.production])
            with without_circles():
                self._verdicts[candidate] = judge(
                    (candidate, self.digests[candidate]),
                    production,
                    [self.cells[candidate, problem.id] for problem in self.problems],
                    waivers=Waivers.of(self.waivers, candidate, self.made_at),
                    production_met=self._production_met,
                    missing=(*self.missing, *self._refused(candidate)),
                )
        return self._verdicts[candidate]

    def _refused(self, candidate: str) -> tuple[str, ...]:
        why = self.refused.get(candidate)
        return () if why is None else (f"the folder of {candidate} is refused: {why}",)

    def own(self, candidate: str, problem: str) -> ProblemVerdict:
        """The verdict on one cell alone, without production and without waivers."""
        return judge_cell(self.cells[candidate, problem]._replace(waived_failures=()), NO_WAIVERS, None)

    @cached_property
    def met(self) -> Mapping[Cell, bool | None]:
        """Whether each measured cell meets what is asked of it alone; None where that cannot be said."""
        return {cell: self._met(*cell) for cell, facts in self.cells.items() if facts.state in (OK, ERROR)}

    @cached_property
    def _production_met(self) -> Mapping[str, bool | None]:
        if self.production is None:
            return {}
        return {problem.id: self._met(self.production, problem.id) for problem in self.problems}

    def _met(self, candidate: str, problem: str) -> bool | None:
        measured = self.cells[candidate, problem].state in (OK, ERROR)
        return MET.get(self.own(candidate, problem).own or "") if measured else None


def gather_facts(store: Store, candidates: Sequence[str] | None = None) -> Facts:
    """The facts of all active candidates, or of these and production, in one state of the store."""
    with store.database.read(), without_circles():
        listed = store.candidates.all()
        production = store.candidates.production()
        wanted = None if candidates is None else sorted({*candidates, *([production] if production else [])})
        dimension = {entry.id: entry.suite for entry in store.problems.measured() if entry.kind == "problem"}
        problems = tuple(problem for problem in store.problems.all() if problem.id in dimension)
        canaries, sizes = store.facts.canaries(dimension)
        waivers = tuple(store.decisions.waivers())
        watched = {(problem, name) for problem, names in canaries.items() for name in names}
        waived = {(each.problem, each.pattern) for each in waivers if each.pattern is not None}
        return Facts(
            made_at=now(),
            production=production,
            candidates=tuple(each.id for each in listed if wanted is None or each.id in wanted),
            digests={each.id: each.digest for each in listed},
            problems=problems,
            cells=_cells(
                [each for each in listed if wanted is None or each.id in wanted],
                problems,
                dimension,
                rows={(row.candidate, row.problem): row for row in store.facts.cells(wanted)},
                due=store.facts.due(wanted),
                moved=_moved(store, production, wanted),
                production=production,
                counted=store.facts.counted(wanted),
                canaries=canaries,
                sizes=sizes,
                failing=_failing(store, watched | waived, wanted),
                waived=waived,
            ),
            waivers=waivers,
            missing=_missing(store),
            refused=_refused(store, listed),
        )


def _missing(store: Store) -> tuple[str, ...]:
    unsettled = store.facts.unsettled()
    refused = [each for each in store.sources.refusals() if each.kind in ("problems", "sql")]
    away = [each for each in store.sources.refusals() if each.kind == "folders" and each.source == "problems/"]
    return (
        *(f"{each.source} is refused: {each.message.splitlines()[0]}" for each in refused),
        *(f"problems cannot be looked at: {each.message.splitlines()[0]}" for each in away),
        *(f"the problem {name} changed and is not validated yet" for name in unsettled.changed),
        *(f"the problem {name} has no active pattern any more: close it, or give it one" for name in unsettled.empty),
    )


def _refused(store: Store, candidates: Sequence[Candidate]) -> dict[str, str]:
    paths = {each.path: each.id for each in candidates}
    refusals = (each for each in store.sources.refusals() if each.kind == "candidates" and each.source in paths)
    return {paths[each.source]: each.message.splitlines()[0] for each in refusals}


def _moved(store: Store, production: str | None, wanted: Sequence[str] | None) -> dict[Cell, Flips]:
    if production is None:
        return {}
    kinds: dict[Cell, tuple[list[str], list[str], list[str]]] = {}
    for candidate, problem, pattern, before, after in store.facts.moved(production, wanted):
        fixes, regressions, hidden = kinds.setdefault((candidate, problem), ([], [], []))
        if (before, after) == (FAILED, PASSED):
            fixes.append(pattern)
        elif (before, after) == (PASSED, FAILED):
            regressions.append(pattern)
        elif before == PASSED or after != PASSED:  # nobody knows what it is now, or what it was
            hidden.append(pattern)
    return {cell: Flips(*(tuple(sorted(names)) for names in found)) for cell, found in kinds.items()}


def _failing(
    store: Store, patterns: set[tuple[str, str]], wanted: Sequence[str] | None
) -> dict[Cell, list[tuple[str, str]]]:
    found: dict[Cell, list[tuple[str, str]]] = {}
    for candidate, problem, pattern, outcome in store.facts.not_passed(patterns, wanted) if patterns else ():
        found.setdefault((candidate, problem), []).append((pattern, outcome))
    return found


def _cells(
    candidates: Sequence[Candidate],
    problems: Sequence[Problem],
    suites: Mapping[str, str],
    *,
    rows: Mapping[Cell, CellRow],
    due: Mapping[Cell, str],
    moved: Mapping[Cell, Flips],
    production: str | None,
    counted: Mapping[int, int],
    canaries: Mapping[str, Sequence[str]],
    sizes: Mapping[str, int],
    failing: Mapping[Cell, Sequence[tuple[str, str]]],
    waived: set[tuple[str, str]],
) -> dict[Cell, CellFacts]:
    bounded = {
        problem.id
        for problem in problems
        if problem.requirement.metric_at_least is not None or problem.requirement.metric_at_most is not None
    }
    found = {}
    for problem in problems:
        name, suite, size, watched = problem.id, suites[problem.id], sizes[problem.id], set(canaries[problem.id])
        there = rows.get((production, name)) if production is not None else None
        known = there is not None and there.state in (OK, ERROR) and there.answered > 0 and _is_whole(there, counted)
        for candidate in candidates:
            cell = (candidate.id, name)
            row = rows.get(cell)
            if row is None:
                found[cell] = CellFacts(problem, DUE, due.get(cell), suite, patterns=size)
                continue
            if not _is_whole(row, counted):
                # A canary whose outcome somebody deleted has not failed: nothing is said of such a cell.
                found[cell] = CellFacts(problem, ERROR, GONE, suite, errors=size, patterns=size)
                continue
            wrong = failing.get(cell, ())
            found[cell] = CellFacts(
                problem,
                row.state,
                row.reason,
                suite,
                row.passes or 0,
                row.answered,
                row.errors,
                row.metric if name in bounded else None,
                size,
                len(watched),
                tuple(each for each, outcome in wrong if each in watched and outcome != OUTCOME_ERROR),
                tuple(each for each, outcome in wrong if each in watched and outcome == OUTCOME_ERROR),
                tuple(each for each, outcome in wrong if (name, each) in waived and outcome != OUTCOME_ERROR),
                moved.get(cell, NO_FLIPS) if known and row.state in (OK, ERROR) else None,
            )
    return found


def _is_whole(row: CellRow, counted: Mapping[int, int]) -> bool:
    """Whether every pattern that an evaluation counts has its outcome in the store."""
    return not row.answered or row.answered + row.errors == counted.get(row.number, 0)
