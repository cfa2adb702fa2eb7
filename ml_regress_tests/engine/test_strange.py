"""A look at a batch: what is strange in it is found for each cause, proposed once, and nothing is invented."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_regress.core.outlier_result import CONFIDENT_ERROR, DISAGREEMENT, LOW_RATING, OUTLIER, OutlierReport
from ml_regress.core.proposal import Proposal
from ml_regress.core.rating import Rating
from ml_regress.engine.arrivals import release
from ml_regress.engine.batch_points import ground_of
from ml_regress.engine.proposals import accept, reject
from ml_regress.engine.strange import check_outliers, outlier_question
from ml_regress.engine.strange_question import outlier_questions
from ml_regress.engine.workspace import Workspace
from ml_regress_tests.engine.strange_batches import answered, arrive, cakes, mixed, odd, set_up
from ml_regress_tests.models import ConstantModel, EchoModel, FailingModel, OverwritingModel, ThresholdModel
from ml_regress_tests.scenario import row, take_in, write_candidate, write_problem


@pytest.fixture
def database_url(tmp_path: Any) -> str:
    """What is found does not depend on the database, and the store has tests on both."""
    return f"sqlite:///{tmp_path / 'store.db'}"


def rows_of(report: OutlierReport, cause: str) -> list[int]:
    return [each.row for each in report.strange if each.cause == cause]


def proposed(workspace: Workspace, polarity: str | None = None) -> list[Proposal]:
    return [each for each in workspace.store.proposals.all() if polarity in (None, each.polarity)]


def test_planted_outliers_are_found_named_and_proposed_as_a_problem_of_their_own(workspace: Workspace) -> None:
    set_up(workspace)
    batch = arrive(workspace, "july", mixed(cakes(300, 2), odd(8)))
    report = check_outliers(workspace, batch)
    assert set(rows_of(report, OUTLIER)) == set(range(300, 308))
    assert report.counts is not None
    assert report.counts[OUTLIER] == 8
    assert "ears" in report.strange[0].why
    assert report.proposed == tuple(each.id for each in proposed(workspace))
    positives, negatives = proposed(workspace, "positive"), proposed(workspace, "negative")
    assert {each.row for each in positives} <= set(range(300, 308))
    assert len(positives) == 8
    assert 0 < len(negatives) <= 5
    assert {(each.problem, each.problem_title) for each in positives + negatives} == {
        ("strange-july", "Unusual rows of july: ears above the reference")
    }
    assert {each.origin for each in positives} == {"outlier"}
    assert all(each.expected is None for each in positives)


def test_negatives_are_usual_rows_of_the_batch_and_twins_of_what_they_are_near(workspace: Workspace) -> None:
    set_up(workspace)
    frame = mixed(cakes(300, 2), odd(8))
    check_outliers(workspace, arrive(workspace, "july", frame))
    by_id = {each.id: each for each in proposed(workspace)}
    for each in proposed(workspace, "negative"):
        assert each.row is not None
        assert each.row < 300
        assert each.inputs == {name: pytest.approx(frame[name][each.row]) for name in ("ears", "crumbs")}
        twin = by_id[str(each.twin)]
        assert (twin.polarity, twin.twin) == ("positive", each.id)


def test_a_batch_with_nothing_strange_proposes_nothing_and_says_so(workspace: Workspace) -> None:
    set_up(workspace)
    report = check_outliers(workspace, arrive(workspace, "july", cakes(400, 2)))
    assert report.strange == ()
    assert proposed(workspace) == []
    assert "nothing strange was found: nothing is proposed" in report.notes
    assert report.reason == ""


@pytest.mark.slow
def test_clean_batches_rarely_have_outliers(workspace: Workspace) -> None:
    set_up(workspace)
    found = [check_outliers(workspace, arrive(workspace, f"b{seed}", cakes(200, seed))) for seed in range(10, 20)]
    with_outliers = sum(bool(report.strange) for report in found)
    # FALSE_SHARE is 0.1 a batch: more than 4 of 10 have a probability below 0.002.
    assert with_outliers <= 4


def test_confident_errors_are_proposed_with_their_label_and_the_candidate_that_failed(workspace: Workspace) -> None:
    folder = set_up(workspace)
    (folder / "ml_regress.yaml").write_text("name: scenario\nallow_formats: [joblib]\nproduction: first\n")
    frame = cakes(300, 2)
    said = answered(frame)
    label = said.copy()
    label[:6] = 1 - said[:6]
    label[6:12] = 1 - said[6:12]
    sure = np.where(np.arange(300) < 6, 0.95, 0.6)
    scores = {"score:1": np.where(said == 1, sure, 1 - sure), "score:0": np.where(said == 0, sure, 1 - sure)}
    batch = arrive(workspace, "july", frame.assign(prediction=said, label=label, **scores))
    report = check_outliers(workspace, batch)
    assert set(rows_of(report, CONFIDENT_ERROR)) == set(range(6))
    assert report.strange[0].score == pytest.approx(0.95)
    for each in proposed(workspace, "positive"):
        assert each.cause == CONFIDENT_ERROR
        assert each.origin == "production"
        assert each.expected == str(label[each.row])
    for each in proposed(workspace, "negative"):
        assert each.row is not None
        assert label[each.row] == said[each.row]
        assert each.expected == str(label[each.row])


def test_without_scores_every_error_counts(workspace: Workspace) -> None:
    set_up(workspace)
    frame = cakes(100, 2)
    label = answered(frame)
    prediction = label.copy()
    prediction[[3, 5, 8]] = 1 - prediction[[3, 5, 8]]
    report = check_outliers(workspace, arrive(workspace, "july", frame.assign(prediction=prediction, label=label)))
    assert set(rows_of(report, CONFIDENT_ERROR)) == {3, 5, 8}


def test_a_batch_without_predictions_is_answered_by_the_candidate_that_served_it(workspace: Workspace) -> None:
    folder = set_up(workspace)
    workspace.store.candidates.adopt_production("first", actor="test", reason="")
    frame = cakes(200, 2)
    label = answered(frame)
    label[:4] = 1 - label[:4]
    report = check_outliers(workspace, arrive(workspace, "july", frame.assign(label=label)))
    assert set(rows_of(report, CONFIDENT_ERROR)) == set(range(4))
    assert {each.selected_on for each in proposed(workspace, "positive")} <= {("first",)}
    assert folder.is_dir()


def test_rows_on_which_the_newest_candidates_disagree_are_proposed_without_an_expectation(workspace: Workspace) -> None:
    models = {"first": ThresholdModel(10), "second": ThresholdModel(10), "third": ThresholdModel(10.5)}
    set_up(workspace, models=models)
    frame = cakes(300, 2)
    total = frame["ears"] + frame["crumbs"]
    apart = set(np.flatnonzero((total > 10) & (total <= 10.5)).tolist())
    report = check_outliers(workspace, arrive(workspace, "july", frame))
    assert report.counts is not None
    assert report.counts[DISAGREEMENT] == len(apart) > 20
    assert set(rows_of(report, DISAGREEMENT)) <= apart
    positives = proposed(workspace, "positive")
    assert 5 <= len(positives) <= 10
    for each in positives:
        assert (each.expected, each.suggested, each.selected_on) == (None, "1", ())
        assert each.why == "first and second say 1; third says 0"


def test_with_labels_the_candidates_that_fail_a_disputed_row_are_known(workspace: Workspace) -> None:
    set_up(workspace, models={"first": ThresholdModel(10), "second": ThresholdModel(10.5)})
    frame = cakes(300, 2)
    check_outliers(workspace, arrive(workspace, "july", frame.assign(label=answered(frame))))
    disputed = [each for each in proposed(workspace, "positive") if each.cause == DISAGREEMENT]
    assert disputed
    assert {(each.expected, each.selected_on) for each in disputed} == {("1", ("second",))}


def test_a_candidate_that_cannot_be_asked_is_a_note_and_stops_nothing(workspace: Workspace) -> None:
    set_up(workspace, models={"first": ThresholdModel(10), "second": FailingModel("too cold")})
    frame = mixed(cakes(200, 2), odd(6, ears=-80.0))
    report = check_outliers(workspace, arrive(workspace, "july", frame))
    assert any("second could not be asked" in note and "too cold" in note for note in report.notes)
    assert rows_of(report, OUTLIER)


def rating(ears: float, **changes: Any) -> Rating:
    given: dict[str, Any] = {"thumb": "down", "words": "that was a dog", "person": "bob"}
    return Rating({"ears": ears, "crumbs": 5.0}, 1, "first", **{**given, **changes})


def test_low_ratings_are_proposed_for_the_rated_candidate_and_never_what_it_said(workspace: Workspace) -> None:
    set_up(workspace, models={"first": ThresholdModel(10), "second": ThresholdModel(10)})
    batch = arrive(workspace, "july", cakes(200, 2))
    for ears in (7.1, 7.9, 8.5, 6.4, 9.2):
        workspace.store.ratings.add(rating(ears))
    workspace.store.ratings.add(rating(6.0, thumb="up"))
    report = check_outliers(workspace, batch)
    assert report.counts is not None
    assert report.counts[LOW_RATING] == 5
    positives = [each for each in proposed(workspace, "positive") if each.cause == LOW_RATING]
    assert {each.inputs["ears"] for each in positives} == {7.1, 7.9, 8.5, 6.4, 9.2}
    assert {(each.origin, each.selected_on, each.expected, each.suggested, each.row) for each in positives} == {
        ("rating", ("first",), None, None, None)
    }
    assert positives[0].why == "thumb down of bob for the answer 1: that was a dog"


def test_a_rating_is_a_question_of_one_batch_and_changes_no_other(workspace: Workspace) -> None:
    set_up(workspace)
    june, july = arrive(workspace, "june", cakes(100, 2)), arrive(workspace, "july", cakes(100, 3))
    before = [outlier_question(workspace, each) for each in (june, july)]
    workspace.store.ratings.add(rating(7.0, batch="june"))
    after = [outlier_question(workspace, each) for each in (june, july)]
    assert (before[0] == after[0], before[1] == after[1]) == (False, True)
    workspace.store.ratings.add(rating(8.0))
    assert outlier_question(workspace, july) != after[1]
    assert outlier_question(workspace, june) == after[0]


def test_the_same_question_is_answered_from_the_store_and_reads_no_file(workspace: Workspace) -> None:
    set_up(workspace)
    batch = arrive(workspace, "july", mixed(cakes(200, 2), odd(6)))
    report = check_outliers(workspace, batch)
    workspace.archive.rows(batch.digest).unlink()
    assert check_outliers(workspace, batch) == report


def test_a_new_candidate_asks_another_question(workspace: Workspace) -> None:
    folder = set_up(workspace)
    batch = arrive(workspace, "july", cakes(100, 2))
    before = outlier_question(workspace, batch)
    write_candidate(folder, "second", ThresholdModel(11), created_at="2026-07-01T00:00:00Z")
    take_in(workspace)
    assert outlier_question(workspace, batch) != before


def test_looking_again_proposes_nothing_twice_whatever_became_of_it(workspace: Workspace) -> None:
    set_up(workspace)
    batch = arrive(workspace, "july", mixed(cakes(300, 2), odd(8)))
    first = check_outliers(workspace, batch)
    reject(workspace, [each.id for each in proposed(workspace, "positive")], person="ada", why="a broken scale")
    again = check_outliers(workspace, batch, again=True)
    assert again.counts == first.counts
    assert set(again.proposed) == set(first.proposed)
    later = check_outliers(workspace, arrive(workspace, "august", mixed(cakes(300, 3), odd(8))))
    assert later.counts is not None
    assert later.counts[OUTLIER] == 8
    assert later.proposed == ()


def write_big_ears(workspace: Workspace) -> pd.DataFrame:
    """A problem whose patterns are six rows that no reference has; the rows."""
    known = pd.DataFrame({"ears": 11.0 + np.arange(6) / 2, "crumbs": 5.0})
    rows = [row(f"k{i}", ears, "1", crumbs=crumbs) for i, (ears, crumbs) in enumerate(known.to_numpy().tolist())]
    write_problem(workspace.settings.workspace, "big-ears", rows, labels=["0", "1"], answer="integer")
    take_in(workspace)
    return known


def test_strange_rows_near_a_problem_are_proposed_for_it_and_those_it_has_are_not(workspace: Workspace) -> None:
    set_up(workspace)
    known = write_big_ears(workspace)
    near = ground_of(workspace, arrive(workspace, "june", cakes(50, 3))).near
    beside = known.assign(crumbs=known["crumbs"] + 2 * near)
    report = check_outliers(workspace, arrive(workspace, "july", mixed(cakes(300, 2), known, beside)))
    assert set(rows_of(report, OUTLIER)) >= set(range(300, 312))
    positives = proposed(workspace, "positive")
    assert {each.problem for each in positives} == {"big-ears"}
    assert {each.row for each in positives} == set(range(306, 312))
    accept(workspace, positives[0].id, expected="1", person="ada")
    assert positives[0].id in set(workspace.store.problems.patterns("big-ears")["id"])


def test_strange_rows_far_from_every_problem_become_one_of_their_own(workspace: Workspace) -> None:
    set_up(workspace)
    write_big_ears(workspace)
    few_ears = pd.DataFrame({"ears": -3.0 - np.arange(6) / 2, "crumbs": 5.0})
    check_outliers(workspace, arrive(workspace, "july", mixed(cakes(300, 2), few_ears)))
    assert {each.problem for each in proposed(workspace)} == {"strange-july"}
    assert {each.problem_title for each in proposed(workspace)} == {"Unusual rows of july: ears below the reference"}


def test_fewer_than_a_problem_takes_go_to_the_nearest_one_all_the_same(workspace: Workspace) -> None:
    set_up(workspace)
    write_big_ears(workspace)
    few_ears = pd.DataFrame({"ears": -3.0 - np.arange(3), "crumbs": 5.0})
    check_outliers(workspace, arrive(workspace, "july", mixed(cakes(300, 2), few_ears)))
    assert {each.problem for each in proposed(workspace)} == {"big-ears"}
    assert {each.row for each in proposed(workspace, "positive")} == {300, 301, 302}


def test_a_problem_of_other_answers_gets_no_proposal(workspace: Workspace) -> None:
    set_up(workspace)
    rows = [row("k", -3.0)]
    write_problem(workspace.settings.workspace, "texts", rows)
    take_in(workspace)
    few_ears = pd.DataFrame({"ears": -3.5 - np.arange(3), "crumbs": 5.0})
    report = check_outliers(workspace, arrive(workspace, "july", mixed(cakes(300, 2), few_ears)))
    assert proposed(workspace) == []
    assert any(
        "3 strange rows are not proposed: no problem has these inputs and answers" in note for note in report.notes
    )


def test_few_strange_rows_without_a_problem_are_told_and_not_proposed(workspace: Workspace) -> None:
    set_up(workspace)
    report = check_outliers(workspace, arrive(workspace, "july", mixed(cakes(300, 2), odd(2))))
    assert set(rows_of(report, OUTLIER)) == {300, 301}
    assert report.proposed == ()
    assert any("2 strange rows are not proposed" in note for note in report.notes)


def test_rows_that_the_candidate_was_trained_on_are_not_proposed_unless_their_label_changed(
    workspace: Workspace,
) -> None:
    strange = odd(12).assign(label=1)
    reference = mixed(cakes(1_500, 1).assign(label=0), strange.iloc[:2])
    set_up(workspace, reference)
    fresh, same, changed = strange.iloc[2:], strange.iloc[:1], strange.iloc[1:2].assign(label=0)
    report = check_outliers(
        workspace, arrive(workspace, "july", mixed(cakes(300, 2).assign(label=0), same, changed, fresh))
    )
    rows = rows_of(report, OUTLIER)
    assert 300 not in rows
    assert 301 in rows
    assert any("1 strange rows are rows that the candidate was trained on" in note for note in report.notes)


def test_a_batch_of_a_window_is_held_against_the_others_of_it(workspace: Workspace) -> None:
    folder = set_up(workspace)
    window = (
        '{"inputs": {"ears": "number", "crumbs": "number"}, "answer": "integer", "reference": {"from": "2026-01-01"}}'
    )
    (folder / "production.yaml").write_text(window)
    alone = arrive(workspace, "2026-01", mixed(cakes(300, 2), odd(6)))
    report = check_outliers(workspace, alone)
    assert any("is the whole reference" in note for note in report.notes)
    arrive(workspace, "2026-02", cakes(300, 3))
    report = check_outliers(workspace, alone)
    assert set(rows_of(report, OUTLIER)) == set(range(300, 306))


def test_without_a_reference_errors_are_found_all_the_same(workspace: Workspace) -> None:
    folder = workspace.settings.workspace
    write_candidate(folder, "first", ThresholdModel(10))
    take_in(workspace)
    (folder / "production.yaml").write_text('{"inputs": {"ears": "number", "crumbs": "number"}, "answer": "integer"}')
    frame = cakes(100, 2)
    label = answered(frame)
    prediction = label.copy()
    prediction[:6] = 1 - prediction[:6]
    report = check_outliers(workspace, arrive(workspace, "july", frame.assign(prediction=prediction, label=label)))
    assert any(note.startswith("no outliers were looked for: ") for note in report.notes)
    assert len(rows_of(report, CONFIDENT_ERROR)) == 6
    assert len(proposed(workspace, "positive")) == 6


def test_errors_of_numbers_are_those_far_beyond_the_usual_error(workspace: Workspace) -> None:
    set_up(workspace, models={"first": EchoModel()}, answer="number")
    frame = cakes(200, 2)
    label = frame["ears"] + np.random.default_rng(3).normal(0, 0.1, 200)
    label[:6] += 20 + np.arange(6)
    batch = arrive(workspace, "july", frame.assign(prediction=frame["ears"], label=label))
    report = check_outliers(workspace, batch)
    assert set(rows_of(report, CONFIDENT_ERROR)) == set(range(6))
    for each in proposed(workspace, "positive"):
        assert each.expectation == "close_to"
        assert float(str(each.expected)) == pytest.approx(label[each.row])
        assert float(str(each.tolerance)) > 0


def test_texts_and_levels_are_looked_at_too(workspace: Workspace) -> None:
    random = np.random.default_rng(4)

    def mails(rows: int) -> pd.DataFrame:
        words = np.array(["order", "invoice", "delivery", "please", "thanks", "late"])
        texts = [" ".join(random.choice(words, 6)) for _ in range(rows)]
        return pd.DataFrame({"subject": texts, "place": random.choice(["Rome", "Oslo"], rows)})

    inputs = {"subject": "text", "place": "text?"}
    set_up(workspace, mails(800), models={"first": ConstantModel("ham")}, inputs=inputs, answer="text")
    spam = pd.DataFrame({"subject": [f"$$$ {n}!!! WIN {n * 7919} NOW $$$" for n in range(6)], "place": ["Mars"] * 6})
    report = check_outliers(workspace, arrive(workspace, "july", mixed(mails(200), spam)))
    assert set(rows_of(report, OUTLIER)) >= set(range(200, 206))
    assert len(rows_of(report, OUTLIER)) <= 8
    titles = {each.problem_title for each in proposed(workspace)}
    assert titles == {"Unusual rows of july: place = Mars"}
    done = accept(workspace, [each.id for each in proposed(workspace, "positive")], expected="spam", person="ada")
    assert workspace.store.problems.get(done[0].problem).inputs.as_dict() == inputs


def test_images_are_looked_at_as_one_input(workspace: Workspace) -> None:
    random = np.random.default_rng(5)
    names = [f"p{index}" for index in range(64)]

    def pictures(rows: int) -> np.ndarray:
        bright = np.zeros((rows, 8, 8))
        bright[:, 2:6, 3:5] = 12
        return np.clip(bright + random.normal(0, 1, bright.shape), 0, 16).round()

    inputs = {"image": "image(8, 8, p{index}, 0..16)"}
    usual = pd.DataFrame(pictures(400).reshape(400, 64), columns=names)
    set_up(workspace, usual, models={"first": ConstantModel(8)}, inputs=inputs)
    turned = pd.DataFrame(pictures(6).transpose(0, 2, 1).reshape(6, 64), columns=names)
    clean = pd.DataFrame(pictures(100).reshape(100, 64), columns=names)
    report = check_outliers(workspace, arrive(workspace, "july", mixed(clean, turned)))
    assert set(rows_of(report, OUTLIER)) == set(range(100, 106))
    positives = proposed(workspace, "positive")
    assert {each.problem_title for each in positives} == {"Unusual rows of july"}
    accept(workspace, positives[0].id, expected="7", person="ada")
    assert workspace.store.problems.get("strange-july").inputs.as_dict() == inputs


def test_numbers_that_differ_by_less_than_anybody_minds_are_no_disagreement(workspace: Workspace) -> None:
    set_up(workspace, models={"first": EchoModel(), "second": OverwritingModel(1e-9)}, answer="number")
    report = check_outliers(workspace, arrive(workspace, "july", cakes(300, 2)))
    assert report.counts is not None
    assert report.counts[DISAGREEMENT] == 0
    assert proposed(workspace) == []


@pytest.mark.parametrize(("noise", "error"), [(0.001, 0.02), (0.001, 3.0), (1.0, 20.0)])
def test_a_proposed_number_fails_where_it_is_called_wrong_and_passes_where_it_is_called_right(
    workspace: Workspace, noise: float, error: float
) -> None:
    models = {"first": EchoModel(), "second": OverwritingModel(5.0)}
    set_up(workspace, models=models, answer="number")
    frame = cakes(300, 2)
    label = frame["ears"] + np.random.default_rng(3).normal(0, noise, 300)
    label[:6] += error
    check_outliers(workspace, arrive(workspace, "july", frame.assign(prediction=frame["ears"], label=label)))
    made = proposed(workspace)
    assert made
    for each in made:
        said = {"first": float(each.inputs["ears"]), "second": float(each.inputs["ears"]) + 5.0}
        failed = {
            name
            for name, answer in said.items()
            if abs(answer - float(str(each.expected))) > float(str(each.tolerance))
        }
        if each.polarity == "negative":
            assert "first" not in failed
        else:
            assert set(each.selected_on) == failed


def test_a_row_that_is_strange_guards_nothing_also_where_it_is_not_proposed_itself(workspace: Workspace) -> None:
    models = {"first": EchoModel(), "second": OverwritingModel(5.0)}
    set_up(workspace, models=models, answer="number")
    check_outliers(workspace, arrive(workspace, "july", cakes(300, 2)))
    assert proposed(workspace, "positive")
    assert proposed(workspace, "negative") == []


def test_a_rating_of_a_row_in_an_old_batch_is_looked_at_with_a_new_one(workspace: Workspace) -> None:
    set_up(workspace)
    old = arrive(workspace, "2026-01-01", cakes(60, 1))
    newer = [arrive(workspace, f"2026-02-{day:02d}", cakes(5, day)) for day in range(1, 13)]
    for each in (old, *newer):
        check_outliers(workspace, each)
    before = outlier_questions(workspace, [old, *newer])
    workspace.store.ratings.add(rating(7.0, batch=old.id))
    after = outlier_questions(workspace, [old, *newer])
    assert [name for name, question in after.items() if question != before[name]] == ["2026-02-12"]


def test_rows_that_no_pattern_could_have_are_told_and_not_proposed(workspace: Workspace) -> None:
    set_up(workspace)
    broken = odd(12).assign(crumbs=None)
    assert arrive(workspace, "july", mixed(cakes(200, 2), broken, odd(8))).state == "quarantined"
    report = check_outliers(workspace, release(workspace, "july", person="ada", why="the sensor broke"))
    assert set(rows_of(report, OUTLIER)) == set(range(200, 220))
    positives = proposed(workspace, "positive")
    assert {each.row for each in positives} <= set(range(212, 220))
    accept(workspace, [each.id for each in positives], expected="1", person="ada")
    assert any("lack what the production schema asks for" in note for note in report.notes)


def test_a_look_gives_the_same_again(workspace: Workspace) -> None:
    set_up(workspace, models={"first": ThresholdModel(10), "second": ThresholdModel(10.5)})
    batch = arrive(workspace, "july", mixed(cakes(300, 2), odd(8)))
    first = check_outliers(workspace, batch)
    again = check_outliers(workspace, batch, again=True)
    assert (again.strange, again.clusters, again.counts) == (first.strange, first.clusters, first.counts)


def test_a_rating_with_a_value_that_the_batch_cannot_have_is_passed_over_with_a_note(workspace: Workspace) -> None:
    set_up(workspace)
    batch = arrive(workspace, "july", cakes(100, 2))
    workspace.store.ratings.add(Rating({"ears": "long", "crumbs": 5.0}, 1, "first", thumb="down"))
    workspace.store.ratings.add(Rating({"tail": 1.0}, 1, "first", thumb="down"))
    report = check_outliers(workspace, batch)
    assert "2 low ratings have other inputs than this batch" in report.notes
    assert report.counts is not None
    assert report.counts[LOW_RATING] == 0
    assert proposed(workspace) == []


def test_earlier_proposals_of_other_types_are_in_nobodys_way(workspace: Workspace) -> None:
    set_up(workspace)
    old = Proposal("old", "muffin", {"ears": "long", "crumbs": 5.0})
    workspace.store.proposals.add([old], actor="test")
    check_outliers(workspace, arrive(workspace, "july", mixed(cakes(300, 2), odd(6))))
    assert len(proposed(workspace, "positive")) == 7


def test_proposals_have_the_types_of_the_problem_that_gets_them(workspace: Workspace) -> None:
    set_up(workspace)
    types = {"ears": "integer", "crumbs": "number"}
    write_problem(workspace.settings.workspace, "whole", [row("k", 12, "1")], inputs=types, answer="integer", labels=[])
    take_in(workspace)
    strange = pd.DataFrame({"ears": [13.0, 14.0, 15.5], "crumbs": [5.0, 5.5, 6.0]})
    report = check_outliers(workspace, arrive(workspace, "july", mixed(cakes(300, 2), strange)))
    positives = proposed(workspace, "positive")
    assert sorted(each.inputs["ears"] for each in positives) == [13, 14]
    assert all(isinstance(each.inputs["ears"], int) for each in positives)
    assert any("1 strange rows are not proposed" in note for note in report.notes)


def test_a_question_of_an_old_batch_is_not_asked_again_because_a_candidate_came(workspace: Workspace) -> None:
    folder = set_up(workspace)
    old = arrive(workspace, "2026-01-01", cakes(60, 1))
    check_outliers(workspace, old)
    newer = [arrive(workspace, f"2026-02-{day:02d}", cakes(5, day)) for day in range(1, 13)]
    before = outlier_questions(workspace, [old, *newer])
    write_candidate(folder, "second", ThresholdModel(11), created_at="2026-07-01T00:00:00Z")
    take_in(workspace)
    after = outlier_questions(workspace, [old, *newer])
    assert after[old.id] == before[old.id]
    assert all(after[each.id] != before[each.id] for each in newer)
