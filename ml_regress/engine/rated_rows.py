"""Rows of batches that ratings are about: what was asked there, and what was answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_regress.core.batch import Batch
from ml_regress.core.inputs import InputTypes
from ml_regress.core.production import KEY, PREDICTION
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, NotFound
from ml_regress.intake.kept import Kept


@dataclass(frozen=True)
class RatedRow:
    """A row: typed inputs, the answer that was kept (None where there is none), and who served users then."""

    inputs: Mapping[str, Any]
    prediction: Any
    candidate: str | None
    types: InputTypes
    answer_type: str


class RatedRows:
    """The batches that ratings name, each opened once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._opened: dict[str, tuple[Batch, Kept, dict[str, int]]] = {}

    def batch(self, name: str) -> Batch:
        """The batch; raises NotFound, and Conflict for one in quarantine."""
        found = self._workspace.store.batches.get(name)
        if not found.usable:
            raise Conflict(f"batch {name!r} is quarantined: release it first, or rate without naming it")
        return found

    def row(self, name: str, key: str) -> RatedRow:
        """The row of a batch with this key; raises NotFound where there is none, or where the batch has no keys."""
        batch, kept, places = self._open(name)
        if key not in places:
            raise NotFound(f"batch {name!r} has no row with the key {key!r}")
        schema = self._workspace.store.batches.schema(batch.schema)
        names = [column for column in schema.inputs.names if column in kept.names]
        wanted = [*names, *([PREDICTION] if PREDICTION in kept.names else [])]
        values = {column: kept.column(column, [places[key]]).to_pylist()[0] for column in wanted}
        inputs = {column: _whole(values.get(column)) for column in schema.inputs.names}
        prediction = _whole(values.get(PREDICTION))
        return RatedRow(inputs, prediction, batch.candidate, schema.inputs, schema.answer_type)

    def _open(self, name: str) -> tuple[Batch, Kept, dict[str, int]]:
        if name not in self._opened:
            batch = self.batch(name)
            kept = Kept(self._workspace.archive.rows(batch.digest))
            if KEY not in kept.names:
                raise NotFound(
                    f"the rows of batch {name!r} have no keys (`key` in production.yaml names their column); "
                    "give inputs and prediction instead"
                )
            keys = kept.column(KEY).to_pylist()
            self._opened[name] = batch, kept, {key: place for place, key in enumerate(keys) if key is not None}
        return self._opened[name]


def _whole(value: Any) -> Any:
    """The value, None where it is NaN: a kept number that is missing."""
    return None if value != value else value  # noqa: PLR0124  NaN differs from itself
