"""What holds for a tester who writes with plain SQL."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from ml_regress.store import Store, triggers
from ml_regress_tests.scenario import execute, import_muffins, muffin_pattern, muffin_problem, registered, scalar
from ml_regress_tests.store.made import cells, commit, evaluation, freeze_stale, suite_of

Refused = sa.exc.DBAPIError


@pytest.fixture
def muffins(store: Store) -> Store:
    """A store with a frozen problem `muffin` of two patterns, and an empty problem `bagel`."""
    import_muffins(store, [muffin_pattern("a"), muffin_pattern("b")])
    execute(store, "INSERT INTO problems (id, title) VALUES ('bagel', 'Bagel')")
    return store


def revision(store: Store, problem: str = "muffin") -> int:
    return int(scalar(store, "SELECT revision FROM problems WHERE id = :id", id=problem))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO patterns (problem, id, expected) VALUES ('muffin', 'c', 'muffin')",
        "UPDATE patterns SET expected = 'chihuahua' WHERE id = 'a'",
        "UPDATE patterns SET note = 'seen again' WHERE id = 'a'",
        "DELETE FROM patterns WHERE id = 'a'",
        "INSERT INTO patterns (problem, id, expected) VALUES ('muffin', 'a', 'bagel') "
        "ON CONFLICT (problem, id) DO UPDATE SET expected = excluded.expected",
        "UPDATE problems SET title = 'Muffin or not' WHERE id = 'muffin'",
        "UPDATE problems SET inputs = '{}', metric = 'accuracy' WHERE id = 'muffin'",
        "UPDATE problems SET positive_label = 'muffin' WHERE id = 'muffin'",
    ],
)
def test_a_change_raises_the_revision_of_its_problem_alone(muffins: Store, statement: str) -> None:
    before, other = revision(muffins), revision(muffins, "bagel")
    execute(muffins, statement)
    assert revision(muffins) == before + 1
    assert revision(muffins, "bagel") == other
    assert "muffin" in [stale.id for stale in muffins.problems.stale()]


def test_writing_what_stands_there_already_raises_nothing(muffins: Store) -> None:
    before = revision(muffins)
    execute(muffins, "UPDATE problems SET title = title, positive_label = NULL")
    assert revision(muffins) == before


def test_moving_a_pattern_raises_both_problems(muffins: Store) -> None:
    before = revision(muffins), revision(muffins, "bagel")
    execute(muffins, "UPDATE patterns SET problem = 'bagel' WHERE id = 'a'")
    assert (revision(muffins), revision(muffins, "bagel")) == (before[0] + 1, before[1] + 1)


def test_a_pattern_is_not_moved_over_another(muffins: Store) -> None:
    execute(muffins, "INSERT INTO patterns (problem, id, expected) VALUES ('bagel', 'a', 'bagel')")
    for statement in ("UPDATE", "UPDATE OR REPLACE") if muffins.database.is_sqlite else ("UPDATE",):
        with pytest.raises(Refused):
            execute(muffins, f"{statement} patterns SET problem = 'bagel' WHERE problem = 'muffin'")
    assert scalar(muffins, "SELECT count(*) FROM patterns") == 3


def test_delete_retires_a_pattern_and_keeps_its_row(muffins: Store) -> None:
    execute(muffins, "DELETE FROM patterns")
    assert muffins.problems.patterns("muffin")["status"].tolist() == ["retired", "retired"]


def test_delete_closes_a_problem_and_takes_it_off_the_list(muffins: Store) -> None:
    muffins.candidates.register(registered("model-1"))
    before = revision(muffins)
    execute(muffins, "DELETE FROM problems WHERE id = 'muffin'")
    assert scalar(muffins, "SELECT state FROM problems WHERE id = 'muffin'") == "closed"
    assert revision(muffins) == before + 1
    assert cells(muffins) == []
    assert muffins.problems.measured() == []


def test_a_note_makes_nothing_due(muffins: Store) -> None:
    patterns = [muffin_pattern("a"), muffin_pattern("b")]
    muffins.candidates.register(registered("model-1"))
    commit(muffins, "model-1", evaluation(muffins, "model-1"))
    suite = suite_of(muffins)
    execute(muffins, "UPDATE patterns SET note = 'seen again'")
    assert freeze_stale(muffins, patterns) == suite == suite_of(muffins)
    assert cells(muffins) == []


@pytest.mark.parametrize("table", ["problems", "patterns", "candidates"])
def test_ids_are_immutable(muffins: Store, table: str) -> None:
    muffins.candidates.register(registered("model-1"))
    with pytest.raises(Refused, match=r"immutable|never change"):
        execute(muffins, f"UPDATE {table} SET id = 'other'")


def test_an_orphan_is_refused_without_any_pragma(muffins: Store) -> None:
    for statement in (
        "INSERT INTO patterns (problem, id, expected) VALUES ('nobody', 'a', 'x')",
        "UPDATE patterns SET problem = 'nobody' WHERE id = 'a'",
    ):
        with pytest.raises(Refused, match=f"{triggers.ORPHAN}|foreign key"):
            execute(muffins, statement)


def test_optional_columns_may_be_left_out(store: Store) -> None:
    execute(store, "INSERT INTO problems (id, title) VALUES ('muffin', 'Muffin')")
    execute(store, "INSERT INTO patterns (problem, id, expected) VALUES ('muffin', 'a', 'muffin')")
    (stale,) = store.problems.stale()
    assert (stale.row["severity"], stale.row["state"], stale.row["metric"]) == ("medium", "open", "pass_rate")
    row = stale.patterns.iloc[0]
    assert (row["expectation"], row["output"], row["status"]) == ("equals", "answer", "active")
    assert row["canary"] is False
    assert row["inputs"] is None


@pytest.mark.parametrize(
    "change", ["status = 'gone'", "polarity = 'up'", "origin = 'hearsay'", "canary = 'perhaps'", "expected = NULL"]
)
def test_a_value_that_means_nothing_is_refused(muffins: Store, change: str) -> None:
    with pytest.raises(Refused):
        execute(muffins, f"UPDATE patterns SET {change}")


def test_the_content_of_a_candidate_never_changes(store: Store) -> None:
    store.candidates.register(registered("model-1"))
    for column in ("digest", "sha256"):
        with pytest.raises(Refused, match="candidates never change"):
            execute(store, f"UPDATE candidates SET {column} = 'other'")


def test_delete_archives_a_candidate_and_takes_it_off_the_list(muffins: Store) -> None:
    muffins.candidates.register(registered("model-1"))
    assert cells(muffins) == [("model-1", "muffin")]
    execute(muffins, "DELETE FROM candidates")
    assert muffins.candidates.get("model-1").state == "archived"
    assert cells(muffins) == []


def test_production_is_not_archived_by_sql_either(store: Store) -> None:
    store.candidates.register(registered("model-1"))
    store.candidates.adopt_production("model-1", actor="operator", reason="it served")
    for statement in ("DELETE FROM candidates", "UPDATE candidates SET state = 'archived'"):
        with pytest.raises(Refused, match="promote another one first"):
            execute(store, statement)
    assert store.candidates.get("model-1").state == "active"


@pytest.mark.parametrize("table", ["patterns", "problems", "candidates", "benchmarks"])
def test_truncate_is_refused(postgresql_url: str, table: str) -> None:
    store = Store.open(postgresql_url)
    import_muffins(store, [muffin_pattern("a")])
    with pytest.raises(Refused, match="use DELETE, which retires them"):
        execute(store, f"TRUNCATE {table} CASCADE")
    assert scalar(store, "SELECT count(*) FROM patterns") == 1
    store.close()


class TestReplaceOnSqlite:
    """REPLACE deletes rows without firing triggers, unless a pragma says otherwise."""

    @pytest.fixture
    def replaced(self, tmp_path: Path) -> Store:
        store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
        import_muffins(store, [muffin_pattern("a"), muffin_pattern("b")])
        store.candidates.register(registered("model-1"))
        store.close()
        return store

    def test_replacing_a_pattern_raises_the_revision_and_loses_no_row(self, replaced: Store) -> None:
        before = revision(replaced)
        execute(replaced, "INSERT OR REPLACE INTO patterns (problem, id, expected) VALUES ('muffin', 'a', 'x')")
        assert revision(replaced) == before + 1
        assert replaced.problems.patterns("muffin")["expected"].tolist() == ["x", "muffin"]

    def test_under_recursive_triggers_it_is_refused_and_nothing_is_lost(self, replaced: Store) -> None:
        connection = sqlite3.connect(replaced.database.url.database or "")
        connection.execute("PRAGMA recursive_triggers = ON")
        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
            connection.execute("INSERT OR REPLACE INTO patterns (problem, id, expected) VALUES ('muffin', 'a', 'x')")
        connection.execute("UPDATE patterns SET expected = 'y' WHERE id = 'a'")
        connection.execute("DELETE FROM patterns WHERE id = 'b'")
        connection.commit()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
        rows = replaced.problems.patterns("muffin")
        assert rows[["expected", "status"]].to_numpy().tolist() == [["y", "active"], ["muffin", "retired"]]

    def test_a_problem_with_a_suite_is_not_replaced(self, replaced: Store) -> None:
        before = revision(replaced)
        with pytest.raises(Refused, match=triggers.NO_REPLACE):
            execute(replaced, "INSERT OR REPLACE INTO problems (id, title) VALUES ('muffin', 'x')")
        assert (revision(replaced), replaced.problems.get("muffin").title) == (before, muffin_problem().title)

    def test_a_problem_may_be_upserted(self, replaced: Store) -> None:
        statement = "INSERT INTO problems (id, title) VALUES ('muffin', 'x') ON CONFLICT (id) DO UPDATE SET title = 'x'"
        before = revision(replaced)
        execute(replaced, statement)
        assert revision(replaced) == before + 1

    def test_a_candidate_is_not_replaced(self, replaced: Store) -> None:
        columns = "id, digest, sha256, size, format, path, manifest, libraries, created_at, registered_at"
        with pytest.raises(Refused, match="candidates never change"):
            execute(
                replaced,
                f"INSERT OR REPLACE INTO candidates ({columns}) SELECT {columns.replace('digest', repr('x'), 1)} "
                "FROM candidates",
            )
