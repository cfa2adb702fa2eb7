"""A workspace at work: its settings and its open store."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from ml_regress.core.candidate import Candidate
from ml_regress.predictors import Policy
from ml_regress.settings import Settings
from ml_regress.store import Store
from ml_regress.store.archive import Archive
from ml_regress.store.rows import storable


@dataclass(frozen=True)
class Workspace:
    """One model line: its folder and its store."""

    settings: Settings
    store: Store

    @classmethod
    def open(cls, settings: Settings) -> "Workspace":
        """Open (and where needed create or migrate) the store of a workspace; raises Unavailable."""
        return cls(settings, Store.open(settings.database_url))

    @property
    def policy(self) -> Policy:
        """What the operator allows an artefact to be."""
        settings = self.settings
        return Policy(settings.allow_formats, settings.trusted_types, settings.time_limit)

    @property
    def archive(self) -> Archive:
        """Where kept rows of batches and profiles lie."""
        return Archive(self.settings.home / "archive")

    def relative(self, path: Path) -> str:
        """A path as the store keeps it: relative to the workspace, so that the folder may move."""
        resolved = Path(os.path.realpath(path))  # Path.resolve raises for a link to itself
        inside = resolved.is_relative_to(self.settings.workspace)
        # A name of a file may be no text; the store keeps texts only.
        return storable(str(resolved.relative_to(self.settings.workspace) if inside else resolved))

    def located(self, candidate: Candidate) -> Candidate:
        """The candidate with the folder where its artefact is now."""
        return replace(candidate, path=str(self.settings.workspace / candidate.path))
