"""Tables of ratings: a column an input, and one for what a user said."""

from pathlib import Path
from typing import Any

from ml_regress.core.given_rating import GivenRating
from ml_regress.core.pattern_fields import PREFIX
from ml_regress.errors import Fault, InvalidInput
from ml_regress.intake.stray_rows import is_blank
from ml_regress.intake.tables import read_table

FIELDS = ("prediction", "thumb", "stars", "words", "candidate", "person", "batch", "key")
_PLAIN = ("words", "person")


def read_ratings(path: Path) -> list[GivenRating]:
    """The ratings of a CSV, JSON-lines or Parquet file, one a row; raises InvalidInput.

    Every column but FIELDS is an input, also one that is written `inputs.NAME`, which an input with the name of a
    field needs.
    """
    table = read_table(path)
    names = [str(name) for name in table.columns]
    faults = []
    if not {"thumb", "stars"} & set(names):
        faults.append(Fault(str(path), None, "thumb", None, "the column is missing; name it thumb, or stars"))
    inputs: dict[str, str] = {}
    for name in names:
        if name not in FIELDS:
            bare = name.removeprefix(PREFIX)
            if bare in inputs:
                faults.append(Fault(str(path), None, name, None, f"is the input {bare!r} a second time; keep one"))
            inputs[bare] = name
    if not len(table):
        faults.append(Fault(str(path), None, None, None, "has no rows"))
    if faults:
        raise InvalidInput(faults)
    return [_given(row, inputs, place) for place, row in enumerate(table.to_dict("records"), start=1)]


def _given(row: dict[Any, Any], inputs: dict[str, str], place: int) -> GivenRating:
    fields: dict[str, Any] = {name: None if is_blank(row.get(name)) else row[name] for name in FIELDS}
    fields |= {name: fields[name] or "" for name in _PLAIN}
    given = {name: row[column] for name, column in inputs.items()}
    # A row that names the row of a batch needs no inputs, and its cells are blank then.
    named = fields["batch"] is not None or fields["key"] is not None
    if named and all(is_blank(value) for value in given.values()):
        given = {}
    return GivenRating(given, **fields, texts=True, row=place)
