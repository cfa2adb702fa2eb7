"""Small workspaces with a reference and batches in which something is strange, for tests of what is made of them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ml_regress.core.batch import Batch
from ml_regress.engine.arrivals import import_batch
from ml_regress.engine.workspace import Workspace
from ml_regress_tests.models import ThresholdModel
from ml_regress_tests.scenario import take_in, write_candidate

INPUTS = {"ears": "number", "crumbs": "number"}
TRAINED_ON = "reference/q1.csv"


def cakes(rows: int, seed: int, **columns: Any) -> pd.DataFrame:
    """Rows whose two numbers are normal around 5, with more columns."""
    random = np.random.default_rng(seed)
    return pd.DataFrame({"ears": random.normal(5, 1, rows), "crumbs": random.normal(5, 1, rows), **columns})


def odd(count: int, ears: float = 40.0) -> pd.DataFrame:
    """Rows that no reference has: each differs from the others."""
    return pd.DataFrame({"ears": ears + np.arange(count) * 3.0, "crumbs": 5.0 + np.arange(count) / 10})


def answered(frame: pd.DataFrame, threshold: float = 10.0) -> pd.Series:
    """What a ThresholdModel says."""
    return (frame["ears"] + frame["crumbs"] > threshold).astype(int)


def set_up(
    workspace: Workspace,
    reference: pd.DataFrame | None = None,
    *,
    models: Mapping[str, Any] | None = None,
    **production: Any,
) -> Path:
    """A reference file, candidates that were trained on it (`first` first), and a production.yaml; the folder."""
    folder = workspace.settings.workspace
    (folder / "reference").mkdir(exist_ok=True)
    (cakes(1_500, 1) if reference is None else reference).to_csv(folder / TRAINED_ON, index=False)
    given = {"first": ThresholdModel(10)} if models is None else models
    for number, (name, model) in enumerate(given.items(), start=1):
        write_candidate(folder, name, model, created_at=f"2026-06-{number:02d}T00:00:00Z", trained_on=TRAINED_ON)
    said = {"inputs": INPUTS, "answer": "integer", **production}
    (folder / "production.yaml").write_text(json.dumps(said))
    take_in(workspace)
    return folder


def arrive(workspace: Workspace, name: str, frame: pd.DataFrame) -> Batch:
    """A batch of these rows, taken in."""
    folder = workspace.settings.workspace / "batches"
    folder.mkdir(exist_ok=True)
    frame.to_csv(folder / f"{name}.csv", index=False)
    import_batch(workspace, folder / f"{name}.csv")
    return workspace.store.batches.get(name)


def mixed(*parts: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True)


def positions(values: Sequence[Any]) -> set[int]:
    return {int(value) for value in values}
