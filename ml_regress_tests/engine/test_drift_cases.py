"""Cases that other programs stumbled over, from their CSV files to the state of the column."""

from pathlib import Path

import numpy as np
import pytest

from ml_regress.core.drift import compare_numbers, judged
from ml_regress.core.drift_result import DRIFT, NO_DRIFT, NOT_ENOUGH, ColumnDrift
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.production import DriftRules, ProductionSchema
from ml_regress.core.profile import profile_numbers
from ml_regress.engine.profiles import compare_kept, reference_profile
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import InvalidInput
from ml_regress.intake.kept import Kept
from ml_regress.intake.kept_table import write_kept

CASES = Path(__file__).parent.parent / "core" / "data" / "drift_cases"
RULES = DriftRules()


def compared(
    workspace: Workspace, case: str, reference: str, production: str, types: dict[str, str], folder: Path
) -> dict[str, ColumnDrift]:
    schema = ProductionSchema(parse_input_types(types))
    sides = []
    for name in (reference, production):
        table = write_kept([CASES / case / name], schema, folder / f"{name}.parquet")
        assert table.sound, table.reasons
        sides.append((table.digest, Kept(folder / f"{name}.parquet")))
    (digest, before), (_, now) = sides
    columns = [(name, before.kind(name)) for name in types]
    profiles = reference_profile(workspace, digest, before, columns)
    found = judged(compare_kept(profiles, now, columns, RULES), RULES)
    return {each.column: each for each in found}


def psi_case(workspace: Workspace, reference: str, production: str, folder: Path) -> ColumnDrift:
    return compared(workspace, "17-psi-empty-bins", reference, production, {"x": "number"}, folder)["x"]


def test_an_empty_bin_gives_a_large_psi_that_is_finite(workspace: Workspace, tmp_path: Path) -> None:
    found = psi_case(workspace, "reference.csv", "production_a_empty_bin.csv", tmp_path)
    assert found.state == DRIFT
    assert found.psi is not None
    # (1/3 - 1e-4) ln((1/3) / 1e-4) for the level that is gone, twice (1/6) ln(1.5) for the others.
    assert found.psi == pytest.approx((1 / 3 - 1e-4) * np.log(1e4 / 3) + 2 * np.log(1.5) / 6)
    assert found.psi_critical is not None
    assert found.psi > found.psi_critical


def test_rows_outside_the_reference_are_counted_and_alarm(workspace: Workspace, tmp_path: Path) -> None:
    found = psi_case(workspace, "reference.csv", "production_b_outside.csv", tmp_path)
    assert found.state == DRIFT
    assert found.outside == 30
    assert found.psi is not None
    assert np.isfinite(found.psi)
    assert found.js == pytest.approx(1)
    assert found.shape["current"][-1] == pytest.approx(1)


def test_bins_of_ties_are_merged(workspace: Workspace, tmp_path: Path) -> None:
    found = psi_case(workspace, "reference_c_ties.csv", "reference_c_ties.csv", tmp_path)
    assert (found.state, found.psi) == (NO_DRIFT, 0.0)
    assert psi_case(workspace, "reference_c_ties.csv", "production_b_outside.csv", tmp_path).state == DRIFT


def test_no_rows_are_refused_on_the_way_in_and_are_no_data_in_a_comparison(tmp_path: Path) -> None:
    schema = ProductionSchema(parse_input_types({"x": "number"}))
    with pytest.raises(InvalidInput, match="no rows"):
        write_kept([CASES / "17-psi-empty-bins" / "production_d_no_rows.csv"], schema, tmp_path / "rows.parquet")
    profile = profile_numbers("x", np.array([1, 1, 2, 2, 3, 3] * 10))
    (found,) = judged([compare_numbers(profile, np.array([]), 0.1)], RULES)
    assert found.state == NOT_ENOUGH
    assert found.reason.startswith("no data")
    assert (found.values, found.psi, found.psi_critical, found.js, found.means) == (None, None, None, None, None)


@pytest.mark.parametrize("types", [{"flag": "text", "always": "text"}, {"flag": "integer", "always": "text"}])
def test_a_constant_column_drifts_only_when_it_changed(
    workspace: Workspace, types: dict[str, str], tmp_path: Path
) -> None:
    case = "18-constant-column"
    same = compared(workspace, case, "reference.csv", "production_same_10_rows.csv", types, tmp_path)
    for found in same.values():
        assert found.state == NO_DRIFT
        assert found.values is not None
        assert (found.values.size, found.values.p) == (0.0, 1.0)
    changed = compared(workspace, case, "reference.csv", "production_changed.csv", types, tmp_path)
    assert (changed["flag"].state, changed["always"].state) == (DRIFT, NO_DRIFT)
    assert changed["flag"].values is not None
    assert changed["flag"].values.p < 1e-20


def test_numbers_texts_and_gaps_in_one_column_are_levels_as_text(workspace: Workspace, tmp_path: Path) -> None:
    case = "31-mixed-text-and-missing"
    found = compared(workspace, case, "reference.csv", "production.csv", {"parent": "text?"}, tmp_path)["parent"]
    assert found.state == NO_DRIFT
    assert dict(found.new_levels) == {"1.0": 1, "SA1": 1}
    assert dict(found.vanished) == {"1": 1, "2": 1}
    assert (found.missing_reference, found.missing_current) == (1, 1)


def test_booleans_are_levels_however_they_are_written(workspace: Workspace, tmp_path: Path) -> None:
    found = compared(workspace, "34-booleans", "reference.csv", "production.csv", {"insured": "boolean?"}, tmp_path)
    insured = found["insured"]
    assert insured.kind == "category"
    assert insured.new_levels == ()
    assert insured.shape["levels"] == ["true", "false"]
    assert (insured.current, insured.missing_current) == (45, 15)
    assert insured.state == DRIFT
    assert insured.reason.startswith("25.0% missing, 0.0% in the reference")
