"""Why the number of a cell moved: its evaluation against the one before it, or against another candidate's."""

from dataclasses import dataclass
from typing import Any

from ml_regress.core.answer_map import mapped_predictions
from ml_regress.core.attribution import Attribution, Part, attribute, attribute_benchmark
from ml_regress.core.candidate import Candidate
from ml_regress.core.environments import environment_differences
from ml_regress.core.evaluation import NOT_APPLICABLE, Evaluation
from ml_regress.core.pattern import Suite, suite_from_content
from ml_regress.core.prediction import Predictions
from ml_regress.core.scoring import PASS_RATE
from ml_regress.core.stages import State
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import NotFound
from ml_regress.store import Store
from ml_regress.store.problems import Measured


@dataclass(frozen=True)
class Moved:
    """Two evaluations of a problem or benchmark, and what the difference of their numbers is made of.

    `environments` are the differences between the environments of the two, in words.
    """

    before: Evaluation
    after: Evaluation
    attribution: Attribution
    environments: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """A line for the passes, one for another headline metric, then what else there is to say."""
        attribution, found = self.attribution, list[str]()
        who = "" if self.before.candidate == self.after.candidate else f" of {self.before.candidate}"
        when = f" on {self.before.evaluated_at[:10]}" if self.before.evaluated_at else ""
        if self.after.passes is not None or self.before.passes is not None:
            parts = [part.words for part in attribution.parts if part.passes or part.answered or part.metric is None]
            found.append(f"was {_count(self.before)}{who}{when}, is {_count(self.after)}: {_listed(parts)}")
        if attribution.metric is not None:
            was, is_ = _metric(self.before), _metric(self.after)
            parts = [part.metric_words for part in attribution.parts if part.metric]
            why = attribution.undefined or _listed(parts)
            found.append(f"{attribution.metric} was {was}{who}{when}, is {is_}: {why}")
        found += [f"{part.cause}: {note}" for part in attribution.parts for note in part.notes]
        found += [f"environment: {difference}" for difference in self.environments]
        return tuple(found)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a script; fractions are texts such as 1/12, so that their sum is exact."""
        return {
            "before": _side(self.before),
            "after": _side(self.after),
            "parts": [_part(part) for part in self.attribution.parts],
            "metric": self.attribution.metric or PASS_RATE,
            "metric_undefined": self.attribution.undefined,
            "environments": list(self.environments),
            "words": list(self.words),
        }


def moved(workspace: Workspace, candidate: str, problem: str) -> Moved | None:
    """The current evaluation of a cell against its previous one, the newest with a number.

    None where there is no current evaluation, no previous one, or the candidate is not applicable now. Raises NotFound.
    """
    store = workspace.store
    with store.database.read():
        known, entry = store.candidates.get(candidate), _entry(store, problem)
        after = store.history.stored(candidate, problem, entry.suite)
        before = store.history.previous(candidate, problem, entry.suite)
        if after is None or before is None or after.evaluation.state == NOT_APPLICABLE:
            return None
        return _moved(store, entry, (known, before.evaluation), (known, after.evaluation))


def moved_between(workspace: Workspace, before: str, after: str, problem: str) -> Moved | None:
    """The evaluations of two candidates, each the current one or else its newest with a number.

    None where one of the two has no number. Raises NotFound.
    """
    store = workspace.store
    with store.database.read():
        entry = _entry(store, problem)
        sides = []
        for name in (before, after):
            known = store.candidates.get(name)
            stored = store.history.stored(name, problem, entry.suite) or store.history.previous(name, problem)
            if stored is None or stored.evaluation.state == NOT_APPLICABLE:
                return None
            sides.append((known, stored.evaluation))
        return _moved(store, entry, *sides)


def _entry(store: Store, problem: str) -> Measured:
    entry = next((item for item in store.problems.measured() if item.id == problem), None)
    if entry is None:
        raise NotFound(f"no problem or benchmark {problem!r} is measured; `ml-regress problems` lists them")
    return entry


def _moved(
    store: Store, entry: Measured, before: tuple[Candidate, Evaluation], after: tuple[Candidate, Evaluation]
) -> Moved:
    was, is_ = before[1], after[1]
    contents = {suite: store.facts.content(entry.id, suite) for suite in {was.suite, is_.suite}}
    if entry.kind == "benchmark":
        attribution = attribute_benchmark(was, is_, contents[was.suite], contents[is_.suite])
    else:
        suites = {digest: suite_from_content(digest, entry.id, content) for digest, content in contents.items()}
        asked = {pattern.input_digest for suite in suites.values() for pattern in suite.patterns}
        predictions = {known.id: _predictions(store, known, asked) for known, _ in (before, after)}
        attribution = attribute(
            *(_state(suites[each.suite], each, predictions[known.id]) for known, each in (before, after))
        )
    made_in = [[store.evaluations.environment(name) for name in each.environments] for each in (was, is_)]
    differences = environment_differences(*made_in) if was.environments and is_.environments else ()
    return Moved(was, is_, attribution, differences)


def _predictions(store: Store, candidate: Candidate, digests: set[str]) -> Predictions:
    """What a candidate is known to say. Where it was asked more than once, no one answer stands for all."""
    held = store.evaluations.draws_of([candidate.id], digests).get(candidate.id)
    if held is None:
        return {}
    once = {digest: made for digest, made in held.first.items() if digest not in held.further}
    return mapped_predictions(candidate.manifest.answer_map, once)


def _state(suite: Suite, evaluation: Evaluation, predictions: Predictions) -> State:
    return State(
        evaluation.candidate,
        suite.content["problem"],
        suite.patterns,
        {each.pattern: each.outcome for each in evaluation.outcomes or ()},
        suite.content["scorer_version"],
        frozenset(evaluation.environments),
        predictions,
        None if evaluation.metric is None else evaluation.metric.value,
    )


def _count(evaluation: Evaluation) -> str:
    errors = f" ({evaluation.errors} errors)" if evaluation.errors else ""
    return f"{evaluation.passes or 0}/{evaluation.answered}{errors}"


def _metric(evaluation: Evaluation) -> str:
    measure = evaluation.metric
    return "undefined" if measure is None or measure.value is None else f"{measure.value:.4g}"


def _listed(parts: list[str]) -> str:
    return ", ".join(parts) or "nothing moved"


def _side(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "candidate": evaluation.candidate,
        "suite": evaluation.suite,
        "evaluated_at": evaluation.evaluated_at,
        "passes": evaluation.passes,
        "answered": evaluation.answered,
        "errors": evaluation.errors,
        "metric": None if evaluation.metric is None else evaluation.metric.value,
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "cause": part.cause,
        "patterns": list(part.patterns),
        "passes": part.passes,
        "answered": part.answered,
        "rate": None if part.rate is None else str(part.rate),
        "metric": None if part.metric is None else str(part.metric),
        "notes": list(part.notes),
    }
