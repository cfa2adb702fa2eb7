import json
from dataclasses import replace
from typing import Any

import pytest

from ml_regress.core.candidate import Candidate, Manifest

MANIFEST = Manifest("2026-06-01T09:00:00Z", "skops", "model.skops", features=("x", "y"), defaults={"y": 0.0})
CANDIDATE = Candidate("model-1", MANIFEST, "candidates/model-1", "ab" * 32, 1024)


@pytest.mark.parametrize(
    "change", [{"features": ("y", "x")}, {"features": None}, {"defaults": {"y": 1.0}}, {"defaults": {}}]
)
def test_what_predictions_depend_on_names_the_candidate(change: dict[str, Any]) -> None:
    assert replace(CANDIDATE, manifest=replace(MANIFEST, **change)).digest != CANDIDATE.digest
    assert replace(CANDIDATE, sha256="cd" * 32).digest != CANDIDATE.digest


@pytest.mark.parametrize("change", [{"note": "better"}, {"changed": "more data"}, {"metrics": {"accuracy": 0.9}}])
def test_a_note_does_not_name_another_candidate(change: dict[str, Any]) -> None:
    assert replace(CANDIDATE, manifest=replace(MANIFEST, **change)).digest == CANDIDATE.digest


@pytest.mark.parametrize("manifest", [MANIFEST, replace(MANIFEST, features=None)])
def test_a_manifest_comes_back_from_its_plain_data(manifest: Manifest) -> None:
    assert Manifest.from_dict(json.loads(json.dumps(manifest.as_dict()))) == manifest
