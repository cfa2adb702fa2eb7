"""The order of day, month and year: decided from the whole column and said, or refused with both days."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_regress.errors import InvalidInput
from ml_regress_tests.intake.ways import TYPED_WAYS, going_in, refusal, values

every_way = pytest.mark.parametrize("way", TYPED_WAYS)
some_ways = pytest.mark.parametrize("way", ["patterns csv", "patterns inline", "benchmark parquet"])


@every_way
def test_iso_dates_are_taken_with_midnight_or_without(way: str, tmp_path: Path) -> None:
    found = values(way, tmp_path, ["2026-02-01", "2026-02-13T00:00:00", "2026-02-14 00:00"], "date")
    assert found == (["2026-02-01", "2026-02-13", "2026-02-14"], "")


@some_ways
@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["01/02/2026", "13/02/2026"], "DD/MM/YYYY"),
        (["02/01/2026", "02/13/2026"], "MM/DD/YYYY"),
        (["1.2.2026", "13.2.2026"], "DD.MM.YYYY"),
        (["2026/02/01", "2026/02/13"], "YYYY/MM/DD"),
        (["2026-2-1", "2026-02-13"], "YYYY-MM-DD"),
    ],
)
def test_a_column_that_allows_one_order_is_read_in_it_and_that_is_said(
    way: str, cells: list[str], form: str, tmp_path: Path
) -> None:
    found, notes = values(way, tmp_path, cells, "date")
    assert found == ["2026-02-01", "2026-02-13"]
    assert f"dates are read as {form}" in notes


@every_way
def test_a_date_of_two_readings_is_refused_with_both_days(way: str, tmp_path: Path) -> None:
    cells = ["05/05/2026", "01/02/2026"]
    said = refusal(way, tmp_path, going_in(cells), takes="date")
    assert "row 2" in said
    assert "is 1 February 2026 (DD/MM/YYYY) or 2 January 2026 (MM/DD/YYYY)" in said
    assert "table: {dates: DD/MM/YYYY}" in said
    assert values(way, tmp_path, cells, "date", dates="MM/DD/YYYY")[0][1] == "2026-01-02"


@every_way
def test_days_that_are_the_same_in_both_orders_need_no_decision(way: str, tmp_path: Path) -> None:
    assert values(way, tmp_path, ["05/05/2026", "06/06/2026"], "date")[0] == ["2026-05-05", "2026-06-06"]


@some_ways
@pytest.mark.parametrize(
    "cells", [["13/02/2026", "2026-02-12"], ["13/02/2026", "02/14/2026"], ["13.02.2026", "1/2/2026"]]
)
def test_two_writings_in_one_column_are_refused_with_a_row_of_each(way: str, cells: list[str], tmp_path: Path) -> None:
    said = refusal(way, tmp_path, going_in(cells), takes="date")
    assert "row 1" in said
    assert "row 2" in said
    assert "write the column in one way" in said


@every_way
def test_a_year_of_two_digits_is_refused(way: str, tmp_path: Path) -> None:
    said = refusal(way, tmp_path, going_in(["13/02/2026", "13/02/26"]), takes="date")
    assert "row 2" in said
    assert "a year of two digits" in said


@some_ways
@pytest.mark.parametrize("cell", ["2026-02-30", "2026-02-01T08:30:00", "31/04/2026", "1 May 2026", "20260201"])
def test_what_is_no_day_is_refused_with_its_row(way: str, cell: str, tmp_path: Path) -> None:
    said = refusal(way, tmp_path, going_in(["2026-02-01", cell]), takes="date")
    assert "row 2" in said
    assert "YYYY-MM-DD" in said


@every_way
def test_a_stated_form_is_taken_strictly(way: str, tmp_path: Path) -> None:
    assert values(way, tmp_path, ["20260201"], "date", dates="YYYYMMDD")[0] == ["2026-02-01"]
    said = refusal(way, tmp_path, going_in(["01.02.2026", "2.13.2026"]), takes="date", dates="DD.MM.YYYY")
    assert "row 2" in said
    assert "is no date written DD.MM.YYYY, as `table:` states" in said


@pytest.mark.parametrize("way", [way for way in TYPED_WAYS if way.endswith(("jsonl", "parquet"))])
def test_a_stated_form_reads_whole_numbers_too(way: str, tmp_path: Path) -> None:
    assert values(way, tmp_path, [20260201, 20260213], "date", dates="YYYYMMDD")[0] == ["2026-02-01", "2026-02-13"]
    assert "must be a date" in refusal(way, tmp_path, going_in([20260201]), takes="date")


@pytest.mark.parametrize("way", [way for way in TYPED_WAYS if way.endswith("parquet")])
def test_a_date_of_parquet_is_a_date_whatever_is_stated(way: str, tmp_path: Path) -> None:
    assert values(way, tmp_path, [date(2026, 2, 1)], "date", dates="DD/MM/YYYY") == (["2026-02-01"], "")


@every_way
def test_a_text_that_looks_like_a_date_stays_as_it_is(way: str, tmp_path: Path) -> None:
    cells = ["01/02/2026", "1-2", "13/02/26"]
    assert values(way, tmp_path, cells, "text") == (cells, "")


def test_a_missing_date_decides_nothing(tmp_path: Path) -> None:
    found, _ = values("patterns csv", tmp_path, ["01/02/2026", "", "13/02/2026"], "date?")
    assert found == ["2026-02-01", None, "2026-02-13"]


def test_a_day_that_decides_is_found_in_any_row(tmp_path: Path) -> None:
    cells = [(date(2026, 1, 1) + timedelta(days=n)).strftime("%d/%m/%Y") for n in range(60)]
    assert values("patterns csv", tmp_path, cells, "date")[0][:2] == ["2026-01-01", "2026-01-02"]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    days=st.lists(st.dates(date(1900, 1, 1), date(2100, 1, 1)), min_size=1, max_size=5),
    form=st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y-%m-%d"]),
    way=st.sampled_from(TYPED_WAYS),
)
def test_a_column_is_read_right_or_refused_and_never_read_wrong(
    days: list[date], form: str, way: str, tmp_path: Path
) -> None:
    wanted = [day.isoformat() for day in days]
    cells = [day.strftime(form) for day in days]
    try:
        found, _ = values(way, tmp_path, cells, "date")
    except InvalidInput as error:
        assert " or " in str(error)  # both days are shown
        stated = form.replace("%d", "DD").replace("%m", "MM").replace("%Y", "YYYY")
        found, _ = values(way, tmp_path, cells, "date", dates=stated)
    assert found == wanted
