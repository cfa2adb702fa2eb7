"""Reports on batches in the store: they come back as they were, and the newest of a batch is the one that counts."""

from dataclasses import replace

import pytest

from ml_regress.core.drift_result import DRIFT, NO_DRIFT, NOT_COMPARED, DomainDrift, DriftReport, MetricDrift
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.outlier_result import CONFIDENT_ERROR, OUTLIER, CoveredCluster, OutlierReport, StrangeRow
from ml_regress.core.production import LABEL, ProductionSchema
from ml_regress.errors import NotFound
from ml_regress.store import Store
from ml_regress_tests.report.made_drift import a_batch, a_number, a_test, levels
from ml_regress_tests.scenario import scalar

DOMAIN = DomainDrift(DRIFT, "apart", 0.91, 0.55, 0.0005, (80, 90), (("temp", 0.2), ("origin", 0.01)))
METRIC = MetricDrift("f1", DRIFT, "fell", 0.9, 0.7, (100, 90), a_test("bootstrap"))
FULL = DriftReport(
    "2013-04", "q1", "batches from 2013-01-01 on", "trees", (3000, 900),
    columns=(
        a_number("temp \U0001f600", gaps=a_test("Fisher", 0.5), notes=("one", "two")),
        levels("origin", (0.5, 0.5, 0.0), (0.2, 0.0, 0.8), ("EWR", "Ä|<b>", "TEB"), new_levels=(("TEB", 720),)),
    ),
    answers=(a_number(LABEL, state=NO_DRIFT),),
    domain=DOMAIN, metric=METRIC, notes=("a note",), checked_at="2026-06-01T00:00:00.000Z",
)  # fmt: skip
EMPTY = DriftReport("2013-05", "q2", "no reference", None, (0, 7), reason="there is none")
STRANGE = OutlierReport(
    "2013-04", "o1", 900, (StrangeRow(3, OUTLIER, 0.999, "far away"),), {OUTLIER: 12, CONFIDENT_ERROR: 0},
    (CoveredCluster(1, 90, 3, {"temp": None, "origin": "Ä"}, None, None, None, 0.5, -0.5),),
    ("odd-1",), ("a note",), checked_at="2026-06-01T00:00:00.000Z",
)  # fmt: skip


@pytest.fixture
def filled(store: Store) -> Store:
    """A store with two batches that were never checked."""
    for name in ("2013-04", "2013-05"):
        store.batches.accept(a_batch(name))
    return store


def test_a_report_comes_back_as_it_was_kept(filled: Store) -> None:
    filled.drift.keep_drift(FULL)
    filled.drift.keep_outliers(STRANGE)
    assert filled.drift.drift_of("2013-04") == FULL
    assert filled.drift.outliers_of("2013-04") == STRANGE


def test_a_report_without_a_date_is_of_now(filled: Store) -> None:
    filled.drift.keep_drift(EMPTY)
    found = filled.drift.drift_of("2013-05")
    assert found is not None and found.checked_at.endswith("Z")
    assert replace(found, checked_at="") == EMPTY
    assert scalar(filled, "SELECT checked_at FROM drift_results") == found.checked_at


def test_the_newest_report_of_each_batch_counts_and_the_others_are_kept(filled: Store) -> None:
    later = replace(FULL, question="q9", checked_at="2020-01-01T00:00:00.000Z")
    for report in (FULL, EMPTY, later):
        filled.drift.keep_drift(report)
    filled.drift.keep_outliers(STRANGE)
    filled.drift.keep_outliers(replace(STRANGE, question="o9"))
    # Newest is what was kept last: a clock that was set back changes nothing.
    assert filled.drift.drift_of("2013-04") == later
    assert list(filled.drift.drifts()) == ["2013-04", "2013-05"]
    assert filled.drift.drifts()["2013-04"] == later
    assert filled.drift.drift_states() == {"2013-04": ("q9", DRIFT), "2013-05": ("q2", NOT_COMPARED)}
    assert filled.drift.outlier_questions() == {"2013-04": "o9"}
    assert filled.drift.outliers()["2013-04"].question == "o9"
    assert scalar(filled, "SELECT count(*) FROM drift_results") == 3


def test_what_was_never_checked_has_no_report(filled: Store) -> None:
    assert filled.drift.drift_of("2013-04") is None
    assert filled.drift.outliers_of("2013-04") is None
    assert filled.drift.drifts() == filled.drift.outliers() == filled.drift.drift_states() == {}
    assert filled.drift.outlier_questions() == {}


def test_a_report_on_a_batch_that_is_not_there_is_refused_and_leaves_nothing(filled: Store) -> None:
    before = filled.drift.version()
    for keep, report in ((filled.drift.keep_drift, FULL), (filled.drift.keep_outliers, STRANGE)):
        with pytest.raises(NotFound, match="no batch '2031-01' is known"):
            keep(replace(report, batch="2031-01"))  # type: ignore[operator, type-var]
    assert filled.drift.version() == before


def test_every_report_of_either_kind_changes_the_version(filled: Store) -> None:
    seen = [filled.drift.version()]
    for keep in (
        lambda: filled.drift.keep_drift(FULL),
        lambda: filled.drift.keep_outliers(STRANGE),
        lambda: filled.drift.keep_drift(FULL),
    ):
        keep()
        seen.append(filled.drift.version())
    assert len(set(seen)) == 4
    assert filled.drift.version() == seen[-1]


def test_a_report_is_undone_with_the_transaction_that_is_open(filled: Store) -> None:
    with pytest.raises(ZeroDivisionError), filled.database.write():
        filled.drift.keep_drift(FULL)
        raise ZeroDivisionError
    assert filled.drift.drift_of("2013-04") is None


def test_batches_are_expected_from_the_newest_schema_on(store: Store) -> None:
    assert store.drift.expected_since() is None
    schema = ProductionSchema(parse_input_types({"x": "number"}))
    store.batches.freeze_schema(schema, "test")
    first = store.drift.expected_since()
    assert first is not None and first.endswith("Z")
    store.batches.freeze_schema(replace(schema, key="id"), "test")
    found = store.drift.expected_since()
    assert found is not None and found >= first
    assert found == scalar(store, "SELECT at FROM production_schemas WHERE number = 2")
