"""Tables of production become kept rows: typed piece by piece, with every broken cell counted and named."""

import json
import math
import multiprocessing
import os
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_regress.core.inputs import Column, parse_input_types
from ml_regress.core.production import ProductionSchema
from ml_regress.errors import InvalidInput
from ml_regress.intake import pieces
from ml_regress.intake.batches import batch_files, is_ignored, period_of
from ml_regress.intake.kept_table import KeptTable, write_kept
from ml_regress.intake.typed_arrow import moments, typed

ALL_KINDS = {
    "n": "number?",
    "i": "integer?",
    "c": "category(a, b)?",
    "t": "text?",
    "d": "date?",
    "b": "boolean?",
}


def schema_of(inputs: dict[str, str] | None = None, **changes: Any) -> ProductionSchema:
    return ProductionSchema(parse_input_types(inputs or ALL_KINDS), **changes)


def keep(path: Path | Sequence[Path], schema: ProductionSchema) -> KeptTable:
    parts = [path] if isinstance(path, Path) else path
    return write_kept(parts, schema, parts[0].parent / "kept.parquet")


def kept_csv(folder: Path, text: str, schema: ProductionSchema, name: str = "x.csv") -> KeptTable:
    file = folder / name
    file.write_bytes(text.encode())
    return keep(file, schema)


def columns(kept: KeptTable) -> dict[str, list[Any]]:
    return pq.read_table(kept.path).to_pydict()


# -- types -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "texts", "values", "broken"),
    [
        (
            "number",
            ["1", " 2.5 ", "", None, "+5", ".5", "5.", "1e3"],
            [1.0, 2.5, None, None, 5.0, 0.5, 5.0, 1000.0],
            [],
        ),
        ("number", ["nan", "inf", "1_0", "1e999", "1,5", "0x1", "-0"], [None] * 6 + [0.0], [0, 1, 2, 3, 4, 5]),
        ("integer", ["3.0", "007", "+7", "1e3", "9223372036854775807"], [3, 7, 7, 1000, 2**63 - 1], []),
        ("integer", ["3.5", "9223372036854775808", "-9223372036854775808", "x"], [None] * 4, [0, 1, 2, 3]),
        ("boolean", ["TRUE", "false", "1", "0.0", " True ", "yes"], [True, False, True, False, True, None], [5]),
        ("date", ["2013-02-28", "2013-02-30", "2013-2-1", ""], ["2013-02-28", None, None, None], [1, 2]),
        ("text", ["007", "", " x ", None], ["007", None, " x ", None], []),
    ],
)
def test_texts_become_typed_by_the_rules_of_inputs(
    kind: str, texts: list[str | None], values: list[Any], broken: list[int]
) -> None:
    found = typed(pa.array(texts, pa.string()), Column("x", kind, optional=True), "f")
    assert found.values.to_pylist() == values
    assert [place for _, mask in found.broken for place, wrong in enumerate(mask.to_pylist()) if wrong] == broken
    # The rule for one text decides the same, cell by cell.
    for place, text in enumerate(texts):
        try:
            alone = Column("x", kind, optional=True).parse(None if text is None or not text.strip() else text)
        except ValueError:
            assert place in broken
        else:
            assert alone == values[place]


def test_columns_of_parquet_become_the_same_values_as_their_texts() -> None:
    cells = {
        "number": pa.array([1, 2, None], pa.int32()),
        "integer": pa.array([3.0, math.nan, None], pa.float64()),
        "boolean": pa.array([1, 0, None], pa.int8()),
        "text": pa.array([1.0, 2.5, None], pa.float32()),
        "date": pa.array(pd.to_datetime(["2013-01-31", "2013-02-01", None])),
    }
    values = {
        kind: typed(column, Column("x", kind, optional=True), "f").values.to_pylist() for kind, column in cells.items()
    }
    assert values == {
        "number": [1.0, 2.0, None],
        "integer": [3, None, None],
        "boolean": [True, False, None],
        "text": ["1", "2.5", None],
        "date": ["2013-01-31", "2013-02-01", None],
    }


def test_infinity_in_parquet_is_broken_and_nan_is_missing() -> None:
    found = typed(pa.array([1.0, math.inf, math.nan, -math.inf]), Column("x", "number"), "f")
    assert found.values.to_pylist() == [1.0, None, None, None]
    assert [(rule, mask.to_pylist()) for rule, mask in found.broken] == [
        ("must be a finite number", [False, True, False, True])
    ]


@pytest.mark.parametrize(
    "column",
    [pa.array([[1]]), pa.array([{"a": 1}]), pa.array([b"x"]), pa.array([b"xy"], pa.binary(2))],
    ids=lambda column: str(column.type),
)
def test_a_column_of_lists_mappings_or_bytes_is_refused_where_a_value_is_needed(column: pa.Array) -> None:
    with pytest.raises(InvalidInput, match="give each value a column of its own"):
        typed(column, Column("x", "text"), "f")


def test_times_of_parquet_are_the_same_texts_however_their_rows_are_cut() -> None:
    stamps = pa.array(
        pd.to_datetime(["2013-01-31", "2013-02-01 05:00", None, "2013-02-01 05:00:00.25"], format="mixed")
    )
    whole = typed(stamps, Column("x", "text", optional=True), "f").values.to_pylist()
    assert whole == ["2013-01-31", "2013-02-01T05:00:00", None, "2013-02-01T05:00:00.25"]
    for unit in ("ms", "ns"):
        assert (
            typed(stamps.cast(pa.timestamp(unit)), Column("x", "text", optional=True), "f").values.to_pylist() == whole
        )
    alone = [typed(stamps.slice(row, 1), Column("x", "text", optional=True), "f").values[0].as_py() for row in range(4)]
    assert alone == whole
    days = typed(stamps, Column("x", "date", optional=True), "f")
    assert days.values.to_pylist() == ["2013-01-31", None, None, None]
    assert [mask.to_pylist() for _, mask in days.broken] == [[False, True, False, True]]
    zoned = pa.array([0, None], pa.timestamp("ms", "Nowhere/Known"))
    assert typed(zoned, Column("x", "text", optional=True), "f").values.to_pylist() == [
        "1970-01-01T00:00:00+00:00",
        None,
    ]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2013-01-31", "2013-01-31T00:00:00.000Z"),
        ("2013-01-31 05:06", "2013-01-31T05:06:00.000Z"),
        ("2013-01-31T05:06:07.1239", "2013-01-31T05:06:07.123Z"),
        ("2013-01-31T05:00:00+02:00", "2013-01-31T03:00:00.000Z"),
        ("2013-01-31T05:00:00Z", "2013-01-31T05:00:00.000Z"),
    ],
)
def test_times_are_kept_in_utc_whatever_their_zone(text: str, written: str) -> None:
    # Beside a time of another form, which takes the other way through arrow.
    for others in ([], ["2013-01-01T00:00:00+01:00"], ["2013-01-01"]):
        found, times = moments(pa.array([text, *others]), "f", "time")
        assert found.values[0].as_py() == written
        assert found.broken == ()
        assert times.null_count == 0


def test_what_is_no_time_is_broken_and_the_others_are_not() -> None:
    found, _ = moments(pa.array(["2013-02-30", "20130101", "noon", "", None, "2013-01-01"]), "f", "time")
    assert found.values.to_pylist() == [None] * 5 + ["2013-01-01T00:00:00.000Z"]
    assert [mask.to_pylist() for _, mask in found.broken] == [[True, True, True, False, False, False]]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["0000-01-01", "2013-01-01"]),
        pa.array(["9999-12-31T23:59:59-05:00", "2013-01-01T00:00:00Z"]),
        pa.array(["0001-01-01T00:00:00+05:00", "2013-01-01T00:00:00Z"]),
        pa.array([10**17, 1356998400], pa.timestamp("s")),
        pa.array([-(10**14), 1356998400000], pa.timestamp("ms", "UTC")),
        pa.array([3_000_000, 15706], pa.date32()),
    ],
    ids=str,
)
def test_a_time_beyond_the_years_of_the_calendar_is_broken(column: pa.Array) -> None:
    found, times = moments(column, "f", "time")
    assert found.values.to_pylist() == [None, "2013-01-01T00:00:00.000Z"]
    assert [mask.to_pylist() for _, mask in found.broken] == [[True, False]]
    assert times.to_pylist()[0] is None


# -- files -----------------------------------------------------------------------------------------


def test_the_same_rows_have_the_same_digest_from_csv_json_and_parquet(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "n": [1.5, -0.0, None],
            "i": pd.array([3, None, 2**53 + 1], dtype="Int64"),
            "c": ["a", "b", None],
            "t": ["007", None, 'é, "q"\nline'],
            "d": ["2013-01-01", None, "2013-12-31"],
            "b": pd.array([True, None, False], dtype="boolean"),
            "k": ["1", "2", "3"],
            "prediction": ["x", None, "y"],
            "score:x": [0.25, None, 0.75],
        }
    )
    frame.to_csv(tmp_path / "x.csv", index=False)
    frame.to_parquet(tmp_path / "x.parquet")
    frame.to_json(tmp_path / "x.jsonl", orient="records", lines=True, force_ascii=False)
    kept = {ending: keep(tmp_path / f"x.{ending}", schema_of(key="k")) for ending in ("csv", "jsonl", "parquet")}
    assert len({one.digest for one in kept.values()}) == 1
    assert [(one.rows, one.predicted, one.labelled, one.reasons) for one in kept.values()] == [(3, 2, 0, ())] * 3
    other = frame.assign(n=[1.5, 0.0, 2.0])
    other.to_csv(tmp_path / "x.csv", index=False)
    assert keep(tmp_path / "x.csv", schema_of(key="k")).digest != kept["csv"].digest


def test_the_digest_does_not_know_how_the_rows_were_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"n": rng.normal(size=5000), "t": [f"w{value}" for value in rng.integers(0, 50, 5000)]})
    frame.to_parquet(tmp_path / "x.parquet")
    schema = schema_of({"n": "number", "t": "text"})
    whole = keep(tmp_path / "x.parquet", schema)
    monkeypatch.setattr(pieces, "PIECE", 1024)
    cut = keep(tmp_path / "x.parquet", schema)
    assert cut.digest == whole.digest
    assert pq.ParquetFile(cut.path).num_row_groups == 5
    frame[:3000].to_csv(tmp_path / "a.csv", index=False)
    frame[3000:].to_csv(tmp_path / "b.csv", index=False)
    assert keep([tmp_path / "a.csv", tmp_path / "b.csv"], schema).digest == whole.digest


def test_kept_rows_have_their_format(tmp_path: Path) -> None:
    schema = schema_of({"n": "number", "c": "category(a, b)"}, key="id", time="at", answer_type="integer")
    text = "at,score:1,id,n,c,label,prediction,more\n2013-01-01,0.5,k1,1,a,1,1.0,x\n2013-01-03,,k2,2,b,,0,y\n"
    kept = kept_csv(tmp_path, text, schema)
    file = pq.ParquetFile(kept.path)
    assert [(field.name, str(field.type)) for field in file.schema_arrow] == [
        ("n", "double"),
        ("c", "string"),
        ("@key", "string"),
        ("@time", "string"),
        ("score:1", "double"),
        ("@prediction", "int64"),
        ("@label", "int64"),
    ]
    assert file.schema_arrow.metadata[b"ml_regress.schema"].decode() == schema.digest == kept.schema
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert (kept.first, kept.last) == ("2013-01-01T00:00:00.000Z", "2013-01-03T00:00:00.000Z")
    assert (kept.predicted, kept.labelled) == (2, 1)
    assert kept.notes == ("columns that the production schema does not name were left out: 'more'",)


def test_every_broken_cell_is_counted_and_missing_in_the_kept_rows(tmp_path: Path) -> None:
    schema = schema_of({"n": "number", "i": "integer?", "c": "category(a, b)"}, key="k")
    text = "k,n,i,c\n1,1.5,3,a\n2,,3.5,z\n2,abc,,a\n,4,1,\n"
    kept = kept_csv(tmp_path, text, schema)
    assert set(kept.reasons) == {
        "column 'n': 1 of 4 rows must be a finite number, such as row 3: 'abc'",
        "column 'n': 1 of 4 rows must not be missing (the type has no '?'), such as row 2: ''",
        "column 'i': 1 of 4 rows must be a whole number, such as row 2: '3.5'",
        "column 'c': 1 of 4 rows must be one of a, b, such as row 2: 'z'",
        "column 'c': 1 of 4 rows must not be missing (the type has no '?'), such as row 4: ''",
        "column 'k': 1 of 4 rows must not be missing (the type has no '?'), such as row 4: ''",
        "column 'k': 2 of 4 rows must have a key of their own, such as row 2: '2' (also row 3)",
    }
    found = columns(kept)
    assert found["n"] == [1.5, None, None, 4.0]
    assert found["i"] == [3, None, None, 1]
    assert found["c"] == ["a", None, "a", None]


def test_a_column_broken_everywhere_names_twenty_rows_and_counts_all(tmp_path: Path) -> None:
    rows = 70_000
    text = "n\n" + "x\n" * rows
    kept = kept_csv(tmp_path, text, schema_of({"n": "number"}))
    (reason,) = kept.reasons
    assert reason.startswith(
        "column 'n': 70,000 of 70,000 rows must be a finite number, such as row 1: 'x' (also row 2,"
    )
    assert reason.endswith("row 20 and 69,980 more)")
    assert [fault.row for fault in kept.faults] == list(range(1, 21))


def test_a_missing_column_breaks_the_schema_and_is_missing_in_the_kept_rows(tmp_path: Path) -> None:
    kept = kept_csv(tmp_path, "n\n1\n2\n", schema_of({"n": "number", "t": "text?"}, key="k"))
    assert kept.reasons == (
        "column 't': is missing, though the production schema names it",
        "column 'k': is missing, though the production schema names it",
    )
    assert columns(kept) == {"n": [1.0, 2.0], "t": [None, None], "@key": [None, None]}


def test_a_column_of_nothing_is_sound_where_it_may_be_missing(tmp_path: Path) -> None:
    kept = kept_csv(tmp_path, "n,t\n1,\n2,\n", schema_of({"n": "number", "t": "text?"}))
    assert kept.sound
    assert columns(kept)["t"] == [None, None]
    pq.write_table(pa.table({"n": pa.nulls(2), "t": pa.nulls(2)}), tmp_path / "x.parquet")
    empty = keep(tmp_path / "x.parquet", schema_of({"n": "number?", "t": "text?"}))
    assert empty.sound
    assert columns(empty) == {"n": [None, None], "t": [None, None]}


def test_blank_rows_at_the_end_are_left_out_and_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE", 2)
    kept = kept_csv(tmp_path, "n,t\n1,a\n,\n2,b\n" + ",\n" * 5, schema_of({"n": "number?", "t": "text?"}))
    assert columns(kept)["n"] == [1.0, None, 2.0]
    assert kept.notes == ("x.csv: 5 blank rows at the end left out",)


def test_labels_outside_the_list_are_faults_and_predictions_outside_are_noted(tmp_path: Path) -> None:
    schema = schema_of({"n": "number"}, labels=("late", "ontime"))
    kept = kept_csv(tmp_path, "n,prediction,label\n1,late,late\n2,lost,lost\n3,,\n", schema)
    assert kept.reasons == (
        "column 'label': 1 of 3 rows must be one of the labels late, ontime, such as row 2: 'lost'",
    )
    assert kept.notes == ("1 row predicted what is none of the labels; kept as predicted",)
    assert columns(kept)["@label"] == ["late", None, None]
    assert columns(kept)["@prediction"] == ["late", "lost", None]
    assert (kept.predicted, kept.labelled) == (2, 1)


def test_whole_labels_are_the_same_from_floats_and_texts(tmp_path: Path) -> None:
    pd.DataFrame({"n": [1.0, 2.0], "label": [1.0, None]}).to_parquet(tmp_path / "x.parquet")
    for kind, label in (("integer", 1), ("text", "1"), ("number", 1.0), ("boolean", True)):
        schema = schema_of({"n": "number"}, answer_type=kind, labels=(label,))
        kept = keep(tmp_path / "x.parquet", schema)
        assert columns(kept)["@label"] == [label, None], kind
        assert kept.sound, kind


def test_answers_that_begin_late_in_json_lines_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE", 2)
    rows = [{"n": 1}, {"n": 2}, {"n": 3, "label": "a"}, {"n": 4}, {"n": 5, "score:a": 0.5}]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, rows)))
    kept = keep(tmp_path / "x.jsonl", schema_of({"n": "number"}))
    assert columns(kept) == {
        "n": [1.0, 2.0, 3.0, 4.0, 5.0],
        "score:a": [None, None, None, None, 0.5],
        "@label": [None, None, "a", None, None],
    }


def test_json_numbers_keep_all_their_digits(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"i": 9007199254740993, "t": 1.10}\n{"i": null, "t": true}\n')
    kept = keep(tmp_path / "x.jsonl", schema_of({"i": "integer?", "t": "text"}))
    assert columns(kept) == {"i": [9007199254740993, None], "t": ["1.10", "true"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_texts_are_read_as_their_byte_order_mark_says(encoding: str, tmp_path: Path) -> None:
    schema = schema_of({"n": "number", "t": "text"})
    (tmp_path / "x.csv").write_bytes("n,t\n1,é\n".encode(encoding))
    (tmp_path / "x.jsonl").write_bytes('{"n": 1, "t": "é"}\n'.encode(encoding))
    assert columns(keep(tmp_path / "x.csv", schema)) == {"n": [1.0], "t": ["é"]}
    assert columns(keep(tmp_path / "x.jsonl", schema)) == {"n": [1.0], "t": ["é"]}


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_another_delimiter_is_found_in_the_header(mark: str, tmp_path: Path) -> None:
    kept = kept_csv(tmp_path, f'n{mark}t\n1{mark}"a{mark}b"\n', schema_of({"n": "number", "t": "text"}))
    assert columns(kept) == {"n": [1.0], "t": [f"a{mark}b"]}


def test_a_line_break_inside_quotes_is_part_of_its_cell(tmp_path: Path) -> None:
    kept = kept_csv(tmp_path, 'n,t\r\n1,"a\n\nb"\r\n2,c\r\n', schema_of({"n": "number", "t": "text"}))
    assert columns(kept) == {"n": [1.0, 2.0], "t": ["a\n\nb", "c"]}


def test_an_empty_line_is_a_missing_value_in_a_table_of_one_column_only(tmp_path: Path) -> None:
    assert columns(kept_csv(tmp_path, "n\n1\n\n2\n", schema_of({"n": "number?"}))) == {"n": [1.0, None, 2.0]}
    assert columns(kept_csv(tmp_path, "n,t\n1,a\n\n2,b\n", schema_of({"n": "number", "t": "text"})))["n"] == [1.0, 2.0]


@pytest.mark.parametrize("before", ["\n", "\r\n\r\n", "  \n", "\ufeff\n"])
def test_blank_lines_before_the_header_are_no_rows(before: str, tmp_path: Path) -> None:
    assert columns(kept_csv(tmp_path, f"{before}t\na\n", schema_of({"t": "text"}))) == {"t": ["a"]}
    two = kept_csv(tmp_path, f"{before.strip(' ')}n;t\n1;a\n", schema_of({"n": "number", "t": "text"}))
    assert columns(two) == {"n": [1.0], "t": ["a"]}


REFUSED = {
    "empty.csv": (b"", "is empty"),
    "empty.parquet": (b"", "is empty"),
    "empty.jsonl": (b"", "is empty"),
    "header.csv": (b"n,t\n", "holds no rows"),
    "blank.jsonl": (b"\n\n", "holds no rows"),
    "ragged.csv": (b"n,t\n1,a\n2\n3,b,c\n", "row 2: has 1 cells where the header has 2"),
    "quote.csv": (b'n,t\n1,a\n2,"b\n3,c\n', "row 2: is no CSV"),
    "blank.csv": (b"n,t\n,\n,\n", "holds blank rows only"),
    "latin.csv": ("n,t\n1,é\n".encode("latin-1"), "byte 0xe9 in line 2 is not UTF-8; save the file as UTF-8"),
    "latin.jsonl": ('{"n": 1, "t": "é"}\n'.encode("latin-1"), "byte 0xe9 in line 1 is not UTF-8"),
    "wide.csv": ("n,t\n1,a\n".encode("utf-16-le"), "looks like UTF-16 without its byte order mark"),
    "twice.csv": (b"n,n\n1,2\n", "the column is there twice"),
    "nameless.csv": (b"n,\n1,2\n", "column 2 has no name"),
    "cut.parquet": (b"PAR1abcdefgh", "is no Parquet file that can be read"),
    "cut.jsonl": (b'{"n": 1, "t": "a"}\n{"n": 2, "t"', "row 2.*is no JSON object"),
    "nan.jsonl": (b'{"n": NaN}\n', "NaN is no JSON"),
    "nested.jsonl": (b'{"n": {"a": 1}}\n', "nested mapping"),
    "list.jsonl": (b"[1, 2]\n", "is no JSON object"),
    "surrogate.jsonl": (b'{"n": 1, "t": "\\ud800"}\n', "half a surrogate pair"),
    "name.jsonl": (b'{"n": 1, "\\ud800": "a"}\n', "row 1.*a key holds a NUL or half a surrogate pair"),
    "table.xlsx": (b"PK", "is no table; use a file that ends in .csv, .jsonl, .parquet"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_cut_into_rows_is_refused_whole(name: str, tmp_path: Path) -> None:
    data, words = REFUSED[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InvalidInput, match=words):
        keep(tmp_path / name, schema_of({"n": "number?", "t": "text?"}))


def test_a_parquet_file_without_rows_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"n": pd.Series([], dtype="float64")}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InvalidInput, match="holds no rows"):
        keep(tmp_path / "x.parquet", schema_of({"n": "number"}))


def test_the_row_of_a_ragged_line_far_behind_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("n,t\n" + "1,a\n" * 100_000 + "2\n" + "1,a\n" * 10)
    with pytest.raises(InvalidInput, match="row 100001: has 1 cells"):
        keep(tmp_path / "x.csv", schema_of({"n": "number", "t": "text"}))


def test_a_quote_that_is_opened_far_behind_and_never_closed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("n,t\n" + "1,a\n" * 100_000 + '2,"b\n' + "1,a\n" * 10)
    with pytest.raises(InvalidInput, match=r"row 100001: is no CSV .*; a quote is opened and never closed"):
        keep(tmp_path / "x.csv", schema_of({"n": "number", "t": "text"}))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_rows_between_two_quotes_that_are_never_closed_are_not_swallowed(encoding: str, tmp_path: Path) -> None:
    text = "n,t\n" + "1,a\n" * 100_000 + '2,"b\n3,c\n4,d\n5,"e\n6,f\n'
    mark = "" if encoding == "utf-8" else "\ufeff"
    (tmp_path / "x.csv").write_bytes((mark + text).encode(encoding))
    with pytest.raises(InvalidInput, match=r"row 100001: is no CSV .*; a quote is opened and never closed"):
        keep(tmp_path / "x.csv", schema_of({"n": "number", "t": "text"}))
    (tmp_path / "x.csv").write_bytes((mark + text.replace('"e', 'e"')).encode(encoding))
    kept = keep(tmp_path / "x.csv", schema_of({"n": "number", "t": "text"}))
    assert columns(kept)["t"][-2:] == ["b\n3,c\n4,d\n5,e", "f"]


def test_a_row_that_is_too_long_is_refused_with_the_limit_that_holds(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("n,t\n" + "1,a\n" * 100_000 + "2," + "b" * 9_000_000 + "\n")
    with pytest.raises(InvalidInput, match="a row may have at most 4 MB"):
        keep(tmp_path / "x.csv", schema_of({"n": "number", "t": "text"}))


def test_a_byte_of_another_encoding_far_behind_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"n,t\n" + b"1,a\n" * 100_000 + b"2,\xe9\n")
    with pytest.raises(InvalidInput, match="byte 0xe9 in line 100002 is not UTF-8"):
        keep(tmp_path / "x.csv", schema_of({"n": "number", "t": "text"}))


def test_an_inch_in_a_text_is_no_open_quote(tmp_path: Path) -> None:
    kept = kept_csv(tmp_path, 'n,t\n1,5" pipe\n2,b\n', schema_of({"n": "number", "t": "text"}))
    assert columns(kept)["t"] == ['5" pipe', "b"]


def test_a_nul_in_a_text_breaks_the_schema(tmp_path: Path) -> None:
    pq.write_table(pa.table({"t": ["a", "b\x00c"]}), tmp_path / "x.parquet")
    kept = keep(tmp_path / "x.parquet", schema_of({"t": "text"}))
    (reason,) = kept.reasons
    assert "1 of 2 rows holds a NUL" in reason
    assert columns(kept)["t"] == ["a", None]


def test_a_text_of_parquet_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    offsets = pa.py_buffer(np.array([0, 1, 2], np.int32).tobytes())
    pq.write_table(
        pa.table({"t": pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"a\xff")])}),
        tmp_path / "x.parquet",
    )
    for schema in (schema_of({"t": "text"}), schema_of({"t": "number"}), schema_of({"t": "text"}, time="t")):
        with pytest.raises(InvalidInput, match="Invalid UTF8"):
            keep(tmp_path / "x.parquet", schema)


def test_many_faulty_lines_are_counted_and_the_first_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE", 10)
    (tmp_path / "x.jsonl").write_text('{"n": 1}\n' + "x\n" * 1000)
    with pytest.raises(InvalidInput) as refused:
        keep(tmp_path / "x.jsonl", schema_of({"n": "number"}))
    assert [fault.row for fault in refused.value.faults] == [*range(2, 22), None]
    assert refused.value.faults[-1].rule == "1,000 rows are at fault"


def test_a_folder_of_many_parts_opens_one_at_a_time(tmp_path: Path) -> None:
    for place in range(60):
        pq.write_table(pa.table({"n": [float(place)]}), tmp_path / f"{place:02}.parquet")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 20, limits[1]))
    try:
        kept = keep(sorted(tmp_path.glob("*.parquet")), schema_of({"n": "number"}))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert columns(kept)["n"] == [float(place) for place in range(60)]


def test_a_parquet_file_that_is_cut_short_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """In a process of its own, as a file that is mapped into memory would end it."""
    path = tmp_path / "x.parquet"
    table = pa.table({"n": np.random.default_rng(1).normal(size=1_000_000)})
    pq.write_table(table, path, row_group_size=200_000, compression="none", use_dictionary=False)
    work = multiprocessing.get_context("forkserver").Process(target=_read_and_cut, args=(path,))
    work.start()
    work.join(timeout=60)
    assert work.exitcode == 0


def _read_and_cut(path: Path) -> None:
    found = iter(pieces.tables_in_pieces(path))
    next(found)
    os.truncate(path, 100)
    with pytest.raises(InvalidInput, match="is no Parquet file that can be read"):
        list(found)


def test_a_wide_table_is_read_in_smaller_pieces(tmp_path: Path) -> None:
    wide = {f"c{place}": np.zeros(3000) for place in range(2000)}
    pq.write_table(pa.table(wide), tmp_path / "x.parquet")
    sizes = [piece.num_rows for piece in pieces.tables_in_pieces(tmp_path / "x.parquet")]
    assert sum(sizes) == 3000
    assert max(sizes) == 2000


# -- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "starts", "ends"),
    [
        ("2013", "2013-01-01T00:00:00.000Z", "2013-12-31T23:59:59.999Z"),
        ("2013-02", "2013-02-01T00:00:00.000Z", "2013-02-28T23:59:59.999Z"),
        ("2013-12", "2013-12-01T00:00:00.000Z", "2013-12-31T23:59:59.999Z"),
        ("2013-04-07", "2013-04-07T00:00:00.000Z", "2013-04-07T23:59:59.999Z"),
        ("2013-04-07T10", "2013-04-07T10:00:00.000Z", "2013-04-07T10:59:59.999Z"),
        ("2013-04-07-evening", "2013-04-07T00:00:00.000Z", "2013-04-07T23:59:59.999Z"),
        ("2013-april", "2013-01-01T00:00:00.000Z", "2013-12-31T23:59:59.999Z"),
    ],
)
def test_an_id_that_begins_with_a_date_says_its_period(name: str, starts: str, ends: str) -> None:
    assert period_of(name) == (starts, ends)


@pytest.mark.parametrize("name", ["january", "2013-13", "2013-02-30", "20130407", "1234-orders", "2013-045", "b2013"])
def test_an_id_that_begins_with_no_date_says_none(name: str) -> None:
    assert period_of(name) is None


def test_files_beside_and_in_a_folder_are_told_apart(tmp_path: Path) -> None:
    folder = tmp_path / "2013-04"
    folder.mkdir()
    for name in ("b.csv", "a.parquet", "labels.csv", "predictions.jsonl", ".hidden.csv", "c.csv.part", "README.md"):
        (folder / name).write_text("x")
    found = batch_files(folder)
    assert found.id == "2013-04"
    assert [path.name for path in found.parts] == ["a.parquet", "b.csv"]
    assert [(kind, path.name) for kind, path in found.joined] == [
        ("labels", "labels.csv"),
        ("predictions", "predictions.jsonl"),
    ]
    later = tmp_path / "2013-04.labels.CSV"
    later.write_text("x")
    assert (batch_files(later).id, batch_files(later).parts) == ("2013-04", ())
    assert [is_ignored(Path(name)) for name in (".a", "a.tmp", "a.csv.crdownload", "README.md", "a.csv")] == [
        *[True] * 4,
        False,
    ]


def test_a_part_that_is_taken_away_is_missed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n\n1\n")
    found = batch_files(tmp_path / "a.csv")
    assert found.size == 4
    (tmp_path / "a.csv").unlink()
    with pytest.raises(InvalidInput, match=r"a\.csv: there is no such file"):
        _ = found.size


@pytest.mark.parametrize("name", ["a b.csv", "-x.csv", "a..b.csv", "ä.csv"])
def test_a_name_that_is_no_id_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("n\n1\n")
    with pytest.raises(InvalidInput, match="rename it"):
        batch_files(tmp_path / name)
