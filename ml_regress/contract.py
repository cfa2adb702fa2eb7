"""The contract that every format of candidates keeps, as a suite of tests.

A team that registers a format of its own (entry-point group `ml_regress.formats`) runs it with pytest:

    from ml_regress.contract import FormatContract

    class TestOurFormat(FormatContract):
        def write(self, folder, questions, answers):
            ...  # lay the artefact of a model that gives these answers into the folder
            return {"format": "ours", "artefact": "model.bin"}

Each test makes a workspace with one problem, has `write` make candidates, and measures them as a
workspace in use does: in a process of its own, into a store.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from ml_regress.core.evaluation import ERROR, NOT_APPLICABLE, OK, Evaluation
from ml_regress.engine import registry
from ml_regress.engine.evaluate import Counts, evaluate
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, InvalidInput
from ml_regress.intake.sightings import look
from ml_regress.predictors.artefacts import MANIFEST
from ml_regress.predictors.formats import format_named
from ml_regress.predictors.host import PredictorHost
from ml_regress.settings import FILE, Settings

PROBLEM = "contract"
# Whole numbers, so that a model may look them up; each question has another pair.
QUESTIONS = pd.DataFrame(
    {"pattern_id": [f"q{number}" for number in range(8)], "x": [float(n) for n in range(8)], "y": [7.0, 3.0] * 4}
)
ANSWERS = ("cat", "dog", "cat", "cat", "dog", "dog", "cat", "dog")
EXPECTED = ("cat", "cat", "cat", "dog", "dog", "cat", "cat", "dog")
RIGHT = {"q0", "q2", "q4", "q6", "q7"}
LABELS = ("cat", "dog")


class FormatContract:
    """Subclass it with a name that begins with Test, and give `write`."""

    settings: ClassVar[Mapping[str, Any]] = {}
    """Further settings of the workspace, such as `trusted_types`."""
    host: ClassVar[PredictorHost]

    def write(self, folder: Path, questions: pd.DataFrame, answers: Sequence[str]) -> Mapping[str, Any]:
        """Lay into a candidate's folder the artefact of a model that answers each question with its answer.

        `questions` has the columns `pattern_id` (text), `x` and `y` (float64); a model sees `x` and `y`
        alone. Returns the keys of the manifest, `format` at least.
        """
        raise NotImplementedError

    # -- the tests -------------------------------------------------------------------------------

    def test_every_question_gets_its_own_answer(self, tmp_path: Path) -> None:
        """Also where the artefact was made from the questions in another order."""
        with _Trial(self, tmp_path) as trial:
            trial.add("model", order=(5, 0, 7, 2, 4, 1, 6, 3))
            trial.measure()
            assert trial.outcomes("model") == {
                name: "passed" if name in RIGHT else "failed" for name in QUESTIONS["pattern_id"]
            }
            cell = trial.cell("model")
            assert (cell.state, cell.passes, cell.answered, cell.errors) == (OK, 5, 8, 0), cell.reason

    def test_nothing_is_predicted_twice(self, tmp_path: Path) -> None:
        """A new pattern asks for itself alone; what was answered is not asked again."""
        with _Trial(self, tmp_path) as trial:
            trial.ask(range(6))
            trial.add("model")
            first = trial.measure()
            trial.ask(range(8))
            second = trial.measure()
            assert (first.predicted, second.predicted) in {(6, 2), (0, 0)}, (first, second)
            assert trial.cell("model").passes == len(RIGHT)
            assert trial.measure() == Counts()

    def test_registering_again_changes_nothing(self, tmp_path: Path) -> None:
        with _Trial(self, tmp_path) as trial:
            folder = trial.add("model")
            trial.measure()
            assert registry.import_candidate(trial.workspace, folder).said == "unchanged"
            assert trial.workspace.store.due.count() == 0

    def test_a_candidate_never_changes(self, tmp_path: Path) -> None:
        """Other answers under a registered id are refused, and what was measured stays."""
        with _Trial(self, tmp_path) as trial:
            trial.add("model")
            trial.measure()
            other = ["dog" if answer == "cat" else "cat" for answer in ANSWERS]
            try:
                trial.add("model", answers=other)
            except (Conflict, InvalidInput):
                assert trial.cell("model").passes == len(RIGHT)
            else:
                raise AssertionError("other answers were registered under the id of a candidate")

    def test_an_artefact_that_changed_after_registration_is_never_measured(self, tmp_path: Path) -> None:
        with _Trial(self, tmp_path) as trial:
            folder = trial.add("model")
            for file in trial.artefacts(folder):
                file.write_bytes(file.read_bytes() + b"\n")
            trial.measure()
            trial.holds_no_score_but_recorded_ones("model")

    def test_an_artefact_that_is_gone_is_an_error_with_its_reason(self, tmp_path: Path) -> None:
        with _Trial(self, tmp_path) as trial:
            folder = trial.add("model")
            for file in trial.artefacts(folder):
                file.unlink()
            trial.measure()
            trial.holds_no_score_but_recorded_ones("model")

    def test_what_runs_code_needs_the_operator(self, tmp_path: Path) -> None:
        with _Trial(self, tmp_path, allowed=False) as trial:
            trial.add("model")
            trial.measure()
            cell, form = trial.cell("model"), trial.workspace.store.candidates.get("model").manifest.format
            assert cell.state == (ERROR if format_named(form).runs_code else OK), cell.reason
            assert cell.state == OK or f"add {form} to allow_formats" in str(cell.reason)

    def test_answers_are_mapped_when_they_are_scored(self, tmp_path: Path) -> None:
        """A model of finer classes than the problem's."""
        with _Trial(self, tmp_path) as trial:
            finer = ["tabby" if answer == "cat" else "poodle" for answer in ANSWERS]
            trial.add("model", answers=finer, answer_map={"tabby": "cat", "poodle": "dog"})
            trial.measure()
            assert trial.cell("model").passes == len(RIGHT)

    def test_a_problem_that_does_not_apply_is_not_asked(self, tmp_path: Path) -> None:
        with _Trial(self, tmp_path) as trial:
            trial.add("model", not_applicable={PROBLEM: "made for other animals"})
            assert trial.measure().predicted == 0
            assert (trial.cell("model").state, trial.cell("model").passes) == (NOT_APPLICABLE, None)

    def test_a_folder_is_whole_once_its_manifest_is_there(self, tmp_path: Path) -> None:
        with _Trial(self, tmp_path) as trial:
            folder = trial.add("model")
            sighting = look(folder)
            assert sighting.whole or sighting.settled_needed, sighting.reason
            (folder / MANIFEST).rename(folder / f"{MANIFEST}.part")
            assert look(folder).impossible

    def test_candidates_do_not_meet(self, tmp_path: Path) -> None:
        """Two candidates of one format, measured one after the other in one process."""
        with _Trial(self, tmp_path) as trial:
            trial.add("model")
            trial.add("other", answers=EXPECTED)
            trial.measure()
            assert (trial.cell("model").passes, trial.cell("other").passes) == (len(RIGHT), 8)

    @classmethod
    def setup_class(cls) -> None:
        cls.host = PredictorHost()

    @classmethod
    def teardown_class(cls) -> None:
        cls.host.close()


class _Trial:
    """A workspace with the problem of the contract."""

    def __init__(self, contract: FormatContract, folder: Path, *, allowed: bool = True) -> None:
        self._contract, self._folder = contract, folder / "workspace"
        for part in ("problems", "candidates"):
            (self._folder / part).mkdir(parents=True)
        self._allowed = allowed
        self._write_settings(())
        self.ask(range(len(QUESTIONS)))

    def __enter__(self) -> "_Trial":
        return self

    def __exit__(self, *error: object) -> None:
        self.workspace.store.close()

    def _write_settings(self, formats: Sequence[str]) -> None:
        given = {"name": "contract", "allow_formats": list(formats), **self._contract.settings}
        (self._folder / FILE).write_text(json.dumps(given))
        self.workspace = Workspace.open(Settings.load(self._folder, {}))

    def ask(self, questions: Sequence[int]) -> None:
        """The problem with these questions as its patterns."""
        rows = [{**QUESTIONS.iloc[place].to_dict(), "expected": EXPECTED[place]} for place in questions]
        given = {
            "id": PROBLEM,
            "title": "What every format keeps",
            "inputs": {"x": "number", "y": "number"},
            "labels": list(LABELS),
            "patterns": rows,
        }
        path = self._folder / "problems" / f"{PROBLEM}.yaml"
        path.write_text(json.dumps(given))  # JSON is YAML
        registry.import_problem(self.workspace, path, sync=True)

    def add(
        self,
        name: str,
        *,
        answers: Sequence[str] = ANSWERS,
        order: Sequence[int] = tuple(range(len(QUESTIONS))),
        **keys: Any,
    ) -> Path:
        """A registered candidate with these answers, its manifest written last."""
        folder = self._folder / "candidates" / name
        folder.mkdir(exist_ok=True)
        questions = QUESTIONS.iloc[list(order)].reset_index(drop=True)
        written = self._contract.write(folder, questions, [answers[place] for place in order])
        given = {"created_at": "2026-06-01T09:00:00Z", **written, **keys}
        (folder / MANIFEST).write_text(json.dumps(given))
        if self._allowed:
            self._write_settings([str(given["format"])])
        registry.import_candidate(self.workspace, folder)
        return folder

    def artefacts(self, folder: Path) -> list[Path]:
        return [path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST]

    def measure(self) -> Counts:
        """Measure all that is due, and say what it cost."""
        cells = [cell.cell for cell in self.workspace.store.due.all()]
        total = Counts()
        for result in evaluate(self.workspace, cells, claim="contract", host=self._contract.host):
            total += result.counts
        return total

    def cell(self, candidate: str) -> Evaluation:
        return self.workspace.store.evaluations.current()[candidate, PROBLEM].evaluation

    def outcomes(self, candidate: str) -> dict[str, str]:
        stored = self.workspace.store.evaluations.current()[candidate, PROBLEM]
        found = self.workspace.store.evaluations.outcomes([stored.number])
        return dict(zip(found["pattern"], found["outcome"], strict=True))

    def holds_no_score_but_recorded_ones(self, candidate: str) -> None:
        """Recorded predictions are in the store since registration; everything else is an error by now."""
        cell = self.cell(candidate)
        if self.workspace.store.candidates.get(candidate).recorded:
            assert (cell.state, cell.passes) == (OK, len(RIGHT)), cell.reason
        else:
            assert (cell.state, cell.answered, bool(cell.reason)) == (ERROR, 0, True)
