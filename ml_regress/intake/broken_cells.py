"""The cells of a table that break its schema, counted a column and rule, with the first rows named."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ml_regress.errors import FAULTS_SHOWN, Fault, shortened

ROWS_NAMED = FAULTS_SHOWN
_VALUE_SHOWN = 40


@dataclass
class _Broken:
    count: int = 0
    first: list[Fault] = field(default_factory=list)


class BrokenCells:
    """Faults of any number of cells in little memory: one entry a column and rule."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], _Broken] = {}
        self._whole: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self._found or self._whole)

    def add(self, file: str, column: str, rule: str, count: int, rows: Iterable[tuple[int, str | None]]) -> None:
        """`count` cells of a column break a rule; `rows` are the first of them with what they hold."""
        entry = self._found.setdefault((column, rule), _Broken())
        entry.count += count
        for row, value in rows:
            if len(entry.first) == ROWS_NAMED:
                break
            entry.first.append(Fault(file, row, column, value, rule))

    def whole(self, file: str, column: str | None, rule: str) -> None:
        """A fault of a whole column or table."""
        self._whole.append(Fault(file, None, column, None, rule))

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Faults of whole columns, then the first rows of each column and rule."""
        return (*self._whole, *(fault for entry in self._found.values() for fault in entry.first))

    def reasons(self, rows: int, *, files: bool = False) -> tuple[str, ...]:
        """One line a column and rule, of a table of this many rows; `files` says in which file a row stands."""
        lines = []
        for fault in self._whole:
            place = f" of {fault.file}" if files else ""
            lines.append(f"{'the table' if fault.column is None else f'column {fault.column!r}'}{place}: {fault.rule}")
        for (column, rule), entry in self._found.items():
            first = entry.first[0]
            value = "" if first.value is None else f": {shortened(first.value, _VALUE_SHOWN)!r}"
            line = f"column {column!r}: {entry.count:,} of {rows:,} rows {rule}, such as {_place(first, files)}{value}"
            others = [_place(fault, files) for fault in entry.first[1:]]
            if others:
                rest = entry.count - len(entry.first)
                more = f" and {rest:,} more" if rest > 0 else ""
                line += f" (also {', '.join(others)}{more})"
            lines.append(line)
        return tuple(lines)


def _place(fault: Fault, files: bool) -> str:
    return f"row {fault.row} of {fault.file}" if files else f"row {fault.row}"
