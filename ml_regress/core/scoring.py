"""Scoring: predictions held against expectations, and the numbers of a cell.

Patterns are scored in groups of one kind, negation and output, each group with one array
operation. Everything is joined by pattern id and by input digest, never by position.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ml_regress.core.answers import is_na, typed_answer
from ml_regress.core.evaluation import FAILED, OUTCOME_ERROR, PASSED, Measure, Outcome
from ml_regress.core.expectation import ANSWER, NUMERIC_KINDS, PATTERN_KINDS, SCORE, Expectation
from ml_regress.core.kinds import HOLDS
from ml_regress.core.metrics import measure, measured, unknown_answers
from ml_regress.core.pattern import SuitePattern
from ml_regress.core.prediction import Prediction, Predictions
from ml_regress.core.problem import SCORER
from ml_regress.core.scorer import Scorer, measure_scorer
from ml_regress.core.statistics import wilson
from ml_regress.core.typed_column import TypedColumn, typed_column
from ml_regress.errors import shortened

PASS_RATE = "pass_rate"  # noqa: S105  a metric is no password
NO_PREDICTION = "no prediction"
_ABSENT = object()
_NONE = Prediction(error=NO_PREDICTION)


def score(patterns: Sequence[SuitePattern], predictions: Predictions, answer_type: str) -> tuple[Outcome, ...]:
    """The outcome of every pattern of a suite; see score_suites."""
    return score_suites([patterns], predictions, answer_type)[0]


def score_suites(
    suites: Sequence[Sequence[SuitePattern]], predictions: Predictions, answer_type: str
) -> list[tuple[Outcome, ...]]:
    """The outcome of every pattern, a tuple a suite in the order of its patterns.

    The outcome is error, with a reason, where there is no prediction, where it has an error, where it
    holds no answer at all, or no such output, and where a pattern it is compared with has any of
    these. An answer that is not of the type fails, also a negated expectation. Many suites at once
    cost little more than one.
    """
    patterns = [pattern for suite in suites for pattern in suite]
    looks = _Looks(patterns, predictions, answer_type)
    outcome = np.full(len(patterns), FAILED, dtype=object)
    reason = np.full(len(patterns), None, dtype=object)
    groups: dict[tuple[str, bool, str], list[int]] = {}
    for position, pattern in enumerate(patterns):
        wanted = pattern.expectation
        groups.setdefault((wanted.kind, wanted.negated, wanted.output), []).append(position)
    suite_of = [number for number, suite in enumerate(suites) for _ in suite]
    places = {(suite_of[position], pattern.id): position for position, pattern in enumerate(patterns)}
    for (kind, negated, output), members in groups.items():
        rows = np.array(members)
        expectations = [patterns[position].expectation for position in members]
        look = looks.at(output, looks.type_of(kind, output))
        column, faults, remarks = look.column.take(rows), look.faults[rows], look.remarks[rows]
        usable, expected = column.usable, None
        if kind in PATTERN_KINDS:
            named = [patterns[position].expectation.value for position in members]
            keys = [(suite_of[position], name) for position, name in zip(members, named, strict=True)]
            others = np.array([places.get(key, -1) for key in keys])
            expected = look.column.take(others)
            faults, remarks = _with_other(look, others, expectations, faults, remarks)
            usable = usable & expected.usable
        broken = pd.notna(faults)
        held = HOLDS[kind](column, expectations, expected)
        passed = usable & (held != negated) & ~broken
        outcome[rows] = np.select([broken, passed], [OUTCOME_ERROR, PASSED], FAILED)
        reason[rows] = np.where(broken, faults, np.where(passed, None, remarks))
    names = [pattern.id for pattern in patterns]
    found = [Outcome(*row) for row in zip(names, outcome.tolist(), reason.tolist(), strict=True)]
    ends = np.cumsum([len(suite) for suite in suites], dtype=int).tolist()
    return [tuple(found[end - len(suite) : end]) for suite, end in zip(suites, ends, strict=True)]


@dataclass(frozen=True, eq=False)
class _Look:
    """One output of all patterns' predictions, in one type.

    `faults` says why a pattern has no value to judge (else None), `remarks` why its value is unusable.
    """

    column: TypedColumn
    faults: np.ndarray
    remarks: np.ndarray


class _Looks:
    """The predictions in the order of the patterns; each output is brought to its type once."""

    def __init__(self, patterns: Sequence[SuitePattern], predictions: Predictions, answer_type: str) -> None:
        given = [predictions.get(pattern.input_digest, _NONE) for pattern in patterns]
        self._answer_type = answer_type
        self._answers = [prediction.answer for prediction in given]
        self._outputs = [prediction.outputs for prediction in given]
        self._faults = _objects([prediction.error for prediction in given])
        self._known: dict[tuple[str, str], _Look] = {}

    def type_of(self, kind: str, output: str) -> str:
        """The type in which a kind of expectation compares an output, as parse_expectation has it."""
        if output == ANSWER:
            return self._answer_type
        return "number" if output.startswith(SCORE) or kind in NUMERIC_KINDS else "text"

    def at(self, output: str, value_type: str) -> _Look:
        key = (output, value_type)
        if key not in self._known:
            self._known[key] = self._look(output, value_type)
        return self._known[key]

    def _look(self, output: str, value_type: str) -> _Look:
        raws = self._answers
        if output != ANSWER:
            raws = [given.get(output, _ABSENT) if isinstance(given, Mapping) else _ABSENT for given in self._outputs]
        absent = np.array([raw is _ABSENT for raw in raws], dtype=bool)
        blank = np.array([is_na(raw) for raw in raws], dtype=bool)
        column = typed_column(value_type, [None if raw is _ABSENT else raw for raw in raws])
        what = "the answer" if output == ANSWER else f"output {output!r}"
        faults = self._faults.copy()
        for row in np.flatnonzero(absent & pd.isna(faults)):
            faults[row] = f"no output {output!r}; {_given(self._outputs[row])}"
        faults[blank & pd.isna(faults)] = f"{what} is missing"
        remarks = np.full(len(raws), None, dtype=object)
        for row in np.flatnonzero(~column.usable & pd.isna(faults)):
            remarks[row] = f"{what} {_shown(raws[row])} is no {value_type}"
        return _Look(column, faults, remarks)


def _objects(values: Sequence[Any]) -> np.ndarray:
    """The values as an array of objects, whatever they are."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _given(outputs: Any) -> str:
    if not isinstance(outputs, Mapping) or not outputs:
        return "the candidate gives only an answer"
    names = [str(name) for name in outputs]
    return shortened(f"the candidate gives {', '.join(names)}", 300)


def _shown(raw: Any) -> str:
    return repr(shortened(str(typed_answer("text", raw))))


def _with_other(
    look: _Look, others: np.ndarray, expectations: Sequence[Expectation], faults: np.ndarray, remarks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Faults and remarks of a comparison with another pattern: its faults are faults here too."""
    faults, remarks = faults.copy(), remarks.copy()
    for row, (other, wanted) in enumerate(zip(others.tolist(), expectations, strict=True)):
        if faults[row] is not None:
            continue
        if other < 0:
            faults[row] = f"pattern {wanted.value!r} is not in the suite"
        elif look.faults[other] is not None:
            faults[row] = f"pattern {wanted.value!r}: {look.faults[other]}"
        elif remarks[row] is None:
            what = look.remarks[other] or f"{wanted.output} is {_shown(look.column.values[other])}"
            remarks[row] = f"pattern {wanted.value!r}: {what}"
    return faults, remarks


@dataclass(frozen=True)
class Summary:
    """The numbers of a cell: the problem's metric first, and the pass rate."""

    passes: int
    answered: int
    errors: int
    measures: tuple[Measure, ...]
    warnings: tuple[str, ...]


def summarise(
    content: Mapping[str, Any],
    patterns: Sequence[SuitePattern],
    outcomes: Sequence[Outcome],
    predictions: Predictions,
    scorer: Scorer | None = None,
) -> Summary:
    """Counts, metric and warnings of scored patterns.

    `content` is Problem.measured_content(), `outcomes` what score() gave for the same patterns and
    predictions. Errors stand beside the numbers, never in them. `scorer` is the custom scorer,
    where it is loaded already. Raises ValueError where a pattern has no outcome.
    """
    by_id = {outcome.pattern: outcome.outcome for outcome in outcomes}
    found = [by_id.get(pattern.id) for pattern in patterns]
    if None in found:
        raise ValueError(f"pattern {patterns[found.index(None)].id!r} has no outcome")
    given = [predictions.get(pattern.input_digest, _NONE) for pattern in patterns]
    raws = [None if is_na(prediction.answer) else prediction.answer for prediction in given]
    errors, passes = found.count(OUTCOME_ERROR), found.count(PASSED)
    measures = [_pass_rate(passes, len(found) - errors, errors)]
    if content["metric"] != PASS_RATE:
        outputs = [prediction.outputs for prediction in given]
        frame = _scored_frame(content["answer_type"], patterns, found, raws, outputs)
        measures.insert(0, _metric(content, patterns, frame[frame["outcome"] != OUTCOME_ERROR], errors, scorer))
    answered = [raw for raw, prediction in zip(raws, given, strict=True) if prediction.error is None]
    warning = unknown_answers(answered, content["answer_type"], content["labels"])
    return Summary(passes, len(found) - errors, errors, tuple(measures), () if warning is None else (warning,))


def _scored_frame(
    answer_type: str,
    patterns: Sequence[SuitePattern],
    outcomes: Sequence[Any],
    raws: Sequence[Any],
    outputs: Sequence[Any],
) -> pd.DataFrame:
    """What is known of each pattern: the columns of a Scorer and raw."""
    typed = typed_column(answer_type, raws)
    answers = [value if usable else None for value, usable in zip(typed.values.tolist(), typed.usable, strict=True)]
    columns = {
        "pattern": [pattern.id for pattern in patterns],
        "expected": [pattern.expectation.value for pattern in patterns],
        "answer": answers,
        "outputs": [given if isinstance(given, Mapping) else None for given in outputs],
        "outcome": outcomes,
        "polarity": [pattern.polarity for pattern in patterns],
        "raw": raws,
    }
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})


def _pass_rate(passes: int, answered: int, errors: int) -> Measure:
    if not answered:
        return Measure(PASS_RATE, None, _nothing(errors, "the suite has no pattern"))
    return measured(PASS_RATE, passes / answered, functools.partial(wilson, passes, answered))


def _nothing(errors: int, otherwise: str) -> str:
    return f"no pattern was answered: {errors} had errors" if errors else otherwise


def _metric(
    content: Mapping[str, Any],
    patterns: Sequence[SuitePattern],
    answered: pd.DataFrame,
    errors: int,
    scorer: Scorer | None,
) -> Measure:
    name = content["metric"]
    if answered.empty:
        return Measure(name, None, _nothing(errors, "the suite has no pattern"))
    if name.startswith(SCORER):
        frame = answered[["pattern", "expected", "answer", "outputs", "outcome", "polarity"]]
        return measure_scorer(name, frame.reset_index(drop=True), scorer)
    plain = {pattern.id for pattern in patterns if _is_plain_equals(pattern.expectation)}
    rows = answered[answered["pattern"].isin(plain)]
    if rows.empty:
        why = "no answered pattern expects an answer (`equals` on `answer`)"
        return Measure(name, None, f"{why}; {errors} had errors" if errors else why)
    return measure(
        name,
        truth=rows["expected"].tolist(),
        answers=rows["raw"].tolist(),
        scores=_scores(rows["outputs"].tolist()) if name == "roc_auc" else None,
        answer_type=content["answer_type"],
        positive_label=content["positive_label"],
        labels=content["labels"],
    )


def _is_plain_equals(wanted: Expectation) -> bool:
    return wanted.kind == "equals" and not wanted.negated and wanted.output == ANSWER


def _scores(outputs: Sequence[Mapping[str, Any] | None]) -> dict[str, np.ndarray]:
    """Each `score:<class>` as numbers, NaN where a prediction has none."""
    names = sorted({name for given in outputs if given for name in given if name.startswith(SCORE)})
    columns = {name: typed_column("number", [(given or {}).get(name) for given in outputs]) for name in names}
    return {name: np.where(column.usable, column.values, np.nan) for name, column in columns.items()}
