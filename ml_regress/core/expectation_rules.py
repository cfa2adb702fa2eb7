"""The rules of a pattern table about what an answer is held against."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd

from ml_regress.core.expectation import (
    ANSWER,
    KINDS,
    LIST_KINDS,
    NEGATION,
    NUMERIC_KINDS,
    PATTERN_KINDS,
    SCORE,
    Expectation,
    parse_expectation,
)
from ml_regress.core.inputs import parse_number
from ml_regress.core.pattern_fields import Broken, Rule, answer_text, cells_of, named
from ml_regress.core.problem import Problem

T = TypeVar("T")
_NUMERIC_ANSWERS = ("integer", "number")


@dataclass(frozen=True)
class _Row:
    """What one row says of its expectation."""

    name: str
    expected: str
    output: str
    tolerance: str
    known_kind: bool
    suits: bool

    @property
    def kind(self) -> str:
        return self.name.removeprefix(NEGATION)

    @property
    def readable(self) -> bool:
        return self.known_kind and self.suits and self.expected != ""


def _rows(frame: pd.DataFrame, problem: Problem) -> list[_Row]:
    """What each row says; rows that say the same are one object, for a problem expects few different things."""
    fields = (cells_of(frame, field) for field in ("expectation", "expected", "output", "tolerance"))
    known: dict[tuple[str, ...], _Row] = {}
    rows = []
    for cells in zip(*fields, strict=True):
        if cells not in known:
            known[cells] = _row(cells, problem)
        rows.append(known[cells])
    return rows


def _row(cells: tuple[str, ...], problem: Problem) -> _Row:
    name, expected, output, tolerance = cells
    kind = name.removeprefix(NEGATION)
    suits = kind not in NUMERIC_KINDS or output != ANSWER or problem.answer_type in _NUMERIC_ANSWERS
    return _Row(name, expected, output, tolerance, kind in KINDS, suits)


def _each(rows: Sequence[_Row], action: Callable[[_Row], T]) -> list[T]:
    """The action's result for each row, worked out once for rows that say the same."""
    results: dict[int, T] = {}
    for row in rows:
        if id(row) not in results:
            results[id(row)] = action(row)
    return [results[id(row)] for row in rows]


def expectation_rules(problem: Problem, known: frozenset[str]) -> Iterator[Rule]:
    def rule(column: str, words: str, broken: Callable[[_Row], bool], **more: Any) -> Rule:
        return Rule(column, words, lambda f: _each(_rows(f, problem), broken), **more)

    def fault(row: _Row) -> str | None:
        try:
            expectation_of(row, problem)
        except ValueError as error:
            return str(error)
        return None

    def stray(frame: pd.DataFrame) -> Broken:
        there = named(frame, "expected", known)[1]
        return [
            row.readable and row.kind in PATTERN_KINDS and not exists
            for row, exists in zip(_rows(frame, problem), there, strict=True)
        ]

    names = f"must be one of {', '.join(KINDS)}, or one with {NEGATION} before it"
    compares = f"compares numbers, but answers of this problem are {problem.answer_type}"
    labels = ", ".join(answer_text(label) for label in problem.labels)
    score_labels = {answer_text(label) for label in problem.labels}
    yield rule(
        "expected", "is blank; every pattern needs something to hold its answer against", lambda r: not r.expected
    )
    yield rule("expectation", names, lambda r: not r.known_kind)
    yield rule(
        "expectation",
        f"{compares}; declare `answer: number` or look at a score",
        lambda r: r.known_kind and not r.suits,
    )
    yield rule(
        "output",
        f"names the score of no label; the labels are {labels}",
        lambda r: bool(labels) and r.output.startswith(SCORE) and r.output.removeprefix(SCORE) not in score_labels,
    )
    yield rule(
        "tolerance", "belongs to close_to", lambda r: r.tolerance != "" and r.known_kind and r.kind != "close_to"
    )
    yield rule(
        "tolerance",
        "must be a number of at least 0",
        lambda r: r.kind == "close_to" and r.tolerance != "" and not _is_tolerance(r.tolerance),
    )
    yield rule(
        "expected",
        "does not suit its expectation",
        lambda r: r.readable and fault(r) is not None,
        detail=lambda f, i: fault(_rows(f, problem)[i]) or "",
    )
    yield rule(
        "expected",
        f"is none of the labels {labels}",
        lambda r: bool(labels) and r.readable and r.output == ANSWER and fault(r) is None and _strays(r, problem),
    )
    yield Rule("expected", "must be the id of another pattern of this problem", stray)


def expectation_of(row: _Row, problem: Problem, *, tolerance: bool = False) -> Expectation:
    """The typed expectation of a row; without `tolerance` that cell, which has rules of its own, is left out."""
    given = row.tolerance if tolerance else None
    return parse_expectation(
        row.name, row.expected, output=row.output, tolerance=given, answer_type=problem.answer_type
    )


def expectations_of(frame: pd.DataFrame, problem: Problem) -> list[Expectation]:
    """The typed expectations of a valid table."""
    return _each(_rows(frame, problem), lambda row: expectation_of(row, problem, tolerance=True))


def numeric_rows(frame: pd.DataFrame, problem: Problem) -> list[bool]:
    """Whether each row of a text table expects a number (a list of them says so itself)."""
    fields = frame.reindex(columns=["expectation", "expected", "output", "tolerance"]).astype(object)
    return [
        row.kind not in PATTERN_KINDS
        and (
            row.kind in NUMERIC_KINDS
            or (
                row.kind == "equals"
                and (row.output.startswith(SCORE) or (row.output == ANSWER and problem.answer_type in _NUMERIC_ANSWERS))
            )
        )
        for row in _rows(fields.where(fields.notna(), None), problem)
    ]


def _is_tolerance(text: str) -> bool:
    try:
        return parse_number(text) >= 0
    except ValueError:
        return False


def _strays(row: _Row, problem: Problem) -> bool:
    if row.kind not in ("equals", "one_of"):
        return False
    value = expectation_of(row, problem).value
    return any(item not in problem.labels for item in (value if row.kind in LIST_KINDS else (value,)))
