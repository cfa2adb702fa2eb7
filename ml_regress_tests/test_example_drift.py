"""What checks of the examples' batches find: held against numbers that were computed without the product."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from ml_regress.core.drift_result import DRIFT, ColumnDrift, DriftReport
from ml_regress.engine.drift import check_drift
from ml_regress.engine.setup import example_folder
from ml_regress.engine.workspace import Workspace
from ml_regress_tests.production_scenario import example_workspace

pytestmark = pytest.mark.slow
REPORTS = dict[str, DriftReport]


def checked(workspace: Workspace) -> REPORTS:
    return {batch.id: check_drift(workspace, batch) for batch in workspace.store.batches.all()}


def column(report: DriftReport, name: str) -> ColumnDrift:
    (found,) = (each for each in report.all_columns if each.column == name)
    return found


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[REPORTS]:
    with example_workspace(tmp_path_factory.mktemp("flights") / "workspace", "flights") as workspace:
        assert workspace.store.sources.refusals() == []
        yield checked(workspace)


@pytest.fixture(scope="module")
def expected() -> pd.DataFrame:
    return pd.read_csv(example_folder("flights") / "expected.csv").set_index("batch")


def test_every_month_has_the_numbers_that_scipy_gives(flights: REPORTS, expected: pd.DataFrame) -> None:
    assert sorted(flights) == sorted(expected.index)
    for month, row in expected.iterrows():
        report = flights[str(month)]
        assert report.rows == (1154, row["rows"]), month
        for name in ("temp", "hour", "distance"):
            test = column(report, name).values
            assert test is not None
            assert test.statistic == pytest.approx(row[f"{name}_ks"], abs=1e-6), (month, name)
            assert test.size == pytest.approx(row[f"{name}_w1"], abs=1e-6), (month, name)
        means = column(report, "score:late").means
        assert means is not None and means[1] == pytest.approx(row["mean_score"], abs=1e-5)
        assert report.metric is not None and report.metric.current == pytest.approx(row["accuracy"], abs=1e-6)


def test_temperature_drifts_from_april_on_and_hour_and_distance_never_do(flights: REPORTS) -> None:
    for month, report in flights.items():
        assert not column(report, "hour").drifts and not column(report, "distance").drifts, month
        if "2013-04" <= month <= "2013-11":
            assert column(report, "temp").drifts, month
            assert report.state == DRIFT


def test_the_share_of_late_flights_moves_while_the_answers_do_not(flights: REPORTS) -> None:
    moved = {month for month, report in flights.items() if column(report, "@label").drifts}
    assert "2013-12" in moved
    for month, report in flights.items():
        assert not column(report, "@prediction").drifts and not column(report, "score:late").drifts, month


def test_the_classifier_sees_the_warm_months_and_names_the_temperature(flights: REPORTS) -> None:
    for month in ("2013-05", "2013-06", "2013-07", "2013-08", "2013-09"):
        domain = flights[month].domain
        assert domain is not None and domain.state == DRIFT
        assert domain.drivers[0][0] == "temp", month


def test_a_room_is_watched_against_its_first_days(tmp_path: Path) -> None:
    with example_workspace(tmp_path / "workspace", "occupancy") as workspace:
        reports = checked(workspace)
        series = {path.stem: pd.read_csv(path) for path in sorted((tmp_path / "workspace" / "batches").glob("*.csv"))}
    assert list(reports) == list(series)
    reference = pd.concat([series[day] for day in ("2015-02-04", "2015-02-05", "2015-02-06")])
    for day in ("2015-02-07", "2015-02-08", "2015-02-09", "2015-02-10"):
        for name in ("temperature", "humidity", "light", "co2"):
            test = column(reports[day], name).values
            assert test is not None
            assert test.statistic == pytest.approx(ks_2samp(reference[name], series[day][name]).statistic, abs=1e-9)
    # A weekend: nobody is there, and the room is dry and cool.
    assert column(reports["2015-02-08"], "light").drifts and column(reports["2015-02-08"], "temperature").drifts
    # A day of the window is held against the others of it, never against itself.
    others = pd.concat([series[day] for day in ("2015-02-04", "2015-02-06")])["co2"]
    own = column(reports["2015-02-05"], "co2").values
    assert own is not None
    assert own.statistic == pytest.approx(ks_2samp(others, series["2015-02-05"]["co2"]).statistic, abs=1e-9)


def test_thirteen_blocks_of_digits_are_checked_and_other_hands_drift(tmp_path: Path) -> None:
    with example_workspace(tmp_path / "workspace", "digits") as workspace:
        reports = checked(workspace)
    assert len(reports) == 13
    drifting = {week: len([each for each in report.columns if each.drifts]) for week, report in reports.items()}
    weeks = sorted(reports)
    # The first five blocks are part of what production was trained on; the last five were written by others.
    assert np.mean([drifting[week] for week in weeks[:5]]) < np.mean([drifting[week] for week in weeks[8:]])
    for report in reports.values():
        assert len(report.columns) == 64 and report.metric is not None and report.metric.current is not None
        assert report.metric.current > 0.7
