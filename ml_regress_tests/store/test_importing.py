"""Files are a way in; the database owns the truth."""

from dataclasses import replace

import pytest

from ml_regress.core.expectation import Expectation
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.problem import Benchmark, Requirement
from ml_regress.errors import Conflict, NotFound
from ml_regress.store import Store
from ml_regress.store.problems import Imported
from ml_regress_tests.scenario import execute, import_muffins, muffin_pattern, muffin_problem, registered, scalar
from ml_regress_tests.store.made import cells

A, B = muffin_pattern("a"), muffin_pattern("b")
HELD_OUT = Benchmark("held-out", "Held out", parse_input_types({"x": "number"}), "y", labels=("cat", "dog"))


def test_importing_again_changes_nothing(store: Store) -> None:
    problem = muffin_problem(requirement=Requirement(at_least=1), description="é\n2")
    assert import_muffins(store, [A, B], problem) == Imported("added", added=2)
    before = scalar(store, "SELECT revision FROM problems")
    assert import_muffins(store, [B, A], problem) == Imported("unchanged", unchanged=2)
    assert scalar(store, "SELECT revision FROM problems") == before
    assert store.problems.stale() == []
    assert store.problems.get("muffin") == problem


def test_a_changed_row_of_the_file_updates_the_store(store: Store) -> None:
    import_muffins(store, [A, B])
    changed = replace(B, expectation=Expectation("one_of", ("muffin", "chihuahua")), note="either")
    assert import_muffins(store, [A, changed]) == Imported("unchanged", changed=1, unchanged=1)
    assert store.problems.patterns("muffin")["expected"].tolist() == ["muffin", '["muffin","chihuahua"]']
    assert import_muffins(store, [A, changed], muffin_problem(title="Other")) == Imported("changed", unchanged=2)
    assert store.problems.get("muffin").title == "Other"


def test_what_was_edited_in_the_database_since_is_a_conflict_that_writes_nothing(store: Store) -> None:
    import_muffins(store, [A, B])
    execute(store, "UPDATE patterns SET expected = 'chihuahua', note = 'no' WHERE id = 'b'")
    before = store.problems.patterns("muffin")
    with pytest.raises(Conflict, match=r"problems/muffin.yaml.*pattern b \(expected, polarity, note\)") as error:
        import_muffins(store, [replace(A, note="new"), replace(B, polarity="negative"), muffin_pattern("c")])
    assert "pattern a" not in str(error.value)
    assert store.problems.patterns("muffin").equals(before)
    assert scalar(store, "SELECT count(*) FROM audit WHERE verb = 'import'") == 1


def test_a_problem_edited_in_the_database_is_a_conflict(store: Store) -> None:
    import_muffins(store, [A])
    execute(store, "UPDATE problems SET owner = 'dogs'")
    with pytest.raises(Conflict, match=r"problem muffin \(title, owner\)"):
        import_muffins(store, [A], muffin_problem(title="Other"))


def test_a_problem_that_was_written_with_sql_is_not_overwritten(store: Store) -> None:
    execute(store, "INSERT INTO problems (id, title) VALUES ('muffin', 'By hand')")
    with pytest.raises(Conflict, match="problem muffin"):
        import_muffins(store, [A])
    assert scalar(store, "SELECT title FROM problems") == "By hand"


def test_a_file_that_says_what_it_said_does_not_undo_an_edit(store: Store) -> None:
    import_muffins(store, [A, B])
    execute(store, "UPDATE patterns SET expected = 'chihuahua' WHERE id = 'b'")
    execute(store, "DELETE FROM patterns WHERE id = 'a'")
    execute(store, "UPDATE problems SET owner = 'dogs'")
    assert import_muffins(store, [A, B]) == Imported("unchanged", unchanged=2)
    rows = store.problems.patterns("muffin")
    assert rows[["expected", "status"]].to_numpy().tolist() == [["muffin", "retired"], ["chihuahua", "active"]]


def test_bringing_the_edit_into_the_file_settles_the_conflict(store: Store) -> None:
    import_muffins(store, [A])
    execute(store, "UPDATE patterns SET expected = 'chihuahua'")
    settled = replace(A, expectation=Expectation("equals", "chihuahua"))
    assert import_muffins(store, [settled]) == Imported("unchanged", unchanged=1)
    assert import_muffins(store, [A]) == Imported("unchanged", changed=1)


def test_absence_retires_with_sync_only(store: Store) -> None:
    import_muffins(store, [A, B])
    assert import_muffins(store, [A]) == Imported("unchanged", unchanged=1)
    assert import_muffins(store, [A], sync=True) == Imported("unchanged", retired=1, unchanged=1)
    assert store.problems.patterns("muffin")["status"].tolist() == ["active", "retired"]
    assert import_muffins(store, [A], sync=True) == Imported("unchanged", unchanged=1)
    assert import_muffins(store, [A, B]) == Imported("unchanged", changed=1, unchanged=1)
    assert store.problems.patterns("muffin")["status"].tolist() == ["active", "active"]


def test_sync_does_not_retire_what_somebody_wrote_in_the_database(store: Store) -> None:
    import_muffins(store, [A])
    execute(store, "INSERT INTO patterns (problem, id, expected) VALUES ('muffin', 'mine', 'x')")
    with pytest.raises(Conflict, match=r"pattern mine .absent from the file"):
        import_muffins(store, [A], sync=True)


def test_ids_that_differ_only_by_case_are_refused(store: Store) -> None:
    import_muffins(store, [A])
    with pytest.raises(Conflict, match="pattern A differs from a only by case"):
        import_muffins(store, [A, muffin_pattern("A")])
    with pytest.raises(Conflict, match="only by case"):
        import_muffins(store, [A, muffin_pattern("new"), muffin_pattern("New")])
    with pytest.raises(Conflict, match="'Muffin' differs from the problem 'muffin' only by case"):
        import_muffins(store, [], muffin_problem("Muffin"))
    assert scalar(store, "SELECT count(*) FROM patterns") == 1


def test_a_problem_and_a_benchmark_share_no_id(store: Store) -> None:
    import_muffins(store, [A])
    with pytest.raises(Conflict, match="already the id of the problem 'muffin'"):
        store.problems.import_benchmark(replace(HELD_OUT, id="Muffin"), b"", "d", 1, source="benchmarks/m.yaml")
    store.problems.import_benchmark(HELD_OUT, b"rows", "d", 1, source="benchmarks/held-out.yaml")
    with pytest.raises(Conflict, match=r"problems/Held-out.yaml.*already the id of the benchmark 'held-out'"):
        import_muffins(store, [], muffin_problem("Held-out"))
    with pytest.raises(Conflict, match="only by case"):
        store.problems.import_benchmark(replace(HELD_OUT, id="Held-Out"), b"", "d", 1, source="x")


def test_a_benchmark_is_due_when_what_it_measures_changes(store: Store) -> None:
    store.candidates.register(registered("model-1"))

    def imported(benchmark: Benchmark, data: bytes = b"rows") -> str:
        return store.problems.import_benchmark(benchmark, data, data.decode(), 3, source="benchmarks/held-out.yaml")

    assert imported(HELD_OUT) == "added"
    assert cells(store) == [("model-1", "held-out")]
    assert store.problems.benchmarks() == [HELD_OUT]
    assert store.problems.benchmark_data("held-out") == b"rows"
    execute(store, "DELETE FROM due")
    assert imported(HELD_OUT) == "unchanged"
    assert imported(HELD_OUT, b"more") == "changed"
    assert [cell.reason for cell in store.due.all()] == ["benchmark changed"]
    assert imported(replace(HELD_OUT, state="closed"), b"more") == "changed"
    assert (cells(store), store.problems.benchmarks()) == ([], [])


def test_delete_closes_a_benchmark(store: Store) -> None:
    store.problems.import_benchmark(HELD_OUT, b"rows", "d", 1, source="x")
    execute(store, "DELETE FROM benchmarks")
    assert [entry.state for entry in store.problems.benchmarks(closed=True)] == ["closed"]


def test_what_nobody_registered_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="no problem 'muffin'"):
        store.problems.get("muffin")
    with pytest.raises(NotFound, match="no benchmark"):
        store.problems.benchmark_data("held-out")


def test_an_old_suite_is_read_with_its_patterns(store: Store) -> None:
    import_muffins(store, [A, B])
    (old,) = store.problems.measured()
    import_muffins(store, [A, replace(B, expectation=Expectation("equals", "chihuahua"))])
    suite = store.problems.suites([("muffin", old.suite)])["muffin"]
    assert [(pattern.id, pattern.expectation) for pattern in suite.patterns] == [
        ("a", A.expectation),
        ("b", B.expectation),
    ]
    assert store.problems.suites([("muffin", "unknown"), ("bagel", old.suite)]) == {}


def test_a_refused_revision_keeps_the_last_suite_and_is_not_looked_at_again(store: Store) -> None:
    import_muffins(store, [A])
    execute(store, "UPDATE problems SET inputs = 'nonsense'")
    (stale,) = store.problems.stale()
    store.problems.mark_checked(stale)
    assert store.problems.stale() == []
    assert [entry.id for entry in store.problems.measured()] == ["muffin"]
    store.problems.refreeze(["muffin"])
    assert [stale.id for stale in store.problems.stale()] == ["muffin"]


def test_a_state_that_was_read_before_does_not_replace_a_later_one(store: Store) -> None:
    from ml_regress.core.pattern import freeze

    import_muffins(store, [A])
    execute(store, "UPDATE patterns SET note = 'one'")
    (early,) = store.problems.stale()
    import_muffins(store, [A, B])
    (later,) = store.problems.measured()
    old = freeze(muffin_problem().measured_content(), "muffin", [A], "")
    assert not store.problems.freeze(muffin_problem(), old, early.revision)
    assert store.problems.measured() == [later]
    assert store.problems.stale() == []
