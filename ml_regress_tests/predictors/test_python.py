"""Candidates of Python code: module:object in their own folder, which is their digest."""

import fractions  # noqa: F401  a name that is taken
import os
import py_compile
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ml_regress.core.candidate import Candidate
from ml_regress.errors import CannotOpen, InvalidInput, PredictionFailed
from ml_regress.intake.candidates import read_candidate
from ml_regress.predictors import Policy
from ml_regress.predictors.batch import Answered, serve
from ml_regress.predictors.host import PredictorHost
from ml_regress.predictors.opening import open_predictor
from ml_regress.predictors.python_ import forget_modules
from ml_regress_tests.models import write_manifest

OPEN = Policy(allow_formats=("python",))
TWO = pd.DataFrame({"a": [1.0, -2.0]})
ANSWERS = "['plus' if a > 0 else 'minus' for a in frame['a']]"
SIGN = f"def predict(frame):\n    return {ANSWERS}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    made = tmp_path / "rules"
    made.mkdir()
    yield made
    forget_modules(made)


def candidate(folder: Path, artefact: str = "model:predict", **files: str) -> Candidate:
    """The candidate of these modules; `a__b` stands for the file a/b.py."""
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    write_manifest(folder, format="python", artefact=artefact)
    return read_candidate(folder)


@pytest.mark.parametrize(
    ("artefact", "text"),
    [
        ("model:predict", SIGN),
        ("model:Model", f"class Model:\n    def predict(self, frame):\n        return {ANSWERS}\n"),
        ("model:MODEL", f"class Model:\n    predict = staticmethod(lambda frame: {ANSWERS})\n\nMODEL = Model()\n"),
        ("model:Outer.inner", f"class Outer:\n    inner = staticmethod(lambda frame: {ANSWERS})\n"),
    ],
    ids=["function", "class", "object", "attribute"],
)
def test_a_function_a_class_and_an_object_predict(folder: Path, artefact: str, text: str) -> None:
    predictor = open_predictor(candidate(folder, artefact, model=text), OPEN)
    assert list(predictor.predict(TWO)["answer"]) == ["plus", "minus"]


def test_its_own_modules_are_imported_from_its_folder_and_leave_with_it(folder: Path) -> None:
    made = candidate(
        folder, "letters.model:predict", letters__model=f"from letters.words import X\n{SIGN}", letters__words="X = 1\n"
    )
    replies = list(serve(made, [TWO], OPEN))
    assert isinstance(replies[-1], Answered)
    assert "letters.words" not in sys.modules
    assert str(folder.resolve()) not in sys.path


def test_a_name_that_an_installed_package_has_is_refused(folder: Path) -> None:
    with pytest.raises(CannotOpen, match="its name is taken by an installed package; rename it"):
        open_predictor(candidate(folder, "json:predict", json=SIGN), OPEN)


def test_opening_writes_nothing_into_the_folder(folder: Path) -> None:
    made = candidate(folder, model=SIGN)
    before = sorted(folder.rglob("*"))
    open_predictor(made, OPEN).predict(TWO)
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("change", ["edit", "add", "remove", "rename"])
def test_every_file_belongs_to_the_digest(folder: Path, change: str) -> None:
    made = candidate(folder, model=SIGN, words="X = 1\n")
    words = folder / "words.py"
    if change == "edit":
        words.write_text("X = 2\n")
    elif change == "add":
        (folder / "more.csv").write_text("a\n")
    elif change == "remove":
        words.unlink()
    else:
        words.rename(folder / "sentences.py")
    with pytest.raises(CannotOpen, match="the folder was changed after its registration"):
        open_predictor(made, OPEN)


def test_the_manifest_compiled_files_and_hidden_ones_do_not(folder: Path) -> None:
    made = candidate(folder, model=SIGN)
    write_manifest(folder, format="python", artefact="model:predict", note="corrected")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "model.cpython-311.pyc").write_bytes(b"compiled")
    (folder / ".DS_Store").write_bytes(b"hidden")
    assert read_candidate(folder).digest == made.digest
    open_predictor(made, OPEN)


def test_a_link_out_of_the_folder_is_refused(folder: Path) -> None:
    (folder.parent / "outside.py").write_text("X = 1\n")
    (folder / "linked.py").symlink_to(folder.parent / "outside.py")
    with pytest.raises(InvalidInput, match=r"linked.py is a link that leads out of the candidate's folder"):
        candidate(folder, model=SIGN)


@pytest.mark.parametrize(
    ("artefact", "rule"),
    [
        ("model.py", "must be module:object"),
        ("model", "must be module:object"),
        ("../model:predict", "must be module:object"),
        ("other:predict", "there is no module other in the candidate's folder"),
    ],
)
def test_what_names_no_object_of_the_folder_is_refused(folder: Path, artefact: str, rule: str) -> None:
    with pytest.raises(InvalidInput, match=rule):
        candidate(folder, artefact, model=SIGN)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise RuntimeError('no licence')\n", "could not open: .*RuntimeError: no licence"),
        ("import not_there\n", "could not open: .*No module named 'not_there'"),
        ("guess = 1\n", "could not open: .*has no attribute 'predict'"),
        ("predict = 1\n", "opened a int, which has no predict"),
        ("class predict:\n    def __init__(self, path):\n        pass\n", "could not open: .*missing 1 required"),
    ],
)
def test_code_that_does_not_become_a_model_says_why(folder: Path, text: str, reason: str) -> None:
    with pytest.raises(CannotOpen, match=reason):
        open_predictor(candidate(folder, model=text), OPEN)


def test_outputs_come_beside_the_answer_by_the_index_of_the_inputs(folder: Path) -> None:
    text = (
        "import pandas as pd\n\n\ndef predict(frame):\n"
        "    given = pd.DataFrame({'score:plus': frame['a'] / 4, 'answer': frame['a'] > 0, 'words': 'so'})\n"
        "    return given.set_index(frame.index)\n"
    )
    (reply,) = [each for each in serve(candidate(folder, model=text), [TWO], OPEN) if isinstance(each, Answered)]
    assert not isinstance(reply.batch, PredictionFailed)
    assert reply.batch.answers == [True, False]
    assert reply.batch.outputs == [{"score:plus": 0.25, "words": "so"}, {"score:plus": -0.5, "words": "so"}]


@pytest.mark.parametrize("index", ["[1, 0]", "[5, 6]"])
def test_answers_in_another_order_are_never_taken_by_position(folder: Path, index: str) -> None:
    given = f"pd.DataFrame({{'answer': ['a', 'b']}}, index={index})"
    text = f"import pandas as pd\n\n\ndef predict(frame):\n    return {given}\n"
    (reply,) = [each for each in serve(candidate(folder, model=text), [TWO], OPEN) if isinstance(each, Answered)]
    assert "a position is no key" in str(reply.batch)


def test_another_object_of_the_same_folder_is_another_content(folder: Path) -> None:
    text = SIGN + "\n\nother = predict\n"
    assert candidate(folder, model=text).digest != candidate(folder, "model:other", model=text).digest


def test_what_was_compiled_from_other_code_is_not_run(folder: Path) -> None:
    """A compiled file is no part of the digest, and its time and size may fit the source beside it."""
    model = folder / "model.py"
    model.write_text(SIGN.replace("plus", "evil"))
    os.utime(model, (1_000_000_000, 1_000_000_000))
    py_compile.compile(str(model))
    made = candidate(folder, model=SIGN)
    os.utime(model, (1_000_000_000, 1_000_000_000))
    assert list(open_predictor(made, OPEN).predict(TWO)["answer"]) == ["plus", "minus"]


def test_a_helper_module_that_an_earlier_import_brought_is_refused(folder: Path) -> None:
    with pytest.raises(CannotOpen, match="the module fractions was imported from elsewhere"):
        open_predictor(candidate(folder, model=f"import fractions\n{SIGN}", fractions="X = 1\n"), OPEN)


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        (
            "import enum\n\n\nclass L(str, enum.Enum):\n    A = 'a'\n\n\ndef predict(f):\n    return [L.A, L.A]\n",
            ["a", "a"],
        ),
        ("class L(str):\n    pass\n\n\ndef predict(f):\n    return [L('a'), L('b')]\n", ["a", "b"]),
        ("class N(int):\n    pass\n\n\ndef predict(f):\n    return [N(1), N(2)]\n", [1, 2]),
        ("def predict(f):\n    return ['a\\ud800', 'b\\x00']\n", ["a\\ud800", "b\\x00"]),
    ],
    ids=["enum", "text", "number", "unstorable"],
)
def test_answers_of_a_models_own_kinds_leave_its_process_as_plain_ones(
    folder: Path, text: str, answers: list[Any]
) -> None:
    made = candidate(folder, model=text)
    with PredictorHost() as host:
        batch = host.predict(made, TWO, OPEN)
    assert batch.answers == answers
    assert {type(answer) for answer in batch.answers} <= {str, int}


def test_an_error_with_a_nul_is_a_reason_that_can_be_stored(folder: Path) -> None:
    made = candidate(folder, model="def predict(f):\n    raise ValueError('a\\x00b')\n")
    (reply,) = [each for each in serve(made, [TWO], OPEN) if isinstance(each, Answered)]
    assert "ValueError: a\\x00b" in str(reply.batch)
    assert "\x00" not in str(reply.batch)
