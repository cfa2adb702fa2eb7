"""Ratings: checked whole, kept as they are, and without any effect on a score."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_regress.core.batch import Batch
from ml_regress.core.given_rating import GivenRating
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.production import KEY, PREDICTION, ProductionSchema
from ml_regress.engine import judge, registry
from ml_regress.engine.rating import rate, rate_file
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, InvalidInput, NotFound
from ml_regress.predictors.host import PredictorHost
from ml_regress.progress import shown_version
from ml_regress_tests.models import ConstantModel
from ml_regress_tests.scenario import measure_due, row, scalar, take_in, write_candidate, write_problem

GOOD = {"ears": 2, "crumbs": 1.5}
SCHEMA = ProductionSchema(
    parse_input_types({"temp": "number?", "hour": "integer?", "late": "boolean?", "origin": "text?"}),
    key="id",
    answer_type="integer",
)


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One database is enough here: what is stored is tested on both in store/."""
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def served(workspace: Workspace, folder: Path) -> Workspace:
    """A problem of ears and crumbs, and two candidates, of which the first is in production."""
    registry.import_problem(workspace, write_problem(folder, rows=[row("cake", 0), row("dog", 2, "chihuahua")]))
    for name in ("first", "second"):
        write_candidate(folder, name, ConstantModel("muffin"))
        registry.import_candidate(workspace, folder / "candidates" / name)
    workspace.store.candidates.adopt_production("first", actor="test", reason="it served before")
    return workspace


def given(**changes: Any) -> GivenRating:
    return GivenRating(**{"inputs": GOOD, "prediction": "muffin", "thumb": "down", **changes})


def faults_of(workspace: Workspace, *, said: GivenRating) -> dict[str | None, str]:
    """What is wrong by column, where nothing is kept."""
    with pytest.raises(InvalidInput) as refused:
        rate(workspace, said)
    assert workspace.store.ratings.all() == []
    return {fault.column: fault.rule for fault in refused.value.faults}


def keep_batch(workspace: Workspace, columns: Mapping[str, Sequence[Any]], **changes: Any) -> Batch:
    """A batch as if it had come: rows in the archive, entry in the store."""
    workspace.store.batches.freeze_schema(SCHEMA, "test")
    with workspace.archive.staging() as folder:
        pq.write_table(pa.table(dict(columns)), folder / "rows.parquet")
        workspace.archive.keep_rows(folder / "rows.parquet", "d" * 64)
    made = Batch(
        **{
            "id": "2013-04", "state": "accepted", "digest": "d" * 64, "schema": SCHEMA.digest,
            "rows": len(columns["temp"]), "starts": "2013-04-01", "ends": "2013-05-01", "source": "batches/2013-04.csv",
            "received_at": "2013-05-01", "candidate": "second", **changes,
        }
    )  # fmt: skip
    store = workspace.store.batches
    return store.quarantine(made) if made.state == "quarantined" else store.accept(made)


@pytest.fixture
def arrived(served: Workspace) -> Workspace:
    """A batch of three flights, the last of them without an answer."""
    keep_batch(
        served,
        {
            "temp": pa.array([4.5, None, 7.0], pa.float64()),
            "hour": pa.array([8, 9, None], pa.int64()),
            "late": pa.array([True, None, False], pa.bool_()),
            "origin": pa.array(["EWR", None, "JFK"], pa.string()),
            KEY: pa.array(["a", "b", "c"], pa.string()),
            PREDICTION: pa.array([1, 0, None], pa.int64()),
        },
    )
    return served


# -- what is kept --------------------------------------------------------------------------------


def test_a_rating_is_kept_typed_and_belongs_to_production(served: Workspace) -> None:
    kept = rate(served, given(words=" that is my dog ", person="Ada"))
    assert kept.inputs == {"ears": 2.0, "crumbs": 1.5}
    assert [type(value) for value in kept.inputs.values()] == [float, float]
    assert (kept.candidate, kept.thumb, kept.stars, kept.words, kept.low) == (
        "first",
        "down",
        None,
        "that is my dog",
        True,
    )
    assert served.store.ratings.all() == [kept]


def test_the_input_digest_is_that_of_the_pattern_that_asks_the_same(served: Workspace) -> None:
    rate(served, given(inputs={"crumbs": "1", "ears": 2}))
    assert (
        scalar(served.store, "SELECT input_digest FROM ratings")
        == (served.store.problems.pattern_digests()["muffin"]["dog"])
    )


def test_an_answer_that_was_written_as_text_gets_the_type_of_answers(served: Workspace, folder: Path) -> None:
    registry.import_problem(served, write_problem(folder, "count", inputs={"n": "number"}, answer="integer", labels=[]))
    assert rate(served, given(inputs={"n": "1"}, prediction="7", texts=True)).prediction == 7
    assert rate(served, given(inputs={"n": "1"}, prediction="many", texts=True)).prediction == "many"
    assert rate(served, given(inputs={"n": "1"}, prediction=7.5)).prediction == 7.5


def test_a_named_candidate_is_rated_and_an_unknown_one_refused_with_those_there_are(served: Workspace) -> None:
    assert rate(served, given(candidate="second")).candidate == "second"
    with pytest.raises(NotFound, match=r"no candidate 'third': there are first, second"):
        rate(served, given(candidate="third"))
    assert len(served.store.ratings.all()) == 1


def test_without_production_the_candidate_must_be_named(workspace: Workspace, folder: Path) -> None:
    registry.import_problem(workspace, write_problem(folder))
    with pytest.raises(NotFound, match="whose answer is rated"):
        rate(workspace, given())


# -- what is refused -----------------------------------------------------------------------------


def test_every_fault_of_a_rating_is_named_at_once(served: Workspace) -> None:
    said = given(inputs={"ears": "many", "tail": 1}, prediction=None, thumb=None, stars=9, words="\x00")
    found = faults_of(served, said=said)
    assert set(found) == {"ears", "crumbs", "tail", "prediction", "stars", "words"}
    assert found["ears"] == "must be a finite number"
    assert found["crumbs"].startswith("is missing")
    assert found["tail"] == "is no input; there are ears, crumbs"


@pytest.mark.parametrize("changes", [{"thumb": None}, {"stars": 3}, {"thumb": "sideways"}, {"thumb": None, "stars": 0}])
def test_exactly_one_of_thumb_and_stars_is_given(served: Workspace, changes: Mapping[str, Any]) -> None:
    assert set(faults_of(served, said=given(**changes))) <= {"thumb", "stars"}


@pytest.mark.parametrize("prediction", [None, float("nan"), ["a"], {"a": 1}])
def test_an_answer_is_a_single_value(served: Workspace, prediction: Any) -> None:
    assert list(faults_of(served, said=given(prediction=prediction))) == ["prediction"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("words", 5), ("words", None), ("person", 4), ("key", 17), ("batch", 2013), ("candidate", 7),
     ("inputs", [2, 1.5]), ("inputs", pd.Series(GOOD))],
)  # fmt: skip
def test_what_a_program_gives_as_something_else_is_refused_in_words(served: Workspace, field: str, value: Any) -> None:
    assert "must be" in faults_of(served, said=given(**{field: value}))[field]


@pytest.mark.parametrize("inputs", [None, {}])
def test_inputs_or_a_row_of_a_batch_are_needed(served: Workspace, inputs: Any) -> None:
    assert "a batch and the key" in faults_of(served, said=given(inputs=inputs))["inputs"]


def test_inputs_that_problems_type_differently_are_not_guessed(served: Workspace, folder: Path) -> None:
    registry.import_problem(served, write_problem(folder, "towel", inputs={"ears": "integer", "crumbs": "number"}))
    found = faults_of(served, said=given())
    assert "muffin, towel, which type them differently" in found["inputs"]


def test_a_workspace_that_declares_no_inputs_cannot_check_any(workspace: Workspace) -> None:
    assert "production.yaml" in faults_of(workspace, said=given())["inputs"]


# -- by the production schema and batches --------------------------------------------------------


def test_inputs_are_checked_by_the_production_schema_where_there_is_one(served: Workspace) -> None:
    served.store.batches.freeze_schema(SCHEMA, "test")
    kept = rate(served, given(inputs={"temp": 4, "hour": 8.0, "origin": "EWR"}, prediction="1", texts=True))
    assert kept.inputs == {"temp": 4.0, "hour": 8, "late": None, "origin": "EWR"}
    assert kept.prediction == 1
    assert set(faults_of_more(served, given())) == {"ears", "crumbs"}


def faults_of_more(workspace: Workspace, said: GivenRating) -> list[str | None]:
    with pytest.raises(InvalidInput) as refused:
        rate(workspace, said)
    return [fault.column for fault in refused.value.faults]


def test_a_row_of_a_batch_needs_no_inputs_and_no_prediction(arrived: Workspace) -> None:
    kept = rate(arrived, GivenRating(stars=1, batch="2013-04", key="a"))
    assert kept.inputs == {"temp": 4.5, "hour": 8, "late": True, "origin": "EWR"}
    assert (kept.prediction, kept.candidate, kept.batch, kept.key) == (1, "second", "2013-04", "a")
    gaps = rate(arrived, GivenRating(stars=1, batch="2013-04", key="b", candidate="first"))
    assert gaps.inputs == {"temp": None, "hour": 9, "late": None, "origin": None}
    assert (gaps.prediction, gaps.candidate) == (0, "first")


def test_a_row_without_an_answer_needs_one(arrived: Workspace) -> None:
    assert (
        "say what was answered" in faults_of(arrived, said=GivenRating(stars=1, batch="2013-04", key="c"))["prediction"]
    )
    kept = rate(arrived, GivenRating(prediction="1", texts=True, stars=1, batch="2013-04", key="c"))
    assert (kept.prediction, kept.inputs["hour"]) == (1, None)


def test_what_is_said_beside_a_row_must_be_what_the_row_holds(arrived: Workspace) -> None:
    row_a = {"stars": 1, "batch": "2013-04", "key": "a"}
    same = GivenRating({"temp": "4.50", "late": 1}, "1", texts=True, **row_a)
    found = faults_of(arrived, said=GivenRating({"temp": 5, "hour": "x", "tail": 1}, 0, **row_a))
    assert found["temp"] == "is not what row 'a' of batch '2013-04' holds: 4.5"
    assert found["hour"] == "must be a whole number" or "number" in found["hour"]
    assert "is no input" in found["tail"]
    assert found["prediction"] == "is not what row 'a' of batch '2013-04' was answered: 1"
    assert rate(arrived, same).prediction == 1


def test_unknown_batches_and_keys_are_named(arrived: Workspace) -> None:
    with pytest.raises(NotFound, match="no batch '2013-05'"):
        rate(arrived, GivenRating(stars=1, batch="2013-05", key="a"))
    with pytest.raises(NotFound, match="no row with the key 'zz'"):
        rate(arrived, GivenRating(stars=1, batch="2013-04", key="zz"))
    with pytest.raises(NotFound, match="no batch '2013-05'"):
        rate(arrived, GivenRating({"temp": 1}, 1, stars=1, batch="2013-05"))
    assert arrived.store.ratings.all() == []


def test_a_batch_without_keys_says_so(served: Workspace) -> None:
    keep_batch(served, {"temp": pa.array([1.0])})
    with pytest.raises(NotFound, match=r"have no keys \(`key` in production.yaml"):
        rate(served, GivenRating(stars=1, batch="2013-04", key="a"))


@pytest.mark.parametrize("key", ["a", None])
def test_a_quarantined_batch_is_not_used(served: Workspace, key: str | None) -> None:
    keep_batch(served, {"temp": pa.array([1.0]), KEY: pa.array(["a"])}, state="quarantined", reasons=("broken",))
    with pytest.raises(Conflict, match="release it first"):
        rate(served, GivenRating({"temp": 1.0}, 1, stars=1, batch="2013-04", key=key))


# -- files ---------------------------------------------------------------------------------------

LINES = (
    {"ears": 2, "crumbs": 1, "prediction": "muffin", "thumb": "down", "words": "my dog", "person": "Ada"},
    {"ears": 0, "crumbs": 9, "prediction": "muffin", "stars": 5, "candidate": "second"},
)


def written(path: Path, lines: Sequence[Mapping[str, Any]] = LINES) -> Path:
    frame = pd.DataFrame([dict(line) for line in lines])
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        path.write_text("\n".join(json.dumps(dict(line)) for line in lines))
    return path


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_a_table_of_ratings_is_kept_in_its_order(served: Workspace, tmp_path: Path, ending: str) -> None:
    made = rate_file(served, written(tmp_path / f"said{ending}"), GivenRating(person="desk"))
    assert [(each.candidate, each.shown, each.person) for each in made] == [
        ("first", "thumb down", "Ada"),
        ("second", "5 of 5 stars", "desk"),
    ]
    assert [each.inputs for each in made] == [{"ears": 2.0, "crumbs": 1.0}, {"ears": 0.0, "crumbs": 9.0}]
    assert list(reversed(served.store.ratings.all())) == made


def test_a_table_with_faults_is_refused_whole_and_each_names_its_row(served: Workspace, tmp_path: Path) -> None:
    lines = [
        *LINES,
        {**LINES[0], "ears": "many"},
        {**LINES[0], "candidate": "third"},
        {**LINES[0], "stars": 4},
        {**LINES[0], "prediction": None, "batch": "2013-05"},
    ]
    path = written(tmp_path / "said.jsonl", lines)
    with pytest.raises(InvalidInput) as refused:
        rate_file(served, path, GivenRating())
    assert [(fault.file, fault.row) for fault in refused.value.faults] == [(str(path), row) for row in (3, 4, 5, 6)]
    words = [str(fault) for fault in refused.value.faults]
    assert "column 'ears': 'many': must be a finite number" in words[0]
    assert "no candidate 'third': there are first, second" in words[1]
    assert "either a thumb" in words[2]
    assert "no batch '2013-05'" in words[3]
    assert served.store.ratings.all() == []


def test_rows_of_a_table_may_name_rows_of_a_batch(arrived: Workspace, tmp_path: Path) -> None:
    lines = [{"key": "a", "thumb": "down"}, {"key": "b", "thumb": "up", "words": "fine"}]
    made = rate_file(arrived, written(tmp_path / "said.csv", lines), GivenRating(batch="2013-04"))
    assert [(each.key, each.batch, each.prediction, each.words) for each in made] == [
        ("a", "2013-04", 1, ""),
        ("b", "2013-04", 0, "fine"),
    ]


def test_an_input_with_the_name_of_a_field_is_written_with_inputs_before_it(served: Workspace, tmp_path: Path) -> None:
    folder = served.settings.workspace
    registry.import_problem(served, write_problem(folder, "notes", inputs={"words": "text", "stars": "number"}))
    lines = [{"inputs.words": "fine", "inputs.stars": 3, "prediction": "muffin", "stars": 1}]
    (made,) = rate_file(served, written(tmp_path / "said.csv", lines), GivenRating())
    assert (made.inputs, made.stars) == ({"words": "fine", "stars": 3.0}, 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty|no header|has no"),
        ("ears,crumbs,prediction,thumb\n", "has no rows"),
        ("ears,crumbs,prediction\n1,2,muffin\n", "name it thumb, or stars"),
        ("ears,inputs.ears,prediction,thumb\n1,2,muffin,up\n", "a second time"),
    ],
)
def test_a_table_without_ratings_says_what_is_missing(served: Workspace, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "said.csv"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=said):
        rate_file(served, path, GivenRating())


# -- no effect -----------------------------------------------------------------------------------


def test_a_rating_never_changes_a_score_by_itself(served: Workspace, host: PredictorHost) -> None:
    take_in(served)
    measure_due(served, host)
    judge.record(served)

    def state() -> list[Any]:
        store = served.store
        verdicts = [judge.judge(served, name).verdict for name in ("first", "second")]
        return [
            store.evaluations.latest(),
            verdicts,
            scalar(store, "SELECT COUNT(*) FROM verdicts"),
            store.due.all(),
            store.problems.measured(),
            store.problems.version(),
            store.evaluations.version(),
            shown_version(store),
        ]

    before = state()
    assert len(before[0]) == 2
    for stars in (1, 5):
        rate(served, given(inputs={"ears": 2, "crumbs": 1}, thumb=None, stars=stars))
    take_in(served)
    assert served.store.due.audit() == 0
    assert judge.record(served) == {}
    assert state() == before
