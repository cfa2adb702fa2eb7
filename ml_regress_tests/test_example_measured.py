"""The digits example through the whole product: every number is the one computed without it."""

from collections.abc import Iterator

import pandas as pd
import pytest

from ml_regress.core.evaluation import OK
from ml_regress.engine import registry
from ml_regress.engine.setup import example_folder, make_workspace
from ml_regress.engine.workspace import Workspace
from ml_regress.predictors.host import PredictorHost
from ml_regress.report.gather import gather
from ml_regress.report.pages import report_html
from ml_regress.settings import Settings
from ml_regress_tests.scenario import age, measure_due, take_in


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The example, taken in and measured."""
    folder = tmp_path_factory.mktemp("digits") / "workspace"
    make_workspace(folder, "digits")
    for path in (folder / "benchmarks").iterdir():
        age(path)
    workspace = Workspace.open(Settings.load(folder, {}))
    take_in(workspace)
    assert workspace.store.sources.refusals() == []
    with PredictorHost() as host:
        measure_due(workspace, host)
    yield workspace
    workspace.store.close()


def test_every_number_of_the_example_is_right(digits: Workspace) -> None:
    expected = pd.read_csv(example_folder("digits") / "expected.csv").set_index(["candidate", "problem"])
    found = digits.store.evaluations.current()
    assert set(found) == set(expected.index)
    for cell, row in expected.iterrows():
        evaluation = found[cell].evaluation  # type: ignore[index]
        metric = evaluation.metric
        assert evaluation.state == OK and metric is not None and metric.name == row["metric"], cell
        assert metric.value == pytest.approx(row["value"], abs=5e-7), cell
        if evaluation.passes is not None:
            assert (evaluation.passes, evaluation.answered) == (row["passes"], row["patterns"]), cell
        else:
            assert evaluation.answered == row["patterns"], cell


def test_the_report_of_the_example_shows_every_cell(digits: Workspace) -> None:
    evidence = gather(digits.store, "digits")
    page = report_html(evidence)
    for candidate in evidence.candidates:
        assert candidate.id in page
        for problem in evidence.problems:
            assert evidence.cell(candidate.id, problem.id).words in page
    assert evidence.production == "2026-07-more-data"


def test_looking_at_the_example_again_makes_nothing_due(digits: Workspace) -> None:
    registry.look_at_problems(digits)
    registry.look_at_candidates(digits, {})
    assert digits.store.due.audit() == 0
    assert digits.store.due.count() == 0
