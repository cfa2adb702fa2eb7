"""A reference file as kept rows: read once, as long as neither it nor the schema changes."""

import os
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from ml_regress.core.inputs import parse_input_types
from ml_regress.core.production import ProductionSchema
from ml_regress.engine.keeping import keep_table
from ml_regress.errors import InvalidInput
from ml_regress.store.archive import Archive
from ml_regress_tests.scenario import age

SCHEMA = ProductionSchema(parse_input_types({"n": "number", "t": "text?"}))


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def table(folder: Path, text: str = "n,t\n1,a\nx,b\n") -> Path:
    path = folder / "q1.csv"
    path.write_text(text)
    age(path)
    return path


def test_a_file_that_did_not_change_is_not_read_again(tmp_path: Path, archive: Archive) -> None:
    path = table(tmp_path)
    first = keep_table(path, SCHEMA, archive)
    assert (first.rows, first.reasons) == (2, ("column 'n': 1 of 2 rows must be a finite number, such as row 2: 'x'",))
    assert first.path == archive.rows(first.digest)
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(b"?" * path.stat().st_size)  # the same size and, now, the same time
    os.utime(path, ns=times)
    assert keep_table(path, SCHEMA, archive) == first


def test_another_content_or_schema_is_read(tmp_path: Path, archive: Archive) -> None:
    path = table(tmp_path)
    first = keep_table(path, SCHEMA, archive)
    wider = ProductionSchema(parse_input_types({"n": "text", "t": "text?"}))
    second = keep_table(path, wider, archive)
    assert second.sound
    assert second.digest != first.digest
    third = keep_table(table(tmp_path, "n,t\n1,a\n22,b\n"), SCHEMA, archive)
    assert pq.read_table(third.path).to_pydict() == {"n": [1.0, 22.0], "t": ["a", "b"]}


def test_rows_that_are_gone_from_the_archive_are_made_again(tmp_path: Path, archive: Archive) -> None:
    path = table(tmp_path)
    first = keep_table(path, SCHEMA, archive)
    first.path.unlink()
    assert keep_table(path, SCHEMA, archive) == first
    assert first.path.is_file()
    for note in (archive.folder / "tables").iterdir():
        note.write_text("{")  # cut off
    assert keep_table(path, SCHEMA, archive) == first


def test_labels_of_a_reference_are_kept(tmp_path: Path, archive: Archive) -> None:
    path = tmp_path / "q1.parquet"
    pd.DataFrame({"n": [1.0], "t": ["a"], "label": ["x"], "extra": [1]}).to_parquet(path)
    kept = keep_table(path, SCHEMA, archive)
    assert (kept.labelled, kept.predicted) == (1, 0)
    assert kept.notes == ("columns that the production schema does not name were left out: 'extra'",)


def test_a_reference_that_is_not_there_is_refused(tmp_path: Path, archive: Archive) -> None:
    with pytest.raises(InvalidInput, match="there is no such file"):
        keep_table(tmp_path / "q1.csv", SCHEMA, archive)
    assert not list(archive.folder.glob("*"))
