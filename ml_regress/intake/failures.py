"""A table of failures: inputs, what was expected and what a model predicted, as a team exports it."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ml_regress.core.cells import typed_cells
from ml_regress.core.digest import digest_of_text
from ml_regress.core.expectation import Expectation
from ml_regress.core.ids import folded, slug_of
from ml_regress.core.inputs import Column, InputTypes
from ml_regress.core.kinds import HOLDS
from ml_regress.core.pattern_fields import answer_text
from ml_regress.core.problem import Benchmark, Problem
from ml_regress.core.selection import Answered
from ml_regress.core.typed_column import typed_column
from ml_regress.errors import Fault, InvalidInput
from ml_regress.intake.declarations import nearest
from ml_regress.intake.inferred import Inferred, inferred
from ml_regress.intake.reading import AS_FOUND, NOTES, TableFormat, plain
from ml_regress.intake.stray_rows import is_blank
from ml_regress.intake.tables import read_table

KEYS = ("pattern_id", "id")
NUMERIC = ("number", "integer")


@dataclass(frozen=True)
class Reading:
    """What a person says of the table; `inputs` are declarations, None is found in the table itself."""

    expected: str = "expected"
    predicted: str = "predicted"
    key: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    answer: str | None = None
    like: str | None = None
    tolerance: float | None = None
    form: TableFormat = AS_FOUND


@dataclass(frozen=True)
class AnsweredRow:
    """One row: its pattern id, the key it had, its number (from 1), typed inputs, expectation and raw prediction."""

    id: str
    key: str | None
    row: int
    inputs: Mapping[str, Any]
    expectation: Expectation
    predicted: str
    typed: Any
    right: bool


@dataclass(frozen=True)
class AnsweredTable:
    """The rows with distinct inputs, in an order of their own content, and what the problem will be asked."""

    types: InputTypes
    answer_type: str
    labels: tuple[Any, ...]
    rows: tuple[AnsweredRow, ...]
    count: int
    tolerance: float | None
    notes: tuple[str, ...]

    def answered(self) -> Answered:
        """The rows as `core.selection` takes them."""
        return Answered(
            self.types,
            [row.inputs for row in self.rows],
            [row.expectation.value for row in self.rows],
            [row.typed for row in self.rows],
            np.array([row.right for row in self.rows], dtype=bool),
            self.tolerance,
        )


def read_failures(path: Path, known: Sequence[Problem | Benchmark], reading: Reading) -> AnsweredTable:
    """The table in a file, typed like the one of `known` that has its columns, else by its own cells.

    Raises InvalidInput with every fault.
    """
    source = str(path)
    table = read_table(path, reading.form)
    key = _columns(table, reading, source)
    inputs = [name for name in table.columns if name not in (reading.expected, reading.predicted, key)]
    if not inputs or not len(table):
        raise InvalidInput.single(source, "has no rows" if inputs else "has no column with inputs")
    notes = []
    like = _like(inputs, known, reading, source)
    if like is None:
        found = _inferred(table, inputs, reading, source, typed_file=path.suffix.lower() != ".csv")
        labels: tuple[Any, ...] = ()
    else:
        wanted = [*like.inputs.columns, *(Column(n, like.answer_type) for n in (reading.expected, reading.predicted))]
        found = Inferred(like.inputs, like.answer_type, plain(table, wanted, reading.form, source))
        labels = like.labels
        notes.append(f"types, labels and answer are those of {like.id!r}, which has these inputs")
    rows, said = _rows(found, labels, key, reading, source)
    notes = list(dict.fromkeys([*found.table.attrs[NOTES], *notes, *said]))
    return AnsweredTable(found.types, found.answer_type, labels, rows, len(table), reading.tolerance, tuple(notes))


def _columns(table: pd.DataFrame, reading: Reading, source: str) -> str | None:
    """The column of keys; raises InvalidInput where a column that is needed or named is not there."""
    names = [str(name) for name in table.columns]
    named = {"expected": reading.expected, "predicted": reading.predicted}
    named |= {} if reading.key is None else {"key": reading.key}
    faults = [
        Fault(source, None, name, None, f"the column is missing; name it with --{role} (it {nearest(name, names)})")
        for role, name in named.items()
        if name not in names
    ]
    if not faults and len(set(named.values())) < len(named):
        faults.append(Fault(source, None, reading.expected, None, "is named for two things; they need a column each"))
    if faults:
        raise InvalidInput(faults)
    return reading.key or next((name for name in KEYS if name in names and name not in reading.inputs), None)


def _like(
    inputs: Sequence[str], known: Sequence[Problem | Benchmark], reading: Reading, source: str
) -> Problem | Benchmark | None:
    """The problem or benchmark whose types these columns have; raises InvalidInput where several differ."""
    if reading.inputs or reading.answer:
        if reading.like is not None:
            rule = "states all types already; leave it out, or --input and --answer"
            raise InvalidInput.single("command line", rule, column="--like", value=reading.like)
        return None
    same = [entry for entry in known if set(entry.inputs.names) == set(inputs)]
    if reading.like is not None:
        same = [entry for entry in same if entry.id == reading.like]
        if not same:
            raise InvalidInput.single(source, f"has not the inputs of {reading.like!r}, or there is no such problem")
    kinds = {(frozenset(entry.inputs.declared), entry.answer_type, frozenset(entry.labels)) for entry in same}
    if len(kinds) > 1:
        names = ", ".join(entry.id for entry in same)
        raise InvalidInput.single(source, f"has the inputs of {names}, which type them differently; say --like ID")
    return same[0] if same else None


def _inferred(table: pd.DataFrame, inputs: list[str], reading: Reading, source: str, *, typed_file: bool) -> Inferred:
    answers = (reading.expected, reading.predicted)
    try:
        return inferred(
            table, inputs, answers, reading.form, source,
            stated=reading.inputs, answer_type=reading.answer, typed_file=typed_file,
        )  # fmt: skip
    except ValueError as error:
        raise InvalidInput.single("command line", str(error), column="--input") from None


def _rows(
    found: Inferred, labels: tuple[Any, ...], key: str | None, reading: Reading, source: str
) -> tuple[tuple[AnsweredRow, ...], list[str]]:
    table, faults = found.table, list[Fault]()
    typed: dict[str, list[Any]] = {}
    for column in found.types.columns:
        cells = table[column.name].tolist()
        typed[column.name], broken = typed_cells(column, cells)
        faults += [
            Fault(source, row + 1, column.name, cells[row], rule if is_blank(cells[row]) else column.rule)
            for row, rule in broken.items()
        ]
    expected, predicted = (table[name].tolist() for name in (reading.expected, reading.predicted))
    for name, cells in ((reading.expected, expected), (reading.predicted, predicted)):
        blank = "is blank; each row needs what was expected and what was predicted"
        faults += [Fault(source, row, name, None, blank) for row, cell in enumerate(cells, start=1) if is_blank(cell)]
    wanted, wrong = _expectations(found.answer_type, expected, labels, reading, source)
    faults += wrong
    keys: list[str | None] = [None] * len(table) if key is None else table[key].tolist()
    if key is not None:
        rule = "is blank; every row needs its key"
        faults += [Fault(source, row, key, None, rule) for row, cell in enumerate(keys, start=1) if is_blank(cell)]
    if faults:
        raise InvalidInput(sorted(faults, key=lambda fault: fault.row or 0))
    given = typed_column(found.answer_type, predicted)
    holds = HOLDS[wanted[0].kind](given, wanted, None) & given.usable
    answers = [value if ok else None for value, ok in zip(given.values.tolist(), given.usable.tolist(), strict=True)]
    inputs = [dict(zip(typed, values, strict=True)) for values in zip(*typed.values(), strict=True)]
    places, said = _distinct(inputs, wanted, predicted, holds, (source, reading.expected))
    ids = _ids(keys, places, key, source)
    rows = tuple(
        AnsweredRow(ids[i], keys[i], i + 1, inputs[i], wanted[i], str(predicted[i]).strip(), answers[i], bool(holds[i]))
        for i in places
    )
    return rows, said


def _expectations(
    answer_type: str, expected: Sequence[str | None], labels: tuple[Any, ...], reading: Reading, source: str
) -> tuple[list[Expectation], list[Fault]]:
    """What each row is held against, and what is wrong with it; blank cells are refused elsewhere."""
    faults = []
    if reading.tolerance is None and answer_type == "number":
        rule = "answers are numbers; say with --tolerance how far off a prediction may be"
        faults.append(Fault(source, None, reading.expected, None, rule))
    if reading.tolerance is not None and answer_type not in NUMERIC:
        faults.append(Fault("command line", None, "--tolerance", None, f"has no meaning: answers are {answer_type}"))
    values, broken = typed_cells(Column(reading.expected, answer_type), expected)
    for row, cell in enumerate(expected):
        if is_blank(cell):
            continue
        if row in broken:
            faults.append(Fault(source, row + 1, reading.expected, cell, broken[row]))
        elif labels and values[row] not in labels:
            rule = f"is none of the labels {', '.join(map(answer_text, labels))}"
            faults.append(Fault(source, row + 1, reading.expected, cell, rule))
    if reading.tolerance is None or answer_type not in NUMERIC:
        return [Expectation("equals", value) for value in values], faults
    numbers = (None if value is None else float(value) for value in values)
    return [Expectation("close_to", number, tolerance=reading.tolerance) for number in numbers], faults


def _distinct(
    inputs: Sequence[Mapping[str, Any]],
    wanted: Sequence[Expectation],
    predicted: Sequence[str | None],
    holds: np.ndarray,
    place_of: tuple[str, str],
) -> tuple[list[int], list[str]]:
    """The positions of one row for each of the inputs, in an order that the file's order plays no part in.

    Of equal inputs a failure is kept. Raises InvalidInput where they expect different answers.
    """
    source, column = place_of
    texts = [json.dumps(list(row.values()), ensure_ascii=False) for row in inputs]
    groups: dict[str, list[int]] = {}
    for place, text in enumerate(texts):
        groups.setdefault(text, []).append(place)
    faults, kept = [], []
    for text in sorted(groups):
        places = groups[text]
        first = places[0]
        for other in places[1:]:
            if wanted[other].value != wanted[first].value:
                shown = answer_text(wanted[first].value)
                rule = f"has the inputs of row {first + 1}, which expects {shown!r}; only one can be right"
                faults.append(Fault(source, other + 1, column, answer_text(wanted[other].value), rule))
        kept.append(min(places, key=lambda place: (bool(holds[place]), str(predicted[place]), place)))
    if faults:
        raise InvalidInput(sorted(faults, key=lambda fault: fault.row or 0))
    spare = len(inputs) - len(kept)
    return kept, [f"{source}: {spare} rows had the inputs of another row and were left out"] if spare else []


def _ids(keys: Sequence[str | None], places: Iterable[int], key: str | None, source: str) -> dict[int, str]:
    """The pattern id of each row; keys that fall on one slug get a piece of their digest each."""
    if key is None:
        return {place: f"row-{place + 1}" for place in places}
    texts = {place: str(keys[place]).strip() for place in places}
    _refuse_doubled(texts, key, source)
    slugs = {place: slug_of(text) or f"row-{place + 1}" for place, text in texts.items()}
    met = Counter(folded(slug) for slug in slugs.values())
    return {
        place: slug if met[folded(slug)] == 1 else f"{slug[:110]}-{digest_of_text(texts[place])[:8]}"
        for place, slug in slugs.items()
    }


def _refuse_doubled(texts: Mapping[int, str], key: str, source: str) -> None:
    first: dict[str, int] = {}
    faults = []
    for place in sorted(texts):
        row = first.setdefault(texts[place], place)
        if row != place:
            rule = f"is the key of row {row + 1}, too; each row needs one of its own"
            faults.append(Fault(source, place + 1, key, texts[place], rule))
    if faults:
        raise InvalidInput(faults)
