"""Recorded predictions in the store: what a table says for the first time is added, never changed.

Of a row that is keyed by a pattern with inputs two predictions are kept: that of the inputs, and that
of the key. The second remembers that the row was read: when the pattern's inputs change, an old row is
not taken for an answer to the new ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from ml_regress.core.answers import dump_raw, load_raw
from ml_regress.core.prediction import Prediction, RecordedRow
from ml_regress.errors import Fault, InvalidInput, shortened
from ml_regress.store import tables
from ml_regress.store.committing import keep_predictions

# Where they were made nobody knows.
ENVIRONMENT = {"environment": "unknown"}


@dataclass(frozen=True)
class Kept:
    """How many rows a table added, and the problems that they answer."""

    rows: int
    problems: frozenset[str]


class _Said(NamedTuple):
    """A prediction as the store's texts."""

    answer: str | None
    outputs: str | None
    error: str | None

    def same(self, other: "_Said") -> bool:
        """Equal in answer and error, and in outputs whatever their order."""
        if (self.answer, self.error) != (other.answer, other.error):
            return False
        return self.outputs == other.outputs or load_raw(self.outputs) == load_raw(other.outputs)

    @property
    def words(self) -> str:
        said = f"the error {self.error!r}" if self.error is not None else f"{load_raw(self.answer)!r}"
        return shortened(said + ("" if self.outputs is None else f" with {self.outputs}"))


def keep_recorded(connection: sa.Connection, candidate: str, table: Sequence[RecordedRow], source: str) -> Kept:
    """Add the rows of a table of recorded predictions that are new.

    An error may give way to an answer. Raises InvalidInput for each row that contradicts what was
    recorded before, or another row with the same inputs.
    """
    held = _held(connection, candidate)
    fresh: dict[str, Prediction] = {}
    faults: list[Fault] = []
    rows, problems = 0, set[str]()
    for row in table:
        said = _said(row.prediction)
        places = (row.digest,) if row.key is None or row.key == row.digest else (row.key, row.digest)
        first = held.get(places[0])
        if first is not None and first.same(said):
            continue  # this row was read before
        against = [held[place] for place in places if place in held and not held[place].same(said)]
        contradicted = next((old for old in against if old.error is None or said.error is not None), None)
        if contradicted is not None:
            rule = (
                f"contradicts what was recorded before, {contradicted.words}: recorded predictions never change. Give "
                "new ones to a new candidate; where the pattern's inputs changed, key the new row by its inputs"
            )
            faults.append(Fault(source, row.row, None, said.words, rule))
            continue
        rows += 1
        problems.update(row.problems)
        for place in places:
            held[place] = said
            fresh[place] = row.prediction
    if faults:
        raise InvalidInput(faults)
    if fresh:
        keep_predictions(connection, candidate, fresh, ENVIRONMENT)
    return Kept(rows, frozenset(problems))


def _held(connection: sa.Connection, candidate: str) -> dict[str, _Said]:
    columns = tables.predictions.c
    query = sa.select(columns.input_digest, columns.answer, columns.outputs, columns.error).where(
        columns.candidate == candidate, columns.draw == 0
    )
    return {row.input_digest: _Said(row.answer, row.outputs, row.error) for row in connection.execute(query)}


def _said(made: Prediction) -> _Said:
    if made.error is not None:
        return _Said(None, None, made.error)
    return _Said(dump_raw(made.answer), None if made.outputs is None else dump_raw(made.outputs), None)
