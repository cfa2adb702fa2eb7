"""Several batches checked one after the other."""

from dataclasses import replace

from ml_regress.core.batch import Batch
from ml_regress.engine.checking import check_each
from ml_regress.engine.workspace import Workspace

UNKNOWN = Batch("nobody", "accepted", "d", "s", 9, "2026-01-01", "2026-01-02", "batches/nobody.csv", "2026-01-03")


def test_what_the_check_of_a_batch_raises_is_its_reason_and_the_next_one_is_checked(workspace: Workspace) -> None:
    first, second = check_each(workspace, [UNKNOWN, replace(UNKNOWN, id="nobody-else")])
    assert "no batch 'nobody' is known" in first.drift.reason
    assert first.outliers.reason == first.drift.reason
    assert first.drift.state == "not compared"
    assert "no batch 'nobody-else' is known" in second.drift.reason


def test_a_quarantined_batch_is_not_checked_and_says_why(workspace: Workspace) -> None:
    (found,) = check_each(workspace, [replace(UNKNOWN, state="quarantined", reasons=("column x is missing", "row 3"))])
    assert found.drift.reason == "the batch is quarantined: column x is missing; row 3"
    assert (found.drift.rows, found.drift.columns) == ((0, 9), ())
