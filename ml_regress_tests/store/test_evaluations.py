"""What was measured is stored once, whole, and read back as it was."""

import sqlite3
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from ml_regress.core.draws import DrawsMade
from ml_regress.core.evaluation import Evaluation, Measure
from ml_regress.core.prediction import Prediction
from ml_regress.store import Store
from ml_regress.store.draws import DRAWN_AGAIN
from ml_regress_tests.scenario import execute, import_muffins, muffin_pattern, muffin_problem, registered, scalar
from ml_regress_tests.store.made import (
    ENVIRONMENT,
    cells,
    commit,
    evaluation,
    in_processes,
    outcomes,
    predictions,
)


@pytest.fixture
def matrix(store: Store) -> Store:
    import_muffins(store, [muffin_pattern("a"), muffin_pattern("b")])
    store.candidates.register(registered("model-1"))
    return store


def test_an_evaluation_comes_back_as_it_was_committed(matrix: Store) -> None:
    made = evaluation(
        matrix,
        "model-1",
        measures=(Measure("pass_rate", 0.5, None, 0.1, 0.9), Measure("f1", None, "one class")),
        warnings=("é",),
        environments=("e",),
        seconds=1.5,
        counts={"opened": 1},
        evaluated_at="2026-06-01T00:00:00Z",
        outcomes=outcomes(("a", "passed"), ("b", "failed")),
    )
    commit(matrix, "model-1", made, x="muffin")
    (stored,) = matrix.evaluations.current().values()
    assert stored.evaluation == made
    assert cells(matrix) == []
    found = matrix.evaluations.outcomes([stored.number])
    assert found[["pattern", "outcome"]].to_numpy().tolist() == [["a", "passed"], ["b", "failed"]]
    assert matrix.evaluations.outcomes([]).columns.tolist() == ["evaluation", "pattern", "outcome", "reason"]


def test_predictions_come_back_raw(matrix: Store) -> None:
    given = predictions(a=1, b="1", c=True, d=0.1, e=None, f=ValueError("broke"))
    given["a"] = given["a"]._replace(outputs={"score:cat": 0.25})
    matrix.evaluations.commit("model-1", [], predictions=given, environment=ENVIRONMENT, claim="run")
    found = matrix.evaluations.predictions("model-1", iter(["a", "b", "c", "d", "e", "f", "unknown"]))
    assert [repr(found[name].answer) for name in "abcdef"] == ["1", "'1'", "True", "0.1", "None", "None"]
    assert [found[name].error for name in "abcdef"] == [None, None, None, None, None, "broke"]
    assert found["a"].outputs == {"score:cat": 0.25}
    assert matrix.evaluations.environment(found["a"].environment or "") == ENVIRONMENT
    assert matrix.evaluations.environment("unknown") == {}
    assert matrix.evaluations.predictions("model-1", []) == {}
    assert matrix.evaluations.predictions("model-2", ["a"]) == {}


def test_predictions_of_several_candidates_are_read_at_once(matrix: Store) -> None:
    for name in ("model-2", "model-3"):
        matrix.candidates.register(registered(name))
    commit(matrix, "model-1", x="muffin", y="dog")
    commit(matrix, "model-2", y="cat", z="dog")
    found = matrix.evaluations.predictions_of(["model-1", "model-2", "model-3", "nobody"], ["x", "y"])
    assert {name: {digest: one.answer for digest, one in made.items()} for name, made in found.items()} == {
        "model-1": {"x": "muffin", "y": "dog"},
        "model-2": {"y": "cat"},
    }


def test_committing_again_changes_nothing(matrix: Store) -> None:
    first = evaluation(matrix, "model-1", outcomes=outcomes(("a", "passed")))
    commit(matrix, "model-1", first, x="muffin")
    before = matrix.evaluations.version()
    second = evaluation(matrix, "model-1", passes=0, outcomes=outcomes(("a", "failed"), ("b", "failed")))
    assert commit(matrix, "model-1", second, x="chihuahua") == (first,)
    (stored,) = matrix.evaluations.current().values()
    assert stored.evaluation.passes == 1
    assert matrix.evaluations.outcomes([stored.number])["outcome"].tolist() == ["passed"]
    assert matrix.evaluations.predictions("model-1", ["x"])["x"].answer == "muffin"
    assert matrix.evaluations.version() == before


def test_an_error_gives_way_to_an_answer(matrix: Store) -> None:
    failed = evaluation(matrix, "model-1", state="error", reason="broke", outcomes=outcomes(("a", "error")))
    commit(matrix, "model-1", failed, x=ValueError("broke"))
    (old,) = matrix.evaluations.current().values()
    commit(matrix, "model-1", evaluation(matrix, "model-1", outcomes=outcomes(("a", "passed"))), x="muffin")
    (new,) = matrix.evaluations.current().values()
    assert (new.evaluation.state, new.number > old.number) == ("ok", True)
    assert matrix.evaluations.predictions("model-1", ["x"])["x"][:3] == ("muffin", None, None)
    assert scalar(matrix, "SELECT count(*) FROM outcomes") == 1


def test_a_commit_that_breaks_half_way_writes_nothing(matrix: Store) -> None:
    broken = evaluation(matrix, "model-1", outcomes=outcomes(("a", "passed"), ("b", "perhaps")))
    before = matrix.evaluations.version()
    with pytest.raises(sa.exc.IntegrityError):
        commit(matrix, "model-1", broken, x="muffin")
    for table in ("predictions", "environments", "evaluations", "outcomes"):
        assert scalar(matrix, f"SELECT count(*) FROM {table}") == 0
    assert cells(matrix) == [("model-1", "muffin")]
    assert matrix.evaluations.version() == before
    commit(matrix, "model-1", evaluation(matrix, "model-1"))
    assert cells(matrix) == []


def test_evaluations_are_read_in_the_order_of_their_commits(matrix: Store) -> None:
    matrix.candidates.register(registered("model-0"))
    commit(matrix, "model-1", evaluation(matrix, "model-1"))
    commit(matrix, "model-0", evaluation(matrix, "model-0"))
    first, second = matrix.evaluations.after(0)
    assert [first.evaluation.candidate, second.evaluation.candidate] == ["model-1", "model-0"]
    assert matrix.evaluations.after(first.number) == [second]
    assert matrix.evaluations.after(0, limit=1) == [first]
    assert matrix.evaluations.after(second.number) == []


def test_current_means_the_current_suite_and_old_ones_stay_as_history(matrix: Store) -> None:
    commit(matrix, "model-1", evaluation(matrix, "model-1"))
    import_muffins(matrix, [muffin_pattern("a")], sync=True)
    assert matrix.evaluations.current() == {}
    commit(matrix, "model-1", evaluation(matrix, "model-1", passes=0))
    assert [stored.evaluation.passes for stored in matrix.evaluations.current().values()] == [0]
    assert len(matrix.evaluations.after(0)) == 2
    assert matrix.evaluations.current([]) == {}
    assert matrix.evaluations.current([("model-1", "nothing")]) == {}


def test_counts_are_of_active_candidates_and_the_current_suites(matrix: Store) -> None:
    import_muffins(matrix, [muffin_pattern("a", problem="bagel")], muffin_problem("bagel"))
    matrix.candidates.register(registered("model-2"))
    matrix.candidates.register(registered("old"))
    commit(matrix, "model-1", evaluation(matrix, "model-1"))
    commit(matrix, "model-1", evaluation(matrix, "model-1", "bagel", state="error", reason="broke"))
    commit(matrix, "model-2", evaluation(matrix, "model-2", "bagel", state="not applicable", reason="no"))
    commit(matrix, "old", evaluation(matrix, "old"))
    matrix.candidates.archive("old", actor="me")
    counts = matrix.evaluations.counts()
    assert (counts.cells, counts.ok, counts.error, counts.not_applicable, counts.due) == (4, 1, 1, 1, 1)
    assert counts.due == matrix.due.count()
    assert matrix.evaluations.progress() == (3, 4)


def test_the_latest_evaluations_come_first(matrix: Store) -> None:
    for name in ("model-2", "model-3"):
        matrix.candidates.register(registered(name))
        commit(matrix, name, evaluation(matrix, name))
    assert [item.candidate for item in matrix.evaluations.latest()] == ["model-3", "model-2"]
    assert [item.candidate for item in matrix.evaluations.latest(1)] == ["model-3"]


def test_the_version_changes_with_the_matrix_and_its_names(matrix: Store) -> None:
    versions = [matrix.evaluations.version()]
    matrix.candidates.register(registered("model-2"))
    versions.append(matrix.evaluations.version())
    commit(matrix, "model-1", evaluation(matrix, "model-1", state="error", reason="broke"))
    versions.append(matrix.evaluations.version())
    commit(matrix, "model-1", evaluation(matrix, "model-1"))
    versions.append(matrix.evaluations.version())
    import_muffins(matrix, [muffin_pattern("a"), muffin_pattern("b")], muffin_problem(title="Other"))
    versions.append(matrix.evaluations.version())
    matrix.candidates.adopt_production("model-1", actor="operator", reason="it served")
    versions.append(matrix.evaluations.version())
    matrix.candidates.archive("model-2", actor="me")
    versions.append(matrix.evaluations.version())
    assert len(set(versions)) == len(versions)


def test_the_version_stays_while_nothing_changes(matrix: Store) -> None:
    before = matrix.evaluations.version()
    import_muffins(matrix, [muffin_pattern("a"), muffin_pattern("b")])
    matrix.candidates.register(registered("model-1"))
    matrix.due.claim(cells(matrix), "run-1")
    matrix.due.release("run-1", crashed=False)
    matrix.due.audit()
    assert matrix.evaluations.version() == before


def store_results(url: str, worker: int) -> None:
    """200 results of one worker, each in a commit of its own."""
    store = Store.open(url)
    for number in range(200):
        made = evaluation_of(f"suite-{worker}-{number}")
        store.evaluations.commit(
            "model-1",
            [made],
            predictions=predictions(**{f"x-{worker}-{number}": 1}),
            environment=ENVIRONMENT,
            claim="c",
        )
    store.close()


def evaluation_of(suite: str) -> Evaluation:
    return Evaluation("model-1", "muffin", suite, "ok", passes=1, answered=1, outcomes=outcomes(("a", "passed")))


@pytest.mark.slow
def test_eight_processes_that_store_at_once_lose_nothing(matrix: Store, database_url: str) -> None:
    reading = matrix.database.engine.connect()
    assert reading.execute(sa.text("SELECT count(*) FROM evaluations")).scalar_one() == 0
    assert in_processes(store_results, [(database_url, worker) for worker in range(8)]) == [0] * 8
    if isinstance(reading.connection.dbapi_connection, sqlite3.Connection):  # it still sees what it saw
        assert reading.execute(sa.text("SELECT count(*) FROM evaluations")).scalar_one() == 0
    reading.close()
    for table in ("evaluations", "predictions", "outcomes"):
        assert scalar(matrix, f"SELECT count(*) FROM {table}") == 1600


def test_a_read_sees_one_state(matrix: Store) -> None:
    with matrix.database.read() as connection:
        count = sa.text("SELECT count(*) FROM candidates")
        before = connection.execute(count).scalar_one()
        execute(matrix, "DELETE FROM due")
        with ThreadPoolExecutor() as elsewhere:  # in this thread it would be part of what reads
            elsewhere.submit(matrix.candidates.register, registered("model-2")).result()
        assert connection.execute(count).scalar_one() == before


def test_thousands_of_cells_and_predictions_fit_into_one_call(store: Store) -> None:
    import_muffins(store, [muffin_pattern("a")])
    store.candidates.register(registered("model-1"))
    assert len(store.due.claim([(f"model-{number}", "muffin") for number in range(20_000)], "run")) == 1
    assert len(store.due.request([(f"model-{number}", "muffin") for number in range(20_000)], "asked")) == 1
    names = [f"{number:064d}" for number in range(50_000)]
    made = {name: Prediction(name) for name in names}
    store.evaluations.commit("model-1", [], predictions=made, environment=ENVIRONMENT, claim="run")
    assert len(store.evaluations.predictions("model-1", names)) == 50_000
    assert store.evaluations.current([(f"model-{number}", "muffin") for number in range(20_000)]) == {}
    assert len(store.evaluations.outcomes(range(50_000))) == 0


def drawn(store: Store, made: Evaluation, draws: DrawsMade, claim: str = "run-1") -> tuple[Evaluation, ...]:
    """Commit an evaluation over draws."""
    return store.evaluations.commit(
        "model-1", [made], predictions={}, environment=ENVIRONMENT, claim=claim, draws=draws
    )


def draws_of(shares: Mapping[str, tuple[int, int]], highest: int = 0, **answers: list[str]) -> DrawsMade:
    """New draws of inputs that had so many, and what all of them give."""
    made = {name: [Prediction(answer) for answer in given] for name, given in answers.items()}
    return DrawsMade(made, dict.fromkeys(made, highest), frozenset({"muffin"}), {"muffin": shares})


def test_an_evaluation_over_more_draws_takes_the_place_of_one_that_is_kept(matrix: Store) -> None:
    first = evaluation(matrix, "model-1", outcomes=outcomes(("a", "passed"), ("b", "failed")))
    commit(matrix, "model-1", first, x="muffin")
    (old,) = matrix.evaluations.current().values()
    second = evaluation(matrix, "model-1", passes=0, outcomes=outcomes(("a", "failed"), ("b", "failed")))
    assert drawn(matrix, second, draws_of({"a": (1, 3), "b": (0, 3)}, x=["dog", "dog"])) == (second,)
    (new,) = matrix.evaluations.current().values()
    assert (new.evaluation.passes, new.number > old.number) == (0, True)
    assert matrix.evaluations.reliabilities([old.number, new.number]) == {new.number: {"a": (1, 3), "b": (0, 3)}}
    assert matrix.evaluations.reliabilities([]) == {}
    assert [
        each.answer for each in matrix.evaluations.draws_of(["model-1"], ["x"])["model-1"].further["x"].values()
    ] == [
        "dog",
        "dog",
    ]
    assert matrix.evaluations.predictions("model-1", ["x"])["x"].answer == "muffin"
    (kept,) = matrix.evaluations.superseded("model-1", "muffin")
    assert kept.evaluation == first
    assert kept.evaluation.outcomes == first.outcomes
    assert scalar(matrix, "SELECT count(*) FROM outcomes") == 2
    assert matrix.evaluations.superseded("model-1", "bagel") == []


def test_an_evaluation_over_fewer_or_as_many_draws_changes_nothing(matrix: Store) -> None:
    made = evaluation(matrix, "model-1", outcomes=outcomes(("a", "passed")))
    drawn(matrix, made, draws_of({"a": (3, 4)}, x=["muffin"]))
    before = matrix.evaluations.version()
    for shares in ({}, {"a": (0, 2)}, {"a": (0, 4)}):
        late = evaluation(matrix, "model-1", passes=0, outcomes=outcomes(("a", "failed")))
        assert drawn(matrix, late, draws_of(shares)) == (made,)
    error = evaluation(matrix, "model-1", state="error", reason="broke", outcomes=outcomes(("a", "error")))
    assert drawn(matrix, error, draws_of({"a": (0, 2)})) == (made,)
    assert matrix.evaluations.version() == before
    assert matrix.evaluations.superseded("model-1", "muffin") == []


def test_draws_that_two_commands_made_at_once_follow_each_other_and_are_scored_together(matrix: Store) -> None:
    commit(matrix, "model-1", evaluation(matrix, "model-1", outcomes=outcomes(("a", "passed"))), x="muffin")
    made = evaluation(matrix, "model-1", outcomes=outcomes(("a", "passed")))
    drawn(matrix, made, draws_of({"a": (2, 2)}, x=["first"]))
    assert cells(matrix) == []
    drawn(matrix, made, draws_of({"a": (2, 2)}, x=["second", "third"]))  # it did not see the other one's draw
    further = matrix.evaluations.draws_of(["model-1"], ["x"])["model-1"].further["x"]
    assert {number: each.answer for number, each in further.items()} == {1: "first", 2: "second", 3: "third"}
    (due,) = matrix.due.all()
    assert (due.cell, due.reason) == (("model-1", "muffin"), DRAWN_AGAIN)
    drawn(matrix, made, draws_of({"a": (4, 4)}))
    assert cells(matrix) == []
    assert [len(each) for each in matrix.evaluations.reliabilities(range(100)).values()] == [1]


def test_an_error_that_gave_way_is_kept_with_its_outcomes_and_one_without_any_is_not(matrix: Store) -> None:
    for number, made in enumerate(((), (("a", "error"),))):
        failed = evaluation(matrix, "model-1", state="error", reason=f"broke {number}", outcomes=outcomes(*made))
        matrix.due.request([("model-1", "muffin")], "asked for")
        matrix.due.claim([("model-1", "muffin")], "run-1")
        commit(matrix, "model-1", failed)
    commit(matrix, "model-1", evaluation(matrix, "model-1", outcomes=outcomes(("a", "passed"))))
    (kept,) = matrix.evaluations.superseded("model-1", "muffin")
    assert (kept.evaluation.reason, kept.evaluation.outcomes) == ("broke 1", outcomes(("a", "error")))


def test_draws_of_a_commit_that_breaks_are_not_there(matrix: Store) -> None:
    commit(matrix, "model-1", evaluation(matrix, "model-1", outcomes=outcomes(("a", "passed"))), x="muffin")
    before = matrix.evaluations.version()
    broken = evaluation(matrix, "model-1", outcomes=outcomes(("a", "perhaps")))
    with pytest.raises(sa.exc.IntegrityError):
        drawn(matrix, broken, draws_of({"a": (1, 2)}, x=["dog"]))
    assert matrix.evaluations.version() == before
    assert scalar(matrix, "SELECT count(*) FROM predictions") == 1
    for table in ("superseded", "reliabilities"):
        assert scalar(matrix, f"SELECT count(*) FROM {table}") == 0
