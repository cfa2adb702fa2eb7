"""The work list holds what changed, and nothing else."""

import threading
from dataclasses import replace

import pytest

from ml_regress.core.expectation import Expectation
from ml_regress.store import Store
from ml_regress.store.due import MAX_ATTEMPTS
from ml_regress_tests.scenario import execute, import_muffins, muffin_pattern, muffin_problem, registered, scalar
from ml_regress_tests.store.made import cells, commit, evaluation, freeze_stale, in_processes, suite_of

A = muffin_pattern("a")
CHANGED = replace(A, expectation=Expectation("equals", "chihuahua"))


@pytest.fixture
def matrix(store: Store) -> Store:
    """Two problems x two candidates, all of it due."""
    import_muffins(store, [A])
    import_muffins(store, [muffin_pattern("a", problem="bagel")], muffin_problem("bagel"))
    store.candidates.register(registered("model-1"))
    store.candidates.register(registered("model-2"))
    return store


def measure_all(store: Store) -> None:
    for cell in store.due.all():
        commit(store, cell.candidate, evaluation(store, *cell.cell))


def test_a_new_candidate_makes_all_its_cells_due(matrix: Store) -> None:
    measure_all(matrix)
    assert matrix.due.count() == 0
    matrix.candidates.register(registered("model-3"))
    assert cells(matrix) == [("model-3", "bagel"), ("model-3", "muffin")]
    assert matrix.due.reasons() == {"new candidate": 2}


def test_a_new_suite_makes_its_column_due(matrix: Store) -> None:
    measure_all(matrix)
    import_muffins(matrix, [CHANGED])
    assert cells(matrix) == [("model-1", "muffin"), ("model-2", "muffin")]
    assert matrix.due.reasons() == {"suite changed": 2}


def test_the_same_suite_makes_nothing_due(matrix: Store) -> None:
    measure_all(matrix)
    import_muffins(matrix, [replace(A, note="new")])
    assert cells(matrix) == []


def test_going_back_to_a_measured_suite_owes_nothing(matrix: Store) -> None:
    measure_all(matrix)
    import_muffins(matrix, [CHANGED])
    matrix.due.claim([("model-1", "muffin")], "run-1")
    import_muffins(matrix, [A])
    assert cells(matrix) == []


def test_an_archived_candidate_owes_nothing_and_comes_back_with_what_is_missing(matrix: Store) -> None:
    commit(matrix, "model-1", evaluation(matrix, "model-1"))
    assert matrix.candidates.archive("model-1", actor="me")
    assert not matrix.candidates.archive("model-1", actor="me")
    assert cells(matrix) == [("model-2", "bagel"), ("model-2", "muffin")]
    assert matrix.candidates.unarchive("model-1", actor="me")
    assert ("model-1", "bagel") in cells(matrix)
    assert ("model-1", "muffin") not in cells(matrix)


def test_a_closed_problem_owes_nothing_and_comes_back_with_what_is_missing(matrix: Store) -> None:
    commit(matrix, "model-1", evaluation(matrix, "model-1"))
    import_muffins(matrix, [A], muffin_problem(state="closed"))
    assert cells(matrix) == [("model-1", "bagel"), ("model-2", "bagel")]
    import_muffins(matrix, [A], muffin_problem(state="watched"))
    assert [cell.cell for cell in matrix.due.all() if cell.reason == "reopened"] == [("model-2", "muffin")]


def test_an_invalid_problem_that_was_closed_owes_nothing(matrix: Store) -> None:
    execute(matrix, "UPDATE problems SET state = 'closed', inputs = 'nonsense' WHERE id = 'muffin'")
    assert cells(matrix) == [("model-1", "bagel"), ("model-2", "bagel")]
    execute(matrix, "UPDATE problems SET state = 'open' WHERE id = 'muffin'")
    for stale in matrix.problems.stale():
        matrix.problems.mark_checked(stale)
    assert len(cells(matrix)) == 4


def test_a_request_brings_back_what_rests_or_was_measured(matrix: Store) -> None:
    commit(matrix, "model-1", evaluation(matrix, "model-1", state="error", reason="broke"))
    asked = [("model-1", "muffin"), ("nobody", "muffin"), ("model-2", "muffin")]
    assert matrix.due.request(iter(asked), "asked for") == [("model-1", "muffin"), ("model-2", "muffin")]
    assert matrix.due.reasons() == {"asked for": 1, "new candidate": 3}
    assert matrix.due.request([], "asked for") == []


def test_a_claim_excludes_others(matrix: Store) -> None:
    first = matrix.due.claim(iter([("model-1", "muffin"), ("model-1", "bagel")]), "run-1")
    assert [cell.cell for cell in first] == [("model-1", "bagel"), ("model-1", "muffin")]
    assert [cell.claims for cell in first] == [1, 1]
    second = matrix.due.claim([("model-1", "muffin"), ("model-2", "muffin")], "run-2")
    assert [cell.cell for cell in second] == [("model-2", "muffin")]
    assert [(claim.name, claim.cells) for claim in matrix.due.claims()] == [("run-1", 2), ("run-2", 1)]
    assert matrix.due.claim([("model-1", "muffin")], "run-1") == [first[1]]
    assert matrix.due.claim([], "run-3") == []


def claim_everything(url: str, claim: str) -> None:
    store = Store.open(url)
    store.due.claim([(f"model-{number}", "muffin") for number in range(20)], claim)
    store.close()


@pytest.mark.slow
def test_of_processes_that_claim_at_once_one_gets_each_cell(store: Store, database_url: str) -> None:
    import_muffins(store, [A])
    for number in range(20):
        store.candidates.register(registered(f"model-{number}"))
    assert in_processes(claim_everything, [(database_url, f"run-{number}") for number in range(4)]) == [0] * 4
    assert [claim.cells for claim in store.due.claims()] == [20]
    assert {cell.claims for cell in store.due.all()} == {1}


def test_of_threads_that_claim_at_once_one_gets_each_cell(matrix: Store) -> None:
    held: list[tuple[str, str]] = []

    def claim(number: int) -> None:
        held.extend(cell.cell for cell in matrix.due.claim(everything, f"run-{number}"))

    everything = cells(matrix)
    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(held) == sorted(everything)


def test_only_a_crash_counts_as_an_attempt(matrix: Store) -> None:
    matrix.due.claim([("model-1", "muffin")], "run-1")
    assert matrix.due.release("run-1", crashed=False) == []
    assert [cell.attempts for cell in matrix.due.all()] == [0, 0, 0, 0]
    matrix.due.claim([("model-1", "muffin")], "run-2")
    matrix.due.release("run-2", crashed=True)
    (cell,) = (cell for cell in matrix.due.all() if cell.attempts)
    assert (cell.cell, cell.attempts, cell.claims, cell.claimed_by) == (("model-1", "muffin"), 1, 2, None)


def crash(store: Store, times: int = MAX_ATTEMPTS) -> list[tuple[str, str]]:
    rested: list[tuple[str, str]] = []
    for number in range(times):
        store.due.claim([("model-1", "muffin")], f"run-{number}")
        rested = store.due.release(f"run-{number}", crashed=True)
    return rested


def test_a_cell_that_crashed_three_times_rests_as_an_error_with_its_reason(matrix: Store) -> None:
    assert crash(matrix) == [("model-1", "muffin")]
    assert ("model-1", "muffin") not in cells(matrix)
    (stored,) = matrix.evaluations.current([("model-1", "muffin")]).values()
    assert (stored.evaluation.state, stored.evaluation.errors, stored.evaluation.passes) == ("error", 1, None)
    assert "crashed 3 times" in str(stored.evaluation.reason)
    assert "run-2" in str(stored.evaluation.reason)
    assert matrix.due.audit() == 0


def test_a_new_suite_forgets_the_attempts(matrix: Store) -> None:
    crash(matrix, 2)
    import_muffins(matrix, [CHANGED])
    assert {cell.attempts for cell in matrix.due.all()} == {0}


def test_a_resting_benchmark_counts_its_rows_as_errors(store: Store) -> None:
    from ml_regress_tests.store.test_importing import HELD_OUT

    store.problems.import_benchmark(HELD_OUT, b"rows", "d", 7, source="x")
    store.candidates.register(registered("model-1"))
    for _ in range(MAX_ATTEMPTS):
        store.due.claim(cells(store), "run")
        store.due.release("run", crashed=True)
    (stored,) = store.evaluations.current().values()
    assert (stored.evaluation.state, stored.evaluation.errors) == ("error", 7)


def test_a_claim_survives_a_new_suite_and_the_commit_of_the_old_one_gives_the_cell_back(matrix: Store) -> None:
    matrix.due.claim([("model-1", "muffin")], "run-1")
    old = evaluation(matrix, "model-1")
    import_muffins(matrix, [CHANGED])
    (cell,) = (cell for cell in matrix.due.all() if cell.claimed_by)
    assert (cell.cell, cell.claimed_by, cell.suite) == (("model-1", "muffin"), "run-1", suite_of(matrix))
    commit(matrix, "model-1", old, claim="run-1")
    (cell,) = (cell for cell in matrix.due.all() if cell.cell == ("model-1", "muffin"))
    assert (cell.claimed_by, cell.suite) == (None, suite_of(matrix))
    assert matrix.evaluations.current([("model-1", "muffin")]) == {}
    assert scalar(matrix, "SELECT count(*) FROM evaluations") == 1


def test_the_audit_refills_exactly_what_is_missing(matrix: Store) -> None:
    assert matrix.due.audit() == 0
    commit(matrix, "model-1", evaluation(matrix, "model-1", state="error", reason="broke"))
    commit(matrix, "model-1", evaluation(matrix, "model-1", "bagel"))
    execute(matrix, "DELETE FROM due WHERE problem = 'muffin'")
    execute(matrix, "DELETE FROM evaluations WHERE problem = 'bagel'")
    assert matrix.due.audit() == 2
    assert cells(matrix) == [("model-1", "bagel"), ("model-2", "bagel"), ("model-2", "muffin")]
    assert matrix.due.audit() == 0
    assert scalar(matrix, "SELECT count(*) FROM audit WHERE actor = 'audit'") == 1


def test_the_audit_finds_an_archive_that_was_undone_by_sql(matrix: Store) -> None:
    execute(matrix, "DELETE FROM candidates WHERE id = 'model-2'")
    assert matrix.due.audit() == 0
    execute(matrix, "UPDATE candidates SET state = 'active'")
    assert matrix.due.audit() == 2


def test_freezing_while_cells_are_claimed_keeps_the_claims_of_others(matrix: Store) -> None:
    matrix.due.claim(cells(matrix), "run-1")
    execute(matrix, "UPDATE patterns SET expected = 'chihuahua' WHERE problem = 'muffin'")
    freeze_stale(matrix, [CHANGED])
    assert {cell.claimed_by for cell in matrix.due.all()} == {"run-1"}
    assert matrix.due.reasons() == {"new candidate": 2, "suite changed": 2}
