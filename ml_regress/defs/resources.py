"""The workspace as a resource: opened once a process for the same settings."""

import functools
from pathlib import Path

import dagster as dg

from ml_regress.engine.workspace import Workspace
from ml_regress.settings import Settings


@functools.lru_cache(maxsize=8)
def _opened(settings: Settings) -> Workspace:
    return Workspace.open(settings)


class WorkspaceResource(dg.ConfigurableResource):  # type: ignore[type-arg]  # dagster types it by its own value
    """The workspace whose folder is given here, or by ML_REGRESS_WORKSPACE.

    The operator's file is read each time, so that a changed setting counts without a restart.
    """

    folder: str | None = None

    def open(self) -> Workspace:
        return _opened(Settings.load(Path(self.folder) if self.folder else None))
