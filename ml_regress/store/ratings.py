"""Ratings of answers, as users gave them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from ml_regress.core.answers import dump_raw, load_raw
from ml_regress.core.digest import digest_of
from ml_regress.core.rating import LOW_STARS, Rating
from ml_regress.errors import NotFound
from ml_regress.store import tables
from ml_regress.store.database import Database, now
from ml_regress.store.log import note
from ml_regress.store.rows import dump

_PLAIN = ("candidate", "thumb", "stars", "words", "person", "batch", "key")


class RatingTable:
    """Ratings of answers: they are added and read, never changed, and no score depends on one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, rating: Rating, *, actor: str = "rating") -> Rating:
        """Keep a rating; gives it back with its number and time. Raises NotFound for a candidate or a batch."""
        return self.add_all([rating], actor=actor)[0]

    def add_all(self, ratings: Sequence[Rating], *, actor: str = "rating") -> list[Rating]:
        """Keep several ratings, all or none of them, with a line each in the audit log."""
        with self._database.write() as connection:
            for column, kind, names in (
                (tables.candidates.c.id, "candidate", {each.candidate for each in ratings}),
                (tables.batches.c.id, "batch", {each.batch for each in ratings if each.batch is not None}),
            ):
                _refuse_unknown(connection, column, kind, names)
            kept = []
            for each in ratings:
                values = {**_row(each), "at": each.at or now()}
                made = connection.execute(sa.insert(tables.ratings).values(values).returning(tables.ratings.c.number))
                number = int(made.scalar_one())
                note(connection, each.person or actor, "rate", each.candidate, f"rating {number}: {each.shown}")
                kept.append(replace(each, number=number, at=values["at"]))
            return kept

    def all(self, *, low: bool = False, candidate: str | None = None, limit: int | None = None) -> list[Rating]:
        """Ratings, newest first: only complaints where `low`, of one candidate, at most `limit`."""
        columns = tables.ratings.c
        query = sa.select(tables.ratings).order_by(columns.number.desc()).limit(limit)
        if low:
            query = query.where(sa.or_(columns.thumb == "down", columns.stars <= LOW_STARS))
        if candidate is not None:
            query = query.where(columns.candidate == candidate)
        with self._database.read() as connection:
            return [_rating(row) for row in connection.execute(query).mappings()]

    def version(self) -> int:
        """A number that grows with every rating."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(sa.func.max(tables.ratings.c.number))).scalar_one() or 0)


def _row(rating: Rating) -> dict[str, Any]:
    inputs = dict(rating.inputs)
    return {
        **{name: getattr(rating, name) for name in _PLAIN},
        "inputs": dump(inputs),
        "input_digest": digest_of({"inputs": inputs}),  # as core.pattern.Pattern has it
        "prediction": dump_raw(rating.prediction),
    }


def _rating(row: Mapping[Any, Any]) -> Rating:
    return Rating(
        **{name: row[name] for name in _PLAIN},
        inputs=json.loads(row["inputs"]),
        prediction=load_raw(row["prediction"]),
        at=row["at"],
        number=row["number"],
    )


def _refuse_unknown(connection: sa.Connection, column: "sa.Column[str]", kind: str, names: set[str]) -> None:
    there = set(connection.execute(sa.select(column).where(column.in_(names))).scalars())
    if there != names:
        raise NotFound(f"no {kind} {', '.join(map(repr, sorted(names - there)))} in the store")
