"""A column of text cells brought to its declared type at once."""

import math
from collections.abc import Sequence
from typing import Any

from ml_regress.core.inputs import Column


def typed_cells(column: Column, cells: Sequence[str | None]) -> tuple[list[Any], dict[int, str]]:
    """`column.parse` of every cell: the values, and by position the rule that a cell breaks.

    A broken cell has the value None. Each distinct text is parsed once, numbers without a parse of
    their own where all are plain.
    """
    numbers = _plain_numbers(column, cells)
    if numbers is not None:
        return numbers, {}
    known: dict[str | None, tuple[Any, str | None]] = {}
    values: list[Any] = []
    broken: dict[int, str] = {}
    for position, cell in enumerate(cells):
        found = known.get(cell)
        if found is None:
            try:
                found = (column.parse(cell), None)
            except ValueError as error:
                found = (None, str(error))
            known[cell] = found
        values.append(found[0])
        if found[1] is not None:
            broken[position] = found[1]
    return values, broken


def _plain_numbers(column: Column, cells: Sequence[str | None]) -> list[float | None] | None:
    """The numbers of a column that holds nothing else, or None where a closer look is needed."""
    if column.kind != "number":
        return None
    missing = any(not cell for cell in cells)
    if missing and not column.optional:
        return None
    present = [cell for cell in cells if cell]
    try:
        numbers = list(map(float, present))
    except ValueError:
        return None
    # float() also takes 1_000, nan and inf, which are no numbers here.
    if "_" in "".join(present) or not all(map(math.isfinite, numbers)):
        return None
    if not missing:
        return list(numbers)
    rest = iter(numbers)
    return [next(rest) if cell else None for cell in cells]
