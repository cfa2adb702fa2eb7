"""A database that cannot be used says so, without its password."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from ml_regress.errors import Unavailable
from ml_regress.store import Store
from ml_regress.store.database import in_utc, normal_url


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match=r"the folder .*file/home cannot be made: Not a directory"):
        Store.open(f"sqlite:///{tmp_path}/file/home/store.db")


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store.db").mkdir()
    with pytest.raises(Unavailable, match=r"store\.db cannot be used: unable to open database file"):
        Store.open(f"sqlite:///{tmp_path}/store.db")


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("what I had for breakfast " * 100)
    with pytest.raises(Unavailable, match="file is not a database"):
        Store.open(f"sqlite:///{tmp_path}/store.db")
    assert (tmp_path / "store.db").read_text().startswith("what I had")


@pytest.mark.parametrize(
    "url", ["postgresql://me:s3cret@127.0.0.1:9/store", "postgresql://me@127.0.0.1:9/store?password=s3cret"]
)
def test_a_postgresql_that_is_gone_is_named_without_its_password(url: str) -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9.*cannot be used.*ML_REGRESS_DATABASE_URL") as error:
        Store.open(url)
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("url", ["mysql://me:s3cret@host/x", "me:s3cret@host"])
def test_another_database_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(Unavailable, match="use sqlite:///FILE or postgresql://") as error:
        Store.open(url)
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("name", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_name_of_postgresql_takes_the_installed_driver(name: str) -> None:
    assert normal_url(f"{name}://me:s3cret@host/x").drivername == "postgresql+psycopg2"


def test_a_connection_that_breaks_is_unavailable_and_the_next_one_works(postgresql_url: str) -> None:
    store = Store.open(postgresql_url)
    with pytest.raises(Unavailable, match="cannot be used"), store.database.write() as connection:
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    assert store.due.count() == 0
    store.close()


def test_a_broken_rule_is_not_called_unavailable(store: Store) -> None:
    with pytest.raises(sa.exc.IntegrityError), store.database.write() as connection:
        connection.exec_driver_sql("INSERT INTO problems (id) VALUES ('x')")


def test_times_of_any_zone_stand_in_order_as_texts() -> None:
    assert in_utc("2026-06-01T00:00:00+02:00") == "2026-05-31T22:00:00.000000+00:00"
    assert in_utc("2026-06-01T00:00:00Z") < in_utc("2026-06-01T00:00:00.5Z")


def test_reading_inside_a_transaction_sees_what_that_transaction_sees(store: Store) -> None:
    with store.database.read() as outer:
        assert store.due.count() == 0
        with store.database.read() as inner:
            assert inner is outer
    with store.database.write() as outer:
        outer.exec_driver_sql("INSERT INTO problems (id, title) VALUES ('muffin', 'Muffin')")
        assert [stale.id for stale in store.problems.stale()] == ["muffin"]
        with store.database.write() as inner:
            assert inner is outer


def test_a_snapshot_stays_while_another_writes(store: Store, database_url: str) -> None:
    other = Store.open(database_url)
    with store.database.read():
        assert store.problems.stale() == []
        with other.database.write() as connection:
            connection.exec_driver_sql("INSERT INTO problems (id, title) VALUES ('muffin', 'Muffin')")
        assert store.problems.stale() == []
    assert [stale.id for stale in store.problems.stale()] == ["muffin"]
    other.close()


def test_what_is_written_inside_a_transaction_is_undone_with_it(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.database.write():
        store.sources.read("problems/a.yaml", "problems", "1", "refused")
        raise ZeroDivisionError
    assert store.sources.refusals() == []


def test_a_transaction_that_reads_cannot_begin_to_write_and_threads_have_their_own(store: Store) -> None:
    with store.database.read(), pytest.raises(RuntimeError, match="cannot begin to write"):
        store.sources.read("problems/a.yaml", "problems", "1", None)
    with store.database.read(), ThreadPoolExecutor(1) as pool:
        pool.submit(store.sources.read, "problems/a.yaml", "problems", "1", "refused").result()
    assert [refusal.source for refusal in store.sources.refusals()] == ["problems/a.yaml"]
