"""Notifications that wait in the store until they are delivered, so that a crash loses none."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ml_regress.store import tables
from ml_regress.store.database import Database, now
from ml_regress.store.rows import dump

MOST_ATTEMPTS = 10


@dataclass(frozen=True)
class Notification:
    """What somebody is to be told of; times are ISO texts in UTC.

    `error` is the reason of the last attempt that failed. It is given up after MOST_ATTEMPTS of them, and kept.
    """

    number: int
    key: str
    event: str
    payload: Mapping[str, Any]
    made_at: str
    attempts: int
    next_at: str
    sent_at: str | None
    error: str | None

    @property
    def given_up(self) -> bool:
        return self.sent_at is None and self.attempts >= MOST_ATTEMPTS


class NotificationTable:
    """What is to be told, and what became of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, connection: sa.Connection, key: str, event: str, payload: Mapping[str, Any]) -> bool:
        """Store a notification in the caller's writing transaction; False where one with this key is there already."""
        columns = tables.notifications.c
        if connection.execute(sa.select(columns.number).where(columns.key == key)).first() is not None:
            return False
        moment = now()
        values = {"key": key, "event": event, "payload": dump(dict(payload)), "made_at": moment, "next_at": moment}
        connection.execute(sa.insert(tables.notifications).values(values))
        return True

    def claim(self, moment: str, until: str) -> Notification | None:
        """The oldest one whose time has come; nobody else gets it before `until`, and then only if it was not sent."""
        columns = tables.notifications.c
        query = sa.select(tables.notifications).where(*_waits(), columns.next_at <= moment)
        with self._database.write() as connection:
            row = connection.execute(query.order_by(columns.number).limit(1)).mappings().first()
            if row is None:
                return None
            connection.execute(
                sa.update(tables.notifications).where(columns.number == row["number"]).values(next_at=until)
            )
            return _notification({**row, "next_at": until})

    def waiting(self) -> int:
        """How many are still to be delivered, now or later."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).where(*_waits())).scalar_one())

    def sent(self, number: int, moment: str) -> None:
        self._update(number, sent_at=moment, error=None)

    def failed(self, number: int, error: str, next_at: str) -> None:
        """Count an attempt that failed, to be made again at `next_at` unless there were too many."""
        self._update(number, attempts=tables.notifications.c.attempts + 1, error=error, next_at=next_at)

    def list(self, limit: int = 100) -> list[Notification]:
        """The newest ones, newest first."""
        query = sa.select(tables.notifications).order_by(tables.notifications.c.number.desc()).limit(limit)
        with self._database.read() as connection:
            return [_notification(row) for row in connection.execute(query).mappings()]

    def _update(self, number: int, **values: Any) -> None:
        with self._database.write() as connection:
            connection.execute(
                sa.update(tables.notifications).where(tables.notifications.c.number == number).values(**values)
            )


def _waits() -> "tuple[sa.ColumnElement[bool], ...]":
    columns = tables.notifications.c
    return columns.sent_at.is_(None), columns.attempts < MOST_ATTEMPTS


def _notification(row: Mapping[Any, Any]) -> Notification:
    return Notification(**{**row, "payload": json.loads(row["payload"])})
