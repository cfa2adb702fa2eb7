"""Every format keeps the contract, a format that a team registers among them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import joblib
import pandas as pd
import pytest
import skops.io
from sklearn.tree import DecisionTreeClassifier

from ml_regress.contract import FormatContract
from ml_regress.errors import InvalidInput, NotFound
from ml_regress.intake.candidates import read_candidate
from ml_regress.predictors import formats
from ml_regress.predictors.formats import Format, format_named, format_names
from ml_regress_tests.models import write_manifest


def tree(questions: pd.DataFrame, answers: Sequence[str]) -> DecisionTreeClassifier:
    """A model that knows each answer."""
    return DecisionTreeClassifier(random_state=0).fit(questions[["x", "y"]], list(answers))


class TestSkops(FormatContract):
    settings: ClassVar[Mapping[str, Any]] = {"trusted_types": ["sklearn.tree._tree.Tree"]}

    def write(self, folder: Path, questions: pd.DataFrame, answers: Sequence[str]) -> Mapping[str, Any]:
        skops.io.dump(tree(questions, answers), folder / "model.skops")
        return {"format": "skops"}


class TestJoblib(FormatContract):
    def write(self, folder: Path, questions: pd.DataFrame, answers: Sequence[str]) -> Mapping[str, Any]:
        joblib.dump(tree(questions, answers), folder / "model.joblib")
        return {"format": "joblib"}


class TestPython(FormatContract):
    def write(self, folder: Path, questions: pd.DataFrame, answers: Sequence[str]) -> Mapping[str, Any]:
        package = folder / "animals"
        package.mkdir(exist_ok=True)
        known = dict(zip(zip(questions["x"], questions["y"], strict=True), answers, strict=True))
        (package / "known.py").write_text(f"KNOWN = {known!r}\n")
        (package / "model.py").write_text(
            "from animals.known import KNOWN\n\n\n"
            "def predict(frame):\n    return [KNOWN[x, y] for x, y in zip(frame['x'], frame['y'])]\n"
        )
        return {"format": "python", "artefact": "animals.model:predict"}


class TestRecorded(FormatContract):
    def write(self, folder: Path, questions: pd.DataFrame, answers: Sequence[str]) -> Mapping[str, Any]:
        table = questions[["pattern_id"]].assign(predicted=list(answers))
        table.to_csv(folder / "predictions.csv", index=False)
        return {"format": "recorded"}


class TestRecordedByInputs(FormatContract):
    def write(self, folder: Path, questions: pd.DataFrame, answers: Sequence[str]) -> Mapping[str, Any]:
        table = questions[["y", "x"]].assign(predicted=list(answers))
        table.to_json(folder / "predictions.jsonl", orient="records", lines=True)
        return {"format": "recorded"}


LOOKUP = """
import json

from ml_regress.predictors import Format


class Lookup:
    def __init__(self, known):
        self.known = known

    def predict(self, frame):
        return [self.known[f"{x} {y}"] for x, y in zip(frame["x"], frame["y"])]


FORMAT = Format(lambda artefact, policy: Lookup(json.load(artefact.bytes)), extension=".lookup.json", runs_code=False)
NOT_ONE = "a text"


def raises(*anything):
    raise RuntimeError("half a file")


RAISING = Format(json.load, extension=".raising", rule=raises)
MUTE = Format(json.load, extension=".mute", saved_with=raises)
"""


@pytest.fixture
def team_format(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installed package that registers formats, as an installer would leave it in a folder of packages."""
    packages = tmp_path_factory.mktemp("packages")
    (packages / "lookup_format.py").write_text(LOOKUP)
    info = packages / "lookup_format-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lookup-format\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[ml_regress.formats]\nlookup = lookup_format:FORMAT\nno-format = lookup_format:NOT_ONE\n"
        "missing = not_there:FORMAT\nraising = lookup_format:RAISING\nmute = lookup_format:MUTE\n"
        "skops = lookup_format:FORMAT\n"
    )
    monkeypatch.syspath_prepend(str(packages))
    _forget()
    yield
    _forget()


def _forget() -> None:
    for function in (formats.format_named, formats._registered):
        function.cache_clear()


@pytest.mark.usefixtures("team_format")
class TestFormatOfATeam(FormatContract):
    def write(self, folder: Path, questions: pd.DataFrame, answers: Sequence[str]) -> Mapping[str, Any]:
        asked = zip(questions["x"], questions["y"], answers, strict=True)
        content = ", ".join(f'"{x} {y}": "{answer}"' for x, y, answer in asked)
        (folder / "animals.lookup.json").write_text(f"{{{content}}}")
        return {"format": "lookup"}

    def test_its_file_name_tells_the_format(self) -> None:
        assert formats.format_of("animals.lookup.json") == "lookup"

    def test_a_name_of_our_own_cannot_be_taken(self) -> None:
        assert format_names().count("skops") == 1
        assert format_named("skops").extension == ".skops"

    def test_a_format_that_does_not_load_says_so_and_leaves_the_others_alone(self) -> None:
        with pytest.raises(NotFound, match=r"the format 'missing' \(not_there:FORMAT\) does not load: ModuleNotFound"):
            format_named("missing")
        with pytest.raises(NotFound, match="is a str and no Format"):
            format_named("no-format")
        assert [formats.format_of(name) for name in ("model.skops", "model.bin")] == ["skops", None]
        assert isinstance(format_named("lookup"), Format)


@pytest.mark.usefixtures("team_format")
def test_a_format_that_raises_is_a_refusal_of_its_candidate_alone(tmp_path: Path) -> None:
    for name in ("raising", "mute"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"model.{name}").write_text("{}")
        write_manifest(folder)
    with pytest.raises(InvalidInput, match="cannot be read by the format raising: RuntimeError: half a file"):
        read_candidate(tmp_path / "raising")
    assert read_candidate(tmp_path / "mute").libraries == {}


def test_the_contract_itself_needs_a_format() -> None:
    with pytest.raises(NotImplementedError):
        FormatContract().write(Path(), pd.DataFrame(), [])
