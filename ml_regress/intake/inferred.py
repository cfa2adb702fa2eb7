"""The types of columns that nobody declared, by strict rules from all of their cells.

A column is a number, a boolean or a date where every cell is one. A leading zero or a plus sign
makes it text: it is a code. What is mostly one thing and partly another is refused.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ml_regress.core.inputs import BOOLEANS, EXACT_INTEGER, Column, InputTypes, parse_input_types, parse_integer
from ml_regress.errors import Fault, InvalidInput
from ml_regress.intake.dates import date_form
from ml_regress.intake.exact import Cells, Exact
from ml_regress.intake.reading import TableFormat, plain
from ml_regress.intake.stray_rows import is_blank

NUMBER, BOOLEAN, DATE, CODE, OTHER = "number", "boolean", "date", "code", "other"
# An exponent needs its sign and two digits, as programs write it: 1E5 may be an article number.
_NUMBER = re.compile(r"-?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:e[+-][0-9]{2,})?", re.I)
_GROUPED = re.compile("-?[0-9]{1,3}(?:[.,'\u2019 \u00a0\u202f][0-9]{3})+(?:[.,][0-9]+)?")
_CODE = re.compile(r"-?0[0-9][0-9.,]*|\+[0-9][0-9.,]*")
_DATE = re.compile(r"[0-9]{4}([-/.])[0-9]{1,2}\1[0-9]{1,2}(?:[T ]00:00(?::00)?)?|[0-9]{1,2}([-/.])[0-9]{1,2}\2[0-9]{4}")


@dataclass(frozen=True)
class Inferred:
    """Input types, the answer type, and the table in its plain writing."""

    types: InputTypes
    answer_type: str
    table: pd.DataFrame


def inferred(
    table: pd.DataFrame,
    inputs: Sequence[str],
    answers: tuple[str, str],
    form: TableFormat,
    source: str,
    *,
    stated: Mapping[str, str],
    answer_type: str | None = None,
    typed_file: bool = False,
) -> Inferred:
    """The types of these columns; raises InvalidInput with each cell that leaves its column open.

    `stated` are declarations that a person gave; `answers` are the columns of what was expected and
    what was predicted, which have one type. In a `typed_file` a text is a text, whatever it looks like.
    """
    declared = parse_input_types(stated)
    faults = [
        Fault(source, None, name, None, "the column is missing, though its type is stated")
        for name in declared.names
        if name not in inputs
    ]
    kinds: dict[str, str] = {}
    for name in (name for name in inputs if name not in declared.by_name):
        cells = table[name].tolist()
        kind = _kind((name,), cells, [_class(cell, form, typed_file) for cell in cells], source, faults)
        kinds[name] = kind
    both = [cell for name in answers for cell in table[name].tolist()]
    answer = answer_type or _answer_kind(answers, both, [_class(cell, form, False) for cell in both], source, faults)
    if faults:
        raise InvalidInput(faults)
    columns = [*declared.columns, *(Column(name, kind) for name, kind in kinds.items())]
    read = plain(table, [*columns, *(Column(name, answer) for name in answers)], form, source)
    declarations = {**stated}
    for name, kind in kinds.items():
        cells = read[name].tolist()
        exact = _whole(cells) if kind == NUMBER else kind
        missing = any(cell is None if exact == "text" else is_blank(cell) for cell in cells)
        declarations[name] = f"{exact}?" if missing else exact
    if answer_type is None and answer == NUMBER:
        answer = _whole([cell for name in answers for cell in read[name].tolist()], plain_only=False)
    order = {name: place for place, name in enumerate(inputs)}
    ordered = sorted(declarations, key=lambda name: order.get(name, -1))
    return Inferred(parse_input_types({name: declarations[name] for name in ordered}), answer, read)


def _class(cell: str | None, form: TableFormat, typed_file: bool) -> str | None:
    """What a cell looks like, or None where it is blank."""
    if cell is None or not cell.strip():
        return None
    text = cell.strip()
    if text.isdigit() and int(text) > EXACT_INTEGER:
        return CODE  # as a number it would lose digits
    if isinstance(cell, Exact):
        return BOOLEAN if text in ("true", "false") else DATE if _DATE.fullmatch(text) else NUMBER
    if _DATE.fullmatch(text) or (form.dates is not None and date_form(form.dates).day(text) is not None):
        return DATE
    if typed_file:
        return OTHER
    if text.lower() in ("true", "false"):
        return BOOLEAN
    if _CODE.fullmatch(text):
        return CODE
    return NUMBER if _NUMBER.fullmatch(text) or _GROUPED.fullmatch(text) else OTHER


def _kind(names: Sequence[str], cells: Cells, classes: Sequence[str | None], source: str, faults: list[Fault]) -> str:
    """number (whole or not), boolean, date or text; adds a fault where the cells leave it open.

    The cells are those of the named columns, one after the other.
    """
    counts = Counter(found for found in classes if found is not None)
    rows = len(cells) // len(names)
    if not counts:
        faults.append(
            Fault(source, None, names[0], None, "is blank in every row; remove the column, or state its type")
        )
        return "text"
    most = max((NUMBER, BOOLEAN, DATE), key=lambda word: counts[word])
    if counts[most] == counts.total():
        return most
    if counts[most] * 2 > counts.total() and not counts[CODE]:
        place = next(place for place, found in enumerate(classes) if found not in (None, most))
        rule = (
            f"is no {most}, though {counts[most]} of {counts.total()} cells of {' and '.join(names)} are; "
            "leave it blank where nothing is known, or state that it is text"
        )
        faults.append(Fault(source, place % rows + 1, names[place // rows], cells[place], rule))
    return "text"


def _answer_kind(
    names: Sequence[str], cells: Cells, classes: Sequence[str | None], source: str, faults: list[Fault]
) -> str:
    """The one type of expected and predicted answers."""
    if BOOLEAN in classes and all((cell or "").strip().lower() in BOOLEANS for cell in cells if not is_blank(cell)):
        return BOOLEAN
    if not any(classes):
        return "text"  # each blank answer is refused with its row
    kind = _kind(names, cells, classes, source, faults)
    return "text" if kind == DATE else kind


def _whole(cells: Cells, *, plain_only: bool = True) -> str:
    """Integer where every number is whole (and, `plain_only`, written so), else number."""
    for cell in cells:
        if is_blank(cell):
            continue
        try:
            parse_integer((cell or "").strip())
        except ValueError:
            return "number"
        if plain_only and not re.fullmatch("-?[0-9]+", (cell or "").strip()):
            return "number"
    return "integer"
