"""Every way in for one table: patterns, benchmarks and recorded predictions, from each kind of file.

The table has three columns: what names a row, what goes in, and what comes out. A way leaves out
what it does not have, and names the rest as it must.
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from ml_regress.core.answers import typed_answer
from ml_regress.core.candidate import Candidate, Manifest
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.pattern import key_digest
from ml_regress.errors import InvalidInput
from ml_regress.intake.benchmarks import benchmark_frame, read_benchmark
from ml_regress.intake.problems import read_problem
from ml_regress.intake.recorded import Question, read_recorded

FILES = ("csv", "jsonl", "parquet")
PATTERN_WAYS = tuple(f"patterns {form}" for form in (*FILES, "inline"))
BENCHMARK_WAYS = tuple(f"benchmark {form}" for form in FILES)
RECORDED_WAYS = tuple(f"recorded {form}" for form in FILES)
TYPED_WAYS = (*PATTERN_WAYS, *BENCHMARK_WAYS)
WAYS = (*TYPED_WAYS, *RECORDED_WAYS)

# A column more than once is a pair more than once.
Columns = Sequence[tuple[str, Sequence[Any]]]
_NAMES = {
    "patterns": {"name": "pattern_id", "in": "x", "out": "expected"},
    "benchmark": {"in": "x", "out": "kind"},
    "recorded": {"name": "pattern_id", "in": "output:x", "out": "predicted"},
}


class Row(NamedTuple):
    """What a row became; a benchmark's rows have no name."""

    name: str | None
    given: Any
    answer: Any


def write_table(path: Path, columns: Columns) -> None:
    """A table of cells in the form that the file's name ends in; None is a missing cell."""
    names = [name for name, _ in columns]
    rows = list(zip(*(cells for _, cells in columns), strict=True))
    lines: list[str] = []
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([names, *rows])
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_arrays([pa.array(list(cells)) for _, cells in columns], names=names), path)
    else:
        keys = [json.dumps(name) for name in names]
        for row in rows:
            cells = ", ".join(f"{key}: {json.dumps(cell)}" for key, cell in zip(keys, row, strict=True))
            lines.append(f"{{{cells}}}\n")
        path.write_text("".join(lines))


def read(
    way: str, folder: Path, columns: Columns, *, takes: str = "text", answer: str = "text", **table: str
) -> tuple[list[Row], str]:
    """The rows that a table of the columns `name`, `in` and `out` becomes, and the notes; raises InvalidInput.

    `takes` is the declared type of what goes in, `answer` that of what comes out, and `table` is
    what the YAML file states of the table.
    """
    what, form = way.split()
    names = dict(_NAMES[what])
    if what == "recorded" and takes == "number":
        names["in"] = "score:x"
    called = [(names[name], cells) for name, cells in columns if name in names]
    if form != "inline":
        write_table(folder / f"t.{form}", called)
    stated = {"table": table} if table else {}
    declared: dict[str, Any] = {"title": "T", "inputs": {"x": takes}, "answer": answer, **stated}
    if what == "patterns":
        inline = [
            {name: cell for (name, _), cell in zip(called, row, strict=True) if cell is not None}
            for row in zip(*(cells for _, cells in called), strict=True)
        ]
        patterns: Any = inline if form == "inline" else f"t.{form}"
        _write_yaml(folder / "p.yaml", {"id": "p", **declared, "patterns": patterns})
        problem = read_problem(folder / "p.yaml")
        rows = [Row(each.id, (each.inputs or {}).get("x"), each.expectation.value) for each in problem.patterns]
        return rows, "\n".join(problem.notes)
    if what == "benchmark":
        _write_yaml(folder / "b.yaml", {"id": "b", **declared, "target": "kind", "data": f"t.{form}"})
        found = read_benchmark(folder / "b.yaml")
        frame, targets = benchmark_frame(found.benchmark, found.data)
        given = [None if pd.isna(value) else value for value in frame["x"].tolist()]
        return [Row(None, *pair) for pair in zip(given, targets, strict=True)], "\n".join(found.notes)
    _write_yaml(
        folder / "candidate.yaml",
        {"created_at": "2026-06-01", "format": "recorded", "artefact": f"t.{form}", **stated},
    )
    candidate = Candidate("c", Manifest("2026-06-01", "recorded", f"t.{form}"), str(folder), "", 0)
    ids = [str(cell) for name, cells in columns if name == "name" for cell in cells if cell]
    asked = {name: key_digest("p", name) for name in ids}
    question = Question("p", parse_input_types({"x": "text"}), answer, asked)
    recorded = read_recorded(folder, candidate, [question])
    by_digest = {digest: name for name, digest in asked.items()}
    given_as = "score:x" if takes == "number" else "x"
    rows = [
        Row(
            by_digest[row.digest],
            (row.prediction.outputs or {}).get(given_as),
            typed_answer(answer, row.prediction.answer),
        )
        for row in recorded.predictions
    ]
    return rows, "\n".join(recorded.notes)


def values(way: str, folder: Path, cells: Sequence[Any], takes: str = "number", **table: str) -> tuple[list[Any], str]:
    """The values that cells of a declared type become, and the notes; raises InvalidInput."""
    rows, notes = read(way, folder, going_in(cells), takes=takes, **table)
    return [row.given for row in rows], notes


def going_in(cells: Sequence[Any]) -> Columns:
    """The table that has these cells as what goes in."""
    names = [f"p{row}" for row in range(1, len(cells) + 1)]
    return [("name", names), ("in", cells), ("out", ["a"] * len(cells))]


def coming_out(cells: Sequence[Any]) -> Columns:
    """The table that has these cells as what comes out."""
    names = [f"p{row}" for row in range(1, len(cells) + 1)]
    return [("name", names), ("in", ["a"] * len(cells)), ("out", cells)]


def refusal(way: str, folder: Path, columns: Columns, **declared: str) -> str:
    """What the import of a table says that it does not take."""
    with pytest.raises(InvalidInput) as refused:
        read(way, folder, columns, **declared)
    return str(refused.value).replace(f"{folder}/", "")


def patterns_of(folder: Path, content: bytes | str, name: str = "t.csv", **table: str) -> tuple[dict[str, Any], str]:
    """What goes in by pattern, and the notes, of the bytes of a pattern table."""
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    stated = {"table": table} if table else {}
    _write_yaml(folder / "p.yaml", {"id": "p", "title": "P", "inputs": {"x": "text"}, "patterns": name, **stated})
    found = read_problem(folder / "p.yaml")
    return {each.id: each.inputs["x"] for each in found.patterns if each.inputs}, "\n".join(found.notes)


def refusal_of(folder: Path, content: bytes | str, name: str = "t.csv", **table: str) -> str:
    """What the import of the bytes of a pattern table says that it does not take."""
    with pytest.raises(InvalidInput) as refused:
        patterns_of(folder, content, name, **table)
    return str(refused.value).replace(f"{folder}/", "")


def _write_yaml(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
