"""A workspace into whose folder batches are dropped: two numbers, a reference, and a candidate trained on it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np

from ml_regress.definitions import defs
from ml_regress.defs import watching
from ml_regress_tests.defs.ticks import Daemon
from ml_regress_tests.models import ConstantModel
from ml_regress_tests.scenario import BASIC, age, write_candidate

STATED: dict[str, Any] = {"inputs": {"ears": "number", "crumbs": "number"}}


def write_production(folder: Path, **stated: Any) -> None:
    """production.yaml, a reference of 200 rows, and the candidate in production that names it."""
    (folder / "production.yaml").write_text(json.dumps({**STATED, **stated}))  # JSON is YAML
    age(folder / "production.yaml")
    (folder / "ml_regress.yaml").write_text(f"{BASIC}production: served\n")
    (folder / "reference.csv").write_text(table(rows=200, seed=1))
    age(folder / "reference.csv")
    write_candidate(folder, "served", ConstantModel("muffin"), trained_on="reference.csv")
    (folder / "batches").mkdir()


def table(shift: float = 0.0, rows: int = 60, seed: int = 2) -> str:
    """CSV of normal `ears`, moved by `shift` standard deviations, and `crumbs` that never move."""
    drawn = np.random.default_rng(seed).normal(size=(rows, 2))
    return "ears,crumbs\n" + "".join(f"{ears + shift:.6f},{crumbs:.6f}\n" for ears, crumbs in drawn)


def drop(folder: Path, name: str, text: str) -> Path:
    """A batch's file that nobody writes to any more."""
    path = folder / "batches" / f"{name}.csv"
    path.write_text(text)
    age(path)
    return path


def look(daemon: Daemon) -> dg.SensorResult:
    return daemon.tick(watching.batches_sensor)


def asked(result: dg.SensorResult) -> list[dg.RunRequest]:
    return list(result.run_requests or [])


def run(
    daemon: Daemon,
    request: dg.RunRequest | None = None,
    job: str = "check_batches",
    assets: set[str] | None = None,
    partition: str | None = None,
) -> dg.ExecuteInProcessResult:
    """A run of a job (or of some of its assets) with the tags of a request, as the daemon would start it."""
    made = defs.resolve_job_def(job)
    if assets is not None:
        made = made.get_subset(asset_selection={dg.AssetKey(name) for name in assets})
    return made.execute_in_process(
        instance=daemon.instance,
        tags=dict(request.tags) if request else None,
        resources={"workspace": daemon.resource},
        partition_key=partition,
        raise_on_error=False,
    )


def checks(instance: dg.DagsterInstance, asset: str, name: str) -> Sequence[Any]:
    """The evaluations of a check, newest first: (status, severity, metadata as plain values)."""
    key = dg.AssetCheckKey(dg.AssetKey(asset), name)
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
    found = [(record.status.value, record.evaluation) for record in records]
    return [
        (status, made.severity.value, {label: value.value for label, value in made.metadata.items()})
        for status, made in found
        if made is not None
    ]
