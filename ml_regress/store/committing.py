"""Committing: how what was measured of one candidate is written, inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ml_regress.core.answers import dump_raw
from ml_regress.core.digest import digest_of
from ml_regress.core.draws import Reliabilities
from ml_regress.core.evaluation import ERROR, OK, Evaluation
from ml_regress.core.prediction import Prediction, Predictions
from ml_regress.store import tables
from ml_regress.store.database import insert_rows, now
from ml_regress.store.due import APPENDED
from ml_regress.store.rows import dump, evaluation_from_row, evaluation_row

PREDICTION_COLUMNS = ("candidate", "input_digest", "draw", "answer", "outputs", "error", "environment", "made_at")
RELIABILITY_COLUMNS = ("evaluation", "pattern", "passed", "draws")
SUPERSEDED_COLUMNS = ("candidate", "problem", "suite", "evaluation", "outcomes", "superseded_at")
OUTCOME_COLUMNS = ("evaluation", "pattern", "outcome", "reason")
ERRORS_GIVE_WAY = (
    "ON CONFLICT (candidate, input_digest, draw) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in PREDICTION_COLUMNS[3:])
    + " WHERE predictions.error IS NOT NULL"
)


def _here(table: sa.Table) -> sa.ColumnElement[bool]:
    """Rows of a candidate's cells, on the suites that go with them."""
    columns = table.c
    pairs = sa.tuple_(columns.problem, columns.suite).in_(sa.bindparam("pairs", expanding=True))
    return sa.and_(columns.candidate == sa.bindparam("candidate"), pairs)


# Made once: every candidate's commit needs them, and to build one takes longer than to execute it.
_STORED = sa.select(tables.evaluations).where(_here(tables.evaluations))
_NUMBERS = _STORED.with_only_columns(*(tables.evaluations.c[name] for name in ("problem", "suite", "number")))
_NO_LONGER_DUE = sa.delete(tables.due).where(
    _here(tables.due),
    # Predictions were appended since the claim read what there was: an error may be one no more.
    ~sa.and_(
        tables.due.c.claimed_by.is_(None),
        tables.due.c.reason == APPENDED,
        tables.due.c.problem.in_(sa.bindparam("errors", expanding=True)),
    ),
)
_ONE_HELD = (
    sa.select(tables.due.c.candidate, tables.due.c.problem)
    .where(tables.due.c.claimed_by == sa.bindparam("claim"))
    .limit(1)
)
_ALIVE = (
    sa.update(tables.due)
    .where(sa.tuple_(tables.due.c.candidate, tables.due.c.problem).in_(_ONE_HELD))
    .values(claimed_at=sa.bindparam("at"))
)


def environment_digest(environment: Mapping[str, Any]) -> str:
    """The name under which an environment is stored."""
    return digest_of(dict(environment))[:16]


def keep_predictions(
    connection: sa.Connection, candidate: str, predictions: Predictions, environment: Mapping[str, Any]
) -> None:
    """Store predictions that were made in an environment; those that are held stay, but an error gives way."""
    digest, at = keep_environment(connection, environment), now()
    rows = [prediction_row((candidate, name, 0), made, digest, at) for name, made in predictions.items()]
    insert_rows(connection, tables.predictions, PREDICTION_COLUMNS, rows, ERRORS_GIVE_WAY)


def keep_environment(connection: sa.Connection, environment: Mapping[str, Any]) -> str:
    """Store an environment; returns its digest."""
    digest = environment_digest(environment)
    made_in = (digest, dump(dict(environment)))
    insert_rows(connection, tables.environments, ("digest", "content"), [made_in], "ON CONFLICT DO NOTHING")
    return digest


def prediction_row(key: tuple[str, str, int], made: Prediction, environment: str, at: str) -> tuple[Any, ...]:
    """The columns of `predictions`; the key is candidate, input digest and draw."""
    return (
        *key,
        dump_raw(made.answer) if made.error is None else None,
        None if made.outputs is None else dump_raw(made.outputs),
        made.error,
        environment,
        made.made_at or at,
    )


def keep_evaluations(
    connection: sa.Connection,
    candidate: str,
    evaluations: Sequence[Evaluation],
    claim: str,
    reliabilities: Mapping[str, Reliabilities],
) -> tuple[Evaluation, ...]:
    """Store evaluations with their outcomes, and return what is stored now; what gives way goes to `superseded`.

    Of two on the same suite the one over more draws stands. Of as many draws one that is ok stays and others give way.
    An error gives way to no error of a claim that lost its cell: somebody measured it since, with more known.
    `reliabilities` are those of the evaluations, by problem.
    """
    stored = connection.execute(_STORED, _on(candidate, evaluations)).mappings()
    held = {(row["problem"], row["suite"]): row for row in stored}
    errors = {(item.problem, item.suite) for item in evaluations if item.state == ERROR}
    mine = _still_mine(connection, candidate, claim) if errors & held.keys() else set()
    draws = _draws(connection, [row["number"] for row in held.values()])

    def stays(key: tuple[str, str], row: Mapping[Any, Any]) -> bool:
        more = sum(drawn for _, drawn in reliabilities.get(key[0], {}).values()) - draws.get(row["number"], 0)
        return more < 0 or (more == 0 and (row["state"] == OK or (key in errors and key[0] not in mine)))

    settled = {key: row for key, row in held.items() if stays(key, row)}
    fresh = [item for item in evaluations if (item.problem, item.suite) not in settled]
    _supersede(connection, [row for key, row in held.items() if key not in settled])
    if fresh:
        made = [evaluation_row(item) for item in fresh]
        insert_rows(connection, tables.evaluations, list(made[0]), [tuple(row.values()) for row in made])
        _keep_outcomes(connection, candidate, fresh, reliabilities)
    return tuple(
        evaluation_from_row(settled[item.problem, item.suite]) if (item.problem, item.suite) in settled else item
        for item in evaluations
    )


def _draws(connection: sa.Connection, evaluations: Sequence[int]) -> dict[int, int]:
    """Over how many draws evaluations were scored, by number; those with one draw a pattern are left out."""
    columns = tables.reliabilities.c
    if not evaluations:
        return {}
    query = (
        sa.select(columns.evaluation, sa.func.sum(columns.draws))
        .where(columns.evaluation.in_(evaluations))
        .group_by(columns.evaluation)
    )
    return {number: int(draws) for number, draws in connection.execute(query)}


def _supersede(connection: sa.Connection, rows: Sequence[Mapping[Any, Any]]) -> None:
    """Take these evaluations away; those with outcomes are kept as they were."""
    if not rows:
        return
    numbers, columns = [row["number"] for row in rows], tables.outcomes.c
    outcomes: dict[int, list[list[Any]]] = {}
    found = sa.select(columns.evaluation, columns.pattern, columns.outcome, columns.reason)
    for number, *outcome in connection.execute(found.where(columns.evaluation.in_(numbers))):
        outcomes.setdefault(number, []).append(outcome)
    at = now()
    kept = [
        (row["candidate"], row["problem"], row["suite"], dump(dict(row)), dump(sorted(outcomes[row["number"]])), at)
        for row in rows
        if row["number"] in outcomes
    ]
    insert_rows(connection, tables.superseded, SUPERSEDED_COLUMNS, kept)
    for table in (tables.outcomes, tables.reliabilities):
        connection.execute(sa.delete(table).where(table.c.evaluation.in_(numbers)))
    connection.execute(sa.delete(tables.evaluations).where(tables.evaluations.c.number.in_(numbers)))


def _still_mine(connection: sa.Connection, candidate: str, claim: str) -> set[str]:
    due = tables.due.c
    query = sa.select(due.problem).where(due.candidate == candidate, due.claimed_by == claim)
    return set(connection.execute(query).scalars())


def take_off_the_list(connection: sa.Connection, candidate: str, evaluations: Sequence[Evaluation], claim: str) -> None:
    """The cells of these evaluations are no longer due; one that the claim still holds tells that it lives."""
    due = tables.due.c
    errors = [item.problem for item in evaluations if item.state == ERROR]
    gone = connection.execute(_NO_LONGER_DUE, {**_on(candidate, evaluations), "errors": errors})
    connection.execute(_ALIVE, {"claim": claim, "at": now()})
    if gone.rowcount == len(evaluations):
        return
    # What is left of the claim got a newer suite meanwhile: somebody may take it at once.
    connection.execute(
        sa.update(tables.due)
        .where(
            due.candidate == candidate,
            due.claimed_by == claim,
            due.problem.in_([item.problem for item in evaluations]),
        )
        .values(claimed_by=None, claimed_at=None)
    )


def _on(candidate: str, evaluations: Sequence[Evaluation]) -> dict[str, Any]:
    """The parameters of a statement about these cells on these suites."""
    return {"candidate": candidate, "pairs": [(item.problem, item.suite) for item in evaluations]}


def _keep_outcomes(
    connection: sa.Connection,
    candidate: str,
    evaluations: Sequence[Evaluation],
    reliabilities: Mapping[str, Reliabilities],
) -> None:
    scored = [item for item in evaluations if item.outcomes]
    found = connection.execute(_NUMBERS, _on(candidate, scored))
    numbers = {(problem, suite): number for problem, suite, number in found}
    rows = [
        (number, pattern, outcome, reason)
        for item in scored
        for number in (numbers[item.problem, item.suite],)
        for pattern, outcome, reason in item.outcomes or ()
    ]
    insert_rows(connection, tables.outcomes, OUTCOME_COLUMNS, rows)
    drawn = [
        (numbers[item.problem, item.suite], pattern, passed, draws)
        for item in scored
        for pattern, (passed, draws) in reliabilities.get(item.problem, {}).items()
    ]
    insert_rows(connection, tables.reliabilities, RELIABILITY_COLUMNS, drawn)
