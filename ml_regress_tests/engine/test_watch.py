"""Production is watched: due batches are checked whatever becomes of one, and somebody is told, once."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from ml_regress.core.batch import QUARANTINED, Batch
from ml_regress.core.drift_result import DRIFT, NO_DRIFT, NOT_COMPARED
from ml_regress.core.production import PREDICTION, Window
from ml_regress.engine import production
from ml_regress.engine.drift import check_drift
from ml_regress.engine.production import check_batch, complain, due_batches, watch
from ml_regress.engine.strange import check_outliers
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, NotFound
from ml_regress.settings import Settings
from ml_regress.store import tables
from ml_regress_tests.kept_rows import bring, muffin_schema, muffins, serve, write_reference
from ml_regress_tests.models import ThresholdModel
from ml_regress_tests.scenario import write_workspace

MAY = Window("2026-05-01", "2026-06-01")
NOON = datetime(2030, 6, 10, 12, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with a webhook, whose production schema is in force; the reference is May."""
    folder = write_workspace(tmp_path / "workspace")
    made = Workspace.open(Settings.load(folder, {"ML_REGRESS_WEBHOOK": "https://hooks.example.org/x"}))
    made.store.batches.freeze_schema(muffin_schema(reference=MAY), "test")
    yield made
    made.store.close()


@pytest.fixture
def brought(workspace: Workspace) -> dict[str, Batch]:
    """Two batches of May and two after it, the first of which drifts."""
    frames = {
        "2026-05-01": muffins(100, 1),
        "2026-05-02": muffins(100, 2),
        "2026-06-01": muffins(100, 3, ears=2),
        "2026-06-02": muffins(100, 5),
    }
    return {day: bring(workspace, day, frame) for day, frame in frames.items()}


def gone(workspace: Workspace, batch: Batch) -> Path:
    path = workspace.archive.folder / "rows" / f"{batch.digest}.parquet"
    path.unlink()
    return path


def told(workspace: Workspace) -> list[tuple[str, Any]]:
    return sorted((each.event, each.payload["batch"]) for each in workspace.store.notifications.list())


def days(batches: list[Batch]) -> list[str]:
    return [batch.id for batch in batches]


# -- checking ------------------------------------------------------------------------------------


def test_what_a_new_batch_makes_due(workspace: Workspace) -> None:
    bring(workspace, "2026-05-01", muffins(50, 1))
    bring(workspace, "2026-06-01", muffins(50, 2))
    watch(workspace)
    bring(workspace, "2026-06-03", muffins(50, 9))
    bring(workspace, "2026-06-09", muffins(50, 5), state=QUARANTINED)
    assert days(due_batches(workspace)) == ["2026-06-03"]
    workspace.store.batches.release("2026-06-09", person="ada", why="known gap")
    assert days(due_batches(workspace)) == ["2026-06-03", "2026-06-09"]
    # The window is another one with it.
    bring(workspace, "2026-05-03", muffins(50, 10))
    assert days(due_batches(workspace)) == ["2026-05-01", "2026-05-03", "2026-06-01", "2026-06-03", "2026-06-09"]


def test_without_a_schema_nothing_is_due(tmp_path: Path) -> None:
    empty = Workspace.open(Settings.load(write_workspace(tmp_path / "empty"), {}))
    assert due_batches(empty) == []
    assert watch(empty) == []
    assert complain(empty, NOON) is None
    empty.store.close()


def test_a_column_whose_type_changed_between_schemas_stops_nothing(workspace: Workspace) -> None:
    older = muffin_schema({"ears": "number?", "crumbs": "text?", "kind": "text?"})
    workspace.store.batches.freeze_schema(older, "older")
    bring(workspace, "2026-05-01", muffins(100, 1).assign(crumbs="many"), older)
    bring(workspace, "2026-06-01", muffins(100, 2).assign(crumbs="few"), older)
    workspace.store.batches.freeze_schema(muffin_schema(reference=MAY), "newer")
    bring(workspace, "2026-06-02", muffins(100, 4))
    serve(workspace, "first", ThresholdModel(0.0))
    # The only batch of the window has nothing left to be held against.
    checked = [each for each in watch(workspace) if each.batch.id != "2026-05-01"]
    assert len(checked) == 2
    for each in checked:
        assert (each.drift.reason, each.outliers.reason) == ("", "")
        found = {column.column: column for column in each.drift.columns}
        assert found["ears"].state == NO_DRIFT
        assert found["crumbs"].state == NOT_COMPARED
        assert found["crumbs"].reason
    assert due_batches(workspace) == []


def test_any_exception_of_one_batch_is_its_reason_and_the_others_go_on(
    workspace: Workspace,
    brought: dict[str, Batch],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def failing(real: Callable[..., Any], day: str) -> Callable[..., Any]:
        def fails(workspace: Workspace, batch: Batch, **more: Any) -> Any:
            if batch.id == day:
                raise ZeroDivisionError("nobody foresaw this")
            return real(workspace, batch, **more)

        return fails

    with monkeypatch.context() as patched:
        patched.setattr(production, "check_drift", failing(check_drift, "2026-05-01"))
        patched.setattr(production, "check_outliers", failing(check_outliers, "2026-06-02"))
        reports = {each.batch.id: each for each in watch(workspace)}
    assert list(reports) == list(brought)
    said = " failed: ZeroDivisionError: nobody foresaw this; the log says more"
    reasons = {name: (each.drift.reason, each.outliers.reason) for name, each in reports.items()}
    assert reasons == {
        "2026-05-01": (f"the check of batch 2026-05-01{said}", ""),
        "2026-05-02": ("", ""),
        "2026-06-01": ("", ""),
        "2026-06-02": ("", f"the look for strange rows in batch 2026-06-02{said}"),
    }
    assert "ZeroDivisionError" in caplog.text
    assert due_batches(workspace) == []  # remembered, and tried again by the next watch
    again = watch(workspace)
    assert [each.batch.id for each in again] == ["2026-05-01", "2026-06-02"]
    assert {(each.drift.reason, each.outliers.reason) for each in again} == {("", "")}


def test_a_batch_that_vanishes_while_it_is_checked_does_not_stop_the_others(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed, day in enumerate(("2026-05-01", "2026-06-01", "2026-06-02")):
        bring(workspace, day, muffins(100, seed))

    def vanishing(workspace: Workspace, batch: Batch, **more: Any) -> Any:
        if batch.id == "2026-06-01":
            with workspace.store.database.write() as connection:
                connection.execute(sa.delete(tables.batches).where(tables.batches.c.id == batch.id))
        return check_drift(workspace, batch, **more)

    monkeypatch.setattr(production, "check_drift", vanishing)
    checked = {each.batch.id: each for each in watch(workspace)}
    assert list(checked) == ["2026-05-01", "2026-06-01", "2026-06-02"]
    assert "no batch '2026-06-01' is known" in checked["2026-06-01"].drift.reason
    assert checked["2026-06-02"].drift.state == NO_DRIFT


def test_a_part_that_fails_does_not_stop_the_other(workspace: Workspace) -> None:
    batch = bring(workspace, "2026-05-01", muffins(100, 1))
    found = check_batch(workspace, batch.id)
    assert "is the whole reference" in found.drift.reason
    assert workspace.store.drift.drift_of(batch.id) == found.drift
    assert workspace.store.drift.outliers_of(batch.id) == found.outliers


def test_an_unknown_or_quarantined_batch_is_refused(workspace: Workspace) -> None:
    with pytest.raises(NotFound, match="no batch '2031-01-01' is known"):
        check_batch(workspace, "2031-01-01")
    bring(workspace, "2026-06-01", muffins(100, 1), state=QUARANTINED, reasons=("column 'ears' is missing",))
    with pytest.raises(Conflict, match="quarantined"):
        check_batch(workspace, "2026-06-01")
    assert due_batches(workspace) == watch(workspace) == []


def test_a_reference_file_is_read_once_for_all_batches(workspace: Workspace) -> None:
    workspace.store.batches.freeze_schema(muffin_schema(), "test")
    given = write_reference(workspace.settings.workspace, muffins(100, 1))
    serve(workspace, "first", ThresholdModel(0.0), trained_on=given)
    for number in (1, 2):
        bring(workspace, f"2026-06-0{number}", muffins(100, number + 1))
    watch(workspace)
    answers = set((workspace.archive.folder / "rows").iterdir())
    assert watch(workspace) == []
    assert set((workspace.archive.folder / "rows").iterdir()) == answers
    # The reference, two batches, and the answers of the candidate to each of these.
    assert len(answers) == 6
    (workspace.settings.workspace / given).unlink()
    assert len(due_batches(workspace)) == 2


def test_an_operator_who_allows_a_format_later_has_its_candidate_asked(workspace: Workspace) -> None:
    serve(workspace, "first", ThresholdModel(0.0))
    bring(workspace, "2026-05-01", muffins(100, 1))
    batch = bring(workspace, "2026-06-01", muffins(100, 2))
    strict = replace(workspace, settings=replace(workspace.settings, allow_formats=()))
    check_batch(strict, batch.id)
    report = check_drift(strict, batch)
    (said,) = [each for each in report.answers if each.column == PREDICTION]
    assert said.state == NOT_COMPARED and "allow_formats" in said.reason
    assert report.state == NO_DRIFT
    assert batch.id not in days(due_batches(strict))
    assert batch.id in days(due_batches(workspace))
    (said,) = [each for each in check_drift(workspace, batch).answers if each.column == PREDICTION]
    assert said.state == NO_DRIFT


# -- telling -------------------------------------------------------------------------------------


def test_drift_is_told_once_a_question_and_what_is_quarantined_once(workspace: Workspace) -> None:
    bring(workspace, "2026-05-01", muffins(100, 1))
    batch = bring(workspace, "2026-06-01", muffins(100, 3, ears=2))
    bring(workspace, "2026-06-03", muffins(9, 1), state=QUARANTINED, reasons=("column 'ears' is missing",))
    watch(workspace)
    expected = [("batch quarantined", "2026-06-03"), ("drift", "2026-06-01")]
    assert told(workspace) == expected
    watch(workspace)
    check_drift(workspace, batch, again=True)
    assert told(workspace) == expected
    payloads = {each.event: each.payload for each in workspace.store.notifications.list()}
    assert "Batch 2026-06-01 drifts from batches from 2026-05-01" in payloads["drift"]["text"]
    assert any(line.startswith("ears: ") for line in payloads["drift"]["reasons"])
    assert payloads["batch quarantined"]["reasons"] == ["column 'ears' is missing"]
    # Another reference is another question.
    bring(workspace, "2026-05-03", muffins(100, 8))
    check_drift(workspace, batch)
    assert told(workspace) == [*expected, ("drift", "2026-06-01")]


def test_without_a_webhook_a_drift_is_found_and_nobody_told(workspace: Workspace) -> None:
    bring(workspace, "2026-05-01", muffins(100, 1))
    batch = bring(workspace, "2026-06-01", muffins(100, 3, ears=2))
    silent = replace(workspace, settings=replace(workspace.settings, webhook=None))
    assert check_drift(silent, batch).state == DRIFT
    assert told(workspace) == []


# -- nothing came --------------------------------------------------------------------------------


def expecting(workspace: Workspace, every: timedelta | None) -> None:
    workspace.store.batches.freeze_schema(muffin_schema(reference=MAY, every=every), "test")


def test_nobody_complains_where_no_batch_is_expected(workspace: Workspace) -> None:
    bring(workspace, "2026-06-01", muffins(9, 1))
    assert complain(workspace, NOON) is None
    assert told(workspace) == []


def test_a_batch_that_does_not_come_is_told_once_a_day(workspace: Workspace) -> None:
    expecting(workspace, timedelta(days=1))
    at = NOON.isoformat().replace("+00:00", "Z")
    bring(workspace, "2026-06-01", muffins(9, 1), received_at=at)
    bring(workspace, "2026-06-02", muffins(9, 2))
    assert complain(workspace, NOON + timedelta(days=1)) is None
    late = complain(workspace, NOON + timedelta(days=1, minutes=1))
    assert late is not None
    assert (late.since, late.expected) == ("2030-06-10T12:00Z", "1 day")
    assert late.words == (
        "No batch came within 1 day (`every` in production.yaml): the newest one, 2026-06-01, is of 2030-06-10T12:00Z."
    )
    assert complain(workspace, NOON + timedelta(days=1, minutes=2)) == late
    assert told(workspace) == [("no batch", None)]
    assert complain(workspace, NOON + timedelta(days=2)) == late
    assert told(workspace) == [("no batch", None)] * 2


def test_a_batch_is_as_new_as_its_last_row_but_not_newer_than_now(workspace: Workspace) -> None:
    expecting(workspace, timedelta(hours=6))
    bring(workspace, "2026-06-01", muffins(9, 1), ends="2030-06-10T10:00:00.000Z")
    assert complain(workspace, NOON) is None
    assert complain(workspace, NOON + timedelta(hours=5)) is not None
    # Rows of next year excuse nothing for a year.
    bring(workspace, "2026-06-02", muffins(9, 2), ends="2031-06-10T10:00:00.000Z", received_at="2030-06-10T12:00:00Z")
    assert complain(workspace, NOON + timedelta(hours=5)) is None


def test_a_workspace_to_which_no_batch_ever_came_is_late_from_its_schema_on(workspace: Workspace) -> None:
    expecting(workspace, timedelta(weeks=2))
    since = datetime.fromisoformat(str(workspace.store.drift.expected_since()))
    assert complain(workspace, since + timedelta(weeks=2)) is None
    late = complain(workspace, since + timedelta(weeks=2, seconds=1))
    assert late is not None
    assert late.expected == "2 weeks"
    assert "none came since production is watched" in late.words


def test_what_is_told_stands_on_one_line_and_mentions_nobody(workspace: Workspace) -> None:
    frame = pd.DataFrame({"ears": [1.0]})
    reasons = ("column 'ears': <!channel>\nall is well",)
    bring(workspace, "2026-06-01", frame, state=QUARANTINED, reasons=reasons)
    watch(workspace)
    (kept,) = workspace.store.notifications.list()
    assert "<!channel>" not in kept.payload["text"]
    assert len(kept.payload["text"].splitlines()) == 2
