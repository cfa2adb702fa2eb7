"""The call that a service makes: ml_regress.rating.rate."""

from pathlib import Path

import pandas as pd
import pytest

from ml_regress import rating
from ml_regress.errors import InvalidInput, NotFound
from ml_regress_tests.models import ConstantModel
from ml_regress_tests.scenario import row, write_candidate, write_problem, write_workspace
from ml_regress_tests.test_cli import done, no_environment, said_as_json

__all__ = ["no_environment"]  # a fixture that holds for every test here, too


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with a candidate in production."""
    made = write_workspace(tmp_path / "workspace", "allow_formats: [joblib]\nproduction: first\n")
    write_problem(made, rows=[row("dog", 2, "chihuahua")])
    write_candidate(made, "first", ConstantModel("muffin"))
    done(made, "import", made)
    return made


def test_a_row_of_a_frame_is_rated_as_it_is(folder: Path) -> None:
    frame = pd.DataFrame({"ears": [2, 0], "crumbs": [0.5, 9.0]})
    kept = rating.rate(frame.iloc[0].to_dict(), "muffin", thumb="down", words="my dog", person="Ada", workspace=folder)
    assert (kept.number, kept.candidate, kept.inputs) == (1, "first", {"ears": 2.0, "crumbs": 0.5})
    assert rating.rate(frame.iloc[1].to_dict(), "muffin", stars=5, workspace=str(folder)).number == 2
    assert [each["words"] for each in said_as_json(folder, "ratings")] == ["", "my dog"]


def test_the_workspace_is_found_as_the_commands_find_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = {"ears": 2, "crumbs": 1}
    monkeypatch.chdir(folder / "problems")
    assert rating.rate(inputs, "muffin", stars=4).number == 1
    monkeypatch.chdir(folder.parent)
    with pytest.raises(NotFound, match="ML_REGRESS_WORKSPACE"):
        rating.rate(inputs, "muffin", stars=4)
    monkeypatch.setenv("ML_REGRESS_WORKSPACE", str(folder))
    # The environment is read when it is asked for, also by a process that has run for a while.
    assert rating.rate(inputs, "muffin", stars=4).number == 2


def test_a_refused_rating_keeps_nothing_and_names_every_fault(folder: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        rating.rate({"ears": "two", "tail": 1}, None, workspace=folder)
    assert {fault.column for fault in refused.value.faults} == {"ears", "crumbs", "tail", "prediction", "stars"}
    with pytest.raises(NotFound, match="no candidate 'other': there are first"):
        rating.rate({"ears": 2, "crumbs": 1}, "muffin", stars=1, candidate="other", workspace=folder)
    assert said_as_json(folder, "ratings") == []
