"""Drawing again: models that do not always answer alike are seen, and nothing that was drawn is lost."""

import threading
from pathlib import Path
from typing import Any

import pytest

from ml_regress.core.evaluation import Evaluation
from ml_regress.engine.draws import draw_again, drawable
from ml_regress.engine.evaluate import CandidateResult, Counts
from ml_regress.engine.recorded import NO_DRAW, NO_DRAW_OF_ROWS
from ml_regress.engine.workspace import Workspace
from ml_regress.predictors.host import PredictorHost
from ml_regress.settings import Settings
from ml_regress.store.draws import DRAWN_AGAIN
from ml_regress_tests.models import ConstantModel, FailingModel, SlowModel, TurnsModel, write_manifest
from ml_regress_tests.scenario import age, logged, measure_due, row, scalar, take_in, write_candidate, write_problem

MUFFINS = [row("p1", 1), row("p2", 2), row("p3", 3, "chihuahua", polarity="negative")]
CELL = ("a", "muffin")


def given(workspace: Workspace, model: ConstantModel, **manifest: Any) -> Path:
    """A candidate `a` and three patterns that ask for a muffin twice and for a chihuahua once; the model's log."""
    folder = workspace.settings.workspace
    write_problem(folder, "muffin", MUFFINS)
    log = write_candidate(folder, "a", model, **manifest)
    take_in(workspace)
    return log


def draw(workspace: Workspace, host: PredictorHost, draws: int, *cells: tuple[str, str]) -> CandidateResult:
    (result,) = draw_again(workspace, cells or [CELL], draws, claim="test", host=host)
    assert workspace.store.due.claims() == []
    return result


def stored(workspace: Workspace, problem: str = "muffin") -> tuple[Evaluation, dict[str, tuple[str, str | None]]]:
    """The evaluation of `a` and its outcomes with their reasons."""
    found = workspace.store.evaluations.current()["a", problem]
    rows = workspace.store.evaluations.outcomes([found.number])
    outcomes = zip(rows["outcome"], rows["reason"], strict=True)
    return found.evaluation, dict(zip(rows["pattern"], outcomes, strict=True))


def reliabilities(workspace: Workspace, problem: str = "muffin") -> dict[str, tuple[int, int]]:
    number = workspace.store.evaluations.current()["a", problem].number
    return workspace.store.evaluations.reliabilities([number]).get(number, {})


def draws_stored(workspace: Workspace) -> list[tuple[int, int]]:
    """How many predictions there are by number of the draw."""
    numbers = range(scalar(workspace.store, "SELECT max(draw) FROM predictions") + 1)
    query = "SELECT count(*) FROM predictions WHERE draw = :draw"
    return [(number, scalar(workspace.store, query, draw=number)) for number in numbers]


def test_a_flaky_model_is_opened_once_and_decided_by_most_of_its_draws(
    workspace: Workspace, host: PredictorHost
) -> None:
    log = given(workspace, TurnsModel(["muffin", "chihuahua", "muffin", "muffin", "chihuahua"]))
    measure_due(workspace, host)
    before, outcomes = stored(workspace)
    assert (before.passes, outcomes["p1"]) == (2, ("passed", None))
    result = draw(workspace, host, 4)
    assert logged(log) == ["open", "predict 3", "open", *["predict 3"] * 4]
    assert (result.counts, result.undrawn) == (Counts(opened=1, reused=3, scored=3, drawn=12), None)
    assert draws_stored(workspace) == [(number, 3) for number in range(5)]
    after, outcomes = stored(workspace)
    assert [each.passes for each in result.evaluations] == [after.passes] == [2]
    assert outcomes == {
        "p1": ("passed", "3 of 5 draws passed"),
        "p2": ("passed", "3 of 5 draws passed"),
        "p3": ("failed", "2 of 5 draws passed"),
    }
    assert reliabilities(workspace) == {"p1": (3, 5), "p2": (3, 5), "p3": (2, 5)}
    assert after.warnings == ("3 of 3 patterns are flaky: their draws differ in outcome or answer",)
    assert workspace.store.due.count() == 0
    (old,) = workspace.store.evaluations.superseded(*CELL)
    assert old.evaluation == before
    assert [each.outcome for each in old.evaluation.outcomes or ()] == ["passed", "passed", "failed"]


def test_a_constant_model_stays_unflaky_and_further_draws_follow_those_there_were(
    workspace: Workspace, host: PredictorHost
) -> None:
    given(workspace, ConstantModel("muffin"))
    measure_due(workspace, host)
    draw(workspace, host, 2)
    draw(workspace, host, 1)
    evaluation, outcomes = stored(workspace)
    assert outcomes == {"p1": ("passed", None), "p2": ("passed", None), "p3": ("failed", None)}
    assert (evaluation.passes, evaluation.warnings) == (2, ())
    assert reliabilities(workspace) == {"p1": (4, 4), "p2": (4, 4), "p3": (0, 4)}
    assert draws_stored(workspace) == [(number, 3) for number in range(4)]
    assert len(workspace.store.evaluations.superseded(*CELL)) == 2


def test_a_cell_that_is_due_is_measured_on_the_way(workspace: Workspace, host: PredictorHost) -> None:
    log = given(workspace, TurnsModel(["muffin", "chihuahua", "muffin"]))
    result = draw(workspace, host, 2)
    assert logged(log) == ["open", *["predict 3"] * 3]
    assert result.counts == Counts(opened=1, predicted=3, scored=3, drawn=6)
    assert stored(workspace)[1]["p1"] == ("passed", "2 of 3 draws passed")
    assert workspace.store.evaluations.superseded(*CELL) == []


def test_a_pass_that_raises_is_a_draw_with_an_error(workspace: Workspace, host: PredictorHost) -> None:
    given(workspace, TurnsModel(["muffin", ValueError("no flour"), ValueError("no flour")]))
    measure_due(workspace, host)
    draw(workspace, host, 2)
    evaluation, outcomes = stored(workspace)
    assert (evaluation.state, evaluation.errors) == ("error", 3)
    assert outcomes["p1"][0] == "error"
    assert str(outcomes["p1"][1]).startswith("1 of 3 draws passed, 2 ended in an error; ValueError: no flour")
    assert reliabilities(workspace)["p1"] == (1, 3)
    (old,) = workspace.store.evaluations.superseded(*CELL)
    assert (old.evaluation.state, old.evaluation.passes) == ("ok", 2)


def test_a_first_draw_that_failed_counts_until_it_is_made_and_the_others_stay(
    workspace: Workspace, host: PredictorHost
) -> None:
    given(workspace, TurnsModel([ValueError("no flour"), *["muffin"] * 4]))
    draw(workspace, host, 2)
    assert stored(workspace)[1]["p1"] == ("passed", "2 of 3 draws passed, 1 ended in an error")
    assert draws_stored(workspace) == [(0, 0), (1, 3), (2, 3)]
    draw(workspace, host, 1)
    assert draws_stored(workspace) == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert stored(workspace)[1]["p1"] == ("passed", None)


def test_a_pass_that_ends_the_process_is_an_error_and_those_after_it_are_not_made(
    workspace: Workspace, host: PredictorHost
) -> None:
    given(workspace, TurnsModel(["muffin", "muffin", None, "muffin"]))
    measure_due(workspace, host)
    result = draw(workspace, host, 3)
    assert str(result.undrawn).startswith("1 of 3 further draws were not made: ")
    assert reliabilities(workspace)["p1"] == (2, 3)
    assert str(stored(workspace)[1]["p1"][1]).startswith("2 of 3 draws passed, 1 ended in an error")


def test_what_was_never_answered_is_not_drawn(workspace: Workspace, host: PredictorHost) -> None:
    given(workspace, FailingModel("burnt"))
    write_problem(workspace.settings.workspace, "muffin", [row("p1", -1)])
    take_in(workspace)
    result = draw(workspace, host, 3)
    assert "3 of 3 inputs were never answered and are not drawn" in str(result.undrawn)
    assert "burnt" in str(result.undrawn)
    assert scalar(workspace.store, "SELECT count(*) FROM predictions") == 0
    assert stored(workspace)[0].state == "error"


def test_a_candidate_that_does_not_open_any_more_keeps_what_was_measured(
    workspace: Workspace, host: PredictorHost
) -> None:
    given(workspace, ConstantModel("muffin"))
    measure_due(workspace, host)
    before = workspace.store.evaluations.version()
    (workspace.settings.workspace / "candidates" / "a" / "model.joblib").unlink()
    result = draw(workspace, host, 3)
    assert "no further draw was made" in str(result.undrawn)
    assert result.counts.drawn == 0
    assert workspace.store.evaluations.version() == before
    assert workspace.store.evaluations.superseded(*CELL) == []
    assert workspace.store.due.count() == 0


def test_a_later_suite_uses_the_draws_there_are(workspace: Workspace, host: PredictorHost) -> None:
    log = given(workspace, TurnsModel(["muffin", "chihuahua", "chihuahua", "muffin"]))
    measure_due(workspace, host)
    draw(workspace, host, 2)
    write_problem(workspace.settings.workspace, "muffin", [*MUFFINS, row("p4", 4)])
    take_in(workspace)
    assert measure_due(workspace, host) == Counts(opened=1, predicted=1, reused=3, scored=4)
    assert stored(workspace)[1]["p1"] == ("failed", "1 of 3 draws passed")
    assert stored(workspace)[1]["p4"] == ("passed", None)
    assert set(reliabilities(workspace)) == {"p1", "p2", "p3"}
    opened = logged(log).count("open")
    write_problem(workspace.settings.workspace, "muffin", [row("p1", 1, "chihuahua"), *MUFFINS[1:]])
    take_in(workspace)
    measure_due(workspace, host)
    assert stored(workspace)[1]["p1"] == ("passed", "2 of 3 draws passed")
    assert logged(log).count("open") == opened


def test_a_command_that_ends_while_it_draws_leaves_everything_as_it_was(
    workspace: Workspace, host: PredictorHost
) -> None:
    log = given(workspace, ConstantModel("muffin"))
    measure_due(workspace, host)
    before, opened = workspace.store.evaluations.version(), logged(log)
    workspace.store.due.request([CELL], DRAWN_AGAIN)
    workspace.store.due.claim([CELL], "a command that was killed")
    workspace.store.due.release("a command that was killed", crashed=False)
    measure_due(workspace, host)
    assert (workspace.store.evaluations.version(), logged(log)) == (before, opened)
    assert workspace.store.due.count() == 0


def test_patterns_without_inputs_are_not_drawn_and_that_is_said(workspace: Workspace, host: PredictorHost) -> None:
    rows = [{"pattern_id": "p1", "expected": "muffin"}]
    write_problem(workspace.settings.workspace, "letters", rows)
    given(workspace, ConstantModel("muffin"))
    measure_due(workspace, host)
    assert "none of the patterns has inputs" in str(draw(workspace, host, 2, ("a", "letters")).undrawn)


def test_each_pass_may_take_the_time_limit(workspace: Workspace, host: PredictorHost) -> None:
    given(workspace, SlowModel(0.7), time_limit=2)
    measure_due(workspace, host)
    result = draw(workspace, host, 4)
    assert (result.undrawn, result.counts.drawn) == (None, 12)


def test_an_answer_map_means_further_draws_too(workspace: Workspace, host: PredictorHost) -> None:
    model = TurnsModel(["muffin", "blueberry muffin", "chihuahua"])
    given(workspace, model, answer_map={"blueberry muffin": "muffin"})
    measure_due(workspace, host)
    draw(workspace, host, 2)
    assert stored(workspace)[1]["p1"] == ("passed", "2 of 3 draws passed")


def test_pages_see_the_first_draw(workspace: Workspace, host: PredictorHost) -> None:
    given(workspace, TurnsModel(["muffin", "chihuahua", "chihuahua"]))
    measure_due(workspace, host)
    draw(workspace, host, 2)
    digests = workspace.store.problems.pattern_digests()["muffin"].values()
    wanted = [digest for digest in digests if digest is not None]
    table = workspace.store.evaluations
    assert {each.answer for each in table.predictions("a", wanted).values()} == {"muffin"}
    held = table.draws_of(["a"], wanted)["a"]
    assert {number: each.answer for number, each in held.further[wanted[0]].items()} == {1: "chihuahua", 2: "chihuahua"}


@pytest.mark.parametrize("held_on_to", [False, True])
def test_cells_that_another_run_holds_are_waited_for_and_named_when_that_takes_too_long(
    workspace: Workspace, host: PredictorHost, held_on_to: bool
) -> None:
    given(workspace, ConstantModel("muffin"))
    measure_due(workspace, host)
    workspace.store.due.request([CELL], "asked for")
    workspace.store.due.claim([CELL], "another")
    if held_on_to:
        (result,) = draw_again(workspace, [CELL], 2, claim="test", patience=0.3, host=host)
        assert (result.measured, result.elsewhere, result.counts) == (frozenset(), (CELL,), Counts())
        assert [claim.name for claim in workspace.store.due.claims()] == ["another"]
        return
    timer = threading.Timer(0.5, workspace.store.due.release, ["another"], {"crashed": False})
    timer.start()
    assert draw(workspace, host, 2).counts.drawn == 6
    timer.join()


def test_two_commands_at_once_add_distinct_draws_and_lose_none(workspace: Workspace, database_url: str) -> None:
    given(workspace, TurnsModel(["muffin", "chihuahua", "muffin"]))
    with PredictorHost() as one:
        measure_due(workspace, one)
    failures: list[BaseException] = []

    def command(name: str, draws: int) -> None:
        mine = Workspace.open(Settings.load(workspace.settings.workspace, {"ML_REGRESS_DATABASE_URL": database_url}))
        try:
            for result in draw_again(mine, [CELL], draws, claim=name):
                assert (result.undrawn, result.elsewhere) == (None, ())
        except BaseException as error:  # noqa: BLE001  a thread's failure is no failure of the test by itself
            failures.append(error)
        finally:
            mine.store.close()

    threads = [threading.Thread(target=command, args=given) for given in (("first", 2), ("second", 3))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert draws_stored(workspace) == [(number, 3) for number in range(6)]
    assert {draws for _, draws in reliabilities(workspace).values()} == {6}
    assert workspace.store.due.count() == 0


def test_what_cannot_be_drawn_says_why(workspace: Workspace) -> None:
    given(workspace, ConstantModel("muffin"), not_applicable={"muffin": "sells no muffins"})
    folder = workspace.settings.workspace
    old = folder / "candidates" / "old"
    old.mkdir()
    (old / "predictions.csv").write_text("problem,pattern_id,predicted\nmuffin,p1,muffin\n")
    write_manifest(old, format="recorded", artefact="predictions.csv")
    write_candidate(folder, "b", ConstantModel("muffin"))
    (folder / "benchmarks" / "set.csv").write_text("ears,crumbs,label\n1,1,muffin\n2,1,chihuahua\n")
    (folder / "benchmarks" / "set.yaml").write_text(
        "id: set\ntitle: Set\ninputs: {ears: number, crumbs: number}\n"
        "target: label\ndata: set.csv\nmetrics: [accuracy]\n"
    )
    for path in (folder / "benchmarks").iterdir():
        age(path)
    take_in(workspace)
    assert workspace.store.sources.refusals() == []
    found = drawable(workspace, [(name, problem) for name in ("a", "b", "old") for problem in ("muffin", "set")])
    assert found.cells == {("b", "muffin")}
    assert found.others == {
        ("a", "muffin"): "not applicable: sells no muffins",
        ("a", "set"): NO_DRAW_OF_ROWS,
        ("b", "set"): NO_DRAW_OF_ROWS,
        ("old", "muffin"): NO_DRAW,
        ("old", "set"): NO_DRAW,
    }
