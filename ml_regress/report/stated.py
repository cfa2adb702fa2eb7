"""What a candidate said to each pattern: the draw that stands for it where there are several."""

from collections.abc import Iterable, Mapping

from ml_regress.core.answer_map import mapped_predictions
from ml_regress.core.candidate import Candidate
from ml_regress.core.draws import decide
from ml_regress.core.pattern import Suite
from ml_regress.core.prediction import Prediction
from ml_regress.store import Store
from ml_regress.store.draws import Held

Key = tuple[str, str]


def stated(store: Store, candidate: Candidate, suites: Iterable[Suite]) -> dict[Key, Prediction]:
    """The prediction behind each outcome, by (problem, pattern); a pattern without one is left out.

    Where an input was drawn several times, it is that of the first draw with the decided outcome: an outcome by
    majority beside the answer of another draw would contradict itself.
    """
    given, answer_map = list(suites), candidate.manifest.answer_map
    digests = {pattern.input_digest for suite in given for pattern in suite.patterns}
    held = store.evaluations.draws_of([candidate.id], digests).get(candidate.id, Held())
    first = mapped_predictions(answer_map, held.first)
    found = {
        (suite.problem, pattern.id): first[pattern.input_digest]
        for suite in given
        for pattern in suite.patterns
        if pattern.input_digest in first
    }
    further = {digest: mapped_draws(answer_map, draws) for digest, draws in held.further.items()}
    drawn = [suite for suite in given if any(pattern.input_digest in further for pattern in suite.patterns)]
    for suite in drawn:
        decided = decide([suite.patterns], first, further, suite.content["problem"]["answer_type"])[0]
        for pattern in decided.patterns:
            if pattern.input_digest in decided.predictions:
                found[suite.problem, pattern.id] = decided.predictions[pattern.input_digest]
    return found


def mapped_draws(answer_map: Mapping[str, str], draws: Mapping[int, Prediction]) -> dict[int, Prediction]:
    """Draws of one input with their answers as they are meant."""
    named = mapped_predictions(answer_map, {str(number): made for number, made in draws.items()})
    return {int(number): made for number, made in named.items()}
