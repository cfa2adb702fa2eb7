"""Pattern tables: text in, typed patterns out."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from ml_regress.core.cells import typed_cells
from ml_regress.core.expectation_rules import expectations_of, numeric_rows
from ml_regress.core.inputs import BOOLEANS, Column
from ml_regress.core.pattern import Pattern
from ml_regress.core.pattern_fields import (
    FIELDS,
    NO_INPUTS,
    PREFIX,
    answer_text,
    cells_of,
    input_column,
    selected_on,
)
from ml_regress.core.problem import Problem
from ml_regress.errors import Fault, InvalidInput
from ml_regress.intake.declarations import nearest
from ml_regress.intake.exact import Exact
from ml_regress.intake.pattern_export import unguarded
from ml_regress.intake.reading import TableFormat, plain
from ml_regress.schemas import STORED_PATTERNS, pattern_table, validated

_STORE_ONLY = ("problem", "id", "inputs", "imported_digest")


def parse_patterns(
    problem: Problem, table: pd.DataFrame, source: str, known: frozenset[str] = frozenset()
) -> tuple[Pattern, ...]:
    """The typed patterns of a text table; raises InvalidInput with all of its faults.

    `known` are ids of patterns that the problem has elsewhere, which twins, parents and
    expectations may name.
    """
    if table.empty and not len(table.columns):
        return ()  # `patterns: []`, which has no header either
    names, faults = _columns(problem, table, source)
    if faults:
        raise InvalidInput(faults)
    with_inputs = any(name not in FIELDS for name in names.values())
    wanted = [*FIELDS, *(input_column(name) for name in problem.inputs.names if with_inputs)]
    frame = table[list(names)].rename(columns=names).reset_index(drop=True)
    frame = frame.reindex(columns=wanted).astype(object)
    frame = unguarded(frame.where(frame.notna(), None), source)
    schema = pattern_table(problem, with_inputs=with_inputs, known=known)
    try:
        frame = validated(schema, frame, source)
    except InvalidInput as refused:
        written = {after: before for before, after in names.items()}
        raise InvalidInput(
            Fault(f.file, f.row, written.get(f.column or "", f.column), f.value, f.rule) for f in refused.faults
        ) from None
    return _typed(problem, frame, with_inputs)


def plain_patterns(problem: Problem, table: pd.DataFrame, form: TableFormat, source: str) -> pd.DataFrame:
    """The text table of a file with its numbers and dates in their plain writing, for `parse_patterns`.

    What a row expects counts as a number where its expectation compares numbers. Raises InvalidInput.
    """
    columns = [
        replace(column, name=name)
        for column in problem.inputs.columns
        for name in {input_column(column.name), PREFIX + column.name}
    ]
    read = table.copy(deep=False)
    if "expected" in table.columns:
        numeric = numeric_rows(table, problem)
        # A text, an id or a pattern holds no decimal mark, whatever it looks like.
        cells = [
            cell if cell is None or number else Exact(cell)
            for cell, number in zip(table["expected"].tolist(), numeric, strict=True)
        ]
        read["expected"] = pd.Series(cells, index=table.index, dtype=object)
    expected = Column("expected", "integer" if problem.answer_type == "integer" else "number")
    return plain(read, [*columns, expected, Column("tolerance", "number")], form, source)


def _columns(problem: Problem, table: pd.DataFrame, source: str) -> tuple[dict[str, str], list[Fault]]:
    """What each column of the table is (a field or an input), and what is wrong with the header."""
    inputs = {input_column(name): name for name in problem.inputs.names}
    names: dict[str, str] = {}
    faults: list[Fault] = []
    for given in map(str, table.columns):
        bare = given.removeprefix(PREFIX)
        if given in FIELDS or given in inputs:
            meant = given
        elif given.startswith(PREFIX) and input_column(bare) in inputs:
            meant = input_column(bare)
        else:
            faults.append(Fault(source, None, given, None, f"the column {nearest(given, [*FIELDS, *inputs])}"))
            continue
        if meant in names.values():
            faults.append(Fault(source, None, given, None, f"is the column {meant!r} a second time; keep one"))
        names[given] = meant
    for field in ("pattern_id", "expected"):
        if field not in names.values():
            faults.append(Fault(source, None, field, None, "the column is missing"))
    required = [input_column(column.name) for column in problem.inputs.columns if not column.optional]
    missing = [name for name in required if name not in names.values()]
    if missing and any(name in inputs for name in names.values()):
        some = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        faults.append(Fault(source, None, missing[0], None, f"the table misses inputs of the problem: {some}"))
    return names, faults


def _typed(problem: Problem, frame: pd.DataFrame, with_inputs: bool) -> tuple[Pattern, ...]:
    """The patterns of a frame that keeps its schema."""
    rows: Sequence[dict[str, Any] | None] = [None] * len(frame)
    if with_inputs:
        columns = {
            column.name: typed_cells(column, frame[input_column(column.name)].tolist())[0]
            for column in problem.inputs.columns
        }
        rows = [
            None if none == NO_INPUTS else {name: values[row] for name, values in columns.items()}
            for row, none in enumerate(cells_of(frame, "inputs"))
        ]
    fields = {field: cells_of(frame, field) for field in FIELDS}
    return tuple(
        Pattern(
            problem=problem.id,
            id=fields["pattern_id"][row],
            inputs=rows[row],
            expectation=expectation,
            polarity=fields["polarity"][row],
            origin=fields["origin"][row],
            status=fields["status"][row],
            canary=BOOLEANS[fields["canary"][row].strip().lower()],
            twin=fields["twin"][row] or None,
            parent=fields["parent"][row] or None,
            selected_on=selected_on(fields["selected_on"][row]),
            note=fields["note"][row],
        )
        for row, expectation in enumerate(expectations_of(frame, problem))
    )


def table_of_stored(frame: pd.DataFrame, problem: Problem, source: str) -> pd.DataFrame:
    """The text table of the patterns as the store keeps them, for `parse_patterns`.

    `inputs` there is a JSON mapping, or null for a pattern that only recorded candidates answer.
    """
    stored = validated(STORED_PATTERNS, frame.reset_index(drop=True), source)
    inputs: list[dict[str, str | None] | None] = []
    faults = []
    for row, text in enumerate(stored["inputs"].tolist(), start=1):
        try:
            inputs.append(_stored_inputs(text))
        except ValueError as error:
            faults.append(Fault(source, row, "inputs", text, f"must be a JSON mapping of inputs to values ({error})"))
    if faults:
        raise InvalidInput(faults)
    table = {"pattern_id": stored["id"].tolist()}
    names = dict.fromkeys(name for row in inputs if row is not None for name in row)
    for name in dict.fromkeys([*(problem.inputs.names if names else ()), *names]):
        table[PREFIX + name] = [None if row is None else row.get(name) for row in inputs]
    table["inputs"] = ["given" if row is not None else NO_INPUTS for row in inputs] if names else [None] * len(stored)
    for field in FIELDS:
        if field in stored and field not in _STORE_ONLY:
            cells = stored[field].tolist()
            table[field] = [None if pd.isna(cell) else _canary(field, cell) for cell in cells]
    return pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in table.items()})


def _canary(field: str, cell: Any) -> str:
    return answer_text(bool(cell)) if field == "canary" and not isinstance(cell, str) else str(cell)


def _stored_inputs(text: str | None) -> dict[str, str | None] | None:
    if text is None or pd.isna(text):
        return None
    found = json.loads(text, parse_int=str, parse_float=str)
    if found is None:
        return None
    if not isinstance(found, dict) or any(isinstance(item, (dict, list)) for item in found.values()):
        raise ValueError("each value must be a text, a number, true, false or null")
    return {name: None if item is None else answer_text(item) for name, item in found.items()}
