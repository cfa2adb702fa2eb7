from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_regress.core.inputs import parse_input_types
from ml_regress.errors import NotFound, Unavailable
from ml_regress.intake.kept import Kept

DECLARED = {
    "weight": "number",
    "legs": "integer",
    "tails": "integer?",
    "fluffy": "boolean",
    "named": "boolean?",
    "breed": "text?",
    "born": "date",
}
ROWS: list[dict[str, Any]] = [
    {"weight": 2.5, "legs": 4, "tails": 1, "fluffy": True, "named": True, "breed": "pug", "born": "2020-01-01"},
    {"weight": 3.0, "legs": 4, "tails": None, "fluffy": False, "named": None, "breed": None, "born": "2020-01-02"},
    {
        "weight": 4.0,
        "legs": 3,
        "tails": 2**60 + 1,
        "fluffy": True,
        "named": False,
        "breed": "pug",
        "born": "2020-01-01",
    },
]


def written(path: Path, rows: list[dict[str, Any]] = ROWS, group: int = 2) -> Path:
    schema = pa.schema(
        [
            ("weight", pa.float64()),
            ("legs", pa.int64()),
            ("tails", pa.int64()),
            ("fluffy", pa.bool_()),
            ("named", pa.bool_()),
            ("breed", pa.string()),
            ("born", pa.string()),
        ],
        metadata={"ml_regress.schema": "5eed"},
    )
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, row_group_size=group, compression="zstd")
    return path


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(written(tmp_path / "rows.parquet"))


def test_kept_rows_say_what_they_hold(kept: Kept) -> None:
    assert (kept.rows, kept.names, kept.schema_digest) == (3, tuple(DECLARED), "5eed")
    assert [kept.kind(name) for name in kept.names] == ["number"] * 3 + ["category"] * 4
    assert [kept.type_of(name) for name in kept.names[:6]] == [
        "number", "integer", "integer", "boolean", "boolean", "text",
    ]  # fmt: skip


def test_numbers_are_floats_with_nan_or_whole_numbers(kept: Kept) -> None:
    assert kept.numbers("weight").tolist() == [2.5, 3.0, 4.0]
    assert kept.numbers("legs").dtype == np.int64
    tails = kept.numbers("tails")
    assert tails.dtype == np.float64
    assert np.isnan(tails).tolist() == [False, True, False]
    assert kept.numbers("named")[[0, 2]].tolist() == [1.0, 0.0]
    with pytest.raises(ValueError, match=r"'breed'.*holds texts"):
        kept.numbers("breed")


def test_levels_are_texts_with_counts_and_missing_ones_apart(kept: Kept) -> None:
    assert kept.levels("breed") == ({"pug": 2}, 1)
    assert kept.levels("named") == ({"true": 1, "false": 1}, 1)
    assert kept.levels("legs") == ({"4": 2, "3": 1}, 0)
    assert kept.levels("tails") == ({"1": 1, str(2**60 + 1): 1}, 1)
    assert kept.levels("weight") == ({"2.5": 1, "3": 1, "4": 1}, 0)


def test_nan_is_missing_like_null(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"x": pa.array([1.0, None, float("nan")])}), path)
    assert Kept(path).levels("x") == ({"1": 1}, 2)
    assert np.isnan(Kept(path).numbers("x")).tolist() == [False, True, True]
    assert Kept(path).schema_digest == ""


def test_a_frame_has_the_types_that_input_types_give(kept: Kept) -> None:
    types = parse_input_types(DECLARED)
    expected = types.frame(ROWS)
    pd.testing.assert_frame_equal(kept.frame(kept.names, types=types), expected)
    # Without a missing value the declared type stays the same.
    pd.testing.assert_frame_equal(kept.frame(kept.names, [0, 0], types), types.frame([ROWS[0], ROWS[0]]))


def test_a_frame_without_declarations_takes_the_type_by_whether_something_is_missing(kept: Kept) -> None:
    assert kept.frame(["legs", "tails", "fluffy", "named"]).dtypes.astype(str).tolist() == [
        "int64", "Int64", "bool", "boolean",
    ]  # fmt: skip


def test_rows_are_taken_at_their_positions_in_any_order_and_more_than_once(tmp_path: Path) -> None:
    rows = [{**ROWS[at % 3], "weight": float(at)} for at in range(11)]
    kept = Kept(written(tmp_path / "rows.parquet", rows, group=3))
    places = [10, 0, 7, 7, 3, 5]
    frame = kept.frame(["weight", "breed", "tails"], np.array(places))
    assert frame["weight"].tolist() == [float(at) for at in places]
    assert frame["breed"].tolist() == [rows[at]["breed"] for at in places]
    assert [None if value is pd.NA else value for value in frame["tails"]] == [rows[at]["tails"] for at in places]
    assert kept.frame(["weight"], []).shape == (0, 1)
    with pytest.raises(IndexError):
        kept.frame(["weight"], [11])


def test_a_frame_of_no_column_still_counts_its_rows(kept: Kept) -> None:
    assert kept.frame([]).shape == (3, 0)


def test_a_column_that_is_not_kept_is_named_with_those_that_are(kept: Kept) -> None:
    for read in (kept.numbers, kept.levels, kept.kind, kept.column, lambda name: kept.frame([name])):
        with pytest.raises(NotFound, match="no column 'wings'; they have weight, legs"):
            read("wings")


def test_a_file_that_is_none_says_what_to_do(tmp_path: Path) -> None:
    broken = tmp_path / "rows.parquet"
    broken.write_bytes(b"PAR1 and nothing else")
    for path in (broken, tmp_path / "gone.parquet"):
        with pytest.raises(Unavailable, match="put the file back"):
            Kept(path)


def test_a_file_that_lost_its_middle_is_unavailable_and_no_number(tmp_path: Path) -> None:
    rows = [{**ROWS[0], "weight": at / 7} for at in range(5000)]
    path = written(tmp_path / "rows.parquet", rows, group=5000)
    data = bytearray(path.read_bytes())
    data[100:3000] = bytes(2900)
    path.write_bytes(data)
    with pytest.raises(Unavailable, match="'weight'"):
        Kept(path).numbers("weight")


def test_threads_may_read_from_one_file(tmp_path: Path) -> None:
    rows = [{**ROWS[at % 3], "weight": float(at)} for at in range(2000)]
    kept = Kept(written(tmp_path / "rows.parquet", rows, group=300))
    with ThreadPoolExecutor(4) as pool:
        sums = list(pool.map(lambda _: float(kept.numbers("weight").sum()), range(20)))
    assert set(sums) == {1999 * 1000.0}


def test_columns_of_many_row_groups_and_dictionaries_have_one_count_a_level(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    names = [f"level {at % 7}" for at in range(1000)]
    pq.write_table(pa.table({"x": pa.array(names).dictionary_encode()}), path, row_group_size=64)
    counts, missing = Kept(path).levels("x")
    assert counts == {f"level {at}": names.count(f"level {at}") for at in range(7)}
    assert missing == 0
    assert Kept(path).frame(["x"], [999])["x"].tolist() == [names[999]]


def test_no_rows_are_no_levels(tmp_path: Path) -> None:
    kept = Kept(written(tmp_path / "rows.parquet", []))
    assert (kept.rows, kept.levels("breed"), kept.levels("weight")) == (0, ({}, 0), ({}, 0))
    assert kept.numbers("weight").tolist() == []
    assert len(kept.frame(kept.names)) == 0
