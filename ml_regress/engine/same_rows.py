"""Whether a file that comes again holds the rows that a batch has already."""

from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml_regress.core.production import LABEL, PREDICTION
from ml_regress.intake.kept_columns import SCORE
from ml_regress.intake.kept_writer import column_digests


def adds_nothing(again: Path, known: Path) -> bool:
    """True where the kept rows `again` hold the inputs, keys and times of `known`, and no answer that it lacks.

    Answers may have been joined to `known` since.
    """
    first, second = column_digests(known), column_digests(again)
    names = {name for name in (*first, *second) if not _is_answer(name)}
    if any(first.get(name) != second.get(name) for name in names):
        return False
    return all(first.get(name) == digest or _holds(known, again, name) for name, digest in second.items())


def _is_answer(name: str) -> bool:
    return name in (PREDICTION, LABEL) or name.startswith(SCORE)


def _holds(known: Path, again: Path, name: str) -> bool:
    """Whether every answer of this column that came again is known."""
    new = pq.read_table(again, columns=[name]).column(0)
    if new.null_count == len(new):
        return True
    if name not in pq.read_schema(known).names:
        return False
    old = pq.read_table(known, columns=[name]).column(0)
    return bool(pc.all(pc.or_(pc.is_null(new), pc.fill_null(pc.equal(new, old), False))).as_py())
