"""Gathering: from the store to the one Evidence that every page, figure and table is a function of."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ml_regress.core.candidate import Candidate
from ml_regress.core.pattern import Suite
from ml_regress.core.prediction import Prediction
from ml_regress.report.evidence import CELL_COLUMNS, OUTCOME_COLUMNS, PATTERN_COLUMNS, Evidence
from ml_regress.report.facts import DUE, gather_facts
from ml_regress.report.shown import shown_candidates
from ml_regress.report.stated import stated
from ml_regress.store import Store
from ml_regress.store.database import now
from ml_regress.store.evaluations import Stored
from ml_regress.store.problems import Measured


def gather(store: Store, name: str, *, beside: Sequence[str] = ()) -> Evidence:
    """The matrix of a workspace as it is now: active candidates, open problems and benchmarks, in one state.

    Answers are read of the candidates that stand side by side, and of those named `beside` them.
    """
    with store.database.read():
        return _gathered(store, name, beside)


def _gathered(store: Store, name: str, beside: Sequence[str]) -> Evidence:
    candidates = tuple(store.candidates.all())
    dimension = store.problems.measured()
    suites = store.problems.suites((entry.id, entry.suite) for entry in dimension if entry.kind == "problem")
    active, production = {candidate.id for candidate in candidates}, store.candidates.production()
    current = {cell: stored for cell, stored in store.evaluations.current().items() if cell[0] in active}
    problems = tuple(problem for problem in store.problems.all() if problem.id in suites)
    reasons = {cell.cell: cell.reason for cell in store.due.all()}
    return Evidence(
        name=name,
        made_at=now(),
        production=production,
        candidates=candidates,
        problems=problems,
        benchmarks=tuple(store.problems.benchmarks()),
        cells=_frame(
            [
                _cell_row(candidate.id, entry, current.get((candidate.id, entry.id)), reasons)
                for candidate in candidates
                for entry in dimension
            ],
            CELL_COLUMNS,
        ),
        patterns=_frame([row for suite in suites.values() for row in _pattern_rows(store, suite)], PATTERN_COLUMNS),
        outcomes=_outcomes(
            store,
            current,
            suites,
            {each.id: each for each in candidates},
            (*shown_candidates([each.id for each in candidates], production), *beside),
        ),
        facts=gather_facts(store),
        sign_offs=tuple(store.decisions.sign_offs()),
    )


def _frame(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in columns})


def _cell_row(
    candidate: str, entry: Measured, stored: Stored | None, reasons: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(CELL_COLUMNS)
    row.update(candidate=candidate, problem=entry.id, state=DUE, suite=entry.suite, measures=[], warnings=[])
    if stored is None:
        return {**row, "reason": reasons.get((candidate, entry.id))}
    item = stored.evaluation
    row.update(
        state=item.state,
        reason=item.reason,
        passes=item.passes,
        answered=item.answered,
        errors=item.errors,
        measures=list(item.measures),
        warnings=list(item.warnings),
        suite=item.suite,
        evaluated_at=item.evaluated_at,
        run=item.run,
    )
    if item.metric is not None:
        metric = item.metric
        row.update(
            metric_name=metric.name, metric=metric.value, low=metric.low, high=metric.high, undefined=metric.reason
        )
    return row


def _pattern_rows(store: Store, suite: Suite) -> list[dict[str, Any]]:
    """Patterns as the suite froze them, with the notes that may be edited at any time."""
    rows = store.problems.patterns(suite.problem).set_index("id")
    return [
        {
            "problem": suite.problem,
            "pattern": pattern.id,
            "inputs": pattern.inputs,
            "expectation": pattern.expectation.words,
            "polarity": pattern.polarity,
            "canary": pattern.canary,
            "twin": pattern.twin,
            "parent": rows.at[pattern.id, "parent"],
            "origin": rows.at[pattern.id, "origin"],
            "selected_on": tuple(str(rows.at[pattern.id, "selected_on"]).split()),
            "note": rows.at[pattern.id, "note"],
        }
        for pattern in suite.patterns
    ]


def _outcomes(
    store: Store,
    current: Mapping[tuple[str, str], Stored],
    suites: Mapping[str, Suite],
    candidates: Mapping[str, Candidate],
    shown: Sequence[str],
) -> pd.DataFrame:
    """Outcomes of all candidates; answers of those that stand side by side, for no other's are shown."""
    numbers = {stored.number: cell for cell, stored in current.items() if cell[1] in suites}
    found = store.evaluations.outcomes(numbers)
    found["candidate"] = [numbers[number][0] for number in found["evaluation"]]
    found["problem"] = [numbers[number][1] for number in found["evaluation"]]
    parts, none = [], Prediction()
    for candidate, rows in found.groupby("candidate", sort=False):
        said = stated(store, candidates[str(candidate)], suites.values()) if candidate in shown else {}
        given = [said.get(key, none) for key in zip(rows["problem"], rows["pattern"], strict=True)]
        parts.append(
            rows.assign(
                answer=pd.Series([each.answer for each in given], index=rows.index, dtype=object),
                outputs=pd.Series([each.outputs for each in given], index=rows.index, dtype=object),
            )
        )
    whole = pd.concat(parts) if parts else found.assign(answer=None, outputs=None)
    return whole[list(OUTCOME_COLUMNS)].astype(object).reset_index(drop=True)
