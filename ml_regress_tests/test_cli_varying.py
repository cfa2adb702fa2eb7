"""`ml-regress vary`: from one pattern to neighbours that wait for a person."""

from pathlib import Path

import pytest

from ml_regress_tests.scenario import write_problem, write_workspace
from ml_regress_tests.test_cli import done, no_environment, refused, run, said_as_json

__all__ = ["no_environment"]  # a fixture that holds for every test here, too

INPUTS = {"temp": "number", "airport": "category(EWR, JFK, LGA)", "subject": "text"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with a problem of flights."""
    made = write_workspace(tmp_path / "workspace")
    rows = [
        {"pattern_id": f"p{n}", "temp": 10 + n, "airport": "EWR", "subject": f"Flight {n} is late", "expected": "late"}
        for n in range(3)
    ]
    write_problem(made, "flights", rows, inputs=INPUTS, labels=["late", "ontime"])
    done(made, "import", made)
    return made


def test_neighbours_are_printed_with_what_was_varied_and_what_to_do_next(folder: Path) -> None:
    said = done(folder, "vary", "flights/p1")
    assert "10 neighbours of flights/p1 are proposed, where answer equals late" in said
    assert "airport EWR became" in said
    assert "? (its parent: late)" in said
    assert "ml-regress proposals list" in said
    assert len(said_as_json(folder, "proposals", "list")) == 10
    again = done(folder, "vary", "p1")
    assert "10 were proposed before; --seed gives others" in again
    assert "none of them is new" in again


def test_every_option_reaches_the_neighbours(folder: Path) -> None:
    options = ("--problem", "flights", "--count", 4, "--only", "temp", "--only", "airport", "--seed", 3)
    said = said_as_json(folder, "vary", "p0", *options)
    assert (said["parent"], len(said["proposals"]), said["known"]) == ("flights/p0", 4, 0)
    assert all(each["varied"].startswith(("temp ", "airport ")) for each in said["proposals"])
    assert said["proposals"] != said_as_json(folder, "vary", "p0", *options[:-1], 4)["proposals"]


def test_a_proposal_is_measured_once_it_is_accepted(folder: Path) -> None:
    said = said_as_json(folder, "vary", "p0", "--count", 1, "--only", "airport")
    (made,) = said["proposals"]
    assert made["expected"] is None
    assert [each["id"] for each in said_as_json(folder, "patterns", "flights")] == ["p0", "p1", "p2"]
    done(folder, "proposals", "accept", made["id"], "--expected", "ontime", "--by", "Ada")
    (new,) = (each for each in said_as_json(folder, "patterns", "flights") if each["id"] == made["id"])
    assert (new["parent"], new["expected"], new["origin"]) == ("p0", "ontime", "contrived")


def test_wrong_names_and_numbers_are_refused(folder: Path) -> None:
    assert "do you mean flights/p0" in refused(folder, "vary", "p00")
    assert "use temp, airport, subject" in refused(folder, "vary", "p0", "--only", "tmp")
    assert "there are flights" in refused(folder, "vary", "p0", "--problem", "fights")
    for count in (0, 101, "many"):
        assert run(folder, "vary", "p0", "--count", str(count)).exit_code == 2
    assert run(folder, "vary", "p0", "--seed", "-1").exit_code == 2


def test_a_text_with_brackets_is_printed_as_it_is(folder: Path) -> None:
    rows = [{"pattern_id": "b", "said": "[bold]x", "expected": "late"}]
    write_problem(folder, "texts", rows, inputs={"said": "text"}, labels=[])
    done(folder, "import", folder / "problems" / "texts.yaml")
    assert "'said'" in done(folder, "vary", "texts/b")
