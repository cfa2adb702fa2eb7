"""`ml-regress proposals`: what waits, and what a person says of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from ml_regress.core.batch import ACCEPTED, Batch
from ml_regress.core.outlier_result import CoveredCluster, OutlierReport
from ml_regress.core.proposal import Proposal
from ml_regress.engine.workspace import Workspace
from ml_regress.settings import Settings
from ml_regress_tests.models import ConstantModel
from ml_regress_tests.scenario import row, write_candidate, write_problem, write_workspace
from ml_regress_tests.test_cli import done, refused, run, said_as_json


def proposal(name: str, ears: float, **changes: Any) -> Proposal:
    given: dict[str, Any] = {"problem": "muffin", "inputs": {"ears": ears, "crumbs": 2.0}, "why": f"ears {ears}"}
    return Proposal(name, **{**given, **changes})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with a problem, a candidate and three proposals."""
    made = write_workspace(tmp_path / "workspace")
    write_problem(made, "muffin", [row("known", 7.0)])
    write_candidate(made, "first", ConstantModel("muffin"))
    done(made, "import", made)
    done(made, "evaluate")
    workspace = Workspace.open(Settings.load(made))
    given = [
        proposal("odd-1", 1.0, expected="muffin", cause="confident error"),
        proposal("odd-2", 2.0, suggested="chihuahua", cause="outlier"),
        proposal("new-1", 3.0, problem="strange", problem_title="Unusual [rows]"),
    ]
    workspace.store.proposals.add(given, actor="test")
    workspace.store.close()
    return made


def test_waiting_proposals_are_listed_with_what_they_expect(folder: Path) -> None:
    said = done(folder, "proposals", "list")
    assert "confident error" in said
    assert "? (chihuahua?)" in said
    assert "proposed problem strange: Unusual [rows]" in said
    assert [each["id"] for each in said_as_json(folder, "proposals", "list")] == ["new-1", "odd-1", "odd-2"]
    assert [each["id"] for each in said_as_json(folder, "proposals", "list", "--problem", "strange")] == ["new-1"]
    assert "no batch 'july'; there are none" in refused(folder, "proposals", "list", "--batch", "july")
    assert "no problem 'mufin'; there are muffin, strange" in refused(folder, "proposals", "list", "--problem", "mufin")


def test_one_is_shown_whole_and_an_unknown_one_is_refused_with_those_near(folder: Path) -> None:
    said = done(folder, "proposals", "show", "odd-2")
    assert "suggested: chihuahua" in said
    assert "  ears: 2.0" in said
    assert "waiting are odd-2" in refused(folder, "proposals", "show", "od-2")
    assert "no proposal" in refused(folder, "proposals", "show", "half \udcff")


def test_several_are_accepted_in_one_command_and_measured_next(folder: Path) -> None:
    said = done(folder, "proposals", "accept", "odd-1", "odd-2", "--expected", "muffin", "--by", "ada")
    assert "muffin: odd-1, odd-2 active now" in said
    assert said_as_json(folder, "evaluate")["cells"] == 1
    (cell,) = said_as_json(folder, "matrix")["cells"]
    assert (cell["passes"], cell["answered"]) == (3, 3)
    again = refused(folder, "proposals", "accept", "odd-1", "--by", "bob")
    assert "odd-1 was accepted by ada" in again


def test_accepting_without_an_expectation_says_what_to_do(folder: Path) -> None:
    said = refused(folder, "proposals", "accept", "odd-2", "--by", "ada")
    assert "the evidence suggests 'chihuahua'" in said
    assert "say it with --expected" in said
    assert run(folder, "proposals", "accept", "odd-2").exit_code == 2


def test_an_edit_is_shown_and_kept(folder: Path) -> None:
    done(folder, "proposals", "edit", "odd-2", "--expected", "chihuahua", "--input", "ears=-4.5", "--by", "ada")
    shown = said_as_json(folder, "proposals", "show", "odd-2")
    assert (shown["expected"], shown["inputs"]["ears"]) == ("chihuahua", -4.5)
    assert "must be NAME=VALUE" in refused(folder, "proposals", "edit", "odd-2", "--input", "ears", "--by", "ada")


def test_a_rejected_proposal_is_listed_among_the_rejected_with_its_reason(folder: Path) -> None:
    done(folder, "proposals", "reject", "odd-1", "odd-2", "--why", "a test drive", "--by", "ada")
    found = json.loads(done(folder, "proposals", "list", "--state", "rejected", "--json"))
    assert [each["id"] for each in found] == ["odd-1", "odd-2"]
    assert {each["decided_why"] for each in found} == {"a test drive"}
    assert "rejected" in done(folder, "proposals", "list", "--state", "all")


def test_an_empty_list_says_so(folder: Path) -> None:
    done(folder, "proposals", "reject", "odd-1", "odd-2", "new-1", "--why", "no", "--by", "ada")
    assert done(folder, "proposals", "list").strip() == "no proposal waits"
    assert done(folder, "proposals", "list", "--state", "accepted").strip() == "no proposals"


def test_coverage_says_which_kinds_of_rows_no_pattern_is_near(folder: Path) -> None:
    assert "no batch was checked yet" in done(folder, "coverage")
    workspace = Workspace.open(Settings.load(folder))
    moment = "2026-07-01T00:00:00.000Z"
    workspace.store.batches.accept(Batch("july", ACCEPTED, "0" * 64, "0" * 64, 100, moment, moment, "july.csv", moment))
    kinds = (
        CoveredCluster(1, 75, 3, {"ears": 7.0, "crumbs": 1.0}, "muffin", "known", 0.5, 0.0, 0.0),
        CoveredCluster(2, 25, 4, {"ears": 70.0, "crumbs": 1.0}, "muffin", "known", 31.0, 1.0, 1.0),
    )
    workspace.store.drift.keep_outliers(OutlierReport("july", "question", 100, clusters=kinds, checked_at=moment))
    workspace.store.close()
    rows = said_as_json(folder, "coverage")
    assert [(row["rows"], row["share"], row["covered"]) for row in rows] == [(25, 0.25, False), (75, 0.75, True)]
    said = done(folder, "coverage", "--batches", "1")
    assert "muffin/known" in said
    assert "1 of 2 kinds of rows have no pattern near them" in said
