"""What a candidate made of each pattern, one by one and in words: what a test of it would say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_regress.core.evaluation import ERROR, FAILED, NOT_APPLICABLE, PASSED
from ml_regress.core.pattern import SuitePattern
from ml_regress.core.prediction import Prediction
from ml_regress.core.problem import Problem
from ml_regress.core.waiver import Waiver, Waivers
from ml_regress.errors import NotFound, shortened
from ml_regress.report.pictures import plain_inputs, value_text
from ml_regress.report.plain import plain
from ml_regress.report.stated import stated
from ml_regress.store import Store
from ml_regress.store.database import now
from ml_regress.store.evaluations import Stored

INPUTS_SHOWN = 30
ANSWER = "answer"
ABSENT = "not measured"


@dataclass(frozen=True)
class PatternResult:
    """One pattern: passed, failed, error or not measured, with all that a person needs in `text`.

    `waiver` is the one that counts now and lets the failure through.
    """

    problem: str
    pattern: str
    outcome: str
    text: str
    waiver: Waiver | None = None

    @property
    def passed(self) -> bool:
        return self.outcome == PASSED


def pattern_results(store: Store, candidate: str) -> list[PatternResult]:
    """Every active pattern of the matrix, by problem; none is left out, whatever became of its cell.

    Raises NotFound for a candidate that is not active.
    """
    with store.database.read():
        known = next((each for each in store.candidates.all() if each.id == candidate), None)
        if known is None:
            raise NotFound(f"no active candidate {candidate!r} in the store; `ml-regress candidates list` names them")
        problems = store.problems.all()
        measured = {entry.id: entry.suite for entry in store.problems.measured() if entry.kind == "problem"}
        suites = store.problems.suites(measured.items())
        current = store.evaluations.current([(candidate, problem) for problem in suites])
        due = store.facts.due([candidate])
        numbers = [stored.number for stored in current.values()]
        outcomes = {
            (int(row["evaluation"]), str(row["pattern"])): (str(row["outcome"]), row["reason"])
            for row in store.evaluations.outcomes(numbers).to_dict("records")
        }
        predictions = stated(store, known, suites.values())
        waivers = Waivers.of(store.decisions.waivers(candidate), candidate, now())
    results = []
    for problem in problems:
        stored = current.get((candidate, problem.id))
        for pattern in suites[problem.id].patterns if problem.id in suites else ():
            found = _outcome(stored, due.get((candidate, problem.id)), pattern, outcomes)
            waiver = _waiver(waivers, problem.id, pattern.id, stored, found[0])
            results.append(_result(problem, pattern, found, waiver, predictions.get((problem.id, pattern.id))))
    return results


def _outcome(
    stored: Stored | None,
    due: str | None,
    pattern: SuitePattern,
    outcomes: Mapping[tuple[int, str], tuple[str, Any]],
) -> tuple[str, str]:
    """(outcome, reason) of a pattern; what has none is not measured, for the reason of its cell."""
    if stored is None:
        return ABSENT, f"the cell is due ({due})" if due else "the cell is due"
    found = outcomes.get((stored.number, pattern.id))
    if found is not None:
        return found[0], found[1] if isinstance(found[1], str) else ""
    item = stored.evaluation
    if item.state == NOT_APPLICABLE:
        return ABSENT, f"the candidate declares itself not applicable: {item.reason or 'no reason given'}"
    if item.state == ERROR:
        return ABSENT, f"the cell is in error: {item.reason or 'no reason given'}"
    return ABSENT, "the cell was measured, but its outcome of this pattern is gone: measure it again"


def _waiver(waivers: Waivers, problem: str, pattern: str, stored: Stored | None, outcome: str) -> Waiver | None:
    """The waiver that lets a failure through; an error, or what is not measured, cannot be waived."""
    if outcome == FAILED:
        return waivers.of_patterns.get((problem, pattern)) or waivers.of_problems.get(problem)
    away = stored is not None and stored.evaluation.state == NOT_APPLICABLE
    return waivers.of_problems.get(problem) if away else None


def _result(
    problem: Problem,
    pattern: SuitePattern,
    found: tuple[str, str],
    waiver: Waiver | None,
    made: Prediction | None,
) -> PatternResult:
    outcome, reason = found
    lines = [f"{problem.title} ({problem.id}), pattern {pattern.id}: {outcome}" + (f": {reason}" if reason else "")]
    if pattern.canary:
        lines.append("it is a canary: it must pass, whatever the rate")
    lines.append(f"expected: {pattern.expectation.words}")
    if outcome != ABSENT:
        lines.append(_answer_words(pattern, made))
    lines.append("inputs:" if pattern.inputs else "inputs: kept elsewhere, the prediction is recorded")
    given = plain_inputs(problem.inputs, pattern.inputs)
    lines += [f"  {name} = {shortened(value, 500)}" for name, value in given[:INPUTS_SHOWN]]
    lines += [f"  and {len(given) - INPUTS_SHOWN} more"] if len(given) > INPUTS_SHOWN else []
    lines += [f"  {image.name} = a picture of {image.height} x {image.width}" for image in problem.inputs.images]
    return PatternResult(problem.id, pattern.id, outcome, "\n".join(map(plain, lines)), waiver)


def _answer_words(pattern: SuitePattern, made: Prediction | None) -> str:
    if made is None:
        return "answered: nothing is kept of it"
    if made.error is not None:
        return f"answered: nothing, {made.error}"
    words = f"answered: {shortened(value_text(made.answer), 500)}"
    output = pattern.expectation.output
    return words if output == ANSWER else f"{words}, {output} = {value_text((made.outputs or {}).get(output))}"
