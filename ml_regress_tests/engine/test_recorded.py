"""Recorded candidates: joined by key, missing is no prediction, what was recorded never changes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ml_regress.core.evaluation import Evaluation
from ml_regress.engine import registry
from ml_regress.engine.evaluate import Counts
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, InvalidInput, UnknownPatterns
from ml_regress.predictors.host import PredictorHost
from ml_regress_tests.models import ConstantModel, save_model, write_manifest
from ml_regress_tests.scenario import age, execute, measure_due, row, scalar, take_in, write_candidate, write_problem

LETTERS = ("1", "2", "3", "4")


@pytest.fixture(name="asked")
def _asked(workspace: Workspace) -> Workspace:
    """Four patterns without inputs, expected a, b, a, b."""
    rows = [{"pattern_id": name, "expected": "ab"[place % 2]} for place, name in enumerate(LETTERS)]
    write_problem(workspace.settings.workspace, "letters", rows, labels=["a", "b"])
    take_in(workspace)
    return workspace


def record(workspace: Workspace, table: str, name: str = "old-model", **manifest: Any) -> Path:
    """A recorded candidate whose table is this CSV text."""
    folder = workspace.settings.workspace / "candidates" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "predictions.csv").write_text(table)
    write_manifest(folder, format="recorded", artefact="predictions.csv", **manifest)
    return folder


def outcomes(workspace: Workspace, candidate: str = "old-model", problem: str = "letters") -> dict[str, str]:
    stored = workspace.store.evaluations.current([(candidate, problem)])[candidate, problem]
    found = workspace.store.evaluations.outcomes([stored.number])
    return dict(zip(found["pattern"], found["outcome"], strict=True))


def refusal(workspace: Workspace, table: str, **manifest: Any) -> str:
    with pytest.raises(InvalidInput) as refused:
        registry.import_candidate(workspace, record(workspace, table, **manifest))
    assert scalar(workspace.store, "SELECT count(*) FROM candidates") == 0
    assert scalar(workspace.store, "SELECT count(*) FROM predictions") == 0
    return str(refused.value).replace(str(workspace.settings.workspace), "")


def test_rows_are_joined_by_pattern_and_not_by_position(asked: Workspace, host: PredictorHost) -> None:
    registry.import_candidate(asked, record(asked, "pattern_id,predicted\n4,b\n2,b\n3,a\n1,a\n"))
    assert measure_due(asked, host) == Counts(reused=4, scored=4)
    assert outcomes(asked) == dict.fromkeys(LETTERS, "passed")


def test_a_missing_row_is_no_prediction_and_is_not_asked_again(asked: Workspace, host: PredictorHost) -> None:
    registry.import_candidate(asked, record(asked, "pattern_id,predicted\n4,b\n2,b\n1,a\n"))
    measure_due(asked, host)
    cell = asked.store.evaluations.current()["old-model", "letters"].evaluation
    assert outcomes(asked) == {"1": "passed", "2": "passed", "3": "error", "4": "passed"}
    assert (cell.state, cell.passes, cell.answered, cell.errors) == ("error", 3, 3, 1)
    assert cell.reason is not None
    assert "no prediction" in cell.reason
    assert asked.store.due.count() == 0
    found = asked.store.evaluations.outcomes([asked.store.evaluations.current()["old-model", "letters"].number])
    assert found.set_index("pattern").at["3", "reason"].startswith("no prediction")


def test_an_unknown_key_refuses_the_table_with_its_rows(asked: Workspace) -> None:
    said = refusal(asked, "pattern_id,predicted\n1,a\n9,a\n2,b\n8,b\n")
    assert "predictions.csv, row 2, column 'pattern_id': '9': no such pattern is known" in said
    assert "row 4, column 'pattern_id': '8'" in said


def test_a_doubled_key_is_never_the_first_that_wins(asked: Workspace) -> None:
    assert "row 3, column 'pattern_id': '2': was answered in row 2 already" in refusal(
        asked, "pattern_id,predicted\n1,a\n2,b\n2,a\n"
    )


def test_a_blank_prediction_is_refused_and_an_error_is_one(asked: Workspace, host: PredictorHost) -> None:
    assert "row 2, column 'predicted': is blank" in refusal(asked, "pattern_id,predicted\n1,a\n2,\n")
    table = "pattern_id,predicted,error\n1,a,\n2,,out of memory\n3,a,\n4,b,\n"
    registry.import_candidate(asked, record(asked, table))
    measure_due(asked, host)
    assert outcomes(asked) == {"1": "passed", "2": "error", "3": "passed", "4": "passed"}
    assert "there is an error too" in _refused(asked, "pattern_id,predicted,error\n1,a,broken\n")


def _refused(workspace: Workspace, table: str, name: str = "other", **manifest: Any) -> str:
    with pytest.raises(InvalidInput) as refused:
        registry.import_candidate(workspace, record(workspace, table, name, **manifest))
    return str(refused.value)


def test_appended_rows_measure_their_problem_again_and_nothing_else(asked: Workspace, host: PredictorHost) -> None:
    write_problem(
        asked.settings.workspace,
        "digits",
        [{"pattern_id": "d1", "expected": "a"}],
        labels=["a", "b"],
        inputs={"x": "text"},
    )
    take_in(asked)
    registry.import_candidate(asked, record(asked, "pattern_id,predicted\n1,a\n2,b\n4,b\n"))
    measure_due(asked, host)
    folder = record(asked, "pattern_id,predicted\n1,a\n2,b\n4,b\n3,b\n")
    assert registry.import_candidate(asked, folder).said == "unchanged, 1 predictions recorded"
    assert [(cell.problem, cell.reason) for cell in asked.store.due.all()] == [("letters", "predictions appended")]
    measure_due(asked, host)
    assert outcomes(asked) == {"1": "passed", "2": "passed", "3": "failed", "4": "passed"}
    assert registry.import_candidate(asked, folder).said == "unchanged"


def test_rows_that_are_appended_while_their_cells_are_measured_are_not_lost(
    asked: Workspace, host: PredictorHost
) -> None:
    registry.import_candidate(asked, record(asked, "pattern_id,predicted\n1,a\n2,b\n4,b\n"))
    (held,) = asked.store.due.claim([("old-model", "letters")], "a run")
    registry.import_candidate(asked, record(asked, "pattern_id,predicted\n1,a\n2,b\n4,b\n3,a\n"))
    early = Evaluation("old-model", "letters", held.suite, "error", "no prediction", answered=3, errors=1)
    asked.store.evaluations.commit("old-model", [early], predictions={}, environment=None, claim="a run")
    measure_due(asked, host)
    assert outcomes(asked) == dict.fromkeys(LETTERS, "passed")
    assert asked.store.due.count() == 0


def test_an_error_gives_way_to_an_answer(asked: Workspace, host: PredictorHost) -> None:
    registry.import_candidate(asked, record(asked, "pattern_id,predicted,error\n1,a,\n2,,slow\n3,a,\n4,b,\n"))
    measure_due(asked, host)
    registry.import_candidate(asked, record(asked, "pattern_id,predicted,error\n1,a,\n2,b,\n3,a,\n4,b,\n"))
    measure_due(asked, host)
    assert outcomes(asked) == dict.fromkeys(LETTERS, "passed")


@pytest.mark.parametrize("changed", ["1,b,\n", "1,,broken\n"])
def test_a_contradiction_is_refused_whole_with_its_row(asked: Workspace, changed: str) -> None:
    registry.import_candidate(asked, record(asked, "pattern_id,predicted,error\n2,b,\n1,a,\n"))
    with pytest.raises(InvalidInput, match=r"row 3.*contradicts what was recorded before, 'a'"):
        registry.import_candidate(asked, record(asked, f"pattern_id,predicted,error\n2,b,\n3,a,\n{changed}"))
    assert scalar(asked.store, "SELECT count(*) FROM predictions") == 2


def test_another_map_of_answers_is_another_candidate(asked: Workspace) -> None:
    registry.import_candidate(asked, record(asked, "pattern_id,predicted\n1,a\n"))
    with pytest.raises(Conflict, match="is registered with another content"):
        registry.import_candidate(asked, record(asked, "pattern_id,predicted\n1,a\n", answer_map={"a": "b"}))


def test_classes_are_mapped_and_their_scores_are_added(asked: Workspace, host: PredictorHost) -> None:
    table = (
        "pattern_id,predicted,score:a,score:x,score:y\n"
        "1,a,0.6,0.2,0.2\n2,x,0.25,0.5,0.25\n3,y,0.5,0.125,0.375\n4,y,0.25,0.25,0.5\n"
    )
    registry.import_candidate(asked, record(asked, table, answer_map={"x": "b", "y": "b"}))
    rows = [
        {"pattern_id": "1", "expected": "a"},
        {"pattern_id": "2", "expected": "b", "output": "score:b", "expectation": "at_least"},
    ]
    rows[1]["expected"] = "0.75"
    write_problem(
        asked.settings.workspace,
        "letters",
        [rows[0], {"pattern_id": "3", "expected": "a"}, {"pattern_id": "4", "expected": "b"}, rows[1]],
        labels=["a", "b"],
    )
    take_in(asked)
    measure_due(asked, host)
    assert outcomes(asked) == {"1": "passed", "2": "passed", "3": "failed", "4": "passed"}
    raw = scalar(asked.store, "SELECT count(*) FROM predictions WHERE answer IN ('\"x\"', '\"y\"')")
    assert raw == 3  # the store keeps what the model said


def test_columns_of_other_names_are_named_by_the_manifest(asked: Workspace, host: PredictorHost) -> None:
    table = "pairID;gold_label;remark\n1;a;fine\n2;b;fine\n3;a;fine\n4;b;fine\n"
    columns = {"pattern_id": "pairID", "predicted": "gold_label"}
    done = registry.import_candidate(asked, record(asked, table, columns=columns))
    assert any("left out: remark" in note for note in done.notes)
    measure_due(asked, host)
    assert outcomes(asked) == dict.fromkeys(LETTERS, "passed")
    assert "should be the column 'pair', which is not there" in _refused(asked, table, columns={"pattern_id": "pair"})
    assert "there is no column 'predicted'" in _refused(asked, "pattern_id,answer\n1,a\n")
    assert "'guess' is none" in _refused(asked, table, columns={**columns, "guess": "remark"})


def test_a_pattern_id_of_two_problems_needs_the_problem(asked: Workspace, host: PredictorHost) -> None:
    write_problem(
        asked.settings.workspace,
        "more",
        [{"pattern_id": "1", "expected": "b"}],
        labels=["a", "b"],
        inputs={"x": "text"},
    )
    take_in(asked)
    assert "'1': is a pattern of letters and more" in _refused(asked, "pattern_id,predicted\n1,a\n")
    registry.import_candidate(asked, record(asked, "problem,pattern_id,predicted\nmore,1,b\nletters,1,a\n"))
    measure_due(asked, host)
    assert outcomes(asked, problem="more") == {"1": "passed"}
    assert outcomes(asked)["1"] == "passed"


def _muffins(workspace: Workspace, rows: list[Mapping[str, Any]]) -> None:
    write_problem(workspace.settings.workspace, "muffin", rows)
    take_in(workspace)


def test_rows_may_be_keyed_by_inputs_in_any_writing_of_a_number(workspace: Workspace, host: PredictorHost) -> None:
    _muffins(workspace, [row("a", 1.5), row("b", 2.0), row("c", 3.0, "chihuahua")])
    table = "crumbs,ears,predicted\n1.0,2,muffin\n1,1.50,muffin\n1,3e0,chihuahua\n"
    registry.import_candidate(workspace, record(workspace, table))
    measure_due(workspace, host)
    assert outcomes(workspace, problem="muffin") == {"a": "passed", "b": "passed", "c": "passed"}
    assert "row 2: no pattern is known with these inputs" in _refused(
        workspace, "crumbs,ears,predicted\n1,2,muffin\n1,99,muffin\n"
    )
    assert "row 3: has the same inputs as row 1" in _refused(
        workspace, "crumbs,ears,predicted\n1,2,muffin\n1,3,muffin\n1,2.0,muffin\n"
    )


def test_an_old_row_is_no_answer_to_new_inputs(workspace: Workspace, host: PredictorHost) -> None:
    _muffins(workspace, [row("a", 1.0), row("b", 2.0)])
    folder = record(workspace, "pattern_id,predicted\na,muffin\nb,muffin\n")
    registry.import_candidate(workspace, folder)
    measure_due(workspace, host)
    _muffins(workspace, [row("a", 1.25), row("b", 2.0)])
    registry.import_candidate(workspace, folder)  # as the sensor would, had its time changed
    measure_due(workspace, host)
    assert outcomes(workspace, problem="muffin") == {"a": "error", "b": "passed"}
    keyed = "pattern_id,predicted\nb,muffin\n"
    assert registry.import_candidate(workspace, record(workspace, keyed)).said == "unchanged"
    by_inputs = record(workspace, "ears,crumbs,predicted\n1.25,1,muffin\n2,1,muffin\n")
    assert registry.import_candidate(workspace, by_inputs).said == "unchanged, 1 predictions recorded"
    measure_due(workspace, host)
    assert outcomes(workspace, problem="muffin") == {"a": "passed", "b": "passed"}


def test_equal_inputs_cannot_be_answered_in_two_ways(workspace: Workspace) -> None:
    _muffins(workspace, [row("a", 1.0), row("b", 1.0, "chihuahua")])
    assert "row 2: " in refusal(workspace, "pattern_id,predicted\na,muffin\nb,chihuahua\n")


def test_patterns_that_rest_may_be_answered_before_they_are_active(workspace: Workspace, host: PredictorHost) -> None:
    _muffins(workspace, [row("a", 1.0), row("b", 2.0, status="proposed")])
    registry.import_candidate(workspace, record(workspace, "pattern_id,predicted\na,muffin\nb,muffin\n"))
    execute(workspace.store, "UPDATE patterns SET status = 'active' WHERE id = 'b'")
    registry.look_at_problems(workspace)
    measure_due(workspace, host)
    assert outcomes(workspace, problem="muffin") == {"a": "passed", "b": "passed"}


def test_a_pattern_that_is_not_valid_is_awaited_and_no_prediction_is_lost(
    workspace: Workspace, host: PredictorHost
) -> None:
    _muffins(workspace, [row("a", 1.0)])
    insert = "INSERT INTO patterns (problem, id, inputs, expected) VALUES ('muffin', :id, :inputs, 'muffin')"
    execute(workspace.store, insert, id="b", inputs='{"ears": 2.0, "crumbs": 1.0}')
    execute(workspace.store, insert, id="c", inputs="{bro,ken}")
    registry.look_at_problems(workspace)
    folder = record(workspace, "pattern_id,predicted\na,muffin\nb,muffin\nc,muffin\n")
    with pytest.raises(UnknownPatterns, match="'c': no such pattern is known"):
        registry.import_candidate(workspace, folder)
    execute(workspace.store, "UPDATE patterns SET inputs = '{\"ears\": 3.0, \"crumbs\": 1.0}' WHERE id = 'c'")
    registry.look_at_problems(workspace)
    registry.import_candidate(workspace, folder)
    measure_due(workspace, host)
    assert outcomes(workspace, problem="muffin") == {"a": "passed", "b": "passed", "c": "passed"}


def test_a_late_error_does_not_take_the_place_of_a_newer_one(asked: Workspace, host: PredictorHost) -> None:
    registry.import_candidate(asked, record(asked, "pattern_id,predicted\n1,a\n"))
    (held,) = asked.store.due.claim([("old-model", "letters")], "slow")
    registry.import_candidate(asked, record(asked, "pattern_id,predicted\n1,a\n2,b\n"))
    measure_due(asked, host, claim="quick")
    late = Evaluation("old-model", "letters", held.suite, "error", "3 missing", passes=1, answered=1, errors=3)
    asked.store.evaluations.commit("old-model", [late], predictions={}, environment=None, claim="slow")
    cell = asked.store.evaluations.current()["old-model", "letters"].evaluation
    assert (cell.passes, cell.errors) == (2, 2)


def test_another_format_of_the_same_bytes_is_another_candidate(workspace: Workspace) -> None:
    folder = workspace.settings.workspace / "candidates" / "m"
    save_model(folder, ConstantModel("a"), "model.bin")
    write_manifest(folder, format="joblib")
    registry.import_candidate(workspace, folder)
    write_manifest(folder, format="skops")
    with pytest.raises(Conflict, match="is registered with another content"):
        registry.import_candidate(workspace, folder)


def test_numbers_follow_the_rules_of_tables(workspace: Workspace, host: PredictorHost) -> None:
    rows = [{"pattern_id": name, "expected": "1.5", "expectation": "close_to", "tolerance": "0.1"} for name in "pq"]
    write_problem(workspace.settings.workspace, "price", rows, labels=[], answer="number", inputs={"x": "text"})
    take_in(workspace)
    assert workspace.store.sources.refusals() == []
    assert "1500" in _refused(workspace, "pattern_id;predicted\np;1,500\n")
    assert "row 1, column 'predicted': 'n/a': is no number" in _refused(workspace, "pattern_id,predicted\np,n/a\n")
    done = registry.import_candidate(workspace, record(workspace, "pattern_id;predicted\np;1,5\nq;17,25\n"))
    assert any("decimal" in note for note in done.notes)
    measure_due(workspace, host)
    assert outcomes(workspace, problem="price") == {"p": "passed", "q": "failed"}


def test_a_point_that_could_separate_thousands_decides_nothing_about_integers(workspace: Workspace) -> None:
    rows = [{"pattern_id": name, "expected": "1"} for name in "pq"]
    write_problem(workspace.settings.workspace, "count", rows, labels=[], answer="integer", inputs={"x": "text"})
    take_in(workspace)
    assert "1000" in refusal(workspace, "pattern_id,predicted\np,1.000\nq,2\n")
    taken = registry.import_candidate(workspace, record(workspace, "pattern_id,predicted\np,1.0\nq,2\n"))
    assert taken.said == "registered, 2 predictions recorded"


def test_a_benchmark_is_not_applicable_to_recorded_predictions(asked: Workspace, host: PredictorHost) -> None:
    folder = asked.settings.workspace / "benchmarks"
    (folder / "rows.csv").write_text("x,y\n1,a\n2,b\n")
    (folder / "rows.yaml").write_text(
        json.dumps({"id": "rows", "title": "Rows", "inputs": {"x": "number"}, "target": "y"})
    )
    for path in folder.iterdir():
        age(path)
    take_in(asked)
    registry.import_candidate(asked, record(asked, "pattern_id,predicted\n1,a\n2,b\n3,a\n4,b\n"))
    measure_due(asked, host)
    cell = asked.store.evaluations.current()["old-model", "rows"].evaluation
    assert (cell.state, cell.reason) == (
        "not applicable",
        "recorded predictions answer patterns, and not the rows of a benchmark",
    )


def test_predictions_that_came_before_their_problem_are_read_again(workspace: Workspace, host: PredictorHost) -> None:
    folder = record(workspace, "pattern_id,predicted\n1,a\n2,b\n3,a\n4,b\n")
    take_in(workspace)
    (refused,) = workspace.store.sources.refusals()
    assert "no such pattern is known" in refused.message
    with pytest.raises(UnknownPatterns):
        registry.import_candidate(workspace, folder)
    rows = [{"pattern_id": name, "expected": "a"} for name in LETTERS]
    write_problem(workspace.settings.workspace, "letters", rows, labels=["a", "b"])
    take_in(workspace)
    assert workspace.store.sources.refusals() == []
    assert workspace.store.candidates.get("old-model").manifest.format == "recorded"


def test_the_time_of_recording_is_kept_and_the_place_is_unknown(asked: Workspace) -> None:
    table = "pattern_id,predicted,recorded_at\n1,a,2024-03-01T10:00:00+01:00\n2,b,\n"
    registry.import_candidate(asked, record(asked, table))
    times = scalar(asked.store, "SELECT min(made_at) FROM predictions")
    assert times == "2024-03-01T09:00:00+00:00"
    assert scalar(asked.store, "SELECT content FROM environments") == '{"environment":"unknown"}'
    assert "recorded_at': 'noon'" in _refused(asked, "pattern_id,predicted,recorded_at\n1,a,noon\n")


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_other_tables_hold_recorded_predictions_too(asked: Workspace, host: PredictorHost, suffix: str) -> None:
    folder = asked.settings.workspace / "candidates" / "old-model"
    folder.mkdir(parents=True)
    frame = pd.DataFrame({"pattern_id": [4, 2, 3, 1], "predicted": ["b", "b", "a", "a"]})
    path = folder / f"predictions{suffix}"
    if suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path)
    write_manifest(folder, format="recorded")
    registry.import_candidate(asked, folder)
    measure_due(asked, host)
    assert outcomes(asked) == dict.fromkeys(LETTERS, "passed")


@pytest.mark.parametrize(
    ("answer", "predicted", "passed"),
    [
        ("integer", ["1", "0", "1", "1"], 3),
        ("integer", ["1.0", "0.0", "1.0", "1.0"], 3),
        ("integer", ["01", "00", "1", "1"], 3),
        ("number", ["1", "0.0", "1e0", "1"], 3),
        ("boolean", ["True", "FALSE", "true", "1"], 3),
        ("boolean", ["1.0", "0.0", "1.0", "1.0"], 3),
        ("text", ["1", "0", "1", "1"], 3),
    ],
)
def test_a_label_is_what_the_problem_declares_however_it_was_written(
    workspace: Workspace, host: PredictorHost, answer: str, predicted: list[str], passed: int
) -> None:
    wanted = ("1", "0", "1", "0") if answer != "boolean" else ("true", "false", "true", "false")
    rows = [{"pattern_id": name, "expected": label} for name, label in zip(LETTERS, wanted, strict=True)]
    write_problem(
        workspace.settings.workspace, "labels", rows, labels=list(dict.fromkeys(wanted)), answer=answer,
        inputs={"x": "text"}
    )  # fmt: skip
    take_in(workspace)
    table = "".join(f"{name},{label}\n" for name, label in zip(LETTERS, predicted, strict=True))
    registry.import_candidate(workspace, record(workspace, f"pattern_id,predicted\n{table}"))
    measure_due(workspace, host)
    cell = workspace.store.evaluations.current()["old-model", "labels"].evaluation
    assert (cell.state, cell.passes, cell.warnings) == ("ok", passed, ())


def test_another_text_is_another_label_and_is_listed(workspace: Workspace, host: PredictorHost) -> None:
    rows = [{"pattern_id": name, "expected": "1"} for name in LETTERS]
    write_problem(workspace.settings.workspace, "labels", rows, labels=["1", "0"], inputs={"x": "text"})
    take_in(workspace)
    table = "pattern_id,predicted\n1,01\n2,1\n3,1.0\n4,1\n"
    registry.import_candidate(workspace, record(workspace, table))
    measure_due(workspace, host)
    cell = workspace.store.evaluations.current()["old-model", "labels"].evaluation
    assert cell.passes == 2
    (warning,) = cell.warnings
    assert "01" in warning
    assert "1.0" in warning


def test_the_versions_of_another_library_are_warned_of_in_the_cell(workspace: Workspace, host: PredictorHost) -> None:
    folder = workspace.settings.workspace
    write_problem(folder, "muffin", [row("p", 1)])
    write_candidate(folder, "old", ConstantModel("muffin"), libraries={"scikit-learn": "1.2.2", "torch": "2.1"})
    take_in(workspace)
    measure_due(workspace, host)
    cell = workspace.store.evaluations.current()["old", "muffin"].evaluation
    assert cell.state == "ok"
    assert [warning.split(",")[0] for warning in cell.warnings] == [
        "saved with scikit-learn 1.2.2",
        "saved with torch 2.1",
    ]
    assert cell.warnings[1].endswith("which is not installed")
    assert workspace.store.candidates.get("old").libraries == {"scikit-learn": "1.2.2", "torch": "2.1"}
