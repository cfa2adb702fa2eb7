"""Batches and reports made by hand: no check was made for them."""

from collections.abc import Sequence
from typing import Any

from ml_regress.core.batch import ACCEPTED, QUARANTINED, Batch
from ml_regress.core.drift_result import (
    CATEGORY,
    DRIFT,
    NO_DRIFT,
    NOT_COMPARED,
    NOT_ENOUGH,
    NUMBER,
    ColumnDrift,
    DomainDrift,
    DriftReport,
    MetricDrift,
    Test,
)
from ml_regress.core.outlier_result import CONFIDENT_ERROR, OUTLIER, CoveredCluster, OutlierReport, StrangeRow
from ml_regress.core.production import LABEL, PREDICTION
from ml_regress.core.proposal import Proposal

EVIL = '</script><script>alert("x")</script><img src=x onerror=alert(1)> | `a` [b](c) **d**'
REFERENCE_SHARES = [0.02, 0.1, 0.3, 0.36, 0.2, 0.02]
BATCH_SHARES = [0.0, 0.02, 0.1, 0.2, 0.38, 0.3]


def a_batch(name: str = "2013-04", month: int = 4, state: str = ACCEPTED, **rest: Any) -> Batch:
    broken = ("column 'temp': 12 of 900 cells are no numbers, the first is 'warm' in row 3",)
    return Batch(
        name, state, "d" * 64, "s" * 64, rest.pop("rows", 900), f"2013-{month:02d}-01T00:00:00Z",
        f"2013-{month:02d}-28T23:00:00Z", f"batches/{name}.parquet", f"2013-{month:02d}-28T23:30:00Z",
        **{"candidate": "2013-03-trees", "reasons": broken if state == QUARANTINED else (), **rest},
    )  # fmt: skip


def a_test(name: str = "Kolmogorov-Smirnov", p: float = 0.0, size: float = 1.35, limit: float = 0.1) -> Test:
    return Test(name, 0.5, p, size, limit, adjusted=p)


def a_number(name: str = "temp", state: str = DRIFT, **rest: Any) -> ColumnDrift:
    drifts = state == DRIFT
    made: dict[str, Any] = {
        "values": a_test(p=0.0 if drifts else 0.4, size=1.35 if drifts else 0.02),
        "psi": 1.9 if drifts else 0.004,
        "psi_critical": 0.021,
        "js": 0.41 if drifts else 0.02,
        "outside": 31 if drifts else 0,
        "means": (38.1, 62.4) if drifts else (38.1, 38.4),
        "shape": {
            "edges": [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0],
            "reference": REFERENCE_SHARES,
            "current": BATCH_SHARES if drifts else REFERENCE_SHARES,
        },
    }
    reason = rest.pop("reason", "moved by 1.35 times" if drifts else "moved by 0.02, which chance explains")
    return ColumnDrift(name, NUMBER, state, reason, 3000, 900, **{**made, **rest})


def levels(
    name: str, before: Sequence[float], after: Sequence[float], names: Sequence[str] = ("on time", "late"), **rest: Any
) -> ColumnDrift:
    """A column of levels with these shares; it drifts where the first share moved by more than a tenth."""
    size = abs(after[0] - before[0])
    drifts = size > 0.1
    shape = {"levels": list(names), "reference": list(before), "current": list(after)}
    test = a_test("chi-square", 1e-9 if drifts else 0.3, size)
    reason = "levels are distributed otherwise" if drifts else "V 0.01, which chance explains"
    made = {"values": test, "psi": 0.2, "psi_critical": 0.003, "js": 0.1, "shape": shape, **rest}
    return ColumnDrift(name, CATEGORY, DRIFT if drifts else NO_DRIFT, reason, 3000, 900, **made)


def a_label(before: float = 0.2, after: float = 0.35) -> ColumnDrift:
    return levels(LABEL, (1 - before, before), (1 - after, after))


def a_prediction(before: float = 0.18, after: float = 0.19) -> ColumnDrift:
    return levels(PREDICTION, (1 - before, before), (1 - after, after))


def few(name: str = "rare") -> ColumnDrift:
    return ColumnDrift(name, NUMBER, NOT_ENOUGH, "the batch has 3 values; it takes 20 on each side", 3000, 3)


def retyped(name: str = "carrier") -> ColumnDrift:
    return ColumnDrift(name, CATEGORY, NOT_COMPARED, "was text when this batch came, is number now", 0, 0)


def a_report(batch: str = "2013-04", **rest: Any) -> DriftReport:
    made: dict[str, Any] = {
        "columns": (a_number(), a_number("hour", NO_DRIFT), few(), retyped()),
        "answers": (a_prediction(), a_label()),
        "domain": DomainDrift(
            DRIFT, "told apart", 0.91, 0.52, 0.001, (1500, 450), (("temp", 0.31), ("humid", 0.04))
        ),
        "metric": MetricDrift(
            "accuracy", DRIFT, "changed", 0.84, 0.71, (3000, 900), a_test("Fisher", 1e-8, 0.13, 0.05)
        ),
        "checked_at": "2013-05-01T06:10:00Z",
    }  # fmt: skip
    return DriftReport(batch, "q" * 64, "reference/q1.parquet", "2013-03-trees", (3000, 900), **{**made, **rest})


def calm_report(batch: str = "2013-03", **rest: Any) -> DriftReport:
    made: dict[str, Any] = {
        "columns": (a_number(state=NO_DRIFT), a_number("hour", NO_DRIFT)),
        "answers": (a_prediction(), a_label(0.2, 0.21)),
        "domain": DomainDrift(NO_DRIFT, "not told apart", 0.51, 0.53, 0.4, (1500, 450)),
        "metric": MetricDrift(
            "accuracy", NO_DRIFT, "chance", 0.84, 0.83, (3000, 900), a_test("Fisher", 0.6, 0.01, 0.05)
        ),
    }
    return a_report(batch, **{**made, **rest})


def a_cluster(number: int = 1, distance: float | None = 0.4, rows: int = 500, **rest: Any) -> CoveredCluster:
    pattern = None if distance is None else f"storm-{number}"
    inputs = rest.pop("inputs", {"temp": 38.5 + number, "hour": 6, "origin": "EWR", "visib": None})
    place = {"x": 0.1 * number, "y": (-1.0) ** number * number, **rest}
    problem = None if distance is None else "winter-storms"
    return CoveredCluster(number, rows, 10 * number, inputs, problem, pattern, distance, **place)


def an_outlier_report(batch: str = "2013-04", **rest: Any) -> OutlierReport:
    made: dict[str, Any] = {
        "strange": (
            StrangeRow(4, OUTLIER, 0.998, "temp 98 is far above the reference (10 to 70)"),
            StrangeRow(17, CONFIDENT_ERROR, 0.93, "answered on time with score 0.93, but it is late"),
        ),
        "counts": {OUTLIER: 12, CONFIDENT_ERROR: 1},
        "clusters": (a_cluster(1), a_cluster(2, 2.5, 300), a_cluster(3, None, 100)),
        "proposed": ("storm-x1", "storm-x2"),
        "checked_at": "2013-05-01T06:10:00Z",
    }
    return OutlierReport(batch, "q" * 64, 900, **{**made, **rest})


def a_proposal(name: str = "storm-x1", **rest: Any) -> Proposal:
    made: dict[str, Any] = {
        "problem": "winter-storms", "inputs": {"temp": 98.0, "hour": 6, "origin": "EWR"}, "cause": OUTLIER,
        "why": "temp is far above the reference", "suggested": "late", "batch": "2013-04", "row": 4,
    }  # fmt: skip
    return Proposal(id=name, **{**made, **rest})
