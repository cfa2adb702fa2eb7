"""Draws in the store: further predictions of the same inputs, what they give, and what gave way to them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from ml_regress.core.answers import load_raw
from ml_regress.core.draws import DrawsMade
from ml_regress.core.evaluation import Evaluation, Outcome
from ml_regress.core.prediction import Prediction
from ml_regress.store import tables
from ml_regress.store.committing import PREDICTION_COLUMNS, keep_environment, prediction_row
from ml_regress.store.database import insert_rows, now
from ml_regress.store.rows import evaluation_from_row

DRAWN_AGAIN = "drawn again"
_CHUNK = 10_000


@dataclass(frozen=True)
class Superseded:
    """An evaluation, with its outcomes, that another one on the same suite took the place of.

    `number` grows with every one that was.
    """

    number: int
    evaluation: Evaluation
    superseded_at: str


@dataclass(frozen=True)
class Held:
    """The stored predictions of a candidate: the first draws by input digest, further ones by digest and number."""

    first: dict[str, Prediction] = field(default_factory=dict)
    further: dict[str, dict[int, Prediction]] = field(default_factory=dict)


def held_draws(
    connection: sa.Connection, candidates: Iterable[str], input_digests: Iterable[str], *, further: bool
) -> dict[str, Held]:
    """The stored predictions by candidate, with or without the further ones; a candidate without any is left out."""
    columns, ids = tables.predictions.c, tables.candidates.c.id
    names, wanted = sorted(set(candidates)), sorted(set(input_digests))
    found: dict[str, Held] = {}
    values = ("candidate", "input_digest", "draw", "answer", "outputs", "error", "environment")
    query = sa.select(*(columns[name] for name in values))
    if not further:
        query = query.where(columns.draw == 0)
    # One look at the key a candidate: a new one has none, and thousands of digests are not searched for.
    known = sa.exists().where(columns.candidate == ids)
    some = connection.execute(sa.select(ids).where(ids.in_(names), known)).scalars().all()
    for start in range(0, len(wanted) if some else 0, _CHUNK):
        here = query.where(columns.candidate.in_(some), columns.input_digest.in_(wanted[start : start + _CHUNK]))
        for candidate, digest, draw, answer, outputs, error, made_in in connection.execute(here):
            made = Prediction(load_raw(answer), load_raw(outputs), error, made_in)
            held = found.get(candidate)
            if held is None:
                held = found[candidate] = Held()
            if draw == 0:
                held.first[digest] = made
            else:
                held.further.setdefault(digest, {})[draw] = made
    return found


def keep_draws(connection: sa.Connection, candidate: str, draws: DrawsMade, environment: Mapping[str, Any]) -> bool:
    """Append further draws under the numbers that follow those that are stored now.

    Returns whether others were added since the numbers were read: then nothing was scored over all of them.
    """
    columns = tables.predictions.c
    names, held = sorted(draws.predictions), dict[str, int]()
    for start in range(0, len(names), _CHUNK):
        query = (
            sa.select(columns.input_digest, sa.func.max(columns.draw))
            .where(columns.candidate == candidate, columns.input_digest.in_(names[start : start + _CHUNK]))
            .group_by(columns.input_digest)
        )
        held.update((name, highest) for name, highest in connection.execute(query))
    digest, at = keep_environment(connection, environment), now()
    rows = [
        prediction_row((candidate, name, held.get(name, 0) + place), made, digest, at)
        for name in names
        for place, made in enumerate(draws.predictions[name], start=1)
    ]
    insert_rows(connection, tables.predictions, PREDICTION_COLUMNS, rows)
    return any(held.get(name, 0) != draws.highest.get(name, 0) for name in names)


def reliabilities_of(connection: sa.Connection, numbers: Iterable[int]) -> dict[int, dict[str, tuple[int, int]]]:
    """Draws that passed and all draws, by evaluation and pattern."""
    wanted, found = sorted(set(numbers)), dict[int, dict[str, tuple[int, int]]]()
    table = tables.reliabilities
    for start in range(0, len(wanted), _CHUNK):
        query = sa.select(table).where(table.c.evaluation.in_(wanted[start : start + _CHUNK]))
        for number, pattern, passed, draws in connection.execute(query):
            found.setdefault(number, {})[pattern] = (passed, draws)
    return found


def superseded_of(connection: sa.Connection, candidate: str, problem: str) -> list[Superseded]:
    """What another evaluation of this cell on the same suite took the place of, newest first."""
    columns = tables.superseded.c
    query = (
        sa.select(columns.number, columns.evaluation, columns.outcomes, columns.superseded_at)
        .where(columns.candidate == candidate, columns.problem == problem)
        .order_by(columns.number.desc())
    )
    return [
        Superseded(number, replace(evaluation_from_row(json.loads(row)), outcomes=_outcomes(outcomes)), at)
        for number, row, outcomes, at in connection.execute(query)
    ]


def _outcomes(listed: str) -> tuple[Outcome, ...]:
    return tuple(Outcome(*each) for each in json.loads(listed))
