"""Reports of checks in the store: added, and the newest of a batch is the one that counts."""

from dataclasses import replace

import pytest

from ml_regress.core.batch import ACCEPTED, Batch
from ml_regress.core.drift_result import (
    DRIFT,
    NO_DRIFT,
    ColumnDrift,
    DomainDrift,
    DriftReport,
    MetricDrift,
    Test,
)
from ml_regress.core.outlier_result import CoveredCluster, OutlierReport, StrangeRow
from ml_regress.store import Store

TEMP = ColumnDrift(
    "temp",
    "number",
    DRIFT,
    "moved by 1.35 times the reference's spread",
    400,
    300,
    values=Test("Kolmogorov-Smirnov", 0.4, 1e-300, 1.35, 0.1, adjusted=2e-300),
    gaps=Test("Fisher", 0.0, 1.0, 0.0, 0.05),
    psi=0.8,
    psi_critical=0.03,
    js=0.4,
    outside=3,
    means=(38.1, 62.4),
    shape={"edges": [0.0, 1.0], "reference": [1.0], "current": [1.0]},
    notes=("größer",),
)
AIRPORT = ColumnDrift(
    "airport", "category", NO_DRIFT, "V 0.01", 400, 300, new_levels=(("EWR", 3),), vanished=(("JFK", 2), ("LGA", 1))
)
FULL = DriftReport(
    "may",
    "question",
    "all batches",
    "first",
    (400, 300),
    columns=(TEMP, AIRPORT),
    answers=(replace(AIRPORT, column="@prediction"),),
    domain=DomainDrift(DRIFT, "told apart", 0.9, 0.55, 0.0005, (200, 150), (("temp", 0.3),)),
    metric=MetricDrift("accuracy", NO_DRIFT, "chance", 0.8, 0.79, (400, 300), Test("Fisher", 1.1, 0.7, 0.01, 0.05)),
    notes=("a note",),
    checked_at="2026-06-01T00:00:00.000Z",
)
STRANGE = OutlierReport(
    "may",
    "question",
    300,
    (StrangeRow(7, "outlier", 0.99, "temp above"),),
    {"outlier": 1},
    (CoveredCluster(0, 20, 7, {"temp": 99.5, "airport": None}, None, None, None, 0.1, -0.2),),
    ("may-1",),
    ("a note",),
    checked_at="2026-06-01T00:00:00.000Z",
)


def with_batches(store: Store, *names: str) -> Store:
    moment = "2026-05-01T00:00:00.000Z"
    for name in names:
        store.batches.accept(Batch(name, ACCEPTED, "d", "s", 300, moment, moment, f"batches/{name}.csv", moment))
    return store


def test_a_number_that_is_none_is_never_stored(store: Store) -> None:
    with_batches(store, "may")
    broken = replace(FULL, columns=(replace(TEMP, psi=float("nan")),))
    with pytest.raises(ValueError, match="not JSON compliant"):
        store.drift.keep_drift(broken)
    assert store.drift.drifts() == {}
