"""Benchmarks: rows kept as canonical Parquet, named by their values."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_regress.errors import InvalidInput
from ml_regress.intake.benchmarks import BenchmarkFile, benchmark_frame, read_benchmark

YAML = """id: held-out
title: Held out
inputs:
  x: number?
  n: integer
  k: integer?
  yes: boolean?
  day: date
  level: category(a, b)?
  text: text
answer: integer
labels: [0, 1]
positive_label: 1
metrics: [accuracy, f1]
target: digit
data: rows.csv
"""
ROWS = "digit,text,level,day,yes,k,n,x\n1,NA,a,2026-01-02,TRUE,,3.0,0.5\n0,,,2026-01-03,,7,-4,\n"


def read(folder: Path, yaml: str = YAML, rows: str = ROWS) -> BenchmarkFile:
    (folder / "b.yaml").write_text(yaml)
    (folder / "rows.csv").write_bytes(rows.encode())
    return read_benchmark(folder / "b.yaml")


def refusal(folder: Path, yaml: str = YAML, rows: str = ROWS) -> str:
    with pytest.raises(InvalidInput) as caught:
        read(folder, yaml, rows)
    return str(caught.value).replace(str(folder) + "/", "")


def test_rows_become_typed_inputs_in_the_order_of_the_benchmark_and_targets(tmp_path: Path) -> None:
    file = read(tmp_path)
    frame, targets = benchmark_frame(file.benchmark, file.data)
    assert targets == [1, 0] and file.rows == 2 and file.benchmark.metrics == ("accuracy", "f1")
    wanted = file.benchmark.inputs.frame(
        [
            {"x": 0.5, "n": 3, "k": None, "yes": True, "day": "2026-01-02", "level": "a", "text": "NA"},
            {"x": None, "n": -4, "k": 7, "yes": None, "day": "2026-01-03", "level": None, "text": ""},
        ]
    )
    pd.testing.assert_frame_equal(frame, wanted)
    assert file.files == (tmp_path / "b.yaml", tmp_path / "rows.csv")


def test_the_same_values_have_the_same_digest_whatever_file_they_came_in(tmp_path: Path) -> None:
    by_csv = read(tmp_path)
    table = pa.table(
        {
            "n": pa.array([3, -4], pa.int32()),
            "x": [0.5, float("nan")],
            "text": pa.array(["NA", ""]).dictionary_encode(),
            "yes": [True, None],
            "k": [None, 7.0],
            "level": ["a", None],
            "day": pa.array([pd.Timestamp("2026-01-02"), pd.Timestamp("2026-01-03")]),
            "digit": pa.array([1, 0]),
            "split": ["test", "test"],
        }
    )
    pq.write_table(table, tmp_path / "rows.parquet")
    (tmp_path / "b.yaml").write_text(YAML.replace("rows.csv", "rows.parquet"))
    by_parquet = read_benchmark(tmp_path / "b.yaml")
    assert by_parquet.data_digest == by_csv.data_digest
    assert by_parquet.data == by_csv.data
    assert "left out split" in by_parquet.notes[0]


def test_another_value_has_another_digest(tmp_path: Path) -> None:
    digests = {
        read(tmp_path, rows=rows).data_digest
        for rows in (ROWS, ROWS.replace("0.5", "0.25"), ROWS.replace("\n1,", "\n0,"), ROWS.replace("NA", "N"))
    }
    assert len(digests) == 4
    assert read(tmp_path, rows=ROWS.replace("0.5", "-0.0")).data_digest == (
        read(tmp_path, rows=ROWS.replace("0.5", "0")).data_digest
    )


def test_faults_name_file_row_column_value_and_rule(tmp_path: Path) -> None:
    assert refusal(tmp_path, rows=ROWS.replace("3.0", "3.5").replace("2026-01-03", "2026-01-32")) == (
        "rows.csv, row 1, column 'n': '3.5': must be a whole number\n"
        "rows.csv, row 2, column 'day': '2026-01-32': must be a date of the calendar written YYYY-MM-DD"
    )
    assert "row 2, column 'digit': '2': is none of the labels 0, 1" in refusal(
        tmp_path, rows=ROWS.replace("\n0,", "\n2,")
    )
    assert "row 2, column 'digit': '': is missing" in refusal(tmp_path, rows=ROWS.replace("\n0,", "\n,"))
    assert "column 'n': the column is missing" in refusal(tmp_path, rows=ROWS.replace(",n,", ",m,"))
    assert "rows.csv: has no rows" in refusal(tmp_path, rows=ROWS.splitlines()[0] + "\n")


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        ("metrics: [accuracy, f1]", "metrics: [pass_rate]", "belongs to patterns"),
        ("metrics: [accuracy, f1]", "metrics: [f1, f1]", "is there twice"),
        ("metrics: [accuracy, f1]", "metrics: f1", "must be a list"),
        ("positive_label: 1\n", "", "needs `positive_label`"),
        ("target: digit\n", "", "column 'target': is missing"),
        ("target: digit", "target: n", "must not be an input"),
        ("target: digit", "targt: digit", "do you mean 'target'?"),
        ("data: rows.csv\n", "", "is missing; name the file of the rows"),
        ("data: rows.csv", "data: none.csv", "there is no such file"),
        ("data: rows.csv", "data: rows.csv\ntable: {decimal: x}", "column 'table.decimal': 'x': must be"),
        ("data: rows.csv", "data: rows.csv\ntable: tab", "column 'table': must be a mapping"),
    ],
)
def test_a_faulty_declaration_is_refused(tmp_path: Path, before: str, after: str, rule: str) -> None:
    assert rule in refusal(tmp_path, YAML.replace(before, after))


def test_infinity_and_missing_numbers_in_parquet_are_refused_with_their_rows(tmp_path: Path) -> None:
    yaml = "id: b\ntitle: B\ninputs: {x: number}\ntarget: y\n"
    (tmp_path / "b.yaml").write_text(yaml)
    pq.write_table(pa.table({"x": [1.0, float("inf"), float("nan")], "y": ["a", "b", "c"]}), tmp_path / "b.parquet")
    with pytest.raises(InvalidInput) as caught:
        read_benchmark(tmp_path / "b.yaml")
    first, second = caught.value.faults
    assert (first.row, first.value, first.rule) == (2, "inf", "must be a finite number")
    assert (second.row, second.rule) == (3, "is missing, and the input type is not optional ('?')")


def test_a_hundred_thousand_rows_of_numbers_take_seconds(tmp_path: Path) -> None:
    names = [f"p{place}" for place in range(64)]
    values = np.random.default_rng(0).random((100_000, 64))
    frame = pd.DataFrame(values, columns=names).assign(y=np.arange(100_000) % 10)
    frame.to_parquet(tmp_path / "b.parquet")
    (tmp_path / "b.yaml").write_text(
        "id: b\ntitle: B\ninputs:\n  i: image(8, 8, p{index})\nanswer: integer\ntarget: y\n"
    )
    file = read_benchmark(tmp_path / "b.yaml")
    inputs, targets = benchmark_frame(file.benchmark, file.data)
    assert inputs.shape == (100_000, 64) and len(targets) == 100_000
    np.testing.assert_array_equal(inputs.to_numpy(), values)
