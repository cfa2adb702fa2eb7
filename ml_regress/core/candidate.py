"""Candidates: immutable model artefacts with a manifest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ml_regress.core.digest import digest_of

RECORDED = "recorded"


@dataclass(frozen=True)
class Manifest:
    """What `candidate.yaml` says.

    `features` is the order of columns the predictor wants (None: ask the artefact, else the order
    of the problem); `defaults` gives values for columns a problem does not have; `not_applicable`
    maps a problem's id to the reason why this candidate is not measured on it. `created_at` is an
    ISO time with zone. `time_limit` is in seconds for opening and predicting, None for the
    workspace's own. `answer_map` gives the answer that is meant for a raw one (as text), for a model
    whose classes are finer than those of the problems. `trained_on` is the table that it was trained on, a path in
    the workspace: the reference that batches of production are held against while it serves users.
    """

    created_at: str
    format: str
    artefact: str
    changed: str = ""
    parent: str | None = None
    data: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    features: tuple[str, ...] | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    not_applicable: Mapping[str, str] = field(default_factory=dict)
    time_limit: float | None = None
    note: str = ""
    answer_map: Mapping[str, str] = field(default_factory=dict)
    trained_on: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "created_at": self.created_at,
            "format": self.format,
            "artefact": self.artefact,
            "changed": self.changed,
            "parent": self.parent,
            "data": dict(self.data),
            "metrics": dict(self.metrics),
            "libraries": dict(self.libraries),
            "features": None if self.features is None else list(self.features),
            "defaults": dict(self.defaults),
            "not_applicable": dict(self.not_applicable),
            "time_limit": self.time_limit,
            "note": self.note,
            "answer_map": dict(self.answer_map),
            # Left out where there is none, so that the manifests of older stores read the same.
            **({} if self.trained_on is None else {"trained_on": self.trained_on}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Manifest":
        features = data["features"]
        return cls(**{**data, "features": None if features is None else tuple(features)})


@dataclass(frozen=True)
class Candidate:
    """A registered candidate: `path` is its folder, `sha256` and `size` (bytes) its artefact's.

    `digest` names what its answers depend on: the artefact's bytes, the order of features, the
    defaults and the map of answers. A table of recorded predictions may grow, and is known by its
    name. `libraries` are the versions the artefact was saved with, where they are known.
    """

    id: str
    manifest: Manifest
    path: str
    sha256: str
    size: int
    libraries: Mapping[str, str] = field(default_factory=dict)
    state: str = "active"
    registered_at: str = ""

    @property
    def digest(self) -> str:
        manifest = self.manifest
        depends_on: dict[str, Any] = {
            "artefact": {"recorded": manifest.artefact} if self.recorded else self.sha256,
            "features": None if manifest.features is None else list(manifest.features),
            "defaults": dict(manifest.defaults),
        }
        if manifest.answer_map:  # the digests of candidates without one stay what they were
            depends_on["answer_map"] = dict(manifest.answer_map)
        return digest_of(depends_on)

    @property
    def recorded(self) -> bool:
        """True for a table of predictions: there is no model to open."""
        return self.manifest.format == RECORDED
