"""Attribution: which causes a number moved by, in parts that add up exactly.

The difference that each stage (core.stages) makes is the part of its cause. Counts and the pass rate need no
predictions; another headline metric is computed anew after each stage, where what it was computed from is at hand.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ml_regress.core.evaluation import OUTCOME_ERROR, Evaluation, Outcome
from ml_regress.core.problem import SCORER as CUSTOM
from ml_regress.core.scoring import PASS_RATE, summarise
from ml_regress.core.stages import (
    ADDED,
    ANSWERS,
    CANDIDATE,
    CORRECTED,
    ENVIRONMENT,
    INPUTS,
    RETIRED,
    SCORED_BY,
    SCORER,
    Stage,
    State,
    stages,
)

NAMED = 5
_PLURAL = {ADDED: "patterns added", RETIRED: "patterns retired", CORRECTED: "expectations corrected"}
_SAME = 1e-9


@dataclass(frozen=True)
class Part:
    """What one cause did: to the passes, the answered patterns, the pass rate (0 to 1) and the headline metric.

    `rate` and `metric` are None where they cannot be said; `notes` say why, and what else is in the part.
    """

    cause: str
    patterns: tuple[str, ...]
    passes: int
    answered: int
    rate: Fraction | None
    metric: Fraction | None = None
    notes: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The part for a person: `+1 pattern added (x)`."""
        more = () if self.answered in (0, self.passes) else (f"{self.answered:+d} answered",)
        return f"{self.passes:+d} {self._what(*more)}"

    @property
    def metric_words(self) -> str:
        """The same of the headline metric: `+0.0333 pattern added (x)`."""
        return f"{'?' if self.metric is None else format(float(self.metric), '+.4g')} {self._what()}"

    def _what(self, *more: str) -> str:
        what = _PLURAL.get(self.cause, self.cause) if len(self.patterns) > 1 else self.cause
        inner = [*([few(self.patterns)] if self.patterns else []), *more]
        return what + (f" ({'; '.join(inner)})" if inner else "")


@dataclass(frozen=True)
class Attribution:
    """The parts in the order of core.stages.CAUSES, each that is not nothing.

    `metric` names the headline metric, None for the pass rate; `undefined` says why its parts are not there.
    """

    parts: tuple[Part, ...]
    metric: str | None = None
    undefined: str | None = None


def attribute(before: State, after: State) -> Attribution:
    """Why `after` has other numbers than `before`.

    The passes and the answered patterns of the parts add up to the difference; so do the rates that are not None, where
    the rate is defined before and after, and the metrics likewise.
    """
    walked = stages(before, after)
    rates, rate_notes = _differences([_rate(before), *(_rate(stage.state) for stage in walked)], "pass rate", walked)
    name = after.problem["metric"]
    metrics: list[Fraction | None] = [None] * len(walked)
    metric_notes: list[tuple[str, ...]] = [()] * len(walked)
    undefined = None
    if {name, before.problem["metric"]} != {PASS_RATE}:
        # Answers that moved no outcome are no cause by themselves, and may move the metric beside the one that is seen.
        answering = {each.cause for each in walked} <= {ENVIRONMENT, ANSWERS, CANDIDATE}
        alone = len(walked) <= 1 and (answering or before.environments == after.environments)
        undefined = _no_metric(before, after, alone=alone)
        if undefined is None:
            gone = before.scorer_version if _other_version(before, after) else None
            inner = [_metric(stage.state, gone) for stage in walked[:-1]]
            metrics, metric_notes = _differences([_exact(before.metric), *inner, _exact(after.metric)], name, walked)
    parts = []
    previous = before
    for place, stage in enumerate(walked):
        now = stage.state
        passes, answered = now.passes - previous.passes, now.answered - previous.answered
        notes = (*_untold(stage), *rate_notes[place], *metric_notes[place])
        if stage.moved or metrics[place] or notes:
            parts.append(Part(stage.cause, stage.patterns, passes, answered, rates[place], metrics[place], notes))
        previous = now
    return Attribution(tuple(parts), None if name == PASS_RATE else name, undefined)


def attribute_benchmark(
    before: Evaluation, after: Evaluation, was: Mapping[str, Any], is_: Mapping[str, Any]
) -> Attribution:
    """The same of a benchmark, of which no rows are kept: all of it is one part, and its notes name further causes.

    `was` and `is_` are Benchmark.measured_content().
    """
    causes = [INPUTS] if any(was[key] != is_[key] for key in ("data", "inputs", "target")) else []
    causes += [SCORER] if any(was[key] != is_[key] for key in ("metrics", *SCORED_BY)) else []
    causes += [CANDIDATE] if before.candidate != after.candidate else []
    if not causes:
        causes = [ENVIRONMENT if before.environments != after.environments else ANSWERS]
    old, new = before.metric, after.metric
    value = name = undefined = None
    if new is not None:
        name = new.name
        if old is None or old.value is None or new.value is None:
            undefined = f"{name} is undefined {'after' if new.value is None else 'before'}"
        else:
            value = Fraction(new.value) - Fraction(old.value)
    notes = (f"cannot be told apart from {' and '.join(causes[1:])}",) if causes[1:] else ()
    answered = after.answered - before.answered
    parts = (Part(causes[0], (), 0, answered, None, value, notes),) if answered or value else ()
    return Attribution(parts, name, undefined)


def few(names: Sequence[str]) -> str:
    """Names for a person, not more than a few."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _differences(
    values: Sequence[Fraction | None], what: str, walked: Sequence[Stage]
) -> tuple[list[Fraction | None], list[tuple[str, ...]]]:
    """The difference that each stage makes; a stage after which there is no value is in the next that has one."""
    found: list[Fraction | None] = [None] * len(walked)
    notes: list[tuple[str, ...]] = [()] * len(walked)
    last = values[0]
    if last is None or values[-1] is None:
        return found, notes
    waiting = list[str]()
    for place, (stage, value) in enumerate(zip(walked, values[1:], strict=False)):
        if value is None:
            waiting.append(stage.cause)
            continue
        found[place], last = value - last, value
        if waiting:
            notes[place] = (f"the change of the {what} includes that by {' and '.join(waiting)}",)
        waiting = []
    return found, notes


def _untold(stage: Stage) -> tuple[str, ...]:
    by_causes: dict[tuple[str, ...], list[str]] = {}
    for pattern, causes in stage.also.items():
        by_causes.setdefault(causes, []).append(pattern)
    return tuple(
        f"cannot be told apart from {' and '.join(causes)} on {few(patterns)}" for causes, patterns in by_causes.items()
    )


def _rate(state: State) -> Fraction | None:
    return Fraction(state.passes, state.answered) if state.answered else None


def _exact(value: float | None) -> Fraction | None:
    return None if value is None else Fraction(value)


def _no_metric(before: State, after: State, *, alone: bool) -> str | None:
    """Why the headline metric cannot be attributed; None where it can. One cause `alone` has all of it."""
    for when, state in (("before", before), ("after", after)):
        name = state.problem["metric"]
        if state.metric is None:
            return f"{name} is undefined {when}"
        if alone or (state is before and _other_version(before, after)):
            continue  # how it was computed is not asked, or gone
        found = _metric(state, None)
        if found is None or not math.isclose(found, state.metric, rel_tol=_SAME, abs_tol=_SAME):
            return f"the answers that {name} {when} was computed from are not all kept as they were"
    return None


def _other_version(before: State, after: State) -> bool:
    custom = str(before.problem["metric"]).startswith(CUSTOM)
    return custom and before.scorer_version != after.scorer_version


def _metric(state: State, gone: str | None) -> Fraction | None:
    """The headline metric of a state; None where it is undefined or an answer is not at hand.

    `gone` is the version of a scorer that computes nothing any more.
    """
    if gone is not None and state.scorer_version == gone:
        return None
    asked = [pattern for pattern in state.patterns if state.outcome(pattern.id) != OUTCOME_ERROR]
    if any(pattern.input_digest not in state.predictions for pattern in asked):
        return None
    outcomes = [Outcome(pattern.id, state.outcome(pattern.id)) for pattern in state.patterns]
    measures = summarise(state.problem, state.patterns, outcomes, state.predictions).measures
    return _exact(measures[0].value)
