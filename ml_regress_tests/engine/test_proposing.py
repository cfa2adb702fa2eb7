"""From strange rows to proposals: how many, of which causes, and what stands beside them."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from ml_regress.core.outlier_result import CAUSES, CONFIDENT_ERROR, DISAGREEMENT, LOW_RATING, OUTLIER
from ml_regress.core.rating import Rating
from ml_regress.engine.candidate_answers import majority
from ml_regress.engine.proposals import accept
from ml_regress.engine.strange import check_outliers
from ml_regress.engine.strange_causes import Found, Strange, strangest
from ml_regress.engine.workspace import Workspace
from ml_regress_tests.engine.strange_batches import answered, arrive, cakes, mixed, odd, set_up
from ml_regress_tests.models import ThresholdModel


@pytest.fixture
def database_url(tmp_path: Any) -> str:
    return f"sqlite:///{tmp_path / 'store.db'}"


def found(cause: str, *rows: int) -> Found:
    return Found(tuple(Strange(cause, 1.0, f"{cause} {row}", row) for row in rows), len(rows))


def test_each_cause_has_an_equal_share_as_far_as_it_has_so_many() -> None:
    given = {
        OUTLIER: found(OUTLIER, *range(100, 200)),
        CONFIDENT_ERROR: found(CONFIDENT_ERROR, 1, 2),
        DISAGREEMENT: found(DISAGREEMENT, *range(50)),
    }
    taken = strangest(given, 12)
    counts = Counter(each.cause for each in taken)
    assert len(taken) == 12
    assert counts[CONFIDENT_ERROR] == 2
    assert abs(counts[OUTLIER] - counts[DISAGREEMENT]) <= 2


def test_a_row_that_is_strange_twice_stands_once_with_both_reasons() -> None:
    given = {OUTLIER: found(OUTLIER, 7), CONFIDENT_ERROR: found(CONFIDENT_ERROR, 7)}
    (only,) = strangest(given)
    assert only.cause == CONFIDENT_ERROR
    assert only.why == "confident error 7; also: outlier 7"


@pytest.mark.parametrize(
    ("answers", "kind", "said"),
    [
        (["a", "a", "b"], "text", "a"),
        (["a", "b"], "text", None),
        (["a", None, "a"], "text", "a"),
        (["a"], "text", None),
        ([1.0, 2.0, 9.0], "number", 2.0),
        ([], "text", None),
    ],
)
def test_a_majority_is_more_than_half_of_at_least_two(answers: list[Any], kind: str, said: Any) -> None:
    assert majority(answers, kind) == said


def test_of_many_strange_rows_ten_and_five_neighbours_are_proposed_and_every_cause_is_among_them(
    workspace: Workspace,
) -> None:
    set_up(workspace, models={"first": ThresholdModel(10), "second": ThresholdModel(10.3)})
    frame = cakes(400, 2)
    label = answered(frame)
    prediction = label.copy()
    prediction[:30] = 1 - prediction[:30]
    strange = odd(30).assign(prediction=1, label=1)
    batch = arrive(workspace, "july", mixed(frame.assign(prediction=prediction, label=label), strange))
    for ears in np.linspace(6, 9, 20).tolist():
        workspace.store.ratings.add(Rating({"ears": ears, "crumbs": 5.0}, 1, "first", stars=1))
    check_outliers(workspace, batch)
    made = workspace.store.proposals.all()
    polarities = Counter(each.polarity for each in made)
    assert polarities == {"positive": 10, "negative": 5}
    assert {each.cause for each in made if each.polarity == "positive"} == set(CAUSES)
    assert len({tuple(each.inputs.values()) for each in made}) == 15
    assert {each.origin for each in made if each.cause == LOW_RATING and each.polarity == "positive"} == {"rating"}


def test_a_batch_whose_proposals_wait_gets_no_more_of_them(workspace: Workspace) -> None:
    set_up(workspace)
    batch = arrive(workspace, "july", mixed(cakes(300, 2), odd(40)))
    check_outliers(workspace, batch)
    assert len(workspace.store.proposals.all()) == 15
    report = check_outliers(workspace, batch, again=True)
    assert len(workspace.store.proposals.all()) == 15
    assert any("15 proposals of this batch wait" in note for note in report.notes)


def test_what_is_decided_makes_room_and_later_ones_join_the_problem_that_was_proposed(workspace: Workspace) -> None:
    set_up(workspace)
    batch = arrive(workspace, "july", mixed(cakes(300, 2), odd(40)))
    check_outliers(workspace, batch)
    first = [each.id for each in workspace.store.proposals.all() if each.polarity == "positive"]
    accept(workspace, first, expected="1", person="ada")
    check_outliers(workspace, batch, again=True)
    later = [each for each in workspace.store.proposals.all("proposed") if each.polarity == "positive"]
    assert {each.problem for each in later} == {"strange-july"}
    done = accept(workspace, [each.id for each in later], expected="1", person="ada")
    assert [(each.problem, each.made) for each in done] == [("strange-july", False)]


def test_where_labels_are_known_only_rows_that_were_answered_rightly_are_negatives(workspace: Workspace) -> None:
    set_up(workspace)
    frame = cakes(300, 2)
    label = answered(frame)
    prediction = label.copy()
    prediction[::2] = 1 - prediction[::2]
    check_outliers(workspace, arrive(workspace, "july", frame.assign(prediction=prediction, label=label)))
    negatives = [each for each in workspace.store.proposals.all() if each.polarity == "negative"]
    assert len(negatives) == 5
    for each in negatives:
        assert each.row is not None
        assert each.row % 2 == 1
        assert each.expected == str(label[each.row])


def test_where_no_usual_row_is_right_there_are_no_negatives_and_a_note_says_so(workspace: Workspace) -> None:
    set_up(workspace)
    frame = cakes(100, 2)
    label = answered(frame)
    report = check_outliers(workspace, arrive(workspace, "july", frame.assign(prediction=1 - label, label=label)))
    assert {each.polarity for each in workspace.store.proposals.all()} == {"positive"}
    assert any("there are no negative ones" in note for note in report.notes)


def test_an_outlier_without_a_label_waits_for_a_person(workspace: Workspace) -> None:
    set_up(workspace)
    strange = odd(6)
    frame = mixed(cakes(300, 2).assign(label=1), strange)
    check_outliers(workspace, arrive(workspace, "july", frame))
    outliers = [
        each for each in workspace.store.proposals.all() if each.cause == OUTLIER and each.polarity == "positive"
    ]
    assert len(outliers) == 6
    assert {each.expected for each in outliers} == {None}
