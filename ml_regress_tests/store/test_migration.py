"""A migrated database is what the tables and triggers say."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from ml_regress.errors import Unavailable
from ml_regress.store import Store, tables, triggers
from ml_regress_tests.scenario import execute, scalar
from ml_regress_tests.store.made import in_processes


def test_a_migrated_database_has_the_tables_of_the_code(store: Store) -> None:
    # Alembic cannot compare the empty text as a default on SQLite; the next test does.
    options = {"compare_type": True, "compare_server_default": not store.database.is_sqlite}
    with store.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, tables.metadata) == []


def test_a_migrated_sqlite_has_the_very_statements_of_the_tables(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    made = sa.create_engine("sqlite://")
    tables.metadata.create_all(made)
    query = "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND name NOT LIKE 'alembic%'"
    with made.connect() as declared, store.database.read() as migrated:
        expected = {row.name: _parts(row.sql) for row in declared.exec_driver_sql(query)}
        assert {
            row.name: _parts(row.sql) for row in migrated.exec_driver_sql(query) if "alembic" not in row.name
        } == expected
    made.dispose()
    store.close()


def _parts(statement: str | None) -> list[str]:
    """The lines of a CREATE statement, whose constraints stand in no order."""
    return sorted(line.strip().rstrip(",") for line in (statement or "").splitlines())


def test_a_migrated_database_has_the_checks_of_the_code(store: Store) -> None:
    found = {
        (table, str(check["name"]))
        for table in tables.metadata.tables
        for check in sa.inspect(store.database.engine).get_check_constraints(table)
    }
    declared = {
        (table.name, str(check.name))
        for table in tables.metadata.tables.values()
        for check in table.constraints
        if isinstance(check, sa.CheckConstraint)
    }
    native = set() if store.database.is_sqlite else {("patterns", "ck_patterns_canary")}  # PostgreSQL knows booleans
    assert found == declared - native


def test_a_migrated_database_has_the_triggers_of_the_code(store: Store) -> None:
    with store.database.read() as connection:
        if store.database.is_sqlite:
            rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            assert {row.name: row.sql for row in rows} == triggers.SQLITE
        else:
            made = connection.exec_driver_sql(
                "SELECT tgname AS name, pg_get_triggerdef(oid) AS sql FROM pg_trigger WHERE NOT tgisinternal"
            )
            found = {row.name: _words(row.sql) for row in made}
            assert found == {name: _words(text) for name, text in triggers.POSTGRESQL.items()}
            functions = connection.exec_driver_sql(
                "SELECT proname AS name, prosrc AS body FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            )
            bodies = {name: text.split("$$")[1] for name, text in triggers.POSTGRESQL_FUNCTIONS.items()}
            assert {row.name: row.body for row in functions} == bodies


def _words(trigger: str) -> str:
    """A trigger's text without what PostgreSQL writes in its own way."""
    text = trigger.replace("public.", "").replace("::text", "").replace("(", "").replace(")", "")
    return text.replace("new.", "NEW.").replace("old.", "OLD.").replace("EXECUTE FUNCTION", "EXECUTE").lower()


def test_opening_again_changes_nothing(store: Store, database_url: str) -> None:
    execute(store, "INSERT INTO problems (id, title) VALUES ('muffin', 'Muffin')")
    again = Store.open(database_url)
    assert scalar(again, "SELECT count(*) FROM problems") == 1
    again.close()


def open_and_close(url: str) -> None:
    Store.open(url).close()


@pytest.mark.slow
def test_processes_that_open_a_new_store_at_once_make_it_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'store.db'}"
    assert in_processes(open_and_close, [(url,)] * 3) == [0, 0, 0]


@pytest.mark.slow
def test_processes_that_open_an_empty_postgresql_at_once_make_it_once(postgresql_server: str) -> None:
    admin = sa.create_engine(
        sa.make_url(postgresql_server).set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE at_once")
    admin.dispose()
    url = sa.make_url(postgresql_server).set(database="at_once").render_as_string(hide_password=False)
    assert in_processes(open_and_close, [(url,)] * 3) == [0, 0, 0]


def test_a_store_of_a_newer_version_is_refused_and_left_alone(store: Store, database_url: str) -> None:
    execute(store, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable, match="newer version of ml_regress"):
        Store.open(database_url)
    assert scalar(store, "SELECT version_num FROM alembic_version") == "9999"
