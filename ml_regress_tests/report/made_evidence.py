"""Builds small evidence for tests: answers of every candidate on every pattern, held against labels."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from ml_regress.core.candidate import Candidate, Manifest
from ml_regress.core.evaluation import Measure
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.problem import Benchmark, Problem, Requirement
from ml_regress.core.statistics import wilson
from ml_regress.core.verdict import CellFacts, Flips
from ml_regress.core.waiver import Waiver
from ml_regress.report.evidence import CELL_COLUMNS, OUTCOME_COLUMNS, PATTERN_COLUMNS, Evidence
from ml_regress.report.facts import Facts

ERROR = object()  # an answer that stands for "no prediction"


def a_candidate(name: str, day: int = 1, changed: str = "") -> Candidate:
    manifest = Manifest(f"2026-06-{day:02d}T09:00:00Z", "skops", "model.skops", changed=changed)
    return Candidate(name, manifest, f"candidates/{name}", "0" * 64, 1)


def a_problem(
    name: str = "one-or-eight", title: str = "1 or 8", inputs: Mapping[str, str] | None = None, **rest: Any
) -> Problem:
    rest.setdefault("requirement", Requirement(at_least=2))
    return Problem(name, title, parse_input_types(inputs or {"x": "number"}), answer_type="integer", **rest)


def a_pattern(problem: str, name: str, expected: Any = 1, inputs: Any = None, **rest: Any) -> dict[str, Any]:
    return {
        "problem": problem, "pattern": name, "inputs": {"x": 1.0} if inputs is None else inputs,
        "expectation": f"answer equals {expected}", "polarity": "positive", "canary": False, "twin": None,
        "parent": None, "origin": "production", "selected_on": (), "note": "", "expected": expected, **rest,
    }  # fmt: skip


def a_cell(candidate: str, problem: str, state: str = "ok", **rest: Any) -> dict[str, Any]:
    empty = dict.fromkeys(CELL_COLUMNS)
    return {**empty, "candidate": candidate, "problem": problem, "state": state, "measures": [], "warnings": [], **rest}


def measured_cell(
    candidate: str, problem: str, results: list[str], suite: str = "suite-1", **rest: Any
) -> dict[str, Any]:
    passes, errors = results.count("passed"), results.count("error")
    answered = len(results) - errors
    rate = passes / answered if answered else None
    low, high = wilson(passes, answered) if answered else (None, None)
    return a_cell(
        candidate, problem, passes=passes, answered=answered, errors=errors, metric_name="pass_rate",
        metric=rate, low=low, high=high, measures=[Measure("pass_rate", rate, None, low, high)], suite=suite,
        evaluated_at="2026-06-20T10:00:00Z", run="run-1", **rest,
    )  # fmt: skip


def made_evidence(
    candidates: Iterable[Candidate],
    problems: Iterable[Problem],
    patterns: Iterable[dict[str, Any]],
    answers: Mapping[tuple[str, str], Any],
    *,
    production: str | None = None,
    cells: Iterable[dict[str, Any]] = (),
    benchmarks: Iterable[Benchmark] = (),
    outputs: Mapping[tuple[str, str], dict[str, float]] | None = None,
    waivers: Iterable[Waiver] = (),
    missing: Iterable[str] = (),
    name: str = "digits",
) -> Evidence:
    """`answers` maps (candidate, pattern) to an answer or ERROR; a cell is measured where it has any.

    `cells` are rows that replace or add to the computed ones.
    """
    candidates, problems, patterns = tuple(candidates), tuple(problems), list(patterns)
    outcomes, measured = [], {}
    for candidate in candidates:
        for problem in problems:
            results = []
            for pattern in (row for row in patterns if row["problem"] == problem.id):
                key = (candidate.id, pattern["pattern"])
                if key not in answers:
                    continue
                answer = answers[key]
                outcome = "error" if answer is ERROR else "passed" if answer == pattern["expected"] else "failed"
                results.append(outcome)
                outcomes.append(
                    {
                        "candidate": candidate.id, "problem": problem.id, "pattern": pattern["pattern"],
                        "outcome": outcome, "reason": "raised ValueError" if answer is ERROR else None,
                        "answer": None if answer is ERROR else answer, "outputs": (outputs or {}).get(key),
                    }
                )  # fmt: skip
            if results:
                measured[candidate.id, problem.id] = measured_cell(candidate.id, problem.id, results)
    for row in cells:
        measured[row["candidate"], row["problem"]] = row
    return Evidence(
        name, "2026-06-21T08:00:00Z", production, candidates, problems, tuple(benchmarks),
        pd.DataFrame(list(measured.values()), columns=list(CELL_COLUMNS)),
        pd.DataFrame([{key: row[key] for key in PATTERN_COLUMNS} for row in patterns], columns=list(PATTERN_COLUMNS)),
        pd.DataFrame(outcomes, columns=list(OUTCOME_COLUMNS)),
        made_facts(
            candidates, problems, patterns, outcomes, measured, production=production, waivers=waivers, missing=missing
        ),
    )  # fmt: skip


def made_facts(
    candidates: tuple[Candidate, ...],
    problems: tuple[Problem, ...],
    patterns: list[dict[str, Any]],
    outcomes: list[dict[str, Any]],
    measured: Mapping[tuple[str, str], Mapping[str, Any]],
    *,
    production: str | None,
    waivers: Iterable[Waiver],
    missing: Iterable[str],
) -> Facts:
    """What the store would have counted of these outcomes."""
    waivers = tuple(waivers)
    by_cell: dict[tuple[str, str], dict[str, str]] = {}
    for row in outcomes:
        by_cell.setdefault((row["candidate"], row["problem"]), {})[row["pattern"]] = row["outcome"]
    cells = {}
    for problem in problems:
        canaries = [row["pattern"] for row in patterns if row["problem"] == problem.id and row["canary"]]
        waived = {each.pattern for each in waivers if each.problem == problem.id}
        there = measured.get((str(production), problem.id))
        for candidate in candidates:
            row, mine = measured.get((candidate.id, problem.id)), by_cell.get((candidate.id, problem.id), {})
            theirs = by_cell.get((str(production), problem.id), {})
            flips = None
            if row and there and row["suite"] == there["suite"] and {row["state"], there["state"]} <= {"ok", "error"}:
                flips = Flips(
                    *(
                        tuple(sorted(name for name in mine if (theirs.get(name), mine[name]) in kinds))
                        for kinds in (
                            [("failed", "passed")],
                            [("passed", "failed")],
                            [("passed", "error"), ("error", "failed")],
                        )
                    )
                )
            cells[candidate.id, problem.id] = CellFacts(
                problem,
                row["state"] if row else "due",
                row["reason"] if row else None,
                row["suite"] if row else None,
                (row["passes"] if row else None) or 0,
                (row["answered"] if row else None) or 0,
                (row["errors"] if row else None) or 0,
                row["measures"][0] if row and row["measures"] else None,
                sum(each["problem"] == problem.id for each in patterns),
                len(canaries),
                tuple(name for name in canaries if mine.get(name) == "failed"),
                tuple(name for name in canaries if mine.get(name) == "error"),
                tuple(name for name in mine if name in waived and mine[name] == "failed"),
                flips,
            )
    return Facts(
        "2026-06-21T08:00:00Z", production, tuple(each.id for each in candidates),
        {each.id: each.digest for each in candidates}, problems, cells, waivers, tuple(missing),
    )  # fmt: skip
