"""What batches are held against: a window of batches, or the table that a candidate was trained on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_regress.core.batch import QUARANTINED
from ml_regress.core.production import Window
from ml_regress.engine.references import kept_reference, reference_of, without_batch
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import InvalidInput, NotFound
from ml_regress.settings import Settings
from ml_regress_tests.kept_rows import bring, keep, muffin_schema, muffins, serve, write_reference
from ml_regress_tests.models import ConstantModel
from ml_regress_tests.scenario import write_workspace

MAY = replace(muffin_schema(), reference=Window("2026-05-01", "2026-06-01"))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """An empty workspace whose production schema is in force."""
    made = Workspace.open(Settings.load(write_workspace(tmp_path / "workspace"), {}))
    made.store.batches.freeze_schema(muffin_schema(), "test")
    yield made
    made.store.close()


def test_without_any_reference_it_is_said_how_to_name_one(workspace: Workspace) -> None:
    with pytest.raises(NotFound, match=r"`trained_on` in candidate\.yaml.*from and to in production\.yaml"):
        reference_of(workspace, muffin_schema())


def test_a_window_holds_the_usable_batches_that_begin_in_it(workspace: Workspace) -> None:
    frames = {
        day: muffins(30, seed) for seed, day in enumerate(["2026-04-30", "2026-05-01", "2026-05-31", "2026-06-01"])
    }
    for day, frame in frames.items():
        bring(workspace, day, frame)
    bring(workspace, "2026-05-02", muffins(30, 9), state=QUARANTINED)
    bring(workspace, "2026-05-03", muffins(30, 10), state=QUARANTINED)
    workspace.store.batches.release("2026-05-03", person="ada", why="known gap")
    found = reference_of(workspace, MAY)
    assert found.batches == ("2026-05-01", "2026-05-03", "2026-05-31")
    assert (found.rows, found.from_file, found.candidate) == (90, False, None)
    assert found.words == "batches from 2026-05-01 to before 2026-06-01"
    kept, notes = kept_reference(workspace, found)
    ears = np.concatenate([frames["2026-05-01"]["ears"], muffins(30, 10)["ears"], frames["2026-05-31"]["ears"]])
    np.testing.assert_array_equal(kept.numbers("ears"), ears)
    assert notes == ()
    assert found.path.is_file()


def test_a_window_needs_no_file_to_be_named(workspace: Workspace) -> None:
    first, second = (bring(workspace, day, muffins(30, 1)) for day in ("2026-05-01", "2026-05-02"))
    before = reference_of(workspace, MAY)
    for batch in (first, second):
        (workspace.archive.folder / "rows" / f"{batch.digest}.parquet").unlink(missing_ok=True)
    assert reference_of(workspace, MAY) == before
    with pytest.raises(NotFound, match="put the archive back"):
        kept_reference(workspace, before)


def test_a_window_of_one_batch_is_its_rows(workspace: Workspace) -> None:
    batch = bring(workspace, "2026-05-01", muffins(30, 1))
    found = reference_of(workspace, MAY)
    assert found.digest == batch.digest
    assert kept_reference(workspace, found)[0].rows == 30


def test_a_window_with_quarantined_batches_only_names_them(workspace: Workspace) -> None:
    bring(workspace, "2026-05-02", muffins(30, 9), state=QUARANTINED)
    with pytest.raises(NotFound, match="only quarantined ones begin in it: 2026-05-02; release one"):
        reference_of(workspace, MAY)
    empty = replace(MAY, reference=Window("2031-01-01"))
    with pytest.raises(NotFound, match="batches from 2031-01-01 on, and none begins in it"):
        reference_of(workspace, empty)


def test_a_batch_is_never_held_against_itself(workspace: Workspace) -> None:
    frames = {day: muffins(30, seed) for seed, day in enumerate(["2026-05-01", "2026-05-02", "2026-05-03"])}
    for day, frame in frames.items():
        bring(workspace, day, frame)
    found = reference_of(workspace, MAY)
    own = without_batch(workspace, found, "2026-05-02")
    assert own.batches == ("2026-05-01", "2026-05-03")
    assert own.words.endswith("without 2026-05-02 itself")
    expected = np.concatenate([frames["2026-05-01"]["ears"], frames["2026-05-03"]["ears"]])
    np.testing.assert_array_equal(kept_reference(workspace, own)[0].numbers("ears"), expected)
    assert without_batch(workspace, found, "2026-06-09") is found
    alone = reference_of(workspace, replace(MAY, reference=Window("2026-05-03")))
    with pytest.raises(NotFound, match="is the whole reference"):
        without_batch(workspace, alone, "2026-05-03")


def test_a_window_of_two_schemas_leaves_out_what_they_do_not_share(workspace: Workspace) -> None:
    older = muffin_schema({"ears": "integer?", "crumbs": "text?", "gone": "number?"})
    frame = pd.DataFrame({"ears": pd.array([1, None], "Int64"), "crumbs": ["a", "b"], "gone": [1.0, 2.0]})
    bring(workspace, "2026-05-01", frame, older)
    newer = muffins(2, 1).assign(**{"@prediction": pd.array([1, 0], "Int64")})
    bring(workspace, "2026-05-02", newer)
    kept, notes = kept_reference(workspace, reference_of(workspace, MAY))
    assert kept.names == ("ears", "@prediction")
    assert kept.type_of("ears") == "number"
    np.testing.assert_array_equal(kept.numbers("ears"), [1.0, np.nan, *newer["ears"]])
    assert kept.column("@prediction").to_pylist() == [None, None, 1, 0]
    assert notes == ("left out of the reference, for not all of its batches have them alike: crumbs, kind",)
    # The note is there as well when the rows are put together already.
    assert kept_reference(workspace, reference_of(workspace, MAY))[1] == notes


def test_a_column_keeps_its_types_in_a_window(workspace: Workspace) -> None:
    types = {"n": "integer", "b": "boolean?", "t": "text?"}
    frame = pd.DataFrame({"n": [2**62 + 1, 3], "b": pd.array([True, None], "boolean"), "t": ["007", None]})
    schema = muffin_schema(types)
    bring(workspace, "2026-05-01", frame, schema)
    bring(workspace, "2026-05-02", frame, schema)
    kept, _ = kept_reference(workspace, reference_of(workspace, replace(schema, reference=Window("2026-05-01"))))
    assert kept.column("n").to_pylist() == [2**62 + 1, 3] * 2
    assert kept.column("b").to_pylist() == [True, None] * 2
    assert kept.column("t").to_pylist() == ["007", None] * 2


def test_the_reference_is_what_production_was_trained_on(workspace: Workspace) -> None:
    folder = workspace.settings.workspace
    first = write_reference(folder, muffins(40, 1).assign(label=[0, 1] * 20))
    second = write_reference(folder, muffins(50, 2), "reference/q2.csv")
    serve(workspace, "first", ConstantModel(1), trained_on=first)
    serve(workspace, "second", ConstantModel(1), production=False, trained_on=second, created_at="2026-07-01T00:00:00Z")
    found = reference_of(workspace, muffin_schema())
    assert (found.candidate, found.rows, found.from_file) == ("first", 40, True)
    assert found.words == "what first was trained on (reference/q1.csv)"
    kept, notes = kept_reference(workspace, found)
    assert kept.levels("@label") == ({"0": 20, "1": 20}, 0)
    assert notes == ()


def test_without_one_in_production_it_is_the_data_of_the_newest_candidate_which_is_said(workspace: Workspace) -> None:
    folder = workspace.settings.workspace
    serve(workspace, "first", ConstantModel(1))
    for name, month in (("second", "07"), ("third", "08")):
        given = write_reference(folder, muffins(40, int(month)), f"reference/{name}.csv")
        serve(
            workspace,
            name,
            ConstantModel(1),
            production=False,
            trained_on=given,
            created_at=f"2026-{month}-01T00:00:00Z",
        )
    found = reference_of(workspace, muffin_schema())
    assert found.candidate == "third"
    assert "the newest candidate that names its data" in found.words


def test_a_reference_file_that_is_gone_says_whose_it_is_and_what_to_do(workspace: Workspace) -> None:
    given = write_reference(workspace.settings.workspace, muffins(40, 1))
    serve(workspace, "first", ConstantModel(1), trained_on=given)
    (workspace.settings.workspace / given).unlink()
    with pytest.raises(InvalidInput, match="there is no such file") as raised:
        reference_of(workspace, muffin_schema())
    assert "what first was trained on (reference/q1.csv), which batches are held against: put" in str(raised.value)


def test_what_a_reference_file_lacks_or_breaks_is_said(workspace: Workspace) -> None:
    frame = muffins(40, 1).drop(columns="kind").astype({"ears": object})
    frame.loc[3, "ears"] = "many"
    given = write_reference(workspace.settings.workspace, frame)
    serve(workspace, "first", ConstantModel(1), trained_on=given)
    found = reference_of(workspace, muffin_schema())
    assert found.absent == {"kind"}
    said = " ".join(found.notes)
    assert "'kind'" in said and "'ears'" in said and "'many'" in said


def test_kept_rows_by_hand_are_kept_rows(workspace: Workspace) -> None:
    digest = keep(workspace, muffins(5, 1), muffin_schema())
    assert keep(workspace, muffins(5, 1), muffin_schema()) == digest
