"""`ml-regress rate` and `ratings`: what users thought of answers, from a shell."""

import json
from pathlib import Path

import pytest

from ml_regress_tests.models import ConstantModel
from ml_regress_tests.scenario import row, write_candidate, write_problem, write_workspace
from ml_regress_tests.test_cli import done, no_environment, refused, run, said_as_json

__all__ = ["no_environment"]  # a fixture that holds for every test here, too

ASKED = ("--input", "ears=2", "--input", "crumbs=0", "--prediction", "muffin")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with a problem and two candidates, none of them in production."""
    made = write_workspace(tmp_path / "workspace")
    write_problem(made, rows=[row("dog", 2, "chihuahua")])
    for name in ("first", "second"):
        write_candidate(made, name, ConstantModel("muffin"))
    done(made, "import", made)
    return made


def test_a_rating_is_kept_and_listed(folder: Path) -> None:
    options = ("--words", "that is my dog", "--by", "Ada", "--candidate", "first", "--key", "ticket 7")
    said = done(folder, "rate", *ASKED, "--thumb", "down", *options)
    assert "rating 1 of first: thumb down; no score changed" in said
    (kept,) = said_as_json(folder, "ratings")
    assert kept["inputs"] == {"ears": 2.0, "crumbs": 0.0}
    assert {name: kept[name] for name in ("number", "candidate", "prediction", "words", "person", "key", "low")} == {
        "number": 1, "candidate": "first", "prediction": "muffin", "words": "that is my dog", "person": "Ada",
        "key": "ticket 7", "low": True,
    }  # fmt: skip
    assert "that is my dog" in done(folder, "ratings")


def test_the_newest_come_first_and_are_chosen_by_options(folder: Path) -> None:
    for stars, candidate in ((1, "first"), (5, "second"), (2, "second"), (4, "first")):
        done(folder, "rate", *ASKED, "--stars", stars, "--candidate", candidate)
    assert [each["stars"] for each in said_as_json(folder, "ratings")] == [4, 2, 5, 1]
    assert [each["stars"] for each in said_as_json(folder, "ratings", "--low")] == [2, 1]
    assert [each["stars"] for each in said_as_json(folder, "ratings", "--candidate", "second")] == [2, 5]
    assert [each["stars"] for each in said_as_json(folder, "ratings", "--limit", 1)] == [4]
    assert "no candidate 'third'" in refused(folder, "ratings", "--candidate", "third")


def test_an_empty_list_says_so(folder: Path) -> None:
    assert "nobody rated an answer yet" in done(folder, "ratings")
    assert "no low rating" in done(folder, "ratings", "--low")
    assert said_as_json(folder, "ratings") == []


def test_a_file_of_ratings_is_kept_with_what_the_options_say_for_all(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "said.jsonl"
    lines = [{"ears": n, "crumbs": 1, "prediction": "muffin", "stars": n} for n in (1, 5)]
    path.write_text("\n".join(map(json.dumps, lines)))
    said = done(folder, "rate", path, "--candidate", "second", "--by", "desk")
    assert "2 ratings are kept, 1 of them low" in said
    assert {(each["candidate"], each["person"]) for each in said_as_json(folder, "ratings")} == {("second", "desk")}


def test_a_file_with_a_fault_is_refused_whole_with_its_rows(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "said.csv"
    path.write_text("ears,crumbs,prediction,stars\n1,2,muffin,5\nmany,2,muffin,9\n")
    message = refused(folder, "rate", path, "--candidate", "first")
    assert "row 2, column 'ears': 'many'" in message
    assert "row 2, column 'stars'" in message
    assert said_as_json(folder, "ratings") == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*ASKED, "--thumb", "up"), "whose answer is rated? No candidate is production"),
        ((*ASKED, "--thumb", "up", "--candidate", "third"), "no candidate 'third': there are first, second"),
        ((*ASKED, "--candidate", "first"), "either a thumb (up, down) or stars"),
        ((*ASKED, "--thumb", "up", "--stars", "3", "--candidate", "first"), "either a thumb (up, down) or stars"),
        (("--prediction", "x", "--thumb", "up", "--candidate", "first"), "a batch and the key"),
        ((*ASKED[:4], "--thumb", "up", "--candidate", "first"), "say what was answered"),
        ((*ASKED, "--input", "ears=3", "--thumb", "up", "--candidate", "first"), "each name once"),
        (("--input", "ears", "--prediction", "x", "--thumb", "up"), "must be NAME=VALUE"),
        (("--batch", "2013-04", "--key", "a", "--thumb", "up"), "no batch '2013-04'"),
    ],
)
def test_what_is_refused_says_why_and_keeps_nothing(folder: Path, words: tuple[str, ...], said: str) -> None:
    assert said in refused(folder, "rate", *words)
    assert said_as_json(folder, "ratings") == []


def test_options_of_one_rating_have_no_place_beside_a_file(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "said.csv"
    path.write_text("ears,crumbs,prediction,stars\n1,2,muffin,5\n")
    result = run(folder, "rate", path, "--stars", "3", "--prediction", "x")
    assert result.exit_code == 2
    assert "leave out --prediction, --stars" in result.stderr
    for words in (("--stars", "6"), ("--thumb", "sideways"), ("no-such-file.csv",)):
        assert run(folder, "rate", *words).exit_code == 2
