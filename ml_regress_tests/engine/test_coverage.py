"""Coverage: the kinds of rows of a batch, and whether a pattern is near each today."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_regress.engine.coverage import coverage
from ml_regress.engine.strange import check_outliers
from ml_regress.engine.workspace import Workspace
from ml_regress_tests.engine.strange_batches import arrive, mixed, set_up
from ml_regress_tests.scenario import row, take_in, write_problem


@pytest.fixture
def database_url(tmp_path: Any) -> str:
    return f"sqlite:///{tmp_path / 'store.db'}"


def kinds(rows: int, seed: int) -> pd.DataFrame:
    """Three kinds of rows, of which the first is half and the others a quarter each."""
    random = np.random.default_rng(seed)
    centres = np.array([[0.0, 0.0], [30.0, 0.0], [0.0, 30.0]])[[0, 0, 1, 2] * (rows // 4)]
    return pd.DataFrame(centres + random.normal(0, 1, (rows, 2)), columns=["ears", "crumbs"])


@pytest.fixture
def checked(workspace: Workspace) -> Workspace:
    """A batch of three kinds of rows that was checked while a pattern was near the second one."""
    set_up(workspace, kinds(800, 1))
    write_problem(
        workspace.settings.workspace, "second", [row("k", 30.0, "1", crumbs=0.0)], labels=["0", "1"], answer="integer"
    )
    take_in(workspace)
    check_outliers(workspace, arrive(workspace, "july", kinds(400, 2)))
    return workspace


def test_kinds_of_rows_are_told_apart_with_their_sizes_and_a_row_of_each(checked: Workspace) -> None:
    report = checked.store.drift.outliers_of("july")
    assert report is not None
    assert [each.rows for each in report.clusters] == [200, 100, 100]
    middles = {(round(each.inputs["ears"], -1), round(each.inputs["crumbs"], -1)) for each in report.clusters}
    assert middles == {(0.0, 0.0), (30.0, 0.0), (0.0, 30.0)}
    places = {(round(each.x, 3), round(each.y, 3)) for each in report.clusters}
    assert len(places) == 3


def test_a_kind_without_a_near_pattern_is_uncovered_and_stands_first(checked: Workspace) -> None:
    rows = coverage(checked)
    assert [(each.covered, each.rows) for _, each in rows] == [(False, 200), (False, 100), (True, 100)]
    covered = rows[-1][1]
    assert (covered.problem, covered.pattern) == ("second", "k")
    assert round(covered.inputs["ears"], -1) == 30.0
    assert all(each.distance is not None and each.distance > 1 for _, each in rows[:2])


def test_a_pattern_that_came_after_the_check_covers_its_kind_at_once(checked: Workspace) -> None:
    patterns = [row("k", 0.0, "1", crumbs=0.0), row("l", 0.0, "1", crumbs=30.0)]
    write_problem(checked.settings.workspace, "others", patterns, labels=["0", "1"], answer="integer")
    take_in(checked)
    assert all(each.covered for _, each in coverage(checked))
    stored = checked.store.drift.outliers_of("july")
    assert stored is not None
    assert len(stored.uncovered) == 2


def test_only_the_newest_checked_batches_are_shown(checked: Workspace) -> None:
    for name in ("2030-01", "2030-02"):
        check_outliers(checked, arrive(checked, name, mixed(kinds(100, 5))))
    arrive(checked, "2030-03", kinds(100, 6))
    assert {batch.id for batch, _ in coverage(checked, batches=2)} == {"2030-01", "2030-02"}


def test_a_problem_without_these_inputs_covers_nothing(workspace: Workspace) -> None:
    set_up(workspace, kinds(800, 1))
    write_problem(
        workspace.settings.workspace,
        "tails",
        [row("k", 0.0, tail=1)],
        inputs={"ears": "number", "crumbs": "number", "tail": "number"},
    )
    take_in(workspace)
    check_outliers(workspace, arrive(workspace, "july", kinds(400, 2)))
    assert {(each.problem, each.pattern, each.distance) for _, each in coverage(workspace)} == {(None, None, None)}


def test_a_batch_whose_rows_are_gone_is_told_with_what_its_check_found(checked: Workspace) -> None:
    checked.archive.rows(checked.store.batches.get("july").digest).unlink()
    assert len(coverage(checked)) == 3


def test_without_a_checked_batch_there_is_nothing(workspace: Workspace) -> None:
    assert coverage(workspace) == []
