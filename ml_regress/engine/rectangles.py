"""Rectangles: one run of Dagster covers a range of candidates x a range of problems."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Cell = tuple[str, str]


@dataclass(frozen=True)
class Rectangle:
    """Contiguous candidates x contiguous problems, ends included, in the order of partition keys."""

    candidates: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        return tuple((candidate, problem) for candidate in self.candidates for problem in self.problems)


def cover(cells: Iterable[Cell], candidates: Sequence[str], problems: Sequence[str]) -> list[Rectangle]:
    """Rectangles that hold exactly these cells, each once; largest first.

    `candidates` and `problems` are the keys in the order in which ranges are read. Cells whose keys
    are not among them are left out. A new candidate and a new pattern each give one rectangle.
    """
    row_of = {key: position for position, key in enumerate(candidates)}
    column_of = {key: position for position, key in enumerate(problems)}
    rows: dict[int, list[int]] = {}
    for candidate, problem in cells:
        if candidate in row_of and problem in column_of:
            rows.setdefault(row_of[candidate], []).append(column_of[problem])
    open_spans: dict[tuple[int, int], int] = {}  # span of columns -> the row where it began
    found: list[tuple[int, int, int, int]] = []
    for row in range(min(rows, default=0), max(rows, default=-1) + 2):
        spans = set(_spans(rows.get(row, [])))
        for span in [span for span in open_spans if span not in spans]:
            found.append((open_spans.pop(span), row - 1, *span))
        for span in spans:
            open_spans.setdefault(span, row)
    found.sort(key=lambda ends: (-(ends[1] - ends[0] + 1) * (ends[3] - ends[2] + 1), ends))
    return [
        Rectangle(tuple(candidates[top : bottom + 1]), tuple(problems[left : right + 1]))
        for top, bottom, left, right in found
    ]


def _spans(columns: Iterable[int]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for column in sorted(set(columns)):
        if spans and spans[-1][1] == column - 1:
            spans[-1] = (spans[-1][0], column)
        else:
            spans.append((column, column))
    return spans
