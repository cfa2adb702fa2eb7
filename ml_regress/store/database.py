"""The connection to the database: where the two databases differ is in here and in the triggers."""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from ml_regress.errors import Unavailable

# Any number that no other program on the same database uses.
_WRITE_LOCK = 7_310_424
_WAIT_SECONDS = 60
_ROWS_A_STATEMENT = 1000
_URLS = "use sqlite:///FILE or postgresql://USER@HOST/NAME"
# What verdicts are read from; a transaction that judges writes none of them.
_JUDGED = ("problems", "patterns", "suites", "candidates", "evaluations", "outcomes", "waivers", "sources", "due")
MIGRATIONS = Path(__file__).parent / "migrations"


def now() -> str:
    """The present as an ISO text in UTC, in milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def in_utc(moment: str) -> str:
    """An ISO time with zone in UTC and microseconds: as texts such times stand in their order."""
    return datetime.fromisoformat(moment).astimezone(UTC).isoformat(timespec="microseconds")


def normal_url(url: str) -> sa.URL:
    """The URL with the driver that this project installs (SQLAlchemy's own default is another one)."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:  # its message may hold the password
        raise Unavailable(f"ML_REGRESS_DATABASE_URL is no URL of a database; {_URLS}") from None
    backend = parsed.get_backend_name()
    if backend in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg2")
    if backend != "sqlite":
        raise Unavailable(f"{shown(parsed)} is neither SQLite nor PostgreSQL; {_URLS}")
    return parsed.set(drivername="sqlite")


def shown(url: sa.URL) -> str:
    """A URL without its password, wherever it stands."""
    hidden = {name: "HIDDEN" for name in url.query if "password" in name.casefold()}
    return url.update_query_dict(hidden).render_as_string()


class Database:
    """Reading and writing transactions on one database.

    Writers wait for each other on both databases, so that what a transaction read still holds when
    it writes.
    """

    def __init__(self, url: str) -> None:
        self.url = normal_url(url)
        self._migrated = False
        self._open = threading.local()
        if self.url.get_backend_name() == "sqlite":
            self._prepare_folder()
            self.engine = self._reader = sa.create_engine(self.url, connect_args={"timeout": _WAIT_SECONDS})
            sa.event.listen(self.engine, "connect", _prepare_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
            if self._file is not None:
                sa.event.listen(self.engine, "do_connect", self._refuse_gone_file)
                sa.event.listen(self.engine, "connect", self._note_file)
                sa.event.listen(self.engine, "checkout", self._refuse_replaced_file)
        else:
            # Without batches, an upsert of many rows asks the server once a row.
            self.engine = sa.create_engine(self.url, pool_pre_ping=True, executemany_mode="values_plus_batch")
            # By default every statement of a PostgreSQL transaction sees what others committed before it.
            self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ")

        self._writer = self.engine.execution_options(ml_regress_write=True)

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @property
    def shown_url(self) -> str:
        """The URL without its password."""
        return shown(self.url)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state; inside another one of this thread it is that one."""
        outer, _ = self._outer
        if outer is not None:
            yield outer
            return
        with (
            self._available(),
            self._reader.connect() as connection,
            connection.begin(),
            self._as_outer(connection, writes=False),
        ):
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that writes; it waits for other writers and is undone whole by an error.

        Inside another one of this thread it is that one. Raises RuntimeError inside one that reads: what was read
        may have changed before the first word is written.
        """
        outer, writes = self._outer
        if outer is not None:
            if not writes:
                raise RuntimeError("a transaction that reads cannot begin to write")
            yield outer
            return
        with self._available(), self._writer.connect() as connection, connection.begin():
            if not self.is_sqlite:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})")
            with self._as_outer(connection, writes=True):
                yield connection

    def hold_still(self) -> None:
        """Inside a transaction that writes: nobody else changes what is judged until it ends, not even with plain SQL.

        Writers of this package wait for each other anyway, and SQLite has one writer at a time.
        """
        connection, writes = self._outer
        if connection is None or not writes:
            raise RuntimeError("only a transaction that writes can hold the store still")
        if not self.is_sqlite:
            connection.exec_driver_sql(f"LOCK TABLE {', '.join(_JUDGED)} IN SHARE MODE")

    @property
    def _outer(self) -> tuple[sa.Connection | None, bool]:
        return getattr(self._open, "transaction", (None, False))

    @contextmanager
    def _as_outer(self, connection: sa.Connection, *, writes: bool) -> Iterator[None]:
        self._open.transaction = (connection, writes)
        try:
            yield
        finally:
            self._open.transaction = (None, False)

    def migrate(self) -> None:
        """Bring the tables and triggers to this version; several processes may do so at once."""
        config = alembic.config.Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        scripts = ScriptDirectory.from_config(config)
        with self._available(), self._one_migrator():
            with self.engine.connect() as connection:
                found = MigrationContext.configure(connection).get_current_revision()
            if found == scripts.get_current_head():
                self._migrated = True
                return
            if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
                raise Unavailable(
                    f"the store {self.shown_url} was made by a newer version of ml_regress (tables {found}): "
                    "install that version, or use another store"
                )
            with self._writer.connect() as connection:
                config.attributes["connection"] = connection
                alembic.command.upgrade(config, "head")
                connection.commit()
            self._migrated = True

    @contextmanager
    def _one_migrator(self) -> Iterator[None]:
        if self.is_sqlite and self.url.database and self.url.database != ":memory:":
            with open(f"{self.url.database}.lock", "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        elif self.is_sqlite:
            yield
        else:
            with self.engine.connect() as connection:
                connection.exec_driver_sql(f"SELECT pg_advisory_lock({_WRITE_LOCK + 1})")
                try:
                    yield
                finally:
                    connection.exec_driver_sql(f"SELECT pg_advisory_unlock({_WRITE_LOCK + 1})")

    @contextmanager
    def _available(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.DBAPIError as error:
            gone = isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError)) or error.connection_invalidated
            if not gone and type(error) is not sa.exc.DatabaseError:  # SQLite's "file is not a database"
                raise
            reason = " ".join(str(error.orig).split())
            raise Unavailable(
                f"the store {self.shown_url} cannot be used: {reason}; check that the database "
                "is up, that there is space left and that ML_REGRESS_DATABASE_URL is right"
            ) from error
        except sa.exc.TimeoutError as error:
            raise Unavailable(f"the store {self.shown_url} is busy: no connection came free") from error

    @property
    def _file(self) -> Path | None:
        """The file of an SQLite database, None where it has none."""
        name = self.url.database
        return Path(name) if self.is_sqlite and name and name != ":memory:" else None

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = os.stat(str(self._file))
        except OSError:
            return None
        return (found.st_dev, found.st_ino)

    def _note_file(self, _connection: sqlite3.Connection, record: Any) -> None:
        record.info["file"] = self._identity()

    def _refuse_replaced_file(self, _connection: sqlite3.Connection, record: Any, _proxy: Any) -> None:
        # SQLite goes on writing to the old file, which nobody will ever read: open the new one.
        if record.info.get("file") != self._identity():
            raise sa.exc.DisconnectionError("the file was replaced")

    def _refuse_gone_file(self, *_arguments: Any) -> None:
        # SQLite would make an empty one in its place, and a backup that is put back would meet it.
        if self._migrated and self._identity() is None:
            raise sqlite3.OperationalError("the file is gone; put it back, or restart to begin with an empty one")

    def _prepare_folder(self) -> None:
        if self.url.database and self.url.database != ":memory:":
            folder = Path(self.url.database).parent
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise Unavailable(f"the folder {folder} cannot be made: {error.strerror}") from error
            if not os.access(folder, os.W_OK | os.X_OK):
                raise Unavailable(f"the folder {folder} cannot be written to, and the store needs more than one file")

    def close(self) -> None:
        self.engine.dispose()


def insert_rows(
    connection: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], tail: str = ""
) -> None:
    """Insert many rows of plain values, given in the order of `columns`; `tail` is what follows them (ON CONFLICT).

    In the driver's own words: SQLAlchemy works on every parameter of every row, which takes longer
    than the database does.
    """
    head = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES "  # noqa: S608  names of ours
    if connection.dialect.name == "sqlite":
        if rows:
            connection.exec_driver_sql(f"{head}({', '.join('?' * len(columns))}) {tail}", list(rows))
        return
    row = f"({', '.join(['%s'] * len(columns))})"  # one statement for many rows, not a round trip a row
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        some = rows[start : start + _ROWS_A_STATEMENT]
        values = tuple(value for given in some for value in given)
        connection.exec_driver_sql(f"{head}{', '.join([row] * len(some))} {tail}", values)


def plain_rows(connection: sa.Connection, query: Any) -> list[tuple[Any, ...]]:
    """The rows of a query as the driver gives them: for hundreds of thousands, which SQLAlchemy wraps one by one."""
    result = connection.execute(query)
    try:
        return list(result.cursor.fetchall())
    finally:
        result.close()


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver must not open transactions by itself: `begin` below does, with the right kind.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {_WAIT_SECONDS * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: sa.Connection) -> None:
    # A deferred transaction that turns into a writing one fails at once when another wrote first.
    writes = connection.get_execution_options().get("ml_regress_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
