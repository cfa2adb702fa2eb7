"""The host: predictions of a process of its own, and what models do to it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_regress.errors import CannotOpen, NotPermitted, PredictionFailed
from ml_regress.predictors import Policy
from ml_regress.predictors.batch import Opened, Reply
from ml_regress.predictors.child import timed
from ml_regress.predictors.host import Batch, PredictorHost, Served
from ml_regress_tests import models
from ml_regress_tests.models import joblib_candidate

OPEN = Policy(allow_formats=("joblib", "python"), time_limit=30)


@pytest.fixture(scope="module")
def host() -> Iterator[PredictorHost]:
    with PredictorHost() as opened:
        yield opened


def numbers(*rows: tuple[float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["a", "b"], dtype=float)


TWO = numbers((0, 1), (5, 6))


def test_a_candidate_is_opened_once_and_predicted_once_for_all_frames_of_the_same_columns(
    host: PredictorHost, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    candidate = joblib_candidate(tmp_path / "threshold", models.ThresholdModel(5, log), features=("a", "b"))
    before = host.opened, host.predicted
    frames = [TWO, TWO[["b", "a"]], numbers((9, 9))]
    results = host.predict_many(candidate, frames, OPEN)
    assert [result.answers for result in results if isinstance(result, Batch)] == [[0, 1], [0, 1], [1]]
    assert log.read_text().split("\n")[:-1] == ["open", "predict 5"]
    assert (host.opened - before[0], host.predicted - before[1]) == (1, 5)


def test_scores_are_named_after_their_classes(host: PredictorHost, tmp_path: Path) -> None:
    batch = host.predict(joblib_candidate(tmp_path / "threshold", models.ThresholdModel(5)), TWO, OPEN)
    assert batch.outputs == [{"score:0": 1.0, "score:1": 0.0}, {"score:0": 0.0, "score:1": 1.0}]
    assert batch.errors == [None, None]
    assert set(batch.environment) >= {"python", "platform", "machine", "numpy", "pandas", "scikit-learn", "skops"}
    assert batch.seconds_open > 0
    assert batch.seconds_predict > 0


def test_a_model_that_raises_on_predict_proba_has_no_scores(host: PredictorHost, tmp_path: Path) -> None:
    batch = host.predict(joblib_candidate(tmp_path / "unsure", models.UnsureModel("a")), TWO, OPEN)
    assert batch.answers == ["a", "a"]
    assert batch.outputs is None


def test_columns_come_in_the_declared_order_and_extra_ones_are_listed(host: PredictorHost, tmp_path: Path) -> None:
    candidate = joblib_candidate(tmp_path / "columns", models.ColumnsModel(), features=("b", "a"))
    batch = host.predict(candidate, TWO.assign(colour="red")[["a", "colour", "b"]], OPEN)
    assert batch.answers == ["b a", "b a"]
    assert batch.dropped == ("colour",)


def test_without_declared_columns_the_order_of_the_problem_is_kept(host: PredictorHost, tmp_path: Path) -> None:
    batch = host.predict(joblib_candidate(tmp_path / "columns", models.ColumnsModel()), TWO[["b", "a"]], OPEN)
    assert batch.answers == ["b a", "b a"]


def test_a_missing_column_gets_the_default_of_the_manifest_as_a_number(host: PredictorHost, tmp_path: Path) -> None:
    candidate = joblib_candidate(
        tmp_path / "echo", models.EchoModel(), features=("weight", "a"), defaults={"weight": "2.5"}
    )
    assert host.predict(candidate, TWO, OPEN).answers == [2.5, 2.5]


def test_a_missing_column_without_default_fails_its_frame_only(host: PredictorHost, tmp_path: Path) -> None:
    candidate = joblib_candidate(tmp_path / "echo", models.EchoModel(), features=("a", "b"))
    failed, good = host.predict_many(candidate, [TWO[["b"]], TWO], OPEN)
    assert isinstance(failed, PredictionFailed)
    assert str(failed) == (
        "needs the columns a, which the inputs do not have; give a default in candidate.yaml "
        "or declare the problem not applicable"
    )
    assert isinstance(good, Batch)
    assert good.answers == [0.0, 5.0]


def test_frames_whose_types_differ_are_not_joined(host: PredictorHost, tmp_path: Path) -> None:
    candidate = joblib_candidate(tmp_path / "echo", models.EchoModel())
    whole, broken = host.predict_many(candidate, [pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1.5]})], OPEN)
    assert isinstance(whole, Batch)
    assert isinstance(broken, Batch)
    assert [type(answer) for answer in [*whole.answers, *broken.answers]] == [int, int, float]


def test_no_rows_give_no_answers_and_do_not_ask_the_model(host: PredictorHost, tmp_path: Path) -> None:
    log = tmp_path / "log"
    batch = host.predict(joblib_candidate(tmp_path / "echo", models.EchoModel(log=log)), TWO.iloc[:0], OPEN)
    assert batch.answers == []
    assert log.read_text() == "open\n"


def test_a_model_that_raises_fails_that_frame_with_type_message_and_place(host: PredictorHost, tmp_path: Path) -> None:
    candidate = joblib_candidate(tmp_path / "failing", models.FailingModel("no negatives"))
    good, failed = host.predict_many(candidate, [TWO, numbers((-1, 0))], OPEN)
    assert isinstance(good, Batch)
    assert good.answers == ["no negatives", "no negatives"]
    assert isinstance(failed, PredictionFailed)
    assert str(failed).startswith("ValueError: no negatives (in models.py, line ")
    assert str(failed).endswith(", answers: raise ValueError(self.answer))")


def test_too_few_answers_fail(host: PredictorHost, tmp_path: Path) -> None:
    with pytest.raises(PredictionFailed, match=r"^answered 1 of 2 inputs$"):
        host.predict(joblib_candidate(tmp_path / "short", models.ShortModel()), TWO, OPEN)


def test_a_table_of_answers_fails(host: PredictorHost, tmp_path: Path) -> None:
    with pytest.raises(PredictionFailed, match=r"answered a table of shape \(2, 2\)"):
        host.predict(joblib_candidate(tmp_path / "table", models.TableModel()), TWO, OPEN)


def test_a_missing_answer_is_an_error_of_its_row(host: PredictorHost, tmp_path: Path) -> None:
    batch = host.predict(joblib_candidate(tmp_path / "missing", models.MissingModel(1)), TWO, OPEN)
    assert batch.answers == [None, 1.0]
    assert batch.errors == ["the answer is missing (NaN)", None]


@pytest.mark.slow
def test_a_model_that_exceeds_its_own_time_limit_is_killed_and_the_next_one_is_served(
    host: PredictorHost, tmp_path: Path
) -> None:
    slow = joblib_candidate(tmp_path / "slow", models.SlowModel(60), time_limit=0.4)
    host.start()
    pid = host.pid
    assert pid is not None
    with pytest.raises(PredictionFailed, match=r"^exceeded its time limit of 0\.4 s while it predicted$"):
        host.predict(slow, TWO, OPEN)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert host.predict(joblib_candidate(tmp_path / "good", models.ConstantModel()), TWO, OPEN).answers[0] == "muffin"
    assert host.pid != pid


@pytest.mark.slow
def test_the_time_limit_covers_opening(host: PredictorHost, tmp_path: Path) -> None:
    opened = host.opened
    with pytest.raises(PredictionFailed, match=r"^exceeded its time limit of 0\.4 s while it was opened$"):
        host.predict_many(
            joblib_candidate(tmp_path / "slow", models.SlowToOpenModel(60)), [TWO], Policy(("joblib",), (), 0.4)
        )
    assert host.opened == opened


@pytest.mark.slow
def test_a_model_that_ends_its_process_fails_with_the_exit_code_in_all_unanswered_frames(
    host: PredictorHost, tmp_path: Path
) -> None:
    candidate = joblib_candidate(tmp_path / "exiting", models.ExitingModel(7))
    results = host.predict_many(candidate, [TWO, pd.DataFrame({"c": [1]})], OPEN)
    assert [str(result) for result in results] == ["ended its process with exit code 7 while it predicted"] * 2


@pytest.mark.slow
def test_a_crash_in_native_code_fails_with_its_signal(host: PredictorHost, tmp_path: Path) -> None:
    with pytest.raises(PredictionFailed, match="ended its process by signal SIGSEGV while it predicted"):
        host.predict(joblib_candidate(tmp_path / "crashing", models.CrashingModel()), TWO, OPEN)


def test_an_artefact_that_exits_when_it_is_opened_cannot_open(host: PredictorHost, tmp_path: Path) -> None:
    with pytest.raises(CannotOpen, match=r"could not open: SystemExit: no licence"):
        host.predict(joblib_candidate(tmp_path / "quitting", models.QuittingModel()), TWO, OPEN)


def test_a_candidate_that_is_not_permitted_is_not_opened(host: PredictorHost, tmp_path: Path) -> None:
    log = tmp_path / "log"
    candidate = joblib_candidate(tmp_path / "constant", models.ConstantModel(log=log))
    with pytest.raises(NotPermitted, match="add joblib to allow_formats"):
        host.predict(candidate, TWO, Policy())
    assert not log.exists()


def answers_of(served: Served) -> list[object]:
    return [result.answers for result in served.results if isinstance(result, Batch)]


@pytest.mark.slow
def test_one_of_many_candidates_that_ends_the_process_takes_no_other_with_it(
    host: PredictorHost, tmp_path: Path
) -> None:
    candidates = [
        joblib_candidate(tmp_path / "first", models.ConstantModel("muffin")),
        joblib_candidate(tmp_path / "exiting", models.ExitingModel(7)),
        joblib_candidate(tmp_path / "gone", models.ConstantModel()),
        joblib_candidate(tmp_path / "slow", models.SlowToOpenModel(60), time_limit=0.4),
        joblib_candidate(tmp_path / "last", models.ConstantModel("dog")),
    ]
    (tmp_path / "gone" / "model.joblib").unlink()
    first, exiting, gone, slow, last = host.predict_each(candidates, [TWO, TWO[["b"]]], OPEN)
    assert answers_of(first) == [["muffin", "muffin"]] * 2
    assert [str(result) for result in exiting.results] == ["ended its process with exit code 7 while it predicted"] * 2
    assert isinstance(gone.refused, CannotOpen)
    assert str(slow.refused) == "exceeded its time limit of 0.4 s while it was opened"
    assert answers_of(last) == [["dog", "dog"]] * 2


def test_a_candidate_that_changes_its_inputs_changes_them_for_no_other(host: PredictorHost, tmp_path: Path) -> None:
    candidates = [joblib_candidate(tmp_path / f"c{number}", models.OverwritingModel(1)) for number in range(2)]
    assert [answers_of(served) for served in host.predict_each(candidates, [TWO], OPEN)] == [[[1.0, 6.0]]] * 2


def test_answers_that_nobody_took_are_not_taken_for_the_next_ones(host: PredictorHost, tmp_path: Path) -> None:
    candidates = [joblib_candidate(tmp_path / name, models.ConstantModel(name)) for name in ("a", "b", "c")]
    each = host.predict_each(candidates, [TWO], OPEN)
    assert answers_of(next(each)) == [["a", "a"]]
    each.close()
    assert host.predict(candidates[2], TWO, OPEN).answers == ["c", "c"]


def test_many_answers_wait_for_a_parent_that_is_busy(host: PredictorHost, tmp_path: Path) -> None:
    many = pd.DataFrame({"a": np.arange(50_000.0), "b": 0.0})
    candidates = [
        joblib_candidate(tmp_path / f"c{number}", models.EchoModel(), time_limit=10 if number else 0.2)
        for number in range(3)
    ]
    for served in host.predict_each(candidates, [many], OPEN):
        time.sleep(0.3)  # longer than the time limit: what the child waits for us does not count
        assert [len(answers) for answers in answers_of(served)] == [50_000]  # type: ignore[arg-type]


def test_the_limit_of_the_process_itself_counts_its_own_work_only() -> None:
    replies: list[Reply] = [Opened(), Opened()]
    for _ in timed(iter(replies), 0.1):
        time.sleep(0.15)  # the alarm would end this process


@pytest.mark.slow
def test_what_a_model_prints_stays_out_of_standard_output(tmp_path: Path) -> None:
    candidate = joblib_candidate(tmp_path / "printing", models.PrintingModel())
    script = tmp_path / "script.py"
    script.write_text(
        "import pickle, sys, pandas as pd\n"
        "from ml_regress.predictors import Policy\n"
        "from ml_regress.predictors.host import PredictorHost\n"
        "candidate = pickle.loads(bytes.fromhex(sys.argv[1]))\n"
        "with PredictorHost() as host:\n"
        "    print(host.predict(candidate, pd.DataFrame({'a': [1]}), Policy(('joblib',))).answers)\n"
    )
    done = _run_script(script, candidate).communicate(timeout=180)
    assert done == ("['muffin']\n", "hello from a model\n")


@pytest.mark.slow
def test_a_killed_parent_leaves_no_child_though_a_model_is_busy(tmp_path: Path) -> None:
    log = tmp_path / "log"
    candidate = joblib_candidate(tmp_path / "slow", models.SlowModel(60, log))
    script = tmp_path / "script.py"
    script.write_text(
        "import pickle, sys, pandas as pd\n"
        "from ml_regress.predictors import Policy\n"
        "from ml_regress.predictors.host import PredictorHost\n"
        "candidate = pickle.loads(bytes.fromhex(sys.argv[1]))\n"
        "with PredictorHost() as host:\n"
        "    host.start()\n"
        "    print(host.pid, flush=True)\n"
        "    host.predict(candidate, pd.DataFrame({'a': [1]}), Policy(('joblib',)))\n"
    )
    with _run_script(script, candidate) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        _wait_until(lambda: log.exists() and "predict" in log.read_text())
        parent.kill()
        parent.wait()
    _wait_until(lambda: not _is_running(child))


def _run_script(script: Path, candidate: object) -> "subprocess.Popen[str]":
    import pickle

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(place or os.getcwd() for place in sys.path)}
    arguments = [sys.executable, str(script), pickle.dumps(candidate).hex()]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def _wait_until(condition: Callable[[], bool], limit: float = 120.0) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
