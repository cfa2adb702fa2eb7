"""Tables of text from CSV, JSON lines, Parquet and inline lists."""

import datetime
import json
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_regress.errors import InvalidInput
from ml_regress.intake.tables import NOTES, inline_table, read_table


def table(folder: Path, content: bytes | str, name: str = "t.csv") -> pd.DataFrame:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(file)


def refusal(folder: Path, content: bytes | str, name: str = "t.csv") -> str:
    with pytest.raises(InvalidInput) as caught:
        table(folder, content, name)
    return str(caught.value).replace(str(folder) + "/", "")


def rows(frame: pd.DataFrame) -> list[list[str | None]]:
    return frame.to_numpy().tolist()


def test_cells_stay_the_text_they_are(tmp_path: Path) -> None:
    found = table(tmp_path, "id,x\n007,NA\n7,None\n1e5,null\n9007199254740993,nan\n1,\n")
    assert rows(found) == [["007", "NA"], ["7", "None"], ["1e5", "null"], ["9007199254740993", "nan"], ["1", ""]]


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    with_mark, without = table(tmp_path, b"\xef\xbb\xbfid,x\n1,a\n"), table(tmp_path, "id,x\n1,a\n")
    pd.testing.assert_frame_equal(with_mark, without)
    assert list(with_mark.columns) == ["id", "x"]


def test_line_breaks_in_quotes_are_kept_byte_for_byte(tmp_path: Path) -> None:
    content = (
        'id,x\r\n1,"first\nsecond"\r\n2,"said ""fine""\r\nand left, smiling"\r\n3,"=1+1\tdone"\r\n4,"old\rmac"\r\n'
    )
    assert [row[1] for row in rows(table(tmp_path, content))] == [
        "first\nsecond",
        'said "fine"\r\nand left, smiling',
        "=1+1\tdone",
        "old\rmac",
    ]


def test_a_ragged_row_is_refused_with_its_row_counted_in_records(tmp_path: Path) -> None:
    said = refusal(tmp_path, 'id,x\n1,"a\nb"\n\n2,b,c\n3\n')
    assert "t.csv, row 2: has 3 cells where the header has 2" in said
    assert "t.csv, row 3: has 1 cells" in said


def test_a_quote_that_never_ends_is_refused(tmp_path: Path) -> None:
    assert "row 1: is no CSV" in refusal(tmp_path, 'id,x\n1,"a\n2,b\n')
    assert "row 2: is no CSV" in refusal(tmp_path, 'id,x\n1,a\n2,"b"c\n')


def test_a_doubled_name_is_refused_with_both_positions(tmp_path: Path) -> None:
    said = refusal(tmp_path, "id,score,score\n1,3,7\n2,4,4\n")
    assert said == "t.csv, column 'score': columns 2 and 3 have the same name and other cells; rename or remove one"


def test_a_doubled_column_that_is_equal_is_kept_once_and_said(tmp_path: Path) -> None:
    found = table(tmp_path, "id,score,score\n1,3,3\n2,4,4\n")
    assert rows(found) == [["1", "3"], ["2", "4"]]
    assert "columns 2 and 3 have the same name 'score' and the same cells; one was kept" in found.attrs[NOTES][0]


def test_a_column_without_a_name_is_refused_with_its_position(tmp_path: Path) -> None:
    assert "column 2 has no name" in refusal(tmp_path, "id,,x\n1,2,3\n")


def test_an_empty_file_is_refused_and_a_header_alone_is_a_table(tmp_path: Path) -> None:
    assert "is empty" in refusal(tmp_path, "")
    found = table(tmp_path, "id,x\n")
    assert (list(found.columns), len(found)) == (["id", "x"], 0)


def test_a_very_long_cell_is_read_whole(tmp_path: Path) -> None:
    assert rows(table(tmp_path, f"id,x\n1,{'a' * 200_000}\n"))[0][1] == "a" * 200_000


def test_a_nul_is_refused_with_row_and_column(tmp_path: Path) -> None:
    assert "t.csv, row 2, column 'x': holds a NUL" in refusal(tmp_path, "id,x\n1,a\n2,b\0\n")
    assert "row 1, column 'x': holds a NUL or half" in refusal(tmp_path, '{"x": "\\ud800"}\n', "t.jsonl")


def test_an_unknown_extension_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    assert "use a file that ends in .csv, .jsonl, .parquet" in refusal(tmp_path, "a\n", "t.xlsx")
    with pytest.raises(InvalidInput, match="there is no such file"):
        read_table(tmp_path / "none.csv")


def test_json_lines_keep_the_text_of_numbers(tmp_path: Path) -> None:
    lines = '{"id": 7, "x": 1e5, "y": true}\n\n{"id": "007", "x": null, "z": [1.50, "a", null, false]}\r\n'
    found = table(tmp_path, lines, "t.jsonl")
    assert list(found.columns) == ["id", "x", "y", "z"]
    assert rows(found) == [["7", "1e5", "true", None], ["007", None, None, '[1.50, "a", null, false]']]


def test_json_lines_may_hold_line_separators_inside_a_text(tmp_path: Path) -> None:
    assert rows(table(tmp_path, '{"x": "a\u2028b\x85"}\n', "t.jsonl")) == [["a\u2028b\x85"]]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ('{"x": {"y": 1}}', "row 2, column 'x': holds a nested mapping"),
        ("[1, 2]", "row 2: must be a mapping"),
        ('{"x": 1', "row 2: '{\"x\": 1': is no JSON object"),
        ('{"x": NaN}', "NaN is no JSON; write null"),
        ('{"x": 1, "x": 2}', "the key 'x' is written twice"),
        ("[" * 3000, "is no JSON object on one line"),
    ],
)
def test_a_json_line_that_is_no_flat_object_is_refused_with_its_row(tmp_path: Path, line: str, rule: str) -> None:
    assert rule in refusal(tmp_path, '{"x": "a"}\n' + line + "\n", "t.jsonl").replace('\'"x"', '\'{"x"')


def test_parquet_becomes_text_without_loss(tmp_path: Path) -> None:
    day = datetime.date(2026, 2, 1)
    columns = {
        "integer": pa.array([9007199254740993, None]),
        "number": pa.array([0.1, float("nan")]),
        "boolean": pa.array([True, None]),
        "text": pa.array(["NA", ""]),
        "date": pa.array([day, None]),
        "midnight": pa.array([datetime.datetime(2026, 2, 1), None], pa.timestamp("ns")),
        "time": pa.array([datetime.datetime(2026, 2, 1, 8, 30), None]),
        "decimal": pa.array([Decimal("1.10"), None]),
        "category": pa.array(["a", None]).dictionary_encode(),
        "list": pa.array([["a", "b"], None]),
        "nothing": pa.nulls(2),
        "key": pa.array(["a", "b"]),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    found = read_table(tmp_path / "t.parquet")
    assert found.iloc[0].to_dict() == {
        "integer": "9007199254740993",
        "number": "0.1",
        "boolean": "true",
        "text": "NA",
        "date": "2026-02-01",
        "midnight": "2026-02-01",
        "time": "2026-02-01T08:30:00",
        "decimal": "1.10",
        "category": "a",
        "list": '["a", "b"]',
        "nothing": None,
        "key": "a",
    }
    assert found.iloc[1].drop(["text", "key"]).tolist() == [None] * 10
    assert found.loc[1, "text"] == ""


def test_nested_parquet_columns_are_refused_by_name(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [{"a": 1}], "y": [b"a"]}), tmp_path / "t.parquet")
    with pytest.raises(InvalidInput, match=r"column 'x': has the type struct(?s:.*)column 'y': has the type binary"):
        read_table(tmp_path / "t.parquet")


def test_a_file_that_only_ends_in_parquet_is_refused(tmp_path: Path) -> None:
    assert "is no Parquet file that can be read" in refusal(tmp_path, "id,x\n", "t.parquet")


def test_a_folder_name_does_not_become_a_column(tmp_path: Path) -> None:
    (tmp_path / "x=1").mkdir()
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "x=1" / "t.parquet")
    assert list(read_table(tmp_path / "x=1" / "t.parquet").columns) == ["id"]


def test_an_inline_list_is_a_table() -> None:
    found = inline_table([{"id": "1", "expected": ["1", "5"]}, {"id": "2", "note": ""}], "p.yaml")
    assert rows(found) == [["1", json.dumps(["1", "5"]), None], ["2", None, ""]]


def test_an_inline_row_that_is_no_mapping_is_refused_with_its_row() -> None:
    with pytest.raises(InvalidInput, match=r"p.yaml, row 2: must be a mapping"):
        inline_table([{"id": "1"}, "2"], "p.yaml")
