"""Why a row of a batch is worth a person's look: unusual, confidently wrong, disputed, or complained about."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ml_regress.core.answers import typed_answer
from ml_regress.core.outlier_result import CAUSES, CONFIDENT_ERROR, DISAGREEMENT, LOW_RATING, OUTLIER, StrangeRow
from ml_regress.core.outliers import LIMIT, Usual, why
from ml_regress.core.production import LABEL, PREDICTION
from ml_regress.core.rating import Rating
from ml_regress.core.sampling import sample_of
from ml_regress.engine.batch_points import Ground, measured
from ml_regress.engine.candidate_answers import Said, majority, tolerance_of
from ml_regress.store.rows import text_of

MOST = 300
CONFIDENT = 0.8
FALSE_SHARE = 0.1
# More rows than this are sampled: each is held against thousands of reference rows.
LARGEST_SCORED = 50_000
_SCORE = "score:"
_WORDS = 80


@dataclass(frozen=True)
class Strange:
    """A row that is worth a look; of a rating without a row of this batch `row` is None, and `inputs` say what it is.

    `label` is the true answer as far as it is known, `said` what was answered by whom, `suggested` what the evidence
    says that is right.
    """

    cause: str
    score: float
    why: str
    row: int | None = None
    inputs: Mapping[str, Any] | None = None
    label: Any = None
    said: Mapping[str, Any] | None = None
    suggested: Any = None
    failed: tuple[str, ...] = ()

    @property
    def shown(self) -> StrangeRow | None:
        """As a report holds it: only rows of the batch."""
        return None if self.row is None else StrangeRow(self.row, self.cause, self.score, self.why)


@dataclass(frozen=True, eq=False)
class Found:
    """The strangest rows of one cause, the strangest first, and how many there are in all."""

    rows: tuple[Strange, ...] = ()
    count: int = 0
    notes: tuple[str, ...] = ()


def outlier_rows(ground: Ground, usual: Usual) -> tuple[Found, np.ndarray]:
    """Rows that are unusual against the reference, and of every row that was looked at how strange it is (its score;
    NaN where it was not looked at).

    Of many usual rows some are strange by chance: only as many are named as keep the false ones among them to
    FALSE_SHARE in expectation (Benjamini and Hochberg over the chances of all rows), so that a batch like its
    reference has none.
    """
    chances = np.full(ground.kept.rows, np.nan)
    looked = sample_of(ground.kept.rows, LARGEST_SCORED)
    step = ground.features.rows_at_once
    for start in range(0, len(looked), step):
        rows = looked[start : start + step]
        chances[rows] = usual.scores(ground.points(rows)).chance
    order = looked[np.argsort(chances[looked], kind="stable")]
    allowed = np.flatnonzero(chances[order] <= FALSE_SHARE * np.arange(1, len(order) + 1) / max(1, len(order)))
    strange = order[: allowed[-1] + 1 if len(allowed) else 0]
    strange = strange[1.0 - chances[strange] > LIMIT]
    first = strange[:MOST]
    frame = measured(ground.frame(first))
    found = tuple(
        Strange(OUTLIER, float(1.0 - chances[row]), why(ground.features, frame, place), int(row))
        for place, row in enumerate(first)
    )
    notes: tuple[str, ...] = ()
    if len(looked) < ground.kept.rows:
        notes = (f"outliers were looked for in a sample of {len(looked):,} of {ground.kept.rows:,} rows",)
    return Found(found, len(strange), notes), 1.0 - chances


def confident_errors(ground: Ground, rows: np.ndarray, said: Said | None) -> Found:
    """Wrong answers with a score of at least CONFIDENT, or any where the model gives no scores.

    Answers that came with the batch count; where none came, those of `said` to `rows`. A number is wrong where its
    error is far beyond the usual one (beyond the upper quartile by three times the distance of the quartiles) and
    beyond what still is the same answer (`tolerance_of`).
    """
    kept = ground.kept
    if LABEL not in kept.names:
        return Found()
    if PREDICTION in kept.names and ground.batch.predicted:
        places = np.flatnonzero(_both(kept.column(LABEL), kept.column(PREDICTION)))
        labels, answers = (kept.column(name, places).to_pylist() for name in (LABEL, PREDICTION))
        scores, who = None, ground.batch.candidate
    elif said is not None:
        labels = kept.column(LABEL, rows).to_pylist()
        there = [i for i, label in enumerate(labels) if label is not None and said.answers[i] is not None]
        places, who = rows[there], said.candidate
        labels, answers = [labels[i] for i in there], [said.answers[i] for i in there]
        scores = [(said.outputs[i] or {}).get(_SCORE + text_of(said.answers[i])) for i in there]
    else:
        return Found(notes=("no answer to a labelled row is known, and no candidate could be asked",))
    if ground.schema.answer_type == "number":
        limit = tolerance_of(kept, ())
        wrong, score = _far_off(np.array(labels, dtype=float), np.array(answers, dtype=float), limit)
    else:
        wrong = np.flatnonzero([label != answer for label, answer in zip(labels, answers, strict=True)])
        given = _kept_scores(ground, places[wrong], [answers[i] for i in wrong]) if scores is None else [
            scores[i] for i in wrong
        ]  # fmt: skip
        score = np.array([np.nan if each is None else each for each in given], dtype=float)
        confident = np.isnan(score) | (score >= CONFIDENT)
        wrong, score = wrong[confident], score[confident]
    order = np.argsort(-np.nan_to_num(score, nan=0.5), kind="stable")[:MOST]
    found = []
    for i, certainty in zip(wrong[order], score[order], strict=True):
        words = f"answered {_short(answers[i])}{_with_score(ground, certainty)}, but it is {_short(labels[i])}"
        found.append(
            Strange(
                CONFIDENT_ERROR, 0.5 if np.isnan(certainty) else float(certainty), words, int(places[i]),
                label=labels[i], failed=() if who is None else (who,),
            )
        )  # fmt: skip
    return Found(tuple(found), len(wrong))


def _both(one: pa.ChunkedArray, other: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(pc.and_(pc.is_valid(one), pc.is_valid(other)).to_numpy(), dtype=bool)


def _far_off(labels: np.ndarray, answers: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """The positions of errors far beyond the usual one and beyond a limit, and the share of smaller ones for each."""
    errors = np.abs(labels - answers)
    if not len(errors):
        return np.array([], dtype=int), np.array([])
    low, high = np.quantile(errors, [0.25, 0.75])
    wrong = np.flatnonzero(errors > max(high + 3 * (high - low), limit))
    return wrong, np.searchsorted(np.sort(errors), errors[wrong]) / len(errors)


def _kept_scores(ground: Ground, rows: np.ndarray, answers: Sequence[Any]) -> list[float | None]:
    """The kept score of each answer to these rows, None where the batch has none."""
    found: list[float | None] = [None] * len(rows)
    wanted = [_SCORE + text_of(answer) for answer in answers]
    for name in dict.fromkeys(wanted):
        if name in ground.kept.names:
            here = [i for i, each in enumerate(wanted) if each == name]
            for i, value in zip(here, ground.kept.column(name, rows[here]).to_pylist(), strict=True):
                found[i] = value
    return found


def _with_score(ground: Ground, score: float) -> str:
    if np.isnan(score):
        return ""
    if ground.schema.answer_type == "number":
        return f" (a larger error than {score:.0%} of the others)"
    return f" with score {score:.2f}"


def disagreements(ground: Ground, rows: np.ndarray, said: Sequence[Said]) -> Found:
    """Rows to which the candidates do not answer alike; numbers that differ by more than the distance of the
    quartiles of their differences and than what still is the same answer. `score` is the share of candidates against
    the majority.
    """
    if len(said) < 2:
        return Found()
    if ground.schema.answer_type == "number":
        scored = _apart(said, tolerance_of(ground.kept, said))
    else:
        scored = {}
        for place, answers in enumerate(zip(*(each.answers for each in said), strict=True)):
            there = [answer for answer in answers if answer is not None]
            if len(set(there)) > 1:
                scored[place] = 1 - Counter(there).most_common(1)[0][1] / len(there)
    order = sorted(scored, key=lambda place: (-scored[place], place))
    found = []
    for place in order[:MOST]:
        told = {each.candidate: each.answers[place] for each in said if each.answers[place] is not None}
        found.append(
            Strange(
                DISAGREEMENT, scored[place], _who_says_what(told), int(rows[place]), said=told,
                suggested=majority(list(told.values()), ground.schema.answer_type),
            )
        )  # fmt: skip
    return Found(tuple(found), len(scored))


def _apart(said: Sequence[Said], limit: float) -> dict[int, float]:
    answers = np.array([[np.nan if value is None else value for value in each.answers] for each in said], dtype=float)
    together = np.isfinite(answers).all(axis=0)
    worst = np.zeros(answers.shape[1])
    for one in range(len(answers)):
        for other in range(one + 1, len(answers)):
            apart = answers[one] - answers[other]
            if not together.any():
                continue
            low, high = np.quantile(apart[together], [0.25, 0.75])
            size = np.abs(np.nan_to_num(apart))
            beyond = np.where(size > max(high - low, limit), size / (size + (high - low)), 0.0)
            worst = np.maximum(worst, np.where(together, beyond, 0.0))
    return {int(place): float(worst[place]) for place in np.flatnonzero(worst)}


def _who_says_what(answers: Mapping[str, Any]) -> str:
    by_answer: dict[Any, list[str]] = {}
    for candidate, answer in answers.items():
        by_answer.setdefault(answer, []).append(candidate)
    return "; ".join(
        f"{' and '.join(names)} {'say' if len(names) > 1 else 'says'} {_short(answer)}"
        for answer, names in sorted(by_answer.items(), key=lambda each: (-len(each[1]), str(each[0])))
    )


def low_ratings(ground: Ground, ratings: Sequence[Rating]) -> Found:
    """Inputs that users complained about, whose columns are those of the batch."""
    found = []
    for rating in ratings:
        if ground.takes(rating.inputs):
            told = f" of {rating.person}" if rating.person else ""
            words = f": {_short(rating.words)}" if rating.words else ""
            stars = 0.0 if rating.stars is None else (rating.stars - 1) / 4
            answer = typed_answer(ground.schema.answer_type, rating.prediction)
            found.append(
                Strange(
                    LOW_RATING, 1.0 - stars, f"{rating.shown}{told} for the answer {_short(rating.prediction)}{words}",
                    inputs={name: rating.inputs[name] for name in ground.types.names},
                    said={rating.candidate: answer}, failed=(rating.candidate,),
                )
            )  # fmt: skip
    skipped = len(ratings) - len(found)
    notes = (f"{skipped} low ratings have other inputs than this batch",) if skipped else ()
    return Found(tuple(found), len(found), notes)


def strangest(found: Mapping[str, Found], most: int = MOST) -> list[Strange]:
    """At most so many over all causes, each cause with an equal share as far as it has so many.

    A row that is strange twice stands once, under the cause that comes first in CAUSES, with both reasons.
    """
    lists = {cause: list(found[cause].rows) for cause in CAUSES if cause in found}
    taken: dict[Any, Strange] = {}
    place = 0
    while lists and len(taken) < most:
        lists = {cause: rows for cause, rows in lists.items() if len(rows) > place}
        for rows in lists.values():
            each = rows[place]
            key = (each.cause, place) if each.row is None else each.row
            if key in taken:
                taken[key] = _merged(taken[key], each)
            elif len(taken) < most:
                taken[key] = each
        place += 1
    return sorted(taken.values(), key=lambda each: CAUSES.index(each.cause))


def _merged(one: Strange, other: Strange) -> Strange:
    first, second = sorted((one, other), key=lambda each: CAUSES.index(each.cause))
    return replace(
        first, why=f"{first.why}; also: {second.why}", label=first.label if first.label is not None else second.label,
        said=first.said or second.said, suggested=first.suggested if first.suggested is not None else second.suggested,
        failed=tuple(dict.fromkeys([*first.failed, *second.failed])),
    )  # fmt: skip


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else "nothing" if value is None else text_of(value)
    return text if len(text) <= _WORDS else text[: _WORDS - 1] + "…"
