"""The way from one state of a cell to another, in stages: after each, one more cause has had its effect.

The causes come in one order (CAUSES), and each stage replaces what its cause explains and nothing else. A pattern that
one cause alone touches takes its new outcome there. One that several touch is scored in between, with the predictions
at hand; where those are not enough to tell, the first of the causes takes what cannot be told apart, and it is said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ml_regress.core.evaluation import OUTCOME_ERROR, PASSED
from ml_regress.core.expectation import PATTERN_KINDS, Expectation
from ml_regress.core.pattern import SuitePattern
from ml_regress.core.prediction import Predictions
from ml_regress.core.scoring import score

RETIRED, INPUTS, CORRECTED, SCORER = "pattern retired", "inputs changed", "expectation corrected", "scorer"
ENVIRONMENT, ANSWERS, CANDIDATE, ADDED = "environment", "answers", "candidate", "pattern added"
# The order that is walked; of environment, answers and candidate at most one is there.
CAUSES = (RETIRED, INPUTS, CORRECTED, SCORER, ENVIRONMENT, ANSWERS, CANDIDATE, ADDED)
_PLACE = {cause: place for place, cause in enumerate(CAUSES)}
# What of a problem or benchmark, beside its metrics, decides how answers are counted.
SCORED_BY = ("answer_type", "labels", "positive_label")


@dataclass(frozen=True)
class State:
    """A cell as it was measured: what was asked, and what became of it.

    `problem` is Problem.measured_content(). `outcomes` are by pattern: one that is left out is an error. `predictions`
    are those known of the candidate, by input digest and as its answer map means them; they need not be complete.
    `metric` is the stored headline measure, None where it is undefined.
    """

    candidate: str
    problem: Mapping[str, Any]
    patterns: tuple[SuitePattern, ...]
    outcomes: Mapping[str, str]
    scorer_version: str = ""
    environments: frozenset[str] = frozenset()
    predictions: Predictions = field(default_factory=dict)
    metric: float | None = None

    def outcome(self, pattern: str) -> str:
        return self.outcomes.get(pattern, OUTCOME_ERROR)

    @property
    def passes(self) -> int:
        return sum(self.outcome(pattern.id) == PASSED for pattern in self.patterns)

    @property
    def answered(self) -> int:
        return sum(self.outcome(pattern.id) != OUTCOME_ERROR for pattern in self.patterns)


@dataclass(frozen=True)
class Stage:
    """The state once `cause` has had its effect too.

    `patterns` are those that it moved; if it moved none, those that it touched. `also` names for some of them other
    causes whose effect could not be told apart and is in this stage.
    """

    cause: str
    state: State
    patterns: tuple[str, ...]
    moved: bool
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def stages(before: State, after: State) -> list[Stage]:
    """The stages from `before` to `after`, only those of causes that are there; the last one is `after`."""
    return _Walk(before, after).stages()


class _Walk:
    """Both states by pattern, and which causes touch which pattern."""

    def __init__(self, before: State, after: State) -> None:
        self.before, self.after = before, after
        self.old = {pattern.id: pattern for pattern in before.patterns}
        self.new = {pattern.id: pattern for pattern in after.patterns}
        self.kept = sorted(self.old.keys() & self.new.keys())
        self.retyped = before.problem["answer_type"] != after.problem["answer_type"]
        self.answering = CANDIDATE if before.candidate != after.candidate else _environment_or_answers(before, after)
        content = {name: self._content_causes(name) for name in self.kept}
        # What more than one cause may have moved is scored; the rest needs no predictions.
        contested = [name for name, causes in content.items() if causes]
        self._was = self._scored(contested, self.old, before.predictions, before.problem["answer_type"])
        self._is = self._scored(contested, self.new, after.predictions, after.problem["answer_type"])
        self.touches = {name: self._causes(name, causes) for name, causes in content.items()}

    def stages(self) -> list[Stage]:
        places = self._outcomes()
        found: list[Stage] = []
        previous = self.before
        for cause in self._present():
            outcomes = {name: by_cause[cause] for name, (by_cause, _) in places.items() if cause in by_cause}
            now = self._state(cause, {**previous.outcomes, **outcomes})
            changed = self._changed(cause, previous, now)
            touched = changed or self._touched(cause)
            also = {name: places[name][1][cause] for name in changed if name in places and cause in places[name][1]}
            found.append(Stage(cause, now, tuple(touched), bool(changed), also))
            previous = now
        return found

    def _present(self) -> list[str]:
        """The causes that are there, in order."""
        there = {cause for causes in self.touches.values() for cause in causes}
        there |= {CORRECTED for name in self.kept if self._corrected(name)}
        there |= {INPUTS for name in self.kept if self._asks_anew(name)}
        there |= {RETIRED} if self.old.keys() - self.new.keys() else set()
        there |= {ADDED} if self.new.keys() - self.old.keys() else set()
        there |= {SCORER} if _scored_by(self.before) != _scored_by(self.after) else set()
        there |= {CANDIDATE} if self.answering == CANDIDATE else set()
        there |= set() if there or self.before.metric == self.after.metric else {self.answering}
        return [cause for cause in CAUSES if cause in there]

    def _asks_anew(self, name: str) -> bool:
        return self.old[name].input_digest != self.new[name].input_digest

    def _corrected(self, name: str) -> bool:
        old, new = self.old[name], self.new[name]
        was, is_ = old.expectation, new.expectation
        if self.retyped:  # the same text in another type is no correction
            return _as_text(was) != _as_text(is_) or old.polarity != new.polarity
        return was != is_ or old.polarity != new.polarity

    def _content_causes(self, name: str) -> list[str]:
        """The changes of a suite that can change the outcome of a pattern which stayed in it."""
        old, new = _other(self.old[name]), _other(self.new[name])
        others = [other for other in (old, new) if other in self.old and other in self.new]
        found = set()
        if old is not None and old in self.old and old not in self.new:
            found.add(RETIRED)
        if self._asks_anew(name) or any(self._asks_anew(other) for other in others):
            found.add(INPUTS)
        if self._corrected(name):
            found.add(CORRECTED)
        if self.retyped:
            found.add(SCORER)
        if new is not None and new in self.new and new not in self.old:
            found.add(ADDED)
        return sorted(found, key=_PLACE.__getitem__)

    def _causes(self, name: str, content: list[str]) -> list[str]:
        """All causes that touch a pattern which stayed, in order."""
        was, is_ = self.before.outcome(name), self.after.outcome(name)
        if not content:
            return [self.answering] if was != is_ else []
        old, new = self.old[name], self.new[name]
        alike = old.expectation.output == new.expectation.output and _other(old) == _other(new)
        if (was == OUTCOME_ERROR) != (is_ == OUTCOME_ERROR) and alike and not {*content} - {CORRECTED, SCORER}:
            return [self.answering]  # no other expectation of the same output makes an answer of an error
        if self.answering == CANDIDATE:
            return sorted([*content, CANDIDATE], key=_PLACE.__getitem__)
        if INPUTS not in content and was != is_ and name in self._was:
            # The answers of then are not kept where others took their place: do those of now explain it alone?
            with_answers = self._was[name]
            if with_answers not in (was, None) and with_answers == is_:
                return [self.answering]
        return content

    def _outcomes(self) -> dict[str, tuple[dict[str, str], dict[str, tuple[str, ...]]]]:
        """By pattern that stayed: the outcome after each cause that touches it, and what a cause took of others."""
        contested = [name for name, causes in self.touches.items() if len(causes) > 1]
        at = {
            cause: self._scored_at(cause, [name for name in contested if cause in self.touches[name][:-1]])
            for cause in CAUSES
        }
        found: dict[str, tuple[dict[str, str], dict[str, tuple[str, ...]]]] = {}
        for name, causes in self.touches.items():
            outcome, taken = self.after.outcome(name), list[str]()
            by_cause, also = dict[str, str](), dict[str, tuple[str, ...]]()
            for cause in reversed(causes):
                if cause != causes[-1]:
                    scored = at[cause].get(name) if self._trusted(name) else None
                    outcome, taken = (outcome, taken) if scored is None else (scored, [])
                by_cause[cause] = outcome
                if taken:
                    also[cause] = tuple(reversed(taken))
                taken.append(cause)
            found[name] = by_cause, also
        return found

    def _trusted(self, name: str) -> bool:
        """Whether the predictions at hand give the outcomes that are stored."""
        return self._was.get(name) in (None, self.before.outcome(name)) and (
            self._is.get(name) == self.after.outcome(name)
        )

    def _scored_at(self, cause: str, names: Sequence[str]) -> Mapping[str, str | None]:
        if not names:
            return {}
        state = self._state(cause, {})
        patterns = {pattern.id: pattern for pattern in state.patterns}
        return self._scored(names, patterns, state.predictions, state.problem["answer_type"])

    def _scored(
        self, names: Sequence[str], patterns: Mapping[str, SuitePattern], predictions: Predictions, answer_type: str
    ) -> dict[str, str | None]:
        """The outcomes of some patterns of a suite; None where a prediction is not at hand."""
        if not names or not predictions:
            return {}
        others = {name: _other(patterns[name]) for name in names}
        asked = {
            name: [each for each in (name, others[name]) if each is not None and each in patterns] for name in names
        }
        together = [patterns[each] for each in sorted({each for group in asked.values() for each in group})]
        outcomes = {each.pattern: each.outcome for each in score(together, predictions, answer_type)}
        return {
            name: outcomes[name] if all(patterns[each].input_digest in predictions for each in group) else None
            for name, group in asked.items()
        }

    def _state(self, cause: str, outcomes: Mapping[str, str]) -> State:
        """The state after a cause; the outcomes of patterns that are only in one of the suites follow from it."""
        place = _PLACE[cause]
        names = sorted({*self.kept, *(self.new if cause == ADDED else ())})
        known = self.after.outcomes if cause == ADDED else outcomes
        scored, answered = (
            self.after if place >= _PLACE[SCORER] else self.before,
            self.after if place >= _PLACE[ENVIRONMENT] else self.before,
        )
        return State(
            answered.candidate,
            scored.problem,
            tuple(self._pattern(name, place) for name in names),
            {name: known[name] for name in names if name in known},
            scored.scorer_version,
            answered.environments,
            # A new expectation has no meaning in the old type: nothing can be scored there.
            {} if self.retyped and cause == CORRECTED else answered.predictions,
            self.after.metric if cause == ADDED else None,
        )

    def _pattern(self, name: str, place: int) -> SuitePattern:
        old, new = self.old.get(name), self.new[name]
        if old is None or place >= _PLACE[SCORER]:
            return new
        if place >= _PLACE[CORRECTED] and self._corrected(name):
            return new
        return replace(old, inputs=new.inputs, input_digest=new.input_digest) if place >= _PLACE[INPUTS] else old

    def _changed(self, cause: str, before: State, after: State) -> list[str]:
        """The patterns that came, went, or have another outcome."""
        was, is_ = ({pattern.id for pattern in state.patterns} for state in (before, after))
        names = sorted((was ^ is_) | {name for name in was & is_ if before.outcome(name) != after.outcome(name)})
        own = {RETIRED: was - is_, ADDED: is_ - was}.get(cause, set())
        return sorted(own) + [name for name in names if name not in own]

    def _touched(self, cause: str) -> list[str]:
        if cause == CORRECTED:
            return [name for name in self.kept if self._corrected(name)]
        if cause == INPUTS:
            return [name for name in self.kept if self._asks_anew(name)]
        return []


def _environment_or_answers(before: State, after: State) -> str:
    there = before.environments and after.environments
    return ENVIRONMENT if there and before.environments != after.environments else ANSWERS


def _scored_by(state: State) -> list[Any]:
    return [state.scorer_version, *(state.problem[key] for key in ("metric", *SCORED_BY))]


def _other(pattern: SuitePattern) -> str | None:
    """The pattern that this one is compared with."""
    return str(pattern.expectation.value) if pattern.expectation.kind in PATTERN_KINDS else None


def _as_text(wanted: Expectation) -> tuple[Any, ...]:
    values = wanted.value if isinstance(wanted.value, tuple) else (wanted.value,)
    texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
    return wanted.name, texts, wanted.output, wanted.tolerance
