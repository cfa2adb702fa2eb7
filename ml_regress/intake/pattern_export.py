"""Pattern tables on their way out: as text without loss, and as CSV that no spreadsheet runs."""

import csv
import json
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from ml_regress.core.expectation import Expectation
from ml_regress.core.inputs import parse_number
from ml_regress.core.pattern import Pattern
from ml_regress.core.pattern_fields import GUARDED, NO_INPUTS, PREFIX, answer_text, input_column
from ml_regress.core.problem import Problem
from ml_regress.errors import Fault, InvalidInput
from ml_regress.intake.delimited import DELIMITERS
from ml_regress.intake.stray_rows import summary_row

_GUARD = "'"
_RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r")


def table_of_patterns(patterns: Iterable[Pattern], problem: Problem) -> pd.DataFrame:
    """The text table that `parse_patterns` turns into the same patterns again."""
    patterns = list(patterns)
    cells: dict[str, list[str | None]] = {"pattern_id": [pattern.id for pattern in patterns]}
    given = [pattern.inputs is not None for pattern in patterns]
    if any(given):
        for name in problem.inputs.names:
            values = (None if pattern.inputs is None else pattern.inputs[name] for pattern in patterns)
            cells[input_column(name)] = [None if value is None else answer_text(value) for value in values]
        if not all(given):
            cells["inputs"] = ["given" if there else NO_INPUTS for there in given]
    expectations = [pattern.expectation for pattern in patterns]
    cells |= {
        "expected": [_expected(expectation) for expectation in expectations],
        "expectation": [expectation.name for expectation in expectations],
        "output": [expectation.output for expectation in expectations],
        "tolerance": [None if wanted.tolerance is None else repr(wanted.tolerance) for wanted in expectations],
        "polarity": [pattern.polarity for pattern in patterns],
        "origin": [pattern.origin for pattern in patterns],
        "status": [pattern.status for pattern in patterns],
        "canary": [answer_text(pattern.canary) for pattern in patterns],
        "twin": [pattern.twin for pattern in patterns],
        "parent": [pattern.parent for pattern in patterns],
        "selected_on": [" ".join(pattern.selected_on) for pattern in patterns],
        "note": [pattern.note for pattern in patterns],
    }
    return pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in cells.items()})


def _expected(expectation: Expectation) -> str:
    value = expectation.value
    return json.dumps(list(value), ensure_ascii=False) if isinstance(value, tuple) else answer_text(value)


def export_csv(patterns: Iterable[Pattern], problem: Problem, path: Path) -> None:
    """Write a pattern table as CSV that `read_problem` reads back, and that no spreadsheet runs.

    A text that a spreadsheet would take for a formula gets an apostrophe before it, and the column
    `guarded` says where, so that only those are taken off again. Plain numbers stay as they are.
    """
    table = table_of_patterns(patterns, problem)
    names = [_written(name) for name in table.columns]
    columns = [table[name].tolist() for name in table.columns]
    lines = [_guarded(table.columns, row) for row in zip(*columns, strict=True)]
    if any(line[-1] for line in lines):
        names.append(GUARDED)
    else:
        lines = [line[:-1] for line in lines]
    with path.open("w", encoding="utf-8", newline="") as file:
        # The header decides what separates cells: a mark inside of a name must not stand outside of quotes.
        marked = any(mark in name for name in names for mark in DELIMITERS)
        csv.writer(file, quoting=csv.QUOTE_ALL if marked else csv.QUOTE_MINIMAL).writerow(names)
        csv.writer(file).writerows(_not_summed_up(names, lines))  # its \r\n makes it quote both kinds of line break


def _guarded(columns: Iterable[str], row: Sequence[str | None]) -> list[str]:
    """The cells of a row, and behind them the columns that were guarded, as JSON."""
    names = [name for name, cell in zip(columns, row, strict=True) if _would_run(cell)]
    cells = [(_GUARD if _would_run(cell) else "") + (cell or "") for cell in row]
    return [*cells, json.dumps(names, ensure_ascii=False) if names else ""]


def _not_summed_up(names: Sequence[str], lines: list[list[str]]) -> list[list[str]]:
    """The lines with one at the end that no import takes for a summary of the others, where there is one."""
    for last in reversed(range(len(lines))):
        order = [*lines[:last], *lines[last + 1 :], lines[last]]
        if summary_row(names, order[-1], partial(_column, order), "", len(order)) is None:
            return order
    return lines


def _column(lines: Sequence[Sequence[str]], position: int) -> list[str]:
    return [line[position] for line in lines]


def _would_run(cell: str | None) -> bool:
    if cell is None or not cell.startswith(_RUN_BY_SPREADSHEETS):
        return False
    try:
        parse_number(cell)
    except ValueError:
        return True
    return False


def _written(name: str) -> str:
    """The header of a column: an input whose name would be a formula is written in full."""
    return PREFIX + name if name.startswith(_RUN_BY_SPREADSHEETS) else name


def unguarded(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """The frame without the apostrophes that an export put before formulas."""
    frame = frame.copy()
    faults = []
    for row, cell in enumerate(frame[GUARDED].tolist()):
        try:
            names = json.loads(cell) if cell else []
            places = [list(frame.columns).index(name) for name in names]
        except (ValueError, KeyError, TypeError):
            rule = "must be empty or a JSON list of columns; it is written by an export"
            faults.append(Fault(source, row + 1, GUARDED, cell, rule))
            continue
        for place in places:
            text = frame.iat[row, place]
            frame.iat[row, place] = "" if text is None else str(text).removeprefix(_GUARD)
    if faults:
        raise InvalidInput(faults)
    return frame
