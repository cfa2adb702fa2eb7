"""The audit log: who did what, and when."""

import sqlalchemy as sa

from ml_regress.store import tables
from ml_regress.store.database import now


def note(connection: sa.Connection, actor: str, verb: str, subject: str, detail: str = "") -> None:
    """Append one line to the audit log, in the transaction of what it tells of."""
    connection.execute(sa.insert(tables.audit).values(at=now(), actor=actor, verb=verb, subject=subject, detail=detail))
