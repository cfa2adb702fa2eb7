"""Committing: how what was measured of one candidate is written, inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import sqlalchemy as sa

from ml_regress.core.answers import dump_raw
from ml_regress.core.digest import digest_of
from ml_regress.core.evaluation import OK, Evaluation
from ml_regress.store import tables
from ml_regress.store.database import now
from ml_regress.store.due import upsert
from ml_regress.store.rows import dump, evaluation_row

PREDICTION_COLUMNS = ("answer", "outputs", "error", "environment")


def environment_digest(environment: Mapping[str, Any]) -> str:
    """The name under which an environment is stored."""
    return digest_of(dict(environment))[:16]


def keep_predictions(
    connection: sa.Connection, candidate: str, predictions: pd.DataFrame, environment: Mapping[str, Any]
) -> None:
    """Store predictions; those that are held stay, but an error gives way."""
    digest = environment_digest(environment)
    connection.execute(
        upsert(connection, tables.environments)
        .values(digest=digest, content=dump(dict(environment)))
        .on_conflict_do_nothing()
    )
    at, once = now(), predictions[~predictions.index.duplicated()]
    values = [
        {
            "candidate": candidate,
            "input_digest": name,
            "draw": 0,
            "answer": None if isinstance(error, str) else dump_raw(answer),
            "outputs": dump_raw(outputs) if isinstance(outputs, dict) else None,
            "error": error if isinstance(error, str) else None,  # a frame may hold NaN for None
            "environment": digest,
            "made_at": at,
        }
        for name, answer, outputs, error in zip(once.index, once["answer"], once["outputs"], once["error"], strict=True)
    ]
    statement = upsert(connection, tables.predictions)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["candidate", "input_digest", "draw"],
            set_={name: statement.excluded[name] for name in (*PREDICTION_COLUMNS, "made_at")},
            where=tables.predictions.c.error.is_not(None),
        ),
        values,
    )


def keep_evaluations(connection: sa.Connection, candidate: str, evaluations: Sequence[Evaluation]) -> None:
    """Store evaluations with their outcomes; one that is ok stays, others give way."""
    fresh = _new_ones(connection, candidate, evaluations)
    if fresh:
        connection.execute(sa.insert(tables.evaluations), [evaluation_row(item) for item in fresh])
        _keep_outcomes(connection, candidate, fresh)


def take_off_the_list(connection: sa.Connection, candidate: str, evaluations: Sequence[Evaluation], claim: str) -> None:
    """The cells of these evaluations are no longer due."""
    due = tables.due.c
    pairs = [(item.problem, item.suite) for item in evaluations]
    connection.execute(
        sa.delete(tables.due).where(due.candidate == candidate, sa.tuple_(due.problem, due.suite).in_(pairs))
    )
    # What is left of the claim got a newer suite meanwhile: somebody may take it at once.
    connection.execute(
        sa.update(tables.due)
        .where(
            due.candidate == candidate,
            due.claimed_by == claim,
            due.problem.in_([problem for problem, _ in pairs]),
        )
        .values(claimed_by=None, claimed_at=None)
    )


def _new_ones(connection: sa.Connection, candidate: str, evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """The evaluations that the store does not hold yet; those of another state make room for them."""
    columns = tables.evaluations.c
    here = sa.and_(
        columns.candidate == candidate,
        sa.tuple_(columns.problem, columns.suite).in_([(item.problem, item.suite) for item in evaluations]),
    )
    held = {
        (row.problem, row.suite): row
        for row in connection.execute(
            sa.select(columns.number, columns.problem, columns.suite, columns.state).where(here)
        )
    }
    fresh, replaced = [], []
    for item in evaluations:
        old = held.get((item.problem, item.suite))
        if old is not None and old.state == OK:
            continue
        if old is not None:
            replaced.append(old.number)
        fresh.append(item)
    if replaced:
        connection.execute(sa.delete(tables.outcomes).where(tables.outcomes.c.evaluation.in_(replaced)))
        connection.execute(sa.delete(tables.evaluations).where(columns.number.in_(replaced)))
    return fresh


def _keep_outcomes(connection: sa.Connection, candidate: str, evaluations: Sequence[Evaluation]) -> None:
    columns = tables.evaluations.c
    pairs = [(item.problem, item.suite) for item in evaluations]
    numbers = {
        (row.problem, row.suite): row.number
        for row in connection.execute(
            sa.select(columns.problem, columns.suite, columns.number).where(
                columns.candidate == candidate, sa.tuple_(columns.problem, columns.suite).in_(pairs)
            )
        )
    }
    values = [
        {"evaluation": numbers[item.problem, item.suite], "pattern": pattern, "outcome": outcome, "reason": reason}
        for item in evaluations
        if item.outcomes is not None
        for pattern, outcome, reason in zip(
            *(item.outcomes[name].tolist() for name in ("pattern", "outcome", "reason")), strict=True
        )
    ]
    if values:
        connection.execute(sa.insert(tables.outcomes), values)
