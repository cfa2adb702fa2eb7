"""A workspace on each database, and one process for models that all tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_regress.engine.workspace import Workspace
from ml_regress.predictors.host import PredictorHost
from ml_regress.settings import Settings
from ml_regress_tests.scenario import write_workspace


@pytest.fixture(scope="session")
def host() -> Iterator[PredictorHost]:
    with PredictorHost() as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_workspace(tmp_path / "workspace")


@pytest.fixture
def workspace(folder: Path, database_url: str) -> Iterator[Workspace]:
    """An empty workspace that allows joblib candidates."""
    made = Workspace.open(Settings.load(folder, {"ML_REGRESS_DATABASE_URL": database_url}))
    yield made
    made.store.close()
