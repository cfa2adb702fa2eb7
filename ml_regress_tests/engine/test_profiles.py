import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_regress.core.drift import compare_levels, compare_numbers, judged
from ml_regress.core.drift_result import NOT_COMPARED
from ml_regress.core.production import DriftRules
from ml_regress.core.profile import profile_levels, profile_numbers
from ml_regress.engine.profiles import compare_kept, reference_profile
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import NotFound
from ml_regress.intake.kept import Kept

COLUMNS = [("weight", "number"), ("legs", "number"), ("empty", "number"), ("breed", "category"), ("fluffy", "category")]
DIGEST = "d1" * 32


def rows(seed: int, count: int, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    weight = rng.normal(shift, 1, count)
    weight[:5] = np.nan
    return pd.DataFrame(
        {
            "weight": weight,
            "legs": rng.poisson(4, count),
            "empty": np.full(count, np.nan),
            "breed": rng.choice(["pug", "poodle", None], count, p=[0.5, 0.4, 0.1]),
            "fluffy": rng.random(count) < 0.5,
        }
    )


def kept_rows(path: Path, frame: pd.DataFrame) -> Kept:
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, row_group_size=1000)
    return Kept(path)


@pytest.fixture
def reference(tmp_path: Path) -> Kept:
    return kept_rows(tmp_path / "reference.parquet", rows(1, 3000))


def test_a_stored_profile_compares_as_a_fresh_one(workspace: Workspace, reference: Kept, tmp_path: Path) -> None:
    frame = rows(2, 2500, shift=0.3)
    batch = kept_rows(tmp_path / "batch.parquet", frame)
    stored = reference_profile(workspace, DIGEST, reference, COLUMNS)
    rules = DriftRules()
    found = judged(compare_kept(stored, batch, COLUMNS, rules), rules)
    by_hand = [
        compare_numbers(profile_numbers(name, reference.numbers(name)), frame[name].to_numpy(), 0.1)
        for name in ("weight", "legs", "empty")
    ]
    by_hand += [
        compare_levels(profile_levels(name, *reference.levels(name)), *batch.levels(name), 0.1)
        for name in ("breed", "fluffy")
    ]
    assert found == judged(by_hand, rules)
    assert [each.column for each in found if each.drifts] == ["weight"]


def test_a_profile_is_made_once(workspace: Workspace, reference: Kept) -> None:
    first = reference_profile(workspace, DIGEST, reference, COLUMNS)
    reference.path.unlink()
    again = reference_profile(workspace, DIGEST, reference, COLUMNS)
    assert list(again) == list(first) == [name for name, _ in COLUMNS]
    assert np.array_equal(first["weight"].values, again["weight"].values)  # type: ignore[union-attr]
    assert [each.name for each in workspace.archive.folder.iterdir() if each.name.startswith(".")] == []


def test_other_rows_or_other_columns_have_a_profile_of_their_own(workspace: Workspace, reference: Kept) -> None:
    reference_profile(workspace, DIGEST, reference, COLUMNS)
    assert list(reference_profile(workspace, DIGEST, reference, COLUMNS[:1])) == ["weight"]
    as_levels = reference_profile(workspace, DIGEST, reference, [("legs", "category")])
    assert as_levels["legs"].levels[0] in ("3", "4")  # type: ignore[union-attr]
    reference_profile(workspace, "d2" * 32, reference, COLUMNS)
    assert len(list((workspace.archive.folder / "profiles").iterdir())) == 4


@pytest.mark.parametrize("lost", ["arrays.f8", "profile.json"])
def test_a_profile_that_lost_a_part_is_made_again(workspace: Workspace, reference: Kept, lost: str) -> None:
    first = reference_profile(workspace, DIGEST, reference, COLUMNS)
    values = np.array(first["weight"].values)  # type: ignore[union-attr]
    for path in (workspace.archive.folder / "profiles").rglob(lost):
        path.write_bytes(path.read_bytes()[:100])
    again = reference_profile(workspace, DIGEST, reference, COLUMNS)
    assert np.array_equal(again["weight"].values, values)  # type: ignore[union-attr]


def test_a_profile_holds_no_pickle(workspace: Workspace, reference: Kept) -> None:
    reference_profile(workspace, DIGEST, reference, COLUMNS)
    files = {path.name: path for path in (workspace.archive.folder / "profiles").rglob("*") if path.is_file()}
    assert set(files) == {"arrays.f8", "profile.json"}
    json.loads(files["profile.json"].read_text())


def test_a_profile_of_no_numbers_at_all_can_be_kept(workspace: Workspace, reference: Kept) -> None:
    for columns in ([], [("breed", "category")], [("empty", "number")]):
        for _ in range(2):
            assert list(reference_profile(workspace, DIGEST, reference, columns)) == [name for name, _ in columns]


def test_a_column_that_the_reference_lacks_is_refused_and_nothing_is_kept(
    workspace: Workspace, reference: Kept
) -> None:
    with pytest.raises(NotFound, match="wings"):
        reference_profile(workspace, DIGEST, reference, [("wings", "number")])
    assert not list(workspace.archive.folder.rglob("*.json"))


def test_columns_that_cannot_be_compared_say_why(workspace: Workspace, reference: Kept, tmp_path: Path) -> None:
    stored = reference_profile(workspace, DIGEST, reference, COLUMNS)
    batch = kept_rows(tmp_path / "batch.parquet", rows(2, 500).drop(columns="legs").assign(weight="heavy"))
    rules = DriftRules(ignored=("breed",))
    asked = [*COLUMNS, ("wings", "number")]
    found = {each.column: each for each in judged(compare_kept(stored, batch, asked, rules), rules)}
    assert list(found) == [name for name, _ in asked]
    assert {name for name, each in found.items() if each.state == NOT_COMPARED} == {"weight", "legs", "breed", "wings"}
    assert found["breed"].reason == "is ignored: `drift.ignore` of production.yaml names it"
    assert found["legs"].reason == "the batch has no such column"
    assert found["wings"].reason == "the reference has no such column"


def test_two_threads_find_what_one_does(workspace: Workspace, tmp_path: Path) -> None:
    reference = kept_rows(tmp_path / "reference.parquet", rows(1, 30_000))
    batch = kept_rows(tmp_path / "batch.parquet", rows(2, 25_000, shift=0.2))
    rules = DriftRules(columns={"legs": 0.01})
    stored = reference_profile(workspace, DIGEST, reference, COLUMNS)
    one, two = (judged(compare_kept(stored, batch, COLUMNS, rules, threads=threads), rules) for threads in (1, 2))
    assert one == two
    assert one[1].values is not None
    assert one[1].values.limit == 0.01
