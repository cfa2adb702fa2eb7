"""Draws: what a candidate answered to the same inputs at several times, and what most of them say.

The first draw of an input has the number 0; it is the only one of most candidates. A model that does
not always answer alike is flaky: its outcome is the one that most draws have.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ml_regress.core.answers import typed_answer
from ml_regress.core.evaluation import FAILED, OUTCOME_ERROR, PASSED, Outcome
from ml_regress.core.expectation import PATTERN_KINDS
from ml_regress.core.pattern import SuitePattern
from ml_regress.core.prediction import Prediction, Predictions
from ml_regress.core.scoring import score_suites

MOST_DRAWS = 100
FLAKY = "patterns are flaky"
# Draws beside the first, by input digest and number.
Further = Mapping[str, Mapping[int, Prediction]]
# Draws that passed and all draws, by pattern.
Reliabilities = Mapping[str, tuple[int, int]]
_WORSE = (PASSED, FAILED, OUTCOME_ERROR)


@dataclass(frozen=True)
class DrawsMade:
    """What draws add to the commit of a candidate.

    `predictions` are new draws by input digest, in order. `highest` are the numbers after which they were made, by
    input digest; one that is left out had no further draw. `problems` were drawn. `reliabilities` go with the
    evaluations, by problem, also where no draw is new.
    """

    predictions: Mapping[str, Sequence[Prediction]] = field(default_factory=dict)
    highest: Mapping[str, int] = field(default_factory=dict)
    problems: frozenset[str] = frozenset()
    reliabilities: Mapping[str, Reliabilities] = field(default_factory=dict)


@dataclass(frozen=True)
class Decided:
    """A suite scored over all draws.

    `predictions` hold the one that stands for each of `patterns`: of the first draw with the decided outcome, under
    the pattern's `input_digest`, which is another one than in the suite where that is not the first draw.
    `reliabilities` are there for patterns with more than one draw; `flaky` are those whose draws differ.
    """

    outcomes: tuple[Outcome, ...]
    patterns: Sequence[SuitePattern]
    predictions: Predictions
    reliabilities: Reliabilities = field(default_factory=dict)
    flaky: tuple[str, ...] = ()

    @property
    def warning(self) -> str | None:
        if not self.flaky:
            return None
        return f"{len(self.flaky)} of {len(self.patterns)} {FLAKY}: their draws differ in outcome or answer"


def decide(
    suites: Sequence[Sequence[SuitePattern]], predictions: Predictions, further: Further, answer_type: str
) -> list[Decided]:
    """Suites scored over the first draws (`predictions`) and all further ones: see score_suites.

    A draw of a pattern that is compared with another one counts where both have that draw.
    """
    first = score_suites(suites, predictions, answer_type)
    asked = {pattern.input_digest for suite in suites for pattern in suite} if further else set()
    numbers = sorted({number for digest in asked & further.keys() for number in further[digest]})
    if not numbers:
        return [Decided(scored, suite, predictions) for scored, suite in zip(first, suites, strict=True)]
    votes: list[dict[str, dict[int, Outcome]]] = [{each.pattern: {0: each} for each in scored} for scored in first]
    for number in numbers:
        said = {digest: further[digest][number] for digest in asked & further.keys() if number in further[digest]}
        parts = [[pattern for pattern in suite if pattern.input_digest in said] for suite in suites]
        scored_parts = score_suites(parts, said, answer_type)
        for mine, part, scored in zip(votes, parts, scored_parts, strict=True):
            drawn = {pattern.id for pattern in part}
            for pattern, outcome in zip(part, scored, strict=True):
                other = pattern.expectation.value if pattern.expectation.kind in PATTERN_KINDS else None
                if other is None or other in drawn or other not in mine:  # what is in no suite is so in every draw
                    mine[pattern.id][number] = outcome
    return [_decided(suite, mine, predictions, further) for suite, mine in zip(suites, votes, strict=True)]


def _decided(
    suite: Sequence[SuitePattern],
    votes: Mapping[str, Mapping[int, Outcome]],
    predictions: Predictions,
    further: Further,
) -> Decided:
    outcomes, patterns, flaky = list[Outcome](), list[SuitePattern](), list[str]()
    shown: dict[str, Prediction] = {}
    reliabilities: dict[str, tuple[int, int]] = {}
    for pattern in suite:
        digest, mine = pattern.input_digest, votes[pattern.id]
        number = _representative(mine)
        made = {0: predictions.get(digest), **further.get(digest, {})}
        if len(mine) > 1:
            passed = sum(each.outcome == PASSED for each in mine.values())
            reliabilities[pattern.id] = (passed, len(mine))
            words = _difference(mine, [made[each] for each in mine])
            if words is not None:
                flaky.append(pattern.id)
                reason = mine[number].reason
                mine = {number: mine[number]._replace(reason=words if reason is None else f"{words}; {reason}")}
        outcomes.append(mine[number])
        representative = made[number]
        if number:
            pattern = replace(pattern, input_digest=f"{digest} draw {number}")  # noqa: PLW2901  the same, at that draw
        patterns.append(pattern)
        if representative is not None:
            shown[pattern.input_digest] = representative
    return Decided(tuple(outcomes), patterns, shown, reliabilities, tuple(flaky))


def _representative(votes: Mapping[int, Outcome]) -> int:
    """The first draw with the outcome that most have; a tie goes to the worse."""
    counts = Counter(each.outcome for each in votes.values())
    decided = max(counts, key=lambda outcome: (counts[outcome], _WORSE.index(outcome)))
    return min(number for number, each in votes.items() if each.outcome == decided)


def _difference(votes: Mapping[int, Outcome], made: Sequence[Prediction | None]) -> str | None:
    """In what the draws of a pattern differ; None where they agree."""
    counts = Counter(each.outcome for each in votes.values())
    said = f"{counts[PASSED]} of {len(votes)} draws passed"
    if len(counts) > 1:
        errors = counts[OUTCOME_ERROR]
        return f"{said}, {errors} ended in an error" if errors else said
    answers = {typed_answer("text", each.answer) for each in made if each is not None and each.error is None}
    return f"{said}, with {len(answers)} different answers" if len(answers) > 1 else None
