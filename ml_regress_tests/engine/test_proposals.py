"""Accepting, editing and rejecting proposals: a person's word makes a pattern, and exactly its column is due."""

from typing import Any

import pytest

from ml_regress.core.batch import ACCEPTED, Batch
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.production import ProductionSchema
from ml_regress.core.proposal import Proposal
from ml_regress.engine.proposals import accept, edit, reject
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, InvalidInput, NotFound
from ml_regress.predictors.host import PredictorHost
from ml_regress_tests.models import ConstantModel
from ml_regress_tests.scenario import execute, measure_due, row, take_in, write_candidate, write_problem

SCHEMA = ProductionSchema(
    parse_input_types(
        {"ears": "number", "crumbs": "number?", "place": "text?", "image": "image(2, 2, p{index}, 0..16)"}
    ),
    labels=("chihuahua", "muffin"),
)


def proposal(name: str, ears: float = 1.0, **changes: Any) -> Proposal:
    given: dict[str, Any] = {"problem": "muffin", "inputs": {"ears": ears, "crumbs": 2.0}, "expected": "muffin"}
    return Proposal(name, **{**given, **changes})


@pytest.fixture
def measured(workspace: Workspace, host: PredictorHost) -> Workspace:
    """Two problems and two candidates, all of it measured, and one batch."""
    folder = workspace.settings.workspace
    write_problem(folder, "muffin", [row("known", 7.0)])
    write_problem(folder, "other", [row("known", 7.0)])
    for name in ("first", "second"):
        write_candidate(folder, name, ConstantModel("muffin"))
    take_in(workspace)
    measure_due(workspace, host)
    workspace.store.batches.freeze_schema(SCHEMA, "by hand")
    moment = "2026-07-01T00:00:00.000Z"
    workspace.store.batches.accept(
        Batch("july", ACCEPTED, "0" * 64, SCHEMA.digest, 100, moment, moment, "july.csv", moment)
    )
    return workspace


def add(workspace: Workspace, *proposals: Proposal) -> None:
    assert len(workspace.store.proposals.add(proposals, actor="test")) == len(proposals)


def due(workspace: Workspace) -> set[tuple[str, str]]:
    return {cell.cell for cell in workspace.store.due.all()}


def patterns(workspace: Workspace, problem: str = "muffin") -> dict[str, Any]:
    return workspace.store.problems.patterns(problem).set_index("id").to_dict("index")


def test_accepting_makes_an_active_pattern_and_exactly_its_column_due(measured: Workspace, host: PredictorHost) -> None:
    assert due(measured) == set()
    add(measured, proposal("a", batch="july", row=41, why="ears 1 (reference 5 to 9)", origin="outlier"))
    (done,) = accept(measured, "a", person="ada", why="a real dog")
    assert (done.problem, done.patterns, done.made) == ("muffin", ("a",), False)
    assert due(measured) == {("first", "muffin"), ("second", "muffin")}
    made = patterns(measured)["a"]
    assert (made["status"], made["origin"], made["expected"]) == ("active", "outlier", "muffin")
    assert made["note"] == "row 42 of batch july; ears 1 (reference 5 to 9)"
    measure_due(measured, host)
    assert due(measured) == set()


def test_without_an_expectation_nothing_is_accepted_and_the_message_says_how(measured: Workspace) -> None:
    add(measured, proposal("a"), proposal("b", 2.0, expected=None, suggested="chihuahua"))
    with pytest.raises(InvalidInput) as refused:
        accept(measured, ["a", "b"], person="ada")
    assert "proposal b" in str(refused.value)
    assert "the evidence suggests 'chihuahua'" in str(refused.value)
    assert "--expected" in str(refused.value)
    assert measured.store.proposals.get("a").waiting
    assert due(measured) == set()
    accept(measured, "b", expected="chihuahua", person="ada")
    assert patterns(measured)["b"]["expected"] == "chihuahua"


def test_an_expectation_that_breaks_a_rule_of_files_is_refused_and_names_the_proposal(measured: Workspace) -> None:
    add(measured, proposal("a"), proposal("b", 2.0))
    with pytest.raises(InvalidInput, match=r"proposal b, column 'expected': 'cat'") as refused:
        accept(measured, ["b"], expected="cat", person="ada")
    assert "row" not in str(refused.value)
    with pytest.raises(InvalidInput, match="close_to"):
        accept(measured, "b", expected="3", expectation="close_to", person="ada")
    assert measured.store.proposals.get("b").waiting
    assert set(patterns(measured)) == {"known"}


def test_inputs_that_the_problem_does_not_have_are_refused(measured: Workspace) -> None:
    add(
        measured,
        proposal("a", inputs={"ears": 1.0, "tail": 2.0}),
        proposal("b", inputs={"ears": "long", "crumbs": 1.0}),
    )
    with pytest.raises(InvalidInput, match="tail"):
        accept(measured, "a", person="ada")
    with pytest.raises(InvalidInput, match="must be a finite number"):
        accept(measured, "b", person="ada")


def test_what_somebody_else_accepted_is_a_conflict(measured: Workspace) -> None:
    add(measured, proposal("a"), proposal("b", 2.0))
    accept(measured, "a", person="ada")
    with pytest.raises(Conflict, match="a was accepted by ada"):
        accept(measured, ["b", "a"], person="bob")
    assert measured.store.proposals.get("b").waiting


def test_an_accepted_proposal_stays_when_the_problem_file_is_imported_again(measured: Workspace) -> None:
    add(measured, proposal("a"))
    accept(measured, "a", person="ada")
    write_problem(measured.settings.workspace, "muffin", [row("known", 7.0), row("later", 8.0)])
    take_in(measured)
    assert set(patterns(measured)) == {"known", "later", "a"}


def test_a_proposed_problem_is_made_of_the_schema_with_its_first_pattern(measured: Workspace) -> None:
    inputs = {"ears": 90.0, "crumbs": None}
    new = {"problem": "strange-july", "problem_title": "Unusual rows of july", "batch": "july"}
    add(measured, proposal("a", inputs=inputs, **new), proposal("b", inputs={**inputs, "ears": 91.0}, **new))
    (done,) = accept(measured, "a", person="ada")
    assert (done.problem, done.made) == ("strange-july", True)
    made = measured.store.problems.get("strange-july")
    assert made.title == "Unusual rows of july"
    assert made.inputs.as_dict() == {"ears": "number", "crumbs": "number?"}
    assert made.labels == ("chihuahua", "muffin")
    assert due(measured) == {("first", "strange-july"), ("second", "strange-july")}
    (again,) = accept(measured, "b", person="ada")
    assert (again.problem, again.made) == ("strange-july", False)
    assert set(patterns(measured, "strange-july")) == {"a", "b"}


def test_a_proposed_problem_of_images_takes_the_image_whole(measured: Workspace) -> None:
    inputs = {f"p{index}": float(index) for index in range(4)}
    add(measured, proposal("a", inputs=inputs, problem="blur", problem_title="Blurred", batch="july"))
    accept(measured, "a", person="ada")
    assert measured.store.problems.get("blur").inputs.as_dict() == {"image": "image(2, 2, p{index}, 0..16)"}


def test_a_broken_pattern_of_a_proposed_problem_leaves_no_problem_behind(measured: Workspace) -> None:
    add(measured, proposal("a", problem="odd", problem_title="Odd", batch="july", expected="cat"))
    with pytest.raises(InvalidInput):
        accept(measured, "a", person="ada")
    with pytest.raises(NotFound):
        measured.store.problems.get("odd")


def test_accepting_into_another_problem_makes_that_column_due(measured: Workspace) -> None:
    add(measured, proposal("a", parent="known"))
    with pytest.raises(NotFound, match="no problem 'othr'; there are muffin, other"):
        accept(measured, "a", problem="othr", person="ada")
    accept(measured, "a", problem="other", person="ada")
    assert due(measured) == {("first", "other"), ("second", "other")}
    assert measured.store.proposals.get("a").problem == "other"


def test_inputs_that_a_problem_has_already_do_not_become_a_second_pattern_of_it(measured: Workspace) -> None:
    add(measured, proposal("a"), proposal("b", problem="other"), proposal("c", inputs={"ears": 3.0, "crumbs": 1.0}))
    with pytest.raises(Conflict, match="muffin has the inputs of b already, as a; nothing was accepted"):
        accept(measured, ["a", "b"], problem="muffin", person="ada")
    write_problem(measured.settings.workspace, "muffin", [row("known", 7.0), row("written", 3.0)])
    take_in(measured)
    with pytest.raises(Conflict, match="muffin has the inputs of c already, as written"):
        accept(measured, "c", person="ada")
    assert set(patterns(measured)) == {"known", "written"}


def test_a_decision_needs_a_name_and_texts_that_can_be_kept(measured: Workspace) -> None:
    add(measured, proposal("a"))
    for person, why, words in ((" ", "odd", "say who decides"), ("ada", "\udcff", "'why': holds"), ("\0", "", "'by'")):
        for decide in (accept, reject):
            with pytest.raises(InvalidInput, match=words):
                decide(measured, "a", person=person, why=why)
    with pytest.raises(InvalidInput, match="say who decides"):
        edit(measured, "a", note="a puppy", person="")
    assert measured.store.proposals.get("a").waiting


def test_a_closed_problem_takes_no_pattern(measured: Workspace) -> None:
    add(measured, proposal("a"))
    execute(measured.store, "UPDATE problems SET state = 'closed' WHERE id = 'muffin'")
    take_in(measured)
    with pytest.raises(Conflict, match="the problem muffin is closed"):
        accept(measured, "a", person="ada")


def test_a_twin_is_set_on_both_sides_once_both_are_patterns(measured: Workspace) -> None:
    add(
        measured,
        proposal("a", twin="b"),
        proposal("b", 2.0, twin="a", polarity="negative"),
        proposal("c", 3.0, twin="d"),
    )
    accept(measured, ["a", "c"], person="ada")
    assert patterns(measured)["a"]["twin"] is None
    accept(measured, "b", person="ada")
    twins = {name: made["twin"] for name, made in patterns(measured).items()}
    assert twins == {"known": None, "a": "b", "b": "a", "c": None}
    assert measured.store.sources.refusals() == []


def test_twins_that_are_accepted_together_name_each_other(measured: Workspace) -> None:
    add(measured, proposal("a", twin="b"), proposal("b", 2.0, twin="a", polarity="negative"))
    accept(measured, ["a", "b"], person="ada")
    assert [patterns(measured)[name]["twin"] for name in "ab"] == ["b", "a"]


def test_an_edit_changes_what_it_names_and_keeps_the_rest(measured: Workspace) -> None:
    add(measured, proposal("a", why="odd", cluster=2))
    made = edit(
        measured, "a", expected="chihuahua", polarity="negative", inputs={"ears": "3.5"}, note="a puppy", person="ada"
    )
    assert made == measured.store.proposals.get("a")
    assert (made.expected, made.polarity, made.inputs) == ("chihuahua", "negative", {"ears": 3.5, "crumbs": 2.0})
    assert (made.why, made.cluster, made.notes) == ("odd", 2, ("ears was 1.0", "a puppy"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"expected": "cat"}, "proposal a, column 'expected'"),
        ({"inputs": {"ears": "many"}}, "column 'ears': 'many': must be a finite number"),
        ({"inputs": {"eras": "3"}}, "eras"),
        ({"polarity": "neutral"}, "must be one of positive, negative"),
        ({"expectation": "nearly"}, "expectation"),
        ({"tolerance": "0.1"}, "belongs to close_to"),
        ({"note": "half \udcff"}, "column 'note': holds a NUL or half a surrogate pair"),
        ({"note": "\0"}, "column 'note': holds a NUL"),
        ({"inputs": {"ears": "\udcff"}}, "column 'ears': holds a NUL"),
    ],
)
@pytest.mark.parametrize("expected", ["muffin", None])
def test_an_edit_that_no_pattern_could_be_changes_nothing(
    measured: Workspace, changes: dict[str, Any], words: str, expected: str | None
) -> None:
    add(measured, proposal("a", expected=expected))
    before = measured.store.proposals.get("a")
    with pytest.raises(InvalidInput, match=words):
        edit(measured, "a", person="ada", **changes)
    assert measured.store.proposals.get("a") == before


def test_an_edit_moves_a_proposal_only_where_its_inputs_belong(measured: Workspace) -> None:
    add(measured, proposal("a", expected=None), proposal("b", expected=None, inputs={"ears": 1.0, "tail": 2.0}))
    assert edit(measured, "a", problem="other", person="ada").problem == "other"
    with pytest.raises(InvalidInput, match="other has other inputs: ears, crumbs"):
        edit(measured, "b", problem="other", person="ada")
    with pytest.raises(NotFound, match="no problem 'nowhere'"):
        edit(measured, "a", problem="nowhere", person="ada")


def test_a_rejected_proposal_stays_with_its_reason_and_is_not_proposed_again(measured: Workspace) -> None:
    add(measured, proposal("a"))
    with pytest.raises(InvalidInput, match="say why"):
        reject(measured, "a", person="ada", why=" ")
    (done,) = reject(measured, "a", person="ada", why="a test of the sensor")
    assert (done.state, done.decided_why) == ("rejected", "a test of the sensor")
    assert measured.store.proposals.add([proposal("again")], actor="test") == []
    with pytest.raises(Conflict):
        accept(measured, "a", person="bob")
    assert due(measured) == set()
