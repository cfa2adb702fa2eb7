"""The rows of a batch as points beside its reference: what unusual, near and covered are measured on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ml_regress.core.batch import Batch
from ml_regress.core.clusters import near_limit
from ml_regress.core.features import Features
from ml_regress.core.inputs import InputTypes, parse_input_types
from ml_regress.core.production import ProductionSchema
from ml_regress.core.sampling import sample_of
from ml_regress.engine.proposed_problem import reduced
from ml_regress.engine.references import Reference, kept_reference, reference_of, without_batch
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import InvalidInput, NotFound
from ml_regress.intake.kept import Kept

LARGEST_REFERENCE = 20_000
LARGEST_SAMPLE = 5_000
_KINDS = {"number": "number", "integer": "number", "boolean": "boolean"}


@dataclass(frozen=True, eq=False)
class Ground:
    """A batch and its reference on common ground.

    `types` are the declared inputs that both sides have alike; `like` is a sample of reference rows (of the batch
    itself where there is no reference, which `no_reference` then says), on which `features` are fitted. Two points
    nearer than `near` show the same. `reference` is the reference file, None for a window.
    """

    batch: Batch
    schema: ProductionSchema
    kept: Kept
    types: InputTypes
    like: pd.DataFrame
    like_points: np.ndarray
    features: Features
    near: float
    reference: Kept | None
    no_reference: str
    notes: tuple[str, ...]

    def frame(self, rows: "Sequence[int] | np.ndarray") -> pd.DataFrame:
        """Rows of the batch as a candidate is asked."""
        return self.kept.frame(self.types.names, rows, self.types)

    def points(self, rows: "Sequence[int] | np.ndarray") -> np.ndarray:
        """Rows of the batch as points; not more than `features.rows_at_once` should be asked for."""
        return self.features.points(measured(self.frame(rows)))

    def inputs(self, rows: "Sequence[int] | np.ndarray") -> list[dict[str, Any]]:
        """Rows of the batch as typed inputs, missing values as None."""
        return typed_rows(self.kept, self.types.names, rows)

    def points_of(self, inputs: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """Typed inputs with these columns as points."""
        return self.features.points(self.frame_of(inputs))

    def takes(self, inputs: Mapping[str, Any]) -> bool:
        """Whether these are inputs of this batch's columns and types: they may be from a time of other ones."""
        if set(inputs) != set(self.types.names):
            return False
        try:
            self.types.frame([inputs])
            self.frame_of([inputs])
        except (TypeError, ValueError):
            return False
        return True

    def frame_of(self, inputs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
        """Typed inputs as points are made of them."""
        return measured_types(self.types).frame(list(inputs))


def ground_of(workspace: Workspace, batch: Batch) -> Ground:
    """Open a batch and its reference; without a reference the batch stands alone. Raises NotFound or Unavailable
    where the rows of the batch are gone, and InvalidInput where it has no input.
    """
    schema = workspace.store.batches.schema(batch.schema)
    kept = Kept(workspace.archive.rows(batch.digest))
    other, reference, no_reference = _reference(workspace, batch)
    absent = frozenset[str]() if reference is None else reference.absent
    like_kept = kept if other is None else other
    names = [
        column.name
        for column in schema.inputs.columns
        if column.name not in absent
        and column.name in kept.names
        and column.name in like_kept.names
        and _kind(like_kept, column.name) == _kind(kept, column.name)
    ]
    types = reduced(schema.inputs, names)
    if not types.names:
        place = f"batch {batch.id}"
        raise InvalidInput.single(place, "has no input in common with its reference, so no row can be compared")
    left_out = [name for name, _ in schema.inputs.declared if name not in types.as_dict()]
    notes = (f"not looked at, because not both sides have it alike: {', '.join(left_out)}",) if left_out else ()
    rows = sample_of(like_kept.rows, LARGEST_REFERENCE)
    like = measured(like_kept.frame(types.names, rows, types))
    features = Features.fit(measured_types(types), like)
    points = features.points(like)
    file = other if reference is not None and reference.from_file else None
    return Ground(batch, schema, kept, types, like, points, features, near_limit(points), file, no_reference, notes)


def reference_for(workspace: Workspace, batch: Batch) -> Reference:
    """What a batch is held against today; raises NotFound or InvalidInput."""
    schema = workspace.store.batches.schema_in_force() or workspace.store.batches.schema(batch.schema)
    return without_batch(workspace, reference_of(workspace, schema), batch.id)


def _reference(workspace: Workspace, batch: Batch) -> tuple[Kept | None, Reference | None, str]:
    """The kept rows of the reference and what it is, or why there is none."""
    try:
        found = reference_for(workspace, batch)
        kept, _ = kept_reference(workspace, found)
    except (NotFound, InvalidInput) as error:
        return None, None, str(error)
    if not kept.rows:
        return None, None, f"the reference has no rows: {found.words}"
    return kept, found, ""


def _kind(kept: Kept, name: str) -> str:
    return _KINDS.get(kept.type_of(name), "text")


def measured_types(types: InputTypes) -> InputTypes:
    """The types as points are made of them: everything may be missing, and a whole number is a number."""
    whole = {column.name for column in types.columns if column.kind == "integer"}
    return parse_input_types(
        {
            name: "number?" if name in whole else text if text.strip().endswith("?") else f"{text}?"
            for name, text in types.declared
        }
    )


def measured(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its numbers as float64 and its booleans so that they may be missing."""
    data: dict[str, Any] = {}
    for name in frame.columns:
        values = frame[name]
        if pd.api.types.is_bool_dtype(values.dtype):
            data[name] = values.astype("boolean")
        elif pd.api.types.is_numeric_dtype(values.dtype):
            data[name] = values.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            data[name] = values
    return pd.DataFrame(data, columns=list(frame.columns), index=frame.index)


def typed_rows(kept: Kept, names: Sequence[str], rows: "Sequence[int] | np.ndarray") -> list[dict[str, Any]]:
    """Rows of kept columns as plain values, missing ones as None."""
    columns = [kept.column(name, rows).to_pylist() for name in names]
    return [
        {name: None if value != value else value for name, value in zip(names, row, strict=True)}  # noqa: PLR0124  NaN
        for row in zip(*columns, strict=True)
    ]
