"""Batches come in: a clear state for each, and nothing lost."""

import multiprocessing
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from ml_regress.engine.arrivals import import_batch, look_at_batches, release
from ml_regress.engine.production_schema import production_schema
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, InvalidInput, MlRegressError, NotFound, Unavailable
from ml_regress.settings import Settings
from ml_regress_tests.scenario import age, registered, scalar

SCHEMA = """\
inputs: {n: number, c: 'category(a, b)?', t: 'text?'}
key: id
labels: [x, y]
"""
ROWS = "id,n,c,t,prediction\n1,1.5,a,007,x\n2,2,b,,y\n3,3,,z,\n"


@pytest.fixture
def watched(workspace: Workspace) -> Path:
    """The folder of batches in a workspace whose schema is stated."""
    write(workspace.settings.workspace / "production.yaml", SCHEMA)
    folder = workspace.settings.workspace / "batches"
    folder.mkdir()
    return folder


def write(path: Path, text: str | bytes, seconds: float = 10) -> Path:
    """A file that nobody wrote to for a while."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    age(path, seconds)
    return path


def look(workspace: Workspace, times: int = 3) -> dict[str, str]:
    looks: dict[str, str] = {}
    for _ in range(times):
        looks = look_at_batches(workspace, looks)
    return looks


def states(workspace: Workspace) -> dict[str, str]:
    return {batch.id: batch.state for batch in workspace.store.batches.all()}


def refusals(workspace: Workspace) -> dict[str, str]:
    return {entry.source: entry.message for entry in workspace.store.sources.refusals()}


def kept(workspace: Workspace, name: str) -> dict[str, list[object]]:
    return pq.read_table(workspace.archive.rows(workspace.store.batches.get(name).digest)).to_pydict()


Bring = Callable[[Workspace, Path], str | None]


def by_import(workspace: Workspace, path: Path) -> str | None:
    """Import a path; returns why it was refused."""
    try:
        import_batch(workspace, path)
    except MlRegressError as error:
        return str(error)
    return None


def by_look(workspace: Workspace, path: Path) -> str | None:
    """Let the watch find a path; returns why it was refused."""
    look(workspace)
    return refusals(workspace).get(workspace.relative(path))


@pytest.fixture(params=[by_import, by_look], ids=["import", "look"])
def bring(request: pytest.FixtureRequest) -> Bring:
    found: Bring = request.param
    return found


# -- what is accepted ------------------------------------------------------------------------------


def test_a_file_becomes_an_accepted_batch(workspace: Workspace, watched: Path, bring: Bring) -> None:
    workspace.store.candidates.register(registered("one"))
    workspace.store.candidates.adopt_production("one", actor="test", reason="test")
    assert bring(workspace, write(watched / "2013-04.csv", ROWS)) is None
    (batch,) = workspace.store.batches.all()
    assert (batch.id, batch.state, batch.rows, batch.predicted, batch.labelled) == ("2013-04", "accepted", 3, 2, 0)
    assert (batch.starts, batch.ends) == ("2013-04-01T00:00:00.000Z", "2013-04-30T23:59:59.999Z")
    assert (batch.source, batch.candidate, batch.reasons) == ("batches/2013-04.csv", "one", ())
    schema = production_schema(workspace)
    assert schema is not None
    assert batch.schema == schema.digest
    assert kept(workspace, "2013-04") == {
        "n": [1.5, 2.0, 3.0],
        "c": ["a", "b", None],
        "t": ["007", None, "z"],
        "@key": ["1", "2", "3"],
        "@prediction": ["x", "y", None],
    }


def test_one_row_is_a_batch(workspace: Workspace, watched: Path, bring: Bring) -> None:
    assert bring(workspace, write(watched / "one.jsonl", '{"id": 1, "n": 2, "c": null, "t": null}\n')) is None
    batch = workspace.store.batches.get("one")
    assert (batch.state, batch.rows) == ("accepted", 1)
    assert batch.starts == batch.ends == batch.received_at


def test_columns_without_any_value_are_a_batch(workspace: Workspace, watched: Path, bring: Bring) -> None:
    frame = pd.DataFrame({"id": ["1", "2"], "n": [1.0, 2.0], "c": [None, None], "t": [None, None]})
    path = watched / "x.parquet"
    frame.to_parquet(path)
    age(path)
    assert bring(workspace, path) is None
    assert states(workspace) == {"x": "accepted"}
    assert kept(workspace, "x")["c"] == [None, None]


def test_a_folder_is_one_batch_in_the_order_of_its_files(workspace: Workspace, watched: Path, bring: Bring) -> None:
    folder = watched / "2013-04-07"
    write(folder / "b.jsonl", '{"id": 3, "n": 3, "c": "a", "t": "z"}\n')
    write(folder / "a.csv", "id,n,c,t\n1,1,a,x\n2,2,b,y\n")
    write(folder / "labels.csv", "id,label\n3,y\n1,x\n")
    write(folder / "predictions.csv", "id,prediction,score:x\n1,x,0.75\n2,y,0.25\n3,y,0.5\n")
    assert bring(workspace, folder) is None
    batch = workspace.store.batches.get("2013-04-07")
    assert (batch.state, batch.rows, batch.predicted, batch.labelled) == ("accepted", 3, 3, 2)
    found = kept(workspace, "2013-04-07")
    assert found["n"] == [1.0, 2.0, 3.0]
    assert found["@label"] == ["x", None, "y"]
    assert found["score:x"] == [0.75, 0.25, 0.5]


def test_importing_again_changes_nothing(workspace: Workspace, watched: Path, bring: Bring) -> None:
    path = write(watched / "a.csv", ROWS)
    assert bring(workspace, path) is None
    first, audit = workspace.store.batches.all(), scalar(workspace.store, "SELECT count(*) FROM audit")
    assert bring(workspace, path) is None
    write(path, ROWS, seconds=20)  # touched, and the same
    assert bring(workspace, path) is None
    assert workspace.store.batches.all() == first
    assert scalar(workspace.store, "SELECT count(*) FROM audit") == audit


def test_the_times_of_rows_are_the_window_of_a_batch(workspace: Workspace, watched: Path) -> None:
    write(workspace.settings.workspace / "production.yaml", "inputs: {n: number}\ntime: at\n")
    import_batch(workspace, write(watched / "2013-01.csv", "n,at\n1,2012-05-06 07:00\n2,2012-05-05\n"))
    batch = workspace.store.batches.get("2013-01")
    assert (batch.starts, batch.ends) == ("2012-05-05T00:00:00.000Z", "2012-05-06T07:00:00.000Z")


def test_the_first_batch_tells_the_schema_where_nothing_else_does(workspace: Workspace) -> None:
    folder = workspace.settings.workspace / "batches"
    write(folder / "a.csv", "n,t\n1,x\n")
    write(folder / "b.csv", "n,t\nabc,x\n")
    assert production_schema(workspace) is None
    look(workspace)
    assert states(workspace) == {"a": "accepted", "b": "quarantined"}
    assert workspace.store.batches.get("a").notes == (
        "the input types were inferred from the first batch, batches/a.csv, and are frozen",
    )
    schema = production_schema(workspace)
    assert schema is not None
    assert schema.inputs.as_dict() == {"n": "number?", "t": "text?"}


def test_a_first_batch_that_is_refused_leaves_no_schema_behind(workspace: Workspace, bring: Bring) -> None:
    folder = workspace.settings.workspace / "batches"
    write(workspace.settings.workspace / "production.yaml", "largest: 1 kB\n")
    assert bring(workspace, write(folder / "a.csv", "wrong\n" + "1\n" * 1000)) is not None
    (folder / "a.csv").unlink()
    assert scalar(workspace.store, "SELECT count(*) FROM production_schemas") == 0
    assert bring(workspace, write(folder / "b.csv", "n,t\n1,x\n")) is None
    schema = production_schema(workspace)
    assert schema is not None
    assert schema.inputs.as_dict() == {"n": "number?", "t": "text?"}


# -- bad input -------------------------------------------------------------------------------------

REFUSED: Mapping[str, tuple[bytes, str]] = {
    "a.csv": (b"", "is empty"),
    "b.csv": (b"id,n,c,t\n", "holds no rows"),
    "c.parquet": (b"PAR1", "is no Parquet file"),
    "d.csv": (b"id,n,c,t\n1,2\n", "row 1: has 2 cells where the header has 4"),
    "e.xlsx": (b"PK", "is no table"),
    "f g.csv": (ROWS.encode(), "rename it"),
    "h.jsonl": (b'{"id": 1', "is no JSON object"),
    "i.csv": ("id,n,c,t\n1,1,a,é\n".encode("latin-1"), "save the file as UTF-8"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_of_rows_is_refused_and_stores_nothing(
    workspace: Workspace, watched: Path, bring: Bring, name: str
) -> None:
    data, words = REFUSED[name]
    why = bring(workspace, write(watched / name, data))
    assert why is not None
    assert words in why
    assert workspace.store.batches.all() == []
    assert (watched / name).read_bytes() == data


def test_a_refused_file_is_read_again_when_it_changes(workspace: Workspace, watched: Path) -> None:
    path = write(watched / "a.csv", "id,n,c,t\n")
    look(workspace)
    assert set(refusals(workspace)) == {"batches/a.csv"}
    write(path, ROWS)
    look(workspace)
    assert refusals(workspace) == {}
    assert states(workspace) == {"a": "accepted"}


def test_a_refusal_goes_with_its_file(workspace: Workspace, watched: Path) -> None:
    path = write(watched / "a.csv", "")
    look(workspace)
    path.unlink()
    look(workspace)
    assert refusals(workspace) == {}


def test_a_batch_that_is_too_large_is_refused_with_its_limit(workspace: Workspace, watched: Path, bring: Bring) -> None:
    write(workspace.settings.workspace / "production.yaml", f"{SCHEMA}largest: 1 kB\n")
    path = write(watched / "a.csv", ROWS + "".join(f"{number},1,a,b,x\n" for number in range(10, 200)))
    why = bring(workspace, path)
    assert why is not None
    assert "and a batch may have 1 kB (`largest` in production.yaml)" in why
    assert workspace.store.batches.all() == []
    write(workspace.settings.workspace / "production.yaml", f"{SCHEMA}largest: 1 MB\n")
    assert bring(workspace, path) is None  # the limit changed, the file did not
    assert states(workspace) == {"a": "accepted"}


def test_a_batch_of_another_schema_is_quarantined_whole_with_reasons(
    workspace: Workspace, watched: Path, bring: Bring
) -> None:
    path = write(watched / "a.csv", "id,n,c,other\n1,abc,a,1\n2,2,z,2\n2,3,b,3\n")
    assert bring(workspace, path) is None
    batch = workspace.store.batches.get("a")
    assert (batch.state, batch.rows, batch.usable) == ("quarantined", 3, False)
    assert set(batch.reasons) == {
        "column 't': is missing, though the production schema names it",
        "column 'n': 1 of 3 rows must be a finite number, such as row 1: 'abc'",
        "column 'c': 1 of 3 rows must be one of a, b, such as row 2: 'z'",
        "column 'id': 2 of 3 rows must have a key of their own, such as row 2: '2' (also row 3)",
    }
    assert batch.notes == ("columns that the production schema does not name were left out: 'other'",)
    assert kept(workspace, "a")["n"] == [None, 2.0, 3.0]
    released = release(workspace, "a", person="Ada", why="one bad sensor")
    assert (released.state, released.usable, released.reasons) == ("released", True, batch.reasons)
    bring(workspace, path)
    assert states(workspace) == {"a": "released"}


def test_a_corrected_file_takes_the_place_of_a_quarantined_batch(
    workspace: Workspace, watched: Path, bring: Bring
) -> None:
    path = write(watched / "a.csv", ROWS.replace("1.5", "abc"))
    assert bring(workspace, path) is None
    assert states(workspace) == {"a": "quarantined"}
    write(path, ROWS, seconds=5)
    assert bring(workspace, path) is None
    batch = workspace.store.batches.get("a")
    assert (batch.state, batch.reasons) == ("accepted", ())
    assert kept(workspace, "a")["n"] == [1.5, 2.0, 3.0]


def test_a_corrected_schema_reads_quarantined_batches_again(workspace: Workspace, watched: Path) -> None:
    write(watched / "a.csv", ROWS.replace("1.5", "abc"))
    look(workspace)
    assert states(workspace) == {"a": "quarantined"}
    write(workspace.settings.workspace / "production.yaml", SCHEMA.replace("n: number", "n: text"), seconds=5)
    look(workspace)
    assert states(workspace) == {"a": "accepted"}
    assert kept(workspace, "a")["n"] == ["abc", "2", "3"]


def test_an_accepted_batch_never_changes(workspace: Workspace, watched: Path, bring: Bring) -> None:
    path = write(watched / "a.csv", ROWS)
    assert bring(workspace, path) is None
    before = workspace.store.batches.all()
    for text in (ROWS.replace("1.5", "9"), ROWS + "4,4,a,b,x\n", ROWS.replace("2,2,b,,y", "2,2,b,,x")):
        why = bring(workspace, write(path, text))
        assert why is not None
        assert "accepted batches never change" in why
        assert "a.labels.csv" in why
    assert workspace.store.batches.all() == before
    assert kept(workspace, "a")["n"] == [1.5, 2.0, 3.0]
    assert bring(workspace, write(path, ROWS)) is None
    assert refusals(workspace) == {}


@pytest.mark.parametrize("second", ["a.jsonl", "A.csv", "a"])
def test_two_sources_with_one_id_are_one_batch_and_one_refusal(
    workspace: Workspace, watched: Path, bring: Bring, second: str
) -> None:
    assert bring(workspace, write(watched / "a.csv", ROWS)) is None
    other = watched / second
    if second == "a":
        write(other / "x.csv", ROWS.replace("1.5", "9"))
    elif second == "a.jsonl":
        write(other, '{"id": 1, "n": 2, "c": "a", "t": "b"}\n')
    else:
        write(other, ROWS)
    why = bring(workspace, other)
    assert why is not None
    assert "batches/a.csv" in why
    assert "of its own" in why
    assert states(workspace) == {"a": "accepted"}
    assert kept(workspace, "a")["n"] == [1.5, 2.0, 3.0]


def test_the_same_rows_from_elsewhere_are_the_same_batch(workspace: Workspace, watched: Path, tmp_path: Path) -> None:
    import_batch(workspace, write(watched / "a.csv", ROWS))
    assert import_batch(workspace, write(tmp_path / "a.csv", ROWS)).said == "batch a unchanged"
    with pytest.raises(Conflict, match="holds other rows"):
        import_batch(workspace, write(tmp_path / "a.csv", ROWS.replace("1.5", "9")))


# -- while it is written ---------------------------------------------------------------------------


def test_a_file_that_is_still_written_waits(workspace: Workspace, watched: Path) -> None:
    path = write(watched / "a.csv", "id,n,c,t\n1,1", seconds=0)
    look(workspace)
    assert (states(workspace), refusals(workspace)) == ({}, {})
    write(path, ROWS)
    look(workspace)
    assert states(workspace) == {"a": "accepted"}


@pytest.mark.parametrize("name", [".a.csv", "a.csv.part", "a.csv.tmp", "a.csv.crdownload", "README.md"])
def test_unfinished_and_hidden_files_are_not_looked_at(workspace: Workspace, watched: Path, name: str) -> None:
    write(watched / name, "id,n")
    look(workspace)
    assert (states(workspace), refusals(workspace)) == ({}, {})


def test_a_folder_waits_until_two_looks_find_the_same(workspace: Workspace, watched: Path) -> None:
    write(watched / "a" / "1.csv", ROWS)
    looks = look_at_batches(workspace, {})
    assert set(looks) == {"a"}
    assert states(workspace) == {}
    write(watched / "a" / "2.csv", ROWS.replace("\n1,", "\n11,").replace("\n2,", "\n12,").replace("\n3,", "\n13,"))
    looks = look_at_batches(workspace, looks)
    assert states(workspace) == {}
    looks = look_at_batches(workspace, looks)
    assert looks == {}
    assert workspace.store.batches.get("a").rows == 6


def test_a_folder_waits_for_what_is_still_copied_into_it(workspace: Workspace, watched: Path) -> None:
    """Programs that copy write under a hidden name, or one that says so, and give the file its name at the end."""
    write(watched / "a" / "1.csv", ROWS)
    looks: dict[str, str] = {}
    for name, size in ((".2.csv.Xy12", 1), (".2.csv.Xy12", 2), ("3.csv.part", 1), ("3.csv.part", 2)):
        write(watched / "a" / name, b"x" * size)
        looks = look_at_batches(workspace, looks)
        assert states(workspace) == {}
    look_at_batches(workspace, looks)
    assert states(workspace) == {"a": "accepted"}
    assert workspace.store.batches.get("a").notes == ()


def test_what_is_left_out_of_a_folder_is_noted(workspace: Workspace, watched: Path) -> None:
    folder = watched / "a"
    for name in ("1.csv", "2.csv.gz", "more/3.csv", "README.md", ".hidden"):
        write(folder / name, ROWS)
    import_batch(workspace, folder)
    assert workspace.store.batches.get("a").notes == ("left out, as they are no tables: '2.csv.gz', 'more'",)


def test_an_empty_folder_is_being_filled(workspace: Workspace, watched: Path) -> None:
    (watched / "a").mkdir()
    look(workspace)
    assert (states(workspace), refusals(workspace)) == ({}, {})


def test_a_schema_that_is_still_written_keeps_batches_waiting(workspace: Workspace, watched: Path) -> None:
    write(watched / "a.csv", ROWS)
    write(workspace.settings.workspace / "production.yaml", SCHEMA, seconds=0)
    assert look_at_batches(workspace, {"x": "y"}) == {"x": "y"}
    assert states(workspace) == {}
    age(workspace.settings.workspace / "production.yaml")
    look(workspace)
    assert states(workspace) == {"a": "accepted"}


def test_a_file_that_cannot_be_read_now_is_tried_at_every_look(workspace: Workspace, watched: Path) -> None:
    path = watched / "a.csv"
    path.symlink_to(watched / "nowhere.bin")
    look(workspace)
    assert "tried again at every look" in refusals(workspace)["batches/nowhere.bin"]
    path.unlink()
    write(path, ROWS)
    look(workspace)
    assert refusals(workspace) == {}
    assert states(workspace) == {"a": "accepted"}


def test_batches_stay_when_their_folder_is_away(workspace: Workspace, watched: Path) -> None:
    write(watched / "a.csv", ROWS)
    look(workspace)
    shutil.move(watched, watched.with_name("elsewhere"))
    look(workspace)
    assert states(workspace) == {"a": "accepted"}
    assert "what came from it stays" in refusals(workspace)["batches/"]
    shutil.move(watched.with_name("elsewhere"), watched)
    look(workspace)
    assert refusals(workspace) == {}


def test_a_workspace_without_batches_is_left_alone(workspace: Workspace) -> None:
    assert look(workspace) == {}
    assert production_schema(workspace) is None
    assert scalar(workspace.store, "SELECT count(*) FROM audit") == 0
    assert not workspace.archive.folder.exists()


# -- labels and predictions ------------------------------------------------------------------------


def test_labels_join_their_batch_bit_by_bit(workspace: Workspace, watched: Path, bring: Bring) -> None:
    assert bring(workspace, write(watched / "a.csv", ROWS)) is None
    first = workspace.store.batches.get("a")
    labels = write(watched / "a.labels.csv", "id,label\n1,x\n3,\n")
    assert bring(workspace, labels) is None
    second = workspace.store.batches.get("a")
    assert (second.labelled, second.predicted, second.rows) == (1, 2, 3)
    assert second.digest != first.digest
    assert kept(workspace, "a")["@label"] == ["x", None, None]
    assert bring(workspace, write(labels, "id,label\n1,x\n3,y\n", seconds=5)) is None
    third = workspace.store.batches.get("a")
    assert third.labelled == 2
    assert third.updated_at >= second.updated_at
    assert kept(workspace, "a")["@label"] == ["x", None, "y"]
    assert bring(workspace, write(labels, "id,label\n1,x\n", seconds=4)) is None  # nothing of it is new
    assert workspace.store.batches.get("a") == third
    assert bring(workspace, watched / "a.csv") is None  # the rows themselves are as they were
    assert workspace.store.batches.get("a") == third


def test_predictions_join_with_their_scores(workspace: Workspace, watched: Path, bring: Bring) -> None:
    assert bring(workspace, write(watched / "a.csv", ROWS)) is None
    path = write(watched / "a.predictions.jsonl", '{"id": "3", "prediction": "x", "score:x": 0.5}\n')
    assert bring(workspace, path) is None
    batch = workspace.store.batches.get("a")
    assert (batch.predicted, batch.labelled) == (3, 0)
    assert kept(workspace, "a")["@prediction"] == ["x", "y", "x"]
    assert kept(workspace, "a")["score:x"] == [None, None, 0.5]


LABEL_FAULTS = {
    "unknown": ("id,label\n9,x\n", "column 'id': '9': must be the key of a row of its batch"),
    "doubled": ("id,label\n1,x\n1,y\n", "column 'id': '1': must not name a row twice with other values"),
    "keyless": ("id,label\n,x\n", "row 1, column 'id': '': must have a key"),
    "outside": ("id,label\n1,z\n", "must be one of the labels x, y"),
    "other column": ("id,truth\n1,x\n", "column 'label': the column is missing"),
    "no key column": ("row,label\n1,x\n", "column 'id': the column is missing"),
    "contradiction": ("id,label\n1,x\n2,x\n", "contradicts the label 'y' that key '2' has already"),
    "header": ("id,label\n", "holds no rows"),
}


@pytest.mark.parametrize("fault", LABEL_FAULTS)
def test_labels_that_do_not_fit_are_refused_whole(
    workspace: Workspace, watched: Path, bring: Bring, fault: str
) -> None:
    text, words = LABEL_FAULTS[fault]
    assert bring(workspace, write(watched / "a.csv", ROWS)) is None
    assert bring(workspace, write(watched / "a.labels.csv", "id,label\n2,y\n")) is None
    before = workspace.store.batches.get("a")
    why = bring(workspace, write(watched / "a.labels.csv", text, seconds=5))
    assert why is not None
    assert words in why
    assert workspace.store.batches.get("a") == before


def test_a_key_that_is_there_twice_with_one_label_is_no_fault(workspace: Workspace, watched: Path) -> None:
    import_batch(workspace, write(watched / "a.csv", ROWS))
    taken = import_batch(workspace, write(watched / "a.labels.csv", "id,label,note\n1,x,p\n1,x,q\n"))
    assert taken.said == "1 new labels joined to batch a"
    assert taken.notes == ("columns left out: 'note'",)


def test_labels_before_their_batch_wait_for_it(workspace: Workspace, watched: Path) -> None:
    labels = write(watched / "a.labels.csv", "id,label\n1,x\n")
    with pytest.raises(NotFound, match="there is no batch 'a' yet"):
        import_batch(workspace, labels)
    look(workspace)
    assert "are joined when it comes" in refusals(workspace)["batches/a.labels.csv"]
    write(watched / "a.csv", ROWS)
    look(workspace)
    assert refusals(workspace) == {}
    assert workspace.store.batches.get("a").labelled == 1


def test_labels_without_a_key_in_the_schema_say_what_to_do(workspace: Workspace, watched: Path, bring: Bring) -> None:
    write(workspace.settings.workspace / "production.yaml", "inputs: {n: number}\n")
    assert bring(workspace, write(watched / "a.csv", "n\n1\n")) is None
    why = bring(workspace, write(watched / "a.labels.csv", "id,label\n1,x\n"))
    assert why is not None
    assert "name its column as `key` in production.yaml" in why


def test_labels_are_joined_again_to_a_corrected_batch(workspace: Workspace, watched: Path) -> None:
    path = write(watched / "a.csv", ROWS.replace("1.5", "abc"))
    write(watched / "a.labels.csv", "id,label\n1,x\n")
    look(workspace)
    assert workspace.store.batches.get("a").labelled == 1
    write(path, ROWS, seconds=5)
    look(workspace)
    batch = workspace.store.batches.get("a")
    assert (batch.state, batch.labelled) == ("accepted", 1)
    assert kept(workspace, "a")["@label"] == ["x", None, None]


def test_a_corrected_batch_says_that_answers_from_elsewhere_are_needed_again(
    workspace: Workspace, watched: Path, tmp_path: Path
) -> None:
    path = write(watched / "a.csv", ROWS.replace("1.5", "abc"))
    look(workspace)
    labels = write(tmp_path / "a.labels.csv", "id,label\n1,x\n")
    import_batch(workspace, labels)
    write(path, ROWS, seconds=5)
    look(workspace)
    batch = workspace.store.batches.get("a")
    assert (batch.state, batch.labelled) == ("accepted", 0)
    assert any("bring again what was imported from elsewhere" in note for note in batch.notes)
    assert import_batch(workspace, labels).said == "1 new labels joined to batch a"


def test_later_predictions_outside_the_labels_are_noted(workspace: Workspace, watched: Path) -> None:
    import_batch(workspace, write(watched / "a.csv", ROWS))
    taken = import_batch(workspace, write(watched / "a.predictions.csv", "id,prediction\n3,z\n1,x\n"))
    assert taken.notes == ("1 row predicted what is none of the labels; kept as predicted",)
    assert kept(workspace, "a")["@prediction"] == ["x", "y", "z"]


@pytest.mark.parametrize("first", [ROWS, ROWS.replace("1.5", "abc")], ids=["accepted", "quarantined"])
def test_rows_that_are_gone_are_brought_back_from_their_file(workspace: Workspace, watched: Path, first: str) -> None:
    path = write(watched / "a.csv", first)
    labels = write(watched / "a.labels.csv", "id,label\n1,x\n")
    look(workspace)
    before = workspace.store.batches.get("a")
    shutil.rmtree(workspace.archive.folder / "rows")
    with pytest.raises(NotFound, match="import the batch again from its file"):
        kept(workspace, "a")
    if before.usable:
        with pytest.raises(Conflict, match="holds other rows"):
            import_batch(workspace, write(path, ROWS + "4,4,a,b,x\n"))
    import_batch(workspace, write(path, first))
    import_batch(workspace, labels)
    after = workspace.store.batches.get("a")
    assert (after.state, after.digest, after.labelled) == (before.state, before.digest, 1)
    assert kept(workspace, "a")["@label"] == ["x", None, None]


def test_a_label_for_a_doubled_key_is_refused(workspace: Workspace, watched: Path, bring: Bring) -> None:
    bring(workspace, write(watched / "a.csv", ROWS.replace("\n3,", "\n2,")))
    release(workspace, "a", person="Ada", why="known")
    why = bring(workspace, write(watched / "a.labels.csv", "id,label\n2,x\n"))
    assert why is not None
    assert "must name one row, and the batch has several with it" in why


# -- two at once -----------------------------------------------------------------------------------


@contextmanager
def meanwhile(workspace: Workspace, look_or_import: Callable[[Workspace], object]) -> Iterator[None]:
    """Let another thread read; the block happens between what it read and what it stores."""
    rows = workspace.archive.folder / "rows"
    before = set(rows.glob("*"))

    def work() -> None:
        other = Workspace.open(workspace.settings)
        try:
            look_or_import(other)
        finally:
            other.store.close()

    with ThreadPoolExecutor(1) as threads:
        with workspace.store.database.write():  # the other one waits for its turn to store
            working = threads.submit(work)
            until = time.monotonic() + 60
            while set(rows.glob("*")) == before and not working.done() and time.monotonic() < until:
                time.sleep(0.02)
            yield
        working.result(timeout=60)


def test_a_batch_that_is_imported_while_it_is_looked_at_is_no_refusal(workspace: Workspace, watched: Path) -> None:
    path = write(watched / "a.csv", ROWS)
    production_schema(workspace)
    with meanwhile(workspace, look):
        assert import_batch(workspace, path).said == "batch a accepted: 3 rows"
    assert (states(workspace), refusals(workspace)) == ({"a": "accepted"}, {})


def test_labels_and_predictions_that_come_at_once_are_both_joined(workspace: Workspace, watched: Path) -> None:
    import_batch(workspace, write(watched / "a.csv", ROWS))
    labels = write(watched / "a.labels.csv", "id,label\n1,x\n")
    with meanwhile(workspace, lambda other: import_batch(other, labels)):
        import_batch(workspace, write(watched / "a.predictions.csv", "id,prediction\n3,x\n"))
    batch = workspace.store.batches.get("a")
    assert (batch.predicted, batch.labelled) == (3, 1)


def test_of_two_first_batches_one_tells_the_schema(workspace: Workspace) -> None:
    folder = workspace.settings.workspace / "batches"
    first, second = write(folder / "a.csv", "n\n1\n"), write(folder / "b.csv", "m\n1\n")
    with meanwhile(workspace, lambda other: import_batch(other, second)):
        import_batch(workspace, first)
    assert states(workspace) == {"a": "accepted", "b": "quarantined"}
    assert scalar(workspace.store, "SELECT count(*) FROM production_schemas") == 1


# -- crashes ---------------------------------------------------------------------------------------


def test_rows_in_the_archive_alone_are_no_batch(workspace: Workspace, watched: Path) -> None:
    """What is left by a process that was killed between the archive and the database."""
    path, rows = write(watched / "a.csv", ROWS), workspace.archive.folder / "rows"
    production_schema(workspace)
    work = multiprocessing.get_context("forkserver").Process(target=_import, args=(workspace.settings, path))
    with workspace.store.database.write():  # the other process waits for its turn to store the batch
        work.start()
        until = time.monotonic() + 60
        while not (rows.is_dir() and list(rows.glob("*.parquet"))) and time.monotonic() < until:
            time.sleep(0.02)
        work.kill()
        work.join(timeout=60)
    assert len(list(rows.iterdir())) == 1
    assert (states(workspace), refusals(workspace)) == ({}, {})
    look(workspace)
    assert states(workspace) == {"a": "accepted"}
    assert len(list(rows.iterdir())) == 1


def _import(settings: Settings, path: Path) -> None:
    import_batch(Workspace.open(settings), path)


def test_an_archive_that_cannot_be_written_is_no_fault_of_the_batch(workspace: Workspace, watched: Path) -> None:
    path = write(watched / "a.csv", ROWS)
    workspace.archive.folder.parent.mkdir(parents=True, exist_ok=True)
    workspace.archive.folder.write_text("in the way")
    with pytest.raises(Unavailable, match="nothing was kept"):
        import_batch(workspace, path)
    with pytest.raises(Unavailable):
        look(workspace)
    workspace.archive.folder.unlink()
    look(workspace)
    assert states(workspace) == {"a": "accepted"}


def test_a_name_that_is_no_text_is_refused_and_stops_nothing(workspace: Workspace, watched: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(watched) + b"/\xff.csv"))
    write(odd, ROWS)
    age(write(watched / "folder" / odd.name, ROWS).parent)
    write(watched / "a.csv", ROWS)
    look(workspace)
    audit = scalar(workspace.store, "SELECT count(*) FROM audit")
    look(workspace)
    assert states(workspace) == {"a": "accepted"}
    assert set(refusals(workspace)) == {"batches/\\udcff.csv", "batches/folder"}
    assert all("rename it" in why for why in refusals(workspace).values())
    assert scalar(workspace.store, "SELECT count(*) FROM audit") == audit


def test_a_batch_that_is_not_there_cannot_be_imported(workspace: Workspace, watched: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no such file"):
        import_batch(workspace, watched / "a.csv")
