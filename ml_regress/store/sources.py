"""What the watched files looked like when they were last read, and which of them were refused."""

from dataclasses import dataclass

import sqlalchemy as sa

from ml_regress.store import tables
from ml_regress.store.database import Database, now
from ml_regress.store.due import upsert
from ml_regress.store.log import note
from ml_regress.store.rows import storable


@dataclass(frozen=True)
class Refusal:
    """A file, a candidate's folder or a problem written with SQL that was refused, and why."""

    source: str
    kind: str
    message: str
    at: str


class SourceTable:
    """One row a source."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def signatures(self, kind: str) -> dict[str, str]:
        """The last signature of every source of a kind."""
        columns = tables.sources.c
        with self._database.read() as connection:
            rows = connection.execute(sa.select(columns.source, columns.signature).where(columns.kind == kind)).all()
        return {row.source: row.signature for row in rows}

    def read(self, source: str, kind: str, signature: str, refusal: str | None = None) -> None:
        """Remember that a source was read in this form, and whether it was refused."""
        refusal = None if refusal is None else storable(refusal)
        with self._database.write() as connection:
            before = connection.execute(
                sa.select(tables.sources.c.refusal).where(tables.sources.c.source == source)
            ).scalar_one_or_none()
            statement = upsert(connection, tables.sources).values(
                source=source, kind=kind, signature=signature, refusal=refusal, at=now()
            )
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["source"],
                    set_={name: statement.excluded[name] for name in ("kind", "signature", "refusal", "at")},
                )
            )
            if refusal is not None and refusal != before:
                note(connection, "look", "refuse", source, refusal)

    def forget(self, sources: list[str]) -> None:
        """A source that is gone: what it brought stays, its refusal does not."""
        with self._database.write() as connection:
            connection.execute(sa.delete(tables.sources).where(tables.sources.c.source.in_(sources)))

    def refusals(self) -> list[Refusal]:
        """Every refusal that stands, by source."""
        columns = tables.sources.c
        query = sa.select(columns.source, columns.kind, columns.refusal, columns.at).where(columns.refusal.is_not(None))
        with self._database.read() as connection:
            return [Refusal(*row) for row in connection.execute(query.order_by(columns.source))]
