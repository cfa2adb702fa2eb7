"""A column of the reference held against that of a batch, before all columns together are judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ml_regress.core.contingency import shares_differ
from ml_regress.core.drift_result import Test


@dataclass(frozen=True, eq=False)
class Compared:
    """What is known of one column alone: both tests with their raw p, and what is shown beside them.

    Fields are those of ColumnDrift. `reason` says why the values were not compared although there are some; with
    `skipped` nothing of the column was. `simple` columns (constant in the reference) can be judged by few values.
    """

    column: str
    kind: str
    reference: int = 0
    current: int = 0
    missing_reference: int = 0
    missing_current: int = 0
    values: Test | None = None
    gaps: Test | None = None
    psi: float | None = None
    psi_critical: float | None = None
    js: float | None = None
    outside: int = 0
    new_levels: tuple[tuple[str, int], ...] = ()
    vanished: tuple[tuple[str, int], ...] = ()
    means: tuple[float, float] | None = None
    shape: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    reason: str = ""
    sparse: str = ""
    simple: bool = False
    skipped: bool = False


def gaps_test(reference: int, missing_reference: int, current: int, missing_current: int) -> Test | None:
    """The test of the shares of missing values; None where a side has no rows, or nothing is missing on either.

    Counts are of values that are there, and of missing ones. Its size is the difference of both shares; its limit is
    set when it is judged.
    """
    rows, other_rows = reference + missing_reference, current + missing_current
    if not rows or not other_rows or not missing_reference + missing_current:
        return None
    name, statistic, p = shares_differ(missing_reference, rows, missing_current, other_rows)
    return Test(name, statistic, p, abs(missing_current / other_rows - missing_reference / rows), limit=0.0)
