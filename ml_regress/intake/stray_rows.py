"""Rows and columns of a table that are none: blank rows, a summary under the last row, a doubled column."""

import re
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TypeVar

from ml_regress.errors import Fault, InvalidInput
from ml_regress.intake.exact import Cells

T = TypeVar("T")

_SUMMARY_WORDS = frozenset(
    (
        "total", "totals", "grand total", "sum", "sums", "subtotal", "subtotals", "sub-total", "average", "averages",
        "avg", "mean", "gesamt", "insgesamt", "summe", "gesamtsumme", "zwischensumme", "durchschnitt", "mittelwert",
        "somme", "moyenne", "totaal",
    )
)  # fmt: skip


def distinct_columns(
    names: Sequence[str], column: Callable[[int], Cells], source: str
) -> tuple[list[int], list[str], list[Fault]]:
    """The positions of the columns to keep, notes, and what is wrong with the header.

    A name that is there twice is kept once where the cells are equal (`column` gives them), and a
    fault otherwise.
    """
    kept: dict[str, int] = {}
    notes, faults = [], []
    for position, name in enumerate(names):
        if not name:
            faults.append(
                Fault(
                    source, None, None, None, f"column {position + 1} has no name in the header; name it or remove it"
                )
            )
            continue
        first = kept.setdefault(name, position)
        if first == position:
            continue
        places = f"columns {first + 1} and {position + 1} have the same name"
        if list(column(first)) == list(column(position)):
            notes.append(f"{source}: {places} {name!r} and the same cells; one was kept")
        else:
            faults.append(Fault(source, None, name, None, f"{places} and other cells; rename or remove one"))
    return list(kept.values()), notes, faults


def is_blank(cell: str | None) -> bool:
    return cell is None or not cell.strip()


def rows_to_keep(blank: Sequence[int], rows: int, source: str, *, gaps: bool) -> tuple[int, list[str]]:
    """How many rows there are without the blank ones at the end, and the note on those.

    `blank` are the positions of blank rows, from 0. Raises InvalidInput for one between others,
    unless `gaps` are values that are missing (a table of one column).
    """
    there, kept = set(blank), rows
    while kept and kept - 1 in there:
        kept -= 1
    between = [row for row in blank if row < kept]
    if between and not gaps:
        raise InvalidInput(Fault(source, row + 1, None, None, "is blank; remove the row") for row in between)
    if kept == rows:
        return rows, []
    which = f"row {rows} at the end is" if kept == rows - 1 else f"rows {kept + 1} to {rows} at the end are"
    return kept, [f"{source}: {which} blank and left out"]


def blank_rows(columns: Sequence[Cells]) -> list[int]:
    """The positions of the rows whose cells are all empty."""
    rows: Sequence[int] = range(len(columns[0])) if columns else ()
    for cells in columns:  # most tables have no such row, which their first column says
        rows = [row for row in rows if is_blank(cells[row])]
        if not rows:
            break
    return list(rows)


def summary_row(
    names: Sequence[str], last: Sequence[str | None], column: Callable[[int], Cells], source: str, rows: int
) -> Fault | None:
    """The fault of a last row that looks like a summary of those above it.

    It holds a word such as total, and more speaks for it: a number that is the sum or the mean of
    the numbers above, or a cell that is empty in this row only. `column` gives the cells by position.
    """
    word = next((cell for cell in last if cell and _is_summary_word(cell)), None)
    if word is None or rows < 3:  # one or two rows make no evidence
        return None
    for position, name in enumerate(names):
        cells = column(position)
        evidence = _evidence(cells, name)
        if evidence:
            rule = f"looks like a summary of the rows above: it says {word!r}, and {evidence}"
            return Fault(source, rows, None, None, f"{rule}; remove it, or, where it is data, move it before another")
    return None


def _is_summary_word(cell: str) -> bool:
    return re.sub(r"[\s:.=]+\Z", "", cell.strip()).casefold() in _SUMMARY_WORDS


def _evidence(cells: Cells, name: str) -> str:
    """What of the last cell of a column speaks for a summary; "" where nothing does."""
    last = cells[-1]
    above = islice(cells, len(cells) - 1)
    if is_blank(last):
        return "" if any(map(is_blank, above)) else f"its {name!r} is empty where no other is"
    numbers = [number for cell in above if (number := _number(cell)) is not None]
    value = _number(last)
    if value is None or len(numbers) < 2 or len(set(numbers)) == 1:  # a constant column has itself as its mean
        return ""
    decimals = len(re.split("[.,]", last.strip())[-1]) if last and re.search("[.,]", last) else None
    rounding = 0.0 if decimals is None else 0.5 * 10.0**-decimals
    total = sum(numbers)
    for what, wanted in (("sum", total), ("mean", total / len(numbers))):
        if abs(value - wanted) <= rounding + 1e-9 * max(abs(wanted), 1e-300):
            return f"its {name!r} is the {what} of the cells above"
    return ""


def _number(cell: str | None) -> float | None:
    try:
        return None if cell is None else float(cell.replace(",", "."))
    except ValueError:
        return None
