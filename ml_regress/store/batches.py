"""Batches and the production schemas they were read under."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from ml_regress.core.batch import ACCEPTED, QUARANTINED, RELEASED, Batch
from ml_regress.core.digest import digest_of
from ml_regress.core.ids import folded
from ml_regress.core.production import ProductionSchema
from ml_regress.errors import Conflict, InvalidInput, NotFound
from ml_regress.store import tables
from ml_regress.store.database import Database, now
from ml_regress.store.log import note
from ml_regress.store.rows import dump


class BatchTable:
    """Batches, and the schemas in the order in which they came into force. Each verb is one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- schemas ---------------------------------------------------------------------------------

    def schema_in_force(self) -> ProductionSchema | None:
        """The schema that the next batch is read under; None where there is none yet."""
        found = self._newest_schema()
        return None if found is None else found[0]

    def schema_origin(self) -> str:
        """Where the schema in force comes from, in words; "" where there is none."""
        found = self._newest_schema()
        return "" if found is None else found[1]

    def inferred_schema(self) -> ProductionSchema | None:
        """The newest schema whose input types were inferred and frozen; None where none ever was."""
        for row in self._schema_rows():
            schema = _schema(row.content)
            if schema.inferred:
                return schema
        return None

    def schema(self, digest: str) -> ProductionSchema:
        """The newest schema with this digest; raises NotFound."""
        columns = tables.production_schemas.c
        query = sa.select(columns.content).where(columns.digest == digest).order_by(columns.number.desc()).limit(1)
        with self._database.read() as connection:
            content = connection.execute(query).scalar_one_or_none()
        if content is None:
            raise NotFound(f"no production schema {digest[:12]}… is known; the store was changed from outside")
        return _schema(content)

    def freeze_schema(self, schema: ProductionSchema, origin: str, *, actor: str = "look", first: bool = False) -> bool:
        """Bring a schema into force; `origin` is a file, or that it was inferred. False where it is already.

        Raises Conflict where it is to be the `first`, and another one is in force by now.
        """
        content = dump(schema.as_dict())
        columns = tables.production_schemas.c
        with self._database.write() as connection:
            newest = connection.execute(sa.select(columns.content).order_by(columns.number.desc()).limit(1)).scalar()
            if newest == content:
                return False
            if first and newest is not None:
                raise Conflict("another production schema came into force meanwhile; nothing was stored, try again")
            values = {"digest": schema.digest, "content": content, "origin": origin, "at": now()}
            connection.execute(sa.insert(tables.production_schemas).values(values))
            note(connection, actor, "freeze schema", "production", origin)
        return True

    # -- batches ---------------------------------------------------------------------------------

    def all(self) -> list[Batch]:
        """Every batch, by the first moment of its rows, then by id."""
        columns = tables.batches.c
        with self._database.read() as connection:
            rows = connection.execute(sa.select(tables.batches).order_by(columns.starts, columns.id)).mappings().all()
        # PostgreSQL orders texts by the language of its server.
        return sorted((_batch(row) for row in rows), key=lambda batch: (batch.starts, batch.id))

    def get(self, name: str) -> Batch:
        """The batch with this id; raises NotFound."""
        found = self.find(name)
        if found is None or found.id != name:
            near = "" if found is None else f"; do you mean {found.id!r}?"
            raise NotFound(f"no batch {name!r} is known{near or '; `ml-regress batches list` names them'}")
        return found

    def find(self, name: str) -> Batch | None:
        """The batch whose id is this one or differs in upper and lower case only; None where there is none."""
        with self._database.read() as connection:
            return _find(connection, name)

    def version(self) -> str:
        """Changes whenever a batch, its predictions or labels, or the schema in force change."""
        columns, schemas = tables.batches.c, tables.production_schemas.c
        query = sa.select(columns.id, columns.state, columns.digest, columns.updated_at)
        with self._database.read() as connection:
            rows = sorted([list(row) for row in connection.execute(query)])
            number = connection.execute(sa.select(sa.func.max(schemas.number))).scalar()
        return digest_of([number, rows])

    def accept(self, batch: Batch, *, actor: str = "import", instead_of: str | None = None) -> Batch:
        """Store a batch that kept its schema.

        `instead_of` is the digest of rows of the quarantined batch that it corrects. Raises Conflict where another
        batch has its id (upper and lower case are the same).
        """
        return self._receive(replace(batch, state=ACCEPTED), actor, instead_of)

    def quarantine(self, batch: Batch, *, actor: str = "import", instead_of: str | None = None) -> Batch:
        """Store a batch that broke its schema, with its reasons; as `accept` otherwise."""
        return self._receive(replace(batch, state=QUARANTINED), actor, instead_of)

    def update(self, batch: Batch, *, before: str, actor: str = "import", words: str = "") -> Batch:
        """Store a batch to whose rows labels or predictions were joined.

        `before` is the digest of rows that they were joined to. Raises Conflict where the batch has others by now.
        """
        with self._database.write() as connection:
            known = _find(connection, batch.id)
            if known is None or known.id != batch.id or known.digest != before:
                raise Conflict(f"batch {batch.id!r} changed while its rows were joined; nothing was stored, try again")
            # What a person decided meanwhile stays.
            kept = replace(
                batch,
                state=known.state,
                released_by=known.released_by,
                released_why=known.released_why,
                released_at=known.released_at,
                updated_at=now(),
            )
            _write(connection, kept)
            note(connection, actor, "update batch", batch.id, words)
        return kept

    def release(self, name: str, *, person: str, why: str) -> Batch:
        """Let a quarantined batch be used, on a person's word; raises NotFound, Conflict and InvalidInput."""
        for column, value in (("person", person), ("why", why)):
            if not value.strip():
                raise InvalidInput.single(f"release of batch {name}", "must be a text that is not empty", column=column)
        moment = now()
        with self._database.write() as connection:
            known = _find(connection, name)
            if known is None or known.id != name:
                raise NotFound(f"no batch {name!r} is known; `ml-regress batches list` names them")
            if known.state != QUARANTINED:
                raise Conflict(f"batch {name!r} is {known.state}; only a quarantined batch can be released")
            kept = replace(
                known,
                state=RELEASED,
                released_by=person.strip(),
                released_why=why.strip(),
                released_at=moment,
                updated_at=moment,
            )
            _write(connection, kept)
            note(connection, person.strip(), "release batch", name, why.strip())
        return kept

    # -- inside ----------------------------------------------------------------------------------

    def _receive(self, batch: Batch, actor: str, instead_of: str | None) -> Batch:
        kept = replace(batch, updated_at=now())
        with self._database.write() as connection:
            known = _find(connection, batch.id)
            if known is not None:
                _refuse_taken(known, batch, instead_of)
                _write(connection, kept)
            else:
                connection.execute(sa.insert(tables.batches).values(_row(kept)))
            verb = "accept batch" if kept.state == ACCEPTED else "quarantine batch"
            note(connection, actor, verb, batch.id, "\n".join(batch.reasons) or f"{batch.rows} rows")
        return kept

    def _newest_schema(self) -> tuple[ProductionSchema, str] | None:
        columns = tables.production_schemas.c
        query = sa.select(columns.content, columns.origin).order_by(columns.number.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else (_schema(row.content), row.origin)

    def _schema_rows(self) -> list[Any]:
        query = sa.select(tables.production_schemas).order_by(tables.production_schemas.c.number.desc())
        with self._database.read() as connection:
            return list(connection.execute(query).all())


def _refuse_taken(known: Batch, batch: Batch, instead_of: str | None) -> None:
    if known.id != batch.id:
        raise Conflict(
            f"the id {batch.id!r} differs from that of batch {known.id!r} ({known.source}) in upper and lower case "
            "only; give it an id of its own"
        )
    if known.state != QUARANTINED:
        raise Conflict(
            f"batch {batch.id!r} is {known.state} already, from {known.source}; accepted batches never change: give "
            f"the new rows an id of their own. Labels come as {batch.id}.labels.csv"
        )
    if known.digest != instead_of:
        raise Conflict(f"batch {batch.id!r} came a moment ago from {known.source}; nothing was stored, try again")


def _find(connection: sa.Connection, name: str) -> Batch | None:
    columns = tables.batches.c
    row = connection.execute(sa.select(tables.batches).where(columns.id == name)).mappings().first()
    if row is None:  # ids hold ASCII only, so the database folds them as Python does
        query = sa.select(tables.batches).where(sa.func.lower(columns.id) == folded(name))
        row = connection.execute(query).mappings().first()
    return None if row is None else _batch(row)


def _write(connection: sa.Connection, batch: Batch) -> None:
    connection.execute(sa.update(tables.batches).where(tables.batches.c.id == batch.id).values(_row(batch)))


def _row(batch: Batch) -> dict[str, Any]:
    return {**vars(batch), "reasons": dump(list(batch.reasons)), "notes": dump(list(batch.notes))}


def _batch(row: Mapping[Any, Any]) -> Batch:
    return Batch(**{**row, **{name: tuple(json.loads(row[name])) for name in ("reasons", "notes")}})


def _schema(content: str) -> ProductionSchema:
    return ProductionSchema.from_dict(json.loads(content))
