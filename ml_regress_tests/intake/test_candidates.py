"""Candidate folders: when they are whole, and what their manifest says."""

import hashlib
import os
import zipfile
from pathlib import Path
from typing import Any

import joblib
import pytest
from sklearn.linear_model import LogisticRegression

from ml_regress.errors import InvalidInput
from ml_regress.intake.candidates import read_candidate
from ml_regress.intake.sightings import look
from ml_regress.predictors.versions import running
from ml_regress_tests.models import write_manifest


def candidate_folder(tmp_path: Path, name: str = "big-net", **keys: Any) -> Path:
    """A joblib candidate whose artefact holds nothing but bytes."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / "model.joblib").write_bytes(b"bytes of a model")
    write_manifest(folder, **keys)
    return folder


def faults(folder: Path) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        read_candidate(folder)
    return [f"{fault.column}: {fault.rule}" for fault in refused.value.faults]


def make_older(path: Path) -> None:
    state = path.stat()
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns - 10**9))


def test_a_folder_whose_manifest_was_written_last_is_whole(tmp_path: Path) -> None:
    sighting = look(candidate_folder(tmp_path))
    assert (sighting.id, sighting.whole, sighting.reason) == ("big-net", True, "")


def test_a_manifest_older_than_the_artefact_needs_a_second_look_that_sees_the_same(tmp_path: Path) -> None:
    folder = candidate_folder(tmp_path)
    make_older(folder / "candidate.yaml")
    sighting = look(folder)
    assert not sighting.whole
    assert sighting.settled_needed
    assert sighting.reason == "waits until nothing changes: a file is newer than candidate.yaml"
    assert look(folder).signature == sighting.signature
    (folder / "model.joblib").write_bytes(b"more bytes of a model")
    assert look(folder).signature != sighting.signature


def test_a_folder_without_manifest_or_artefact_cannot_be_read_however_long_it_rests(tmp_path: Path) -> None:
    folder = candidate_folder(tmp_path)
    (folder / "model.joblib").rename(folder / "model.joblib.part")
    assert (look(folder).impossible, look(folder).reason) == (True, "waits for the artefact")
    write_manifest(folder, artefact="model.joblib")
    assert (look(folder).impossible, look(folder).reason) == (True, "waits for the artefact model.joblib")
    (folder / "candidate.yaml").unlink()
    assert (look(folder).impossible, look(folder).reason) == (True, "waits for candidate.yaml")
    assert not look(folder).whole
    assert not look(folder).settled_needed


def test_half_a_skops_file_is_not_whole(tmp_path: Path) -> None:
    folder = tmp_path / "half"
    folder.mkdir()
    artefact = folder / "model.skops"
    with zipfile.ZipFile(artefact, "w") as archive:
        archive.writestr("schema.json", "{}" * 1000)
    complete = artefact.read_bytes()
    artefact.write_bytes(complete[:-10])
    write_manifest(folder)
    assert look(folder).impossible
    assert "is no complete skops file" in look(folder).reason
    artefact.write_bytes(complete)
    write_manifest(folder)
    assert look(folder).whole


def test_a_manifest_that_is_no_yaml_yet_needs_a_second_look(tmp_path: Path) -> None:
    folder = candidate_folder(tmp_path)
    (folder / "candidate.yaml").write_text("created_at: [2026")
    assert look(folder).settled_needed
    assert "is no YAML" in look(folder).reason


def test_hidden_and_unfinished_files_are_not_there(tmp_path: Path) -> None:
    folder = candidate_folder(tmp_path)
    signature = look(folder).signature
    for name in (".DS_Store", "other.joblib.part", "candidate.yaml~", "x.tmp"):
        (folder / name).write_text("x")
    assert look(folder).signature == signature
    assert read_candidate(folder).manifest.artefact == "model.joblib"


def test_a_full_manifest_is_read_with_its_types(tmp_path: Path) -> None:
    folder = candidate_folder(
        tmp_path,
        created_at="2026-06-01T11:00:00+02:00",
        changed="twice the layers",
        parent="small-net",
        data={"train": "digits 2025"},
        metrics={"train_accuracy": "0.98"},
        libraries={"scikit-learn": "1.2.2"},
        features=["b", "a"],
        defaults={"b": "007"},
        not_applicable={"thick-strokes": "sees no strokes"},
        time_limit=2.5,
        note="a note",
        answer_map={"007": "bond"},
    )
    candidate = read_candidate(folder)
    content = b"bytes of a model"
    assert (candidate.id, candidate.path) == ("big-net", str(folder))
    assert (candidate.sha256, candidate.size) == (hashlib.sha256(content).hexdigest(), len(content))
    assert candidate.libraries == {"scikit-learn": "1.2.2"}
    assert candidate.manifest.as_dict() == {
        "created_at": "2026-06-01T09:00:00+00:00",
        "format": "joblib",
        "artefact": "model.joblib",
        "changed": "twice the layers",
        "parent": "small-net",
        "data": {"train": "digits 2025"},
        "metrics": {"train_accuracy": 0.98},
        "libraries": {"scikit-learn": "1.2.2"},
        "features": ["b", "a"],
        "defaults": {"b": "007"},
        "not_applicable": {"thick-strokes": "sees no strokes"},
        "time_limit": 2.5,
        "note": "a note",
        "answer_map": {"007": "bond"},
    }


def test_one_text_may_describe_the_data(tmp_path: Path) -> None:
    assert read_candidate(candidate_folder(tmp_path, data="all of 2025")).manifest.data == {"data": "all of 2025"}


def test_the_versions_in_the_artefact_are_recorded(tmp_path: Path) -> None:
    folder = candidate_folder(tmp_path)
    joblib.dump(LogisticRegression(), folder / "model.joblib")
    assert read_candidate(folder).libraries == {"scikit-learn": running("scikit-learn")}


@pytest.mark.parametrize(
    ("given", "utc"),
    [
        ("2026-06-01", "2026-06-01T00:00:00+00:00"),
        ("2026-06-01T09:00:00Z", "2026-06-01T09:00:00+00:00"),
        ("2026-06-01 01:30:00+05:30", "2026-05-31T20:00:00+00:00"),
    ],
)
def test_the_time_is_kept_in_utc(tmp_path: Path, given: str, utc: str) -> None:
    assert read_candidate(candidate_folder(tmp_path, created_at=given)).manifest.created_at == utc


def test_all_faults_of_a_manifest_are_named_at_once(tmp_path: Path) -> None:
    folder = candidate_folder(
        tmp_path,
        created_at="2026-06-01T09:00:00",
        chnaged="a slip",
        parent="../other",
        metrics={"accuracy": "good"},
        features=["a", "a"],
        not_applicable={"thick": ""},
        time_limit=0,
        format="onnx",
    )
    found = faults(folder)
    assert [fault.split(":")[0] for fault in found] == [
        "chnaged",
        "format",
        "parent",
        "created_at",
        "metrics.accuracy",
        "features",
        "not_applicable.thick",
        "time_limit",
    ]
    assert found[0] == "chnaged: is not known; do you mean 'changed'?"
    assert found[3].startswith("created_at: has no zone")
    assert found[1] == "format: must be one of skops, joblib, python, recorded"
    assert found[4] == "metrics.accuracy: must be a finite number"


@pytest.mark.parametrize("given", ["", "yesterday", "2026-02-30", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_is_none_is_refused(tmp_path: Path, given: str) -> None:
    (found,) = faults(candidate_folder(tmp_path, created_at=given))
    assert found.startswith("created_at: ")
    assert "must be an ISO time" in found


@pytest.mark.parametrize("given", ["../model.joblib", "/etc/hostname", "candidate.yaml", "gone.joblib"])
def test_the_artefact_is_a_file_in_the_folder(tmp_path: Path, given: str) -> None:
    (tmp_path / "model.joblib").write_bytes(b"outside")
    found = faults(candidate_folder(tmp_path, artefact=given, format="joblib"))
    assert len(found) == 1
    assert found[0].startswith("artefact: ")


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside.joblib").write_bytes(b"outside")
    folder = candidate_folder(tmp_path, artefact="link.joblib")
    (folder / "link.joblib").symlink_to(tmp_path / "outside.joblib")
    assert faults(folder) == ["artefact: is a link that leads out of the candidate's folder; copy the file"]


def test_several_files_need_the_name_of_the_artefact(tmp_path: Path) -> None:
    folder = candidate_folder(tmp_path)
    (folder / "notes.md").write_text("notes")
    make_older(folder / "notes.md")
    assert look(folder).settled_needed
    assert faults(folder) == ["artefact: must name one of the files model.joblib, notes.md"]


def test_a_format_that_the_name_does_not_tell_must_be_given(tmp_path: Path) -> None:
    folder = candidate_folder(tmp_path)
    (folder / "model.joblib").rename(folder / "model.bin")
    assert faults(folder) == [
        "format: is missing, and model.bin does not tell it; it is one of skops, joblib, python, recorded"
    ]


def test_a_folder_whose_name_is_no_id_is_refused(tmp_path: Path) -> None:
    assert "the folder's name is the candidate's id" in faults(candidate_folder(tmp_path, name="my net"))[0]


def test_a_folder_of_code_is_settled_by_two_looks_and_not_by_the_age_of_its_manifest(tmp_path: Path) -> None:
    """Copied with its times, the manifest may come first."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "model.py").write_text("def predict(frame):\n    return [0] * len(frame)\n")
    write_manifest(folder, format="python", artefact="model:predict")
    sighting = look(folder)
    assert (sighting.whole, sighting.settled_needed) == (False, True)
    assert "waits until nothing changes" in sighting.reason


def test_code_without_its_format_is_read_and_refused(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "model.py").write_text("predict = len\n")
    write_manifest(folder, artefact="model:predict")
    assert look(folder).settled_needed
    assert faults(folder)[0].startswith("artefact: there is no such file")
