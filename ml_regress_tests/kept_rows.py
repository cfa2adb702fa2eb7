"""Batches made by hand: kept rows of a frame in the archive, and a batch in the store that names them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ml_regress.core.batch import ACCEPTED, QUARANTINED, Batch
from ml_regress.core.digest import digest_of_bytes
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.production import LABEL, PREDICTION, ProductionSchema
from ml_regress.engine import registry
from ml_regress.engine.workspace import Workspace
from ml_regress_tests.scenario import age, write_candidate

MUFFINS = {"ears": "number?", "crumbs": "number?", "kind": "text?"}


def muffin_schema(inputs: Mapping[str, str] = MUFFINS, **changes: Any) -> ProductionSchema:
    """Two numbers and a text; answers are whole numbers."""
    made = ProductionSchema(parse_input_types(dict(inputs)), answer_type="integer", labels=(0, 1), positive_label=1)
    return replace(made, **changes)


def muffins(rows: int, seed: int, *, ears: float = 0.0, crumbs: float = 0.0) -> pd.DataFrame:
    """Rows of one distribution; `ears` and `crumbs` move the means by that many standard deviations."""
    generator = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "ears": generator.normal(ears, 1, rows),
            "crumbs": generator.normal(crumbs, 1, rows),
            "kind": generator.choice(["plain", "blueberry", "bran"], rows, p=[0.5, 0.3, 0.2]).astype(object),
        }
    )


def keep(workspace: Workspace, frame: pd.DataFrame, schema: ProductionSchema) -> str:
    """The rows of a frame in the archive; returns their digest."""
    arrays = [_array(frame[name]) for name in frame.columns]
    metadata = {b"ml_regress.schema": schema.digest.encode()}
    table = pa.table(arrays, names=list(frame.columns)).replace_schema_metadata(metadata)
    with workspace.archive.staging() as folder:
        pq.write_table(table, folder / "rows.parquet", compression="zstd", row_group_size=131_072)
        digest = digest_of_bytes((folder / "rows.parquet").read_bytes())
        workspace.archive.keep_rows(folder / "rows.parquet", digest)
    return digest


def bring(
    workspace: Workspace, name: str, frame: pd.DataFrame, schema: ProductionSchema | None = None, **changes: Any
) -> Batch:
    """Store a batch with these rows (inputs, @prediction, @label, score:...); a date as id is when it begins."""
    given = schema or workspace.store.batches.schema_in_force()
    assert given is not None
    starts = f"{name[:10]}T00:00:00.000Z" if name[:4].isdigit() else "2026-06-01T00:00:00.000Z"
    batch = Batch(
        name,
        ACCEPTED,
        keep(workspace, frame, given),
        given.digest,
        len(frame),
        starts,
        starts,
        f"batches/{name}.csv",
        "2026-06-02T00:00:00.000Z",
        candidate=workspace.store.candidates.production(),
        predicted=int(frame[PREDICTION].notna().sum()) if PREDICTION in frame else 0,
        labelled=int(frame[LABEL].notna().sum()) if LABEL in frame else 0,
    )
    batch = replace(batch, **changes)
    table = workspace.store.batches
    return table.quarantine(batch) if batch.state == QUARANTINED else table.accept(batch)


def write_reference(folder: Path, frame: pd.DataFrame, name: str = "reference/q1.csv") -> str:
    """A table in the workspace that a candidate may name as `trained_on`."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False)
    age(path)
    return name


def serve(workspace: Workspace, name: str, model: Any, *, production: bool = True, **manifest: Any) -> Path:
    """Register a candidate that takes ears and crumbs, and name it as production; returns the log of its model."""
    folder = workspace.settings.workspace
    manifest.setdefault("features", ["ears", "crumbs"])
    log = write_candidate(folder, name, model, **manifest)
    for path in (folder / "candidates" / name).iterdir():
        age(path)
    registry.look_at_candidates(workspace, registry.look_at_candidates(workspace, {}))
    if production:
        workspace.store.candidates.adopt_production(name, actor="test", reason="serves users")
    return log


def _array(values: "pd.Series[Any]") -> pa.Array:
    kind = values.dtype
    if pd.api.types.is_bool_dtype(kind):
        return pa.array([None if value is pd.NA else bool(value) for value in values], pa.bool_())
    if pd.api.types.is_integer_dtype(kind):
        return pa.array([None if value is pd.NA else int(value) for value in values], pa.int64())
    if pd.api.types.is_float_dtype(kind):
        return pa.array(values.to_numpy(dtype=np.float64), pa.float64(), from_pandas=True)
    return pa.array([None if pd.isna(value) else value for value in values], pa.string())
