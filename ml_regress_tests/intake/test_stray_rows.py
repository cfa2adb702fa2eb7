"""Rows and columns that are none: blank rows, a summary under the last row, a doubled column."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_regress.intake.tables import read_table
from ml_regress_tests.intake.ways import WAYS, Columns, read, refusal, refusal_of, write_table

every_way = pytest.mark.parametrize("way", WAYS)


def blank(way: str) -> str | None:
    """An empty cell: CSV has no other than the empty text."""
    return "" if way.endswith("csv") else None


@every_way
@pytest.mark.parametrize("count", [1, 3])
def test_blank_rows_at_the_end_are_left_out_and_said(way: str, count: int, tmp_path: Path) -> None:
    gap = [blank(way)] * count
    columns = [("name", ["p1", "p2", *gap]), ("in", ["a", "b", *gap]), ("out", ["c", "d", *gap])]
    rows, notes = read(way, tmp_path, columns)
    assert [row[1:] for row in rows] == [("a", "c"), ("b", "d")]
    assert ("row 3 at the end is" if count == 1 else "rows 3 to 5 at the end are") + " blank and left out" in notes


@every_way
def test_a_row_of_spaces_is_blank_too(way: str, tmp_path: Path) -> None:
    columns = [("name", ["p1", " "]), ("in", ["a", "\t"]), ("out", ["c", " "])]
    assert "row 2 at the end is blank and left out" in read(way, tmp_path, columns)[1]


@every_way
def test_a_blank_row_between_others_is_refused_with_its_row(way: str, tmp_path: Path) -> None:
    gap = blank(way)
    said = refusal(way, tmp_path, [("name", ["p1", gap, "p2"]), ("in", ["a", gap, "b"]), ("out", ["c", gap, "d"])])
    assert "row 2: is blank; remove the row" in said


def summed_up(amounts: list[str], word: str) -> Columns:
    names = ["a", "b", "c", "d"]
    return [("name", [*names, word]), ("in", amounts), ("out", ["x", "y", "x", "y", "Total"])]


@every_way
@pytest.mark.parametrize("last", ["10", "2.5"])
def test_a_summary_under_the_table_is_refused_with_its_row(way: str, last: str, tmp_path: Path) -> None:
    said = refusal(way, tmp_path, summed_up(["1", "2", "3", "4", last], "e"), takes="number")
    assert "row 5: looks like a summary of the rows above: it says 'Total', and its" in said
    assert f"is the {'sum' if last == '10' else 'mean'} of the cells above" in said
    assert "where it is data, move it before another" in said


@every_way
def test_a_gap_that_no_other_row_has_bears_a_summary_out(way: str, tmp_path: Path) -> None:
    columns = [("name", ["a", "b", "c"]), ("in", ["x", "y", blank(way)]), ("out", ["x", "y", "Grand total:"])]
    assert "is empty where no other is" in refusal(way, tmp_path, columns, takes="text?")


@every_way
def test_a_word_alone_is_no_summary(way: str, tmp_path: Path) -> None:
    rows, _ = read(way, tmp_path, summed_up(["1", "2", "3", "4", "17"], "e"), takes="number")
    assert rows[-1][1:] == (17.0, "Total")


@pytest.mark.parametrize(
    ("rows", "refused"),
    [
        ("a,1\nb,2\nTotal,3\n", True),
        ('a,"1,5"\nb,"2,25"\nsumme,"3,75"\n', True),
        ("a,1\nb,2\nb,2\naverage,1.67\n", True),
        ("a,1\nTotal,3\nb,2\n", False),
        ("a,1\nb,2\nTotal 2026,3\n", False),
        ("a,5\nb,5\nmean,5\n", False),
        ("a,1\ntotal,1\n", False),
    ],
)
def test_only_evidence_makes_a_summary(tmp_path: Path, rows: str, refused: bool) -> None:
    path = tmp_path / "t.csv"
    path.write_text("name,amount\n" + rows)
    if refused:
        assert "looks like a summary" in refusal_of(tmp_path, path.read_bytes())
    else:
        assert len(read_table(path)) == rows.count("\n")


doubling = pytest.mark.parametrize("way", [way for way in WAYS if not way.endswith("inline")])  # YAML has no such keys


@doubling
def test_a_column_that_is_there_twice_with_the_same_cells_is_kept_once_and_said(way: str, tmp_path: Path) -> None:
    columns = [("name", ["p1", "p2"]), ("in", ["a", "b"]), ("in", ["a", "b"]), ("out", ["c", "d"])]
    rows, notes = read(way, tmp_path, columns)
    assert [row[1:] for row in rows] == [("a", "c"), ("b", "d")]
    assert "one was kept" in notes


@doubling
def test_a_column_that_is_there_twice_with_other_cells_is_refused_by_name(way: str, tmp_path: Path) -> None:
    said = refusal(way, tmp_path, [("name", ["p1", "p2"]), ("in", ["a", "b"]), ("in", ["a", "c"]), ("out", ["c", "d"])])
    if way.endswith("jsonl"):
        assert "row 2" in said
        assert "x' is written twice with other values" in said
    else:
        first = 1 if way.startswith("benchmark") else 2
        assert f"columns {first} and {first + 1} have the same name and other cells; rename or remove one" in said
        assert "x'" in said


@doubling
def test_names_that_differ_by_spaces_around_them_are_one_column(way: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.{way.split()[1]}"
    write_table(path, [("x", ["a"]), (" x", ["b"])])
    said = refusal_of(tmp_path, path.read_bytes(), path.name)
    assert "have the same name and other cells" in said or "are one column; keep one" in said


def test_a_column_without_a_name_is_refused_with_its_position(tmp_path: Path) -> None:
    assert refusal_of(tmp_path, "id,,x\n1,2,3\n") == "t.csv: column 2 has no name in the header; name it or remove it"
    pq.write_table(pa.Table.from_arrays([pa.array(["1"]), pa.array(["2"])], names=["id", ""]), tmp_path / "t.parquet")
    assert "column 2 has no name" in refusal_of(tmp_path, (tmp_path / "t.parquet").read_bytes(), "t.parquet")
