"""A workspace of tiny candidates, a Dagster instance that forgets, and sensors that do not wait."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from ml_regress.defs import sensors
from ml_regress.defs.resources import WorkspaceResource
from ml_regress.engine.workspace import Workspace
from ml_regress_tests.models import ConstantModel
from ml_regress_tests.scenario import age, row, write_candidate, write_problem, write_workspace


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sensors, "PATIENCE", 0.0)
    for name in ("ML_REGRESS_HOME", "ML_REGRESS_DATABASE_URL", "ML_REGRESS_WEBHOOK"):
        monkeypatch.delenv(name, raising=False)
    return write_workspace(tmp_path / "workspace")


@pytest.fixture
def resource(folder: Path) -> WorkspaceResource:
    return WorkspaceResource(folder=str(folder))


@pytest.fixture
def workspace(resource: WorkspaceResource) -> Workspace:
    return resource.open()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def muffins(folder: Path) -> Path:
    """Two problems of two patterns each, and one candidate that always says muffin; returns its log."""
    for name in ("fruit", "pets"):
        patterns = [row("blueberry", 0.5, crumbs=len(name)), row("puppy", 2.0, "chihuahua", crumbs=-len(name))]
        age(write_problem(folder, name, patterns))
    return write_candidate(folder, "first", ConstantModel("muffin"))
