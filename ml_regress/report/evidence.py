"""Evidence: everything a report shows, read from the store once and never changed.

Frames that the reader builds:
- cells: CELL_COLUMNS, one row a candidate and problem (or benchmark); what is missing is due.
  `metric`, `low`, `high` are the headline measure, `undefined` the reason where it has no value,
  `measures` a list of core Measure, `warnings` a list of texts.
- patterns: PATTERN_COLUMNS, the active patterns; `inputs` a dict by column or None, `expectation`
  in words, `selected_on` a tuple of candidate ids.
- outcomes: OUTCOME_COLUMNS; `answer` raw, `outputs` a dict ("score:<class>" or a name) or None.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from ml_regress.core.candidate import Candidate
from ml_regress.core.evaluation import ERROR, NOT_APPLICABLE, OK, Measure
from ml_regress.core.history import FIX, FLIP_COLUMNS, REGRESSION, Mark, flips, marks, pairs_with_previous
from ml_regress.core.problem import Benchmark, Problem
from ml_regress.core.verdict import Verdict
from ml_regress.core.waiver import SignOff
from ml_regress.report.facts import DUE, MET, Facts
from ml_regress.report.shown import left_out_words, shown_candidates

DASH, MINUS = "\u2013", "\u2212"  # written as escapes: they are easily taken for a hyphen
CELL_COLUMNS = [
    "candidate", "problem", "state", "reason", "passes", "answered", "errors", "metric_name", "metric", "low",
    "high", "undefined", "measures", "warnings", "suite", "evaluated_at", "run",
]  # fmt: skip
PATTERN_COLUMNS = [
    "problem", "pattern", "inputs", "expectation", "polarity", "canary", "twin", "parent", "origin", "selected_on",
    "note",
]  # fmt: skip
OUTCOME_COLUMNS = ["candidate", "problem", "pattern", "outcome", "reason", "answer", "outputs"]


@dataclass(frozen=True)
class Cell:
    """One cell as a report reads it; for a benchmark `passes` is None and `answered` counts rows."""

    candidate: str
    problem: str
    state: str = DUE
    reason: str | None = None
    passes: int | None = None
    answered: int = 0
    errors: int = 0
    metric_name: str = ""
    metric: float | None = None
    low: float | None = None
    high: float | None = None
    undefined: str | None = None
    measures: tuple[Measure, ...] = ()
    warnings: tuple[str, ...] = ()
    suite: str | None = None
    evaluated_at: str | None = None
    run: str | None = None

    @property
    def pass_rate(self) -> float | None:
        """Passes over answered patterns, None where nothing was answered."""
        return None if self.passes is None or not self.answered or self.state != OK else self.passes / self.answered

    @property
    def words(self) -> str:
        """The cell in a few characters: 11/12, 9/10 (2 errors), error, n/a or … for due.

        An error is never a score, but what was answered beside it is shown with it.
        """
        if self.state not in (OK, ERROR) or (self.state == ERROR and not self.answered):
            return {ERROR: "error", NOT_APPLICABLE: "n/a"}.get(self.state, "…")
        errors = "" if not self.errors else (" (1 error)" if self.errors == 1 else f" ({self.errors} errors)")
        if self.passes is None:
            return DASH + errors if self.metric is None else f"{self.metric:.3f}{errors}"
        return f"{self.passes}/{self.answered}{errors}"


@dataclass(frozen=True)
class Evidence:
    """What is known of a workspace at `made_at` (ISO, UTC).

    `candidates` stand in the order of created_at, then registration; `production` is the id of the
    one that serves users. `facts` are what verdicts are functions of, `sign_offs` what people decided,
    newest first. Raises ValueError where a frame lacks a column.
    """

    name: str
    made_at: str
    production: str | None
    candidates: tuple[Candidate, ...]
    problems: tuple[Problem, ...]
    benchmarks: tuple[Benchmark, ...]
    cells: pd.DataFrame = field(repr=False, compare=False)
    patterns: pd.DataFrame = field(repr=False, compare=False)
    outcomes: pd.DataFrame = field(repr=False, compare=False)
    facts: Facts = field(repr=False, compare=False)
    sign_offs: tuple[SignOff, ...] = ()

    def __post_init__(self) -> None:
        wanted = (("cells", CELL_COLUMNS), ("patterns", PATTERN_COLUMNS), ("outcomes", OUTCOME_COLUMNS))
        for name, columns in wanted:
            missing = [column for column in columns if column not in getattr(self, name).columns]
            if missing:
                raise ValueError(f"evidence: the frame {name} lacks the columns {', '.join(missing)}")

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Candidate ids, oldest first."""
        return tuple(candidate.id for candidate in self.candidates)

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """The candidates that stand side by side: the newest ones and production, oldest first."""
        return shown_candidates(self.order, self.production)

    @property
    def left_out(self) -> str:
        """Which candidates do not stand side by side, in words; "" where all do."""
        return left_out_words(len(self.order), len(self.shown))

    @cached_property
    def shown_outcomes(self) -> Mapping[str, pd.DataFrame]:
        """Outcomes of the shown candidates by problem."""
        rows = self.outcomes[self.outcomes["candidate"].isin(self.shown)]
        return {str(problem): part for problem, part in rows.groupby("problem", sort=False)}

    @property
    def newest(self) -> str | None:
        return self.candidates[-1].id if self.candidates else None

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """Titles of problems and benchmarks by id."""
        problems = {problem.id: problem.title for problem in self.problems}
        return {**problems, **{benchmark.id: benchmark.title for benchmark in self.benchmarks}}

    @cached_property
    def _cells(self) -> Mapping[tuple[str, str], Cell]:
        rows = self.cells[list(CELL_COLUMNS)].to_dict("records")
        return {(row["candidate"], row["problem"]): _cell({str(key): row[key] for key in row}) for row in rows}

    def cell(self, candidate: str, problem: str) -> Cell:
        """The cell; a due one without a reason where nothing is known of it."""
        return self._cells.get((candidate, problem)) or Cell(candidate, problem)

    def verdict(self, candidate: str) -> Verdict:
        """The verdict on a candidate."""
        return self.facts.verdict(candidate)

    @cached_property
    def production_flips(self) -> pd.DataFrame:
        """Flips of every candidate against production (core.history.FLIP_COLUMNS), in cells that both measured."""
        rows = [
            (candidate, problem, pattern, self.production, flip)
            for candidate, problem in self.production_counts
            for flip, patterns in self._moved(candidate, problem)
            for pattern in patterns
        ]
        return pd.DataFrame(rows, columns=FLIP_COLUMNS, dtype=object)

    def _moved(self, candidate: str, problem: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
        found = self.facts.cells[candidate, problem].flips
        return () if found is None else ((FIX, found.fixes), (REGRESSION, found.regressions))

    @cached_property
    def previous_flips(self) -> pd.DataFrame:
        """Flips of every candidate against the measured one before it."""
        return flips(self.outcomes, pairs_with_previous(self._problem_cells, self.order))

    @cached_property
    def production_counts(self) -> Mapping[tuple[str, str], tuple[int, int]]:
        """(fixes, regressions) against production by (candidate, problem), for comparable cells only."""
        cells = self.facts.cells
        return {
            (candidate, problem): (len(found.flips.fixes), len(found.flips.regressions))
            for (candidate, problem), found in cells.items()
            if found.flips is not None
            and candidate != self.production
            and found.state == cells[str(self.production), problem].state == OK
        }

    @cached_property
    def _problem_cells(self) -> pd.DataFrame:
        shown = {problem.id for problem in self.problems}
        cells = self.cells
        return cells[cells["problem"].isin(shown) & cells["candidate"].isin(self.order)]

    def current_suite(self, problem: str) -> str | None:
        """The suite that was measured last: one line in a graph is drawn on one suite."""
        measured = [cell for cell in self._of(problem) if cell.state == OK]
        return max(measured, key=lambda cell: cell.evaluated_at or "").suite if measured else None

    def _of(self, problem: str) -> list[Cell]:
        return [self.cell(candidate, problem) for candidate in self.order]

    @property
    def met(self) -> Mapping[tuple[str, str], bool | None]:
        """Whether each measured cell meets what its problem asks of it alone (None: cannot be said)."""
        return self.facts.met

    def meets(self, candidate: str, problem: Problem) -> bool | None:
        """Whether the candidate meets the whole requirement today, its bound on regressions included.

        None where that cannot be said: the verdict is incomplete or inconclusive. A waiver makes nothing met.
        """
        found = next(each for each in self.verdict(candidate).problems if each.problem == problem.id)
        return MET.get(found.verdict)

    def canaries_of(self, problem: str) -> int:
        """How many of the problem's patterns are canaries."""
        return int(self.patterns.loc[self.patterns["problem"] == problem, "canary"].astype(bool).sum())

    def who_solved(self, problem: str) -> tuple[Mark, ...]:
        """Who solved the problem and who broke it again, on the suite measured last."""
        suite = self.current_suite(problem)
        met = {
            cell.candidate: self.met.get((cell.candidate, problem)) for cell in self._of(problem) if cell.suite == suite
        }
        return marks(self.order, met)

    def state_counts(self) -> Mapping[str, int]:
        """How many cells (problems and benchmarks) are ok, error, not applicable and due."""
        counts = {OK: 0, ERROR: 0, NOT_APPLICABLE: 0, DUE: 0}
        for item in self.titles:
            for cell in self._of(item):
                counts[cell.state] = counts.get(cell.state, 0) + 1
        return counts

    def chosen_on(self, problem: str) -> Mapping[str, int]:
        """How many patterns of the problem were chosen on the failures of each shown candidate."""
        counts: dict[str, int] = {}
        for selected_on in self.patterns.loc[self.patterns["problem"] == problem, "selected_on"]:
            for candidate in selected_on:
                counts[candidate] = counts.get(candidate, 0) + 1
        return {candidate: counts[candidate] for candidate in self.order if candidate in counts}


def _cell(row: Mapping[str, Any]) -> Cell:
    def text(name: str) -> str | None:
        return None if is_missing(row[name]) else str(row[name])

    def number(name: str) -> float | None:
        return None if is_missing(row[name]) else float(row[name])

    return Cell(
        row["candidate"],
        row["problem"],
        row["state"],
        text("reason"),
        passes=None if is_missing(row["passes"]) else int(row["passes"]),
        answered=0 if is_missing(row["answered"]) else int(row["answered"]),
        errors=0 if is_missing(row["errors"]) else int(row["errors"]),
        metric_name=text("metric_name") or "",
        metric=number("metric"),
        low=number("low"),
        high=number("high"),
        undefined=text("undefined"),
        measures=_items(row["measures"]),
        warnings=_items(row["warnings"]),
        suite=text("suite"),
        evaluated_at=text("evaluated_at"),
        run=text("run"),
    )


def _items(value: Iterable[Any] | float | None) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else ()


def is_missing(value: Any) -> bool:
    """Whether a value of a frame stands for none: None, NaN or pandas.NA."""
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))
