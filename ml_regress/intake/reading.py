"""From the way in which a table was written to one plain writing: decimal points and ISO dates.

What the cells themselves decide is used and noted, what they leave open is refused with both
readings, and what `table:` in the YAML file states is taken strictly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from ml_regress.core.inputs import Column
from ml_regress.errors import Fault, InvalidInput
from ml_regress.intake.dates import plain_dates
from ml_regress.intake.decimals import plain_numbers

NOTES = "notes"  # in `frame.attrs`: sentences for a person
TABLE_KEYS = ("delimiter", "encoding", "decimal", "dates")


@dataclass(frozen=True)
class TableFormat:
    """How a table is written; None is decided from the table itself.

    It belongs to the file and not to the problem: what it reads is stored, it is not.
    """

    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    dates: str | None = None

    def refuse(self, keys: Sequence[str], kind: str, source: str) -> None:
        """Raise InvalidInput where one of these keys is stated, which a table of this kind does not have."""
        faults = [
            Fault(source, None, f"table.{key}", getattr(self, key), f"has no meaning for {kind}; leave it out")
            for key in keys
            if getattr(self, key) is not None
        ]
        if faults:
            raise InvalidInput(faults)


AS_FOUND = TableFormat()


def plain(frame: pd.DataFrame, columns: Sequence[Column], form: TableFormat, source: str) -> pd.DataFrame:
    """The text table with the cells of its number, integer and date columns in their plain writing.

    A cell that is no number or date in any writing stays as it is, for a schema to refuse, and so
    does a cell whose type its file gave. Raises InvalidInput for what cannot be decided.
    """
    cells = {column.name: frame[column.name].tolist() for column in columns if column.name in frame.columns}
    kinds = {column.name: column.kind for column in columns}
    numbers = {name: cells[name] for name in cells if kinds[name] in ("number", "integer")}
    whole = {name for name in numbers if kinds[name] == "integer"}
    changed, notes, faults = plain_numbers(numbers, whole, form.decimal, source)
    for name, texts in cells.items():
        if kinds[name] == "date":
            days, said, wrong = plain_dates(name, texts, form.dates, source)
            changed |= {} if days is None else {name: days}
            notes += said
            faults += wrong
    if faults:
        raise InvalidInput(faults)
    read = frame.assign(**{name: pd.Series(new, index=frame.index, dtype=object) for name, new in changed.items()})
    read.attrs[NOTES] = (*frame.attrs.get(NOTES, ()), *notes)
    return read
