"""`ml-regress problem`: from an exported table to measured patterns, without touching a file by hand."""

import json
from pathlib import Path

import pandas as pd
import pytest

from ml_regress_tests.models import ConstantModel
from ml_regress_tests.scenario import write_candidate, write_workspace
from ml_regress_tests.test_cli import done, refused, run, said_as_json


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with a candidate that answers muffin to everything."""
    made = write_workspace(tmp_path / "workspace")
    write_candidate(made, "first", ConstantModel("muffin"))
    done(made, "import", made / "candidates" / "first")
    return made


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """What a client complained about: ten dogs taken for cake, beside twenty cakes."""
    rows = [
        {"ticket": f"T/{n}", "ears": ears, "weight": f"{n},5", "truth": truth, "model": "muffin"}
        for n, (ears, truth) in enumerate([(2, "dog")] * 10 + [(0, "muffin")] * 20)
    ]
    path = tmp_path / "complaint.csv"
    pd.DataFrame(rows).to_csv(path, sep=";", index=False)
    return path


NAMES = ("--expected", "truth", "--predicted", "model", "--key", "ticket", "--candidate", "first")


def test_a_complaint_becomes_a_problem_that_is_measured_once_it_is_accepted(folder: Path, table: Path) -> None:
    said = done(folder, "problem", "from-failures", table, *NAMES)
    assert "proposed complaint: 10 failures of first in 30 rows" in said
    assert "ears: integer" in said
    assert "weight: number" in said
    assert "the comma is read as the decimal mark" in said
    assert "ml-regress problem accept complaint" in said
    assert said_as_json(folder, "evaluate")["cells"] == 0
    assert "unchanged; patterns: 0 added, 0 changed" in done(folder, "import", folder / "problems" / "complaint.yaml")
    assert "12 patterns are active now" in done(folder, "problem", "accept", "complaint")
    assert said_as_json(folder, "evaluate")["cells"] == 1
    (cell,) = said_as_json(folder, "matrix")["cells"]
    assert (cell["problem"], cell["passes"], cell["answered"]) == ("complaint", 4, 12)


def test_a_proposed_problem_is_listed_and_stands_in_no_matrix_or_report(folder: Path, table: Path) -> None:
    done(folder, "problem", "from-failures", table, *NAMES)
    (listed,) = said_as_json(folder, "problems")["problems"]
    assert (listed["id"], listed["patterns"], listed["suite"]) == ("complaint", 0, None)
    assert said_as_json(folder, "matrix")["cells"] == []
    assert "complaint" not in done(folder, "matrix")
    assert Path(done(folder, "report").strip()).is_file()
    assert "no problem or benchmark 'complaint'" in refused(folder, "why", "first|complaint")


def test_every_option_reaches_the_proposal(folder: Path, table: Path, tmp_path: Path) -> None:
    options = ("--id", "dogs", "--title", "Dogs", "--patterns", 10, "--to", tmp_path / "new", "--input", "ears=text")
    form = ("--delimiter", ";", "--encoding", "utf-8", "--decimal", ",")
    said = said_as_json(folder, "problem", "from-failures", table, *NAMES, *options, *form)
    assert said["inputs"] == {"ears": "text", "weight": "number"}
    assert (said["problem"], said["answer"], len(said["patterns"])) == ("dogs", "text", 10)
    assert said["files"] == [str(tmp_path / "new" / "dogs.yaml"), str(tmp_path / "new" / "dogs.csv")]
    assert {each["polarity"]: each["selected_on"] for each in said["patterns"]} == {
        "positive": ["first"],
        "negative": [],
    }
    assert said_as_json(folder, "problems")["problems"][0]["title"] == "Dogs"


def test_numbers_dates_and_a_problem_to_take_types_from(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("day,expected,predicted\n" + "".join(f"0{n}/04/2026,10.5,1{n}.5\n" for n in range(1, 8)))
    rest = ("--candidate", "first", "--tolerance", 2)
    assert "no other row decides; say `--dates DD/MM/YYYY`" in refused(folder, "problem", "from-failures", path, *rest)
    said = said_as_json(folder, "problem", "from-failures", path, *rest, "--dates", "DD/MM/YYYY")
    assert said["inputs"] == {"day": "date"}
    assert said["failures"] == 5
    again = ("--dates", "DD/MM/YYYY", "--id", "again", "--like", "prices")
    assert said_as_json(folder, "problem", "from-failures", path, *rest, *again)["answer"] == "number"
    whole = ("--dates", "DD/MM/YYYY", "--id", "whole", "--answer", "integer")
    assert "must be a whole number" in refused(folder, "problem", "from-failures", path, *rest, *whole)


def test_what_is_refused_leaves_nothing(folder: Path, table: Path) -> None:
    assert "name it with --expected" in refused(folder, "problem", "from-failures", table, "--candidate", "first")
    assert "No candidate is production" in refused(folder, "problem", "from-failures", table)
    wrong = ("--input", "ears", "--candidate", "first")
    assert "must be NAME=TYPE" in refused(folder, "problem", "from-failures", table, *wrong)
    assert "table.decimal" in refused(folder, "problem", "from-failures", table, *NAMES, "--decimal", ";")
    assert run(folder, "problem", "from-failures", table, *NAMES, "--patterns", "3").exit_code == 2
    assert list((folder / "problems").iterdir()) == []
    assert said_as_json(folder, "problems")["problems"] == []


def test_patterns_are_accepted_by_name_or_all(folder: Path, table: Path) -> None:
    done(folder, "problem", "from-failures", table, *NAMES)
    first = json.loads(done(folder, "patterns", "complaint", "--json"))[0]["id"]
    assert said_as_json(folder, "problem", "accept", "complaint", first)["accepted"] == [first]
    assert "11 patterns are active now" in done(folder, "problem", "accept", "complaint")
    assert "none was proposed" in done(folder, "problem", "accept", "complaint")
    assert "no problem 'complain'; there are complaint" in refused(folder, "problem", "accept", "complain")
    assert "has no pattern 'nobody'" in refused(folder, "problem", "accept", "complaint", "nobody")
