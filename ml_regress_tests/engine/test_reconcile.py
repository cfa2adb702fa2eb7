"""Reconciling: what is due becomes requests, ended holders give their cells back."""

from pathlib import Path

import psutil
import pytest

from ml_regress.core.evaluation import ERROR
from ml_regress.engine.claims import command_claim, command_state, instance_of, planned_claim
from ml_regress.engine.reconcile import CRASHED, RUNNING, STOPPED, Request, plan
from ml_regress.engine.workspace import Workspace
from ml_regress_tests.models import ConstantModel
from ml_regress_tests.scenario import row, take_in, write_candidate, write_problem


@pytest.fixture
def due(workspace: Workspace, folder: Path) -> Workspace:
    """Two candidates x two problems, all due."""
    write_problem(folder, "muffin", [row("p1", 1)])
    write_problem(folder, "towel", [row("q1", 2)])
    write_candidate(folder, "a", ConstantModel("muffin"), created_at="2026-06-01T00:00:00Z")
    write_candidate(folder, "b", ConstantModel("muffin"), created_at="2026-07-01T00:00:00Z")
    take_in(workspace)
    return workspace


def planned(workspace: Workspace, state: str = RUNNING, **options: int) -> list[Request]:
    states = {claim.name: state for claim in workspace.store.due.claims()}
    return plan(workspace, ["a", "b"], ["muffin", "towel"], states=states, name=named, **options)


def named() -> str:
    return planned_claim("here")


def test_a_whole_matrix_is_one_request_and_is_not_requested_twice(due: Workspace) -> None:
    (request,) = planned(due)
    assert len(request.rectangle.cells) == 4
    assert {cell.claimed_by for cell in due.store.due.all()} == {request.key}
    assert planned(due) == []


def test_a_stopped_holder_gives_its_cells_back_under_another_key(due: Workspace) -> None:
    (first,) = planned(due)
    (second,) = planned(due, STOPPED)
    assert first.rectangle == second.rectangle
    assert first.key != second.key, "a run key counts as spent even when its run was cancelled"
    assert {cell.attempts for cell in due.store.due.all()} == {0}


def test_a_cell_that_crashed_three_times_rests_as_error(due: Workspace) -> None:
    for attempt in range(3):
        (request,) = planned(due, CRASHED)
        assert {cell.attempts for cell in due.store.due.all()} == {attempt}
        assert request
    assert planned(due, CRASHED) == []
    assert due.store.due.count() == 0
    found = due.store.evaluations.current()
    assert {stored.evaluation.state for stored in found.values()} == {ERROR}
    assert "crashed 3 times" in (found["a", "muffin"].evaluation.reason or "")
    assert planned(due) == []


def test_a_resting_cell_is_due_again_when_its_suite_changes(due: Workspace, folder: Path) -> None:
    for _ in range(4):
        planned(due, CRASHED)
    write_problem(folder, "muffin", [row("p1", 1), row("p2", 5)])
    take_in(due)
    assert {cell.cell for cell in due.store.due.all()} == {("a", "muffin"), ("b", "muffin")}
    assert {cell.attempts for cell in due.store.due.all()} == {0}


def test_no_more_runs_are_requested_than_allowed_and_the_rest_stays_due(due: Workspace) -> None:
    due.store.due.claim([("a", "towel")], "elsewhere")
    assert len(planned(due, limit=1)) == 1
    assert any(cell.claimed_by is None for cell in due.store.due.all())
    assert len(planned(due, limit=1)) == 1


def test_cells_without_a_partition_key_wait(due: Workspace) -> None:
    assert plan(due, [], [], states={}, name=named) == []
    assert all(cell.claimed_by is None for cell in due.store.due.all())


def test_a_command_that_lives_runs_and_one_that_ended_was_stopped() -> None:
    mine = command_claim()
    assert command_state(mine) == RUNNING
    prefix, host, _, started = mine.split(":")
    assert command_state(f"{prefix}:{host}:99999999:{started}") == STOPPED
    assert command_state(mine[:-1] + "x") == STOPPED, "another process may have got the number since"
    assert command_state(f"{prefix}:elsewhere:1:{started}") is None
    assert command_state(named()) is None


def test_the_age_of_a_command_does_not_move_with_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = command_claim()
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: 0.0)  # as after the clock was set
    assert command_state(mine) == RUNNING


def test_a_claim_tells_which_instance_made_it_and_no_two_have_one_name() -> None:
    assert instance_of(named()) == "here"
    assert instance_of(command_claim()) is None
    assert named() != named()


def test_of_two_looks_at_the_same_due_cells_only_one_comes_to_hold_them(due: Workspace) -> None:
    second: list[Request] = []

    def meanwhile() -> str:
        """The first look has read what is due and is about to claim it."""
        if not second:
            second.extend(plan(due, ["a", "b"], ["muffin", "towel"], states={}, name=named))
        return named()

    assert plan(due, ["a", "b"], ["muffin", "towel"], states={}, name=meanwhile) == []
    (request,) = second
    assert {cell.claimed_by for cell in due.store.due.all()} == {request.key}
