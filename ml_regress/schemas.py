"""Pandera schemas of the frames that cross a layer, and the one that a problem's input types make.

`pattern_table` looks at text, before anything is typed, so that every fault of a table is found at
once; the others are guards on frames that this package made.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from ml_regress.core.evaluation import ERROR, FAILED, NOT_APPLICABLE, OK, OUTCOME_ERROR, PASSED
from ml_regress.core.inputs import Column
from ml_regress.core.pattern import ORIGINS, POLARITIES, STATUSES
from ml_regress.core.pattern_fields import FIELDS, Rule, answer_text, input_column
from ml_regress.core.pattern_rules import rules_of
from ml_regress.core.problem import Problem
from ml_regress.core.production import KEY, LABEL, PREDICTION, TIME, ProductionSchema
from ml_regress.errors import Fault, InvalidInput

_DETAILS, _SHARED = "details", "shared"


def pattern_table(
    problem: Problem, *, with_inputs: bool = True, known: frozenset[str] = frozenset()
) -> pa.DataFrameSchema:
    """The schema of a problem's pattern table in text, one check a rule.

    The frame has all FIELDS and, `with_inputs`, every input column under `input_column`'s name;
    `known` are ids of the problem's other patterns.
    """
    rules = rules_of(problem, with_inputs=with_inputs, known=known)
    inputs = {input_column(name) for name in problem.inputs.names}
    # An image has hundreds of columns with the same rules: one check serves them all.
    shared: dict[str, list[Rule]] = {}
    for rule in rules:
        if rule.column in inputs and rule.detail is None:
            shared.setdefault(rule.words, []).append(rule)
    single = [rule for rule in rules if rule.column not in inputs or rule.detail is not None]
    return pa.DataFrameSchema(
        {name: pa.Column(object, nullable=True) for name in FIELDS},
        checks=[*(_check(rule) for rule in single), *(_shared_check(words, some) for words, some in shared.items())],
        name=f"patterns of {problem.id}",
        metadata={
            _DETAILS: {(rule.column, rule.words): rule.detail for rule in rules if rule.detail},
            _SHARED: shared,
        },
    )


def _check(rule: Rule) -> pa.Check:
    def keeps(frame: pd.DataFrame) -> "pd.Series[bool]":
        return pd.Series([not broken for broken in rule.broken(frame)], index=frame.index, dtype=bool)

    return pa.Check(keeps, name=rule.column, error=rule.words, ignore_na=False)


def _shared_check(words: str, rules: Sequence[Rule]) -> pa.Check:
    def keeps(frame: pd.DataFrame) -> "pd.Series[bool]":
        broken = [any(row) for row in zip(*(rule.broken(frame) for rule in rules), strict=True)]
        return pd.Series([not row for row in broken], index=frame.index, dtype=bool)

    return pa.Check(keeps, name=_SHARED, error=words, ignore_na=False)


def faults_of(errors: pa.errors.SchemaErrors, file: str) -> list[Fault]:
    """The faults that a lazy validation found, by row (counted from 1) and column."""
    frame: pd.DataFrame = errors.data
    details = (errors.schema.metadata or {}).get(_DETAILS, {})
    positions = {label: position for position, label in enumerate(frame.index)}
    order = {name: place for place, name in enumerate(frame.columns)}
    faults: list[Fault] = []
    for error in errors.schema_errors:
        if error.reason_code is pa.errors.SchemaErrorReason.COLUMN_NOT_IN_DATAFRAME:
            faults.append(Fault(file, None, str(error.failure_cases), None, "the column is missing"))
            continue
        if error.reason_code is pa.errors.SchemaErrorReason.COLUMN_NOT_IN_SCHEMA:
            faults.append(Fault(file, None, str(error.failure_cases), None, "is no column of this table"))
            continue
        column, rows = _place(error, positions)
        rule = _words(error)
        if column == _SHARED:
            faults.extend(_shared_faults(errors.schema.metadata[_SHARED][rule], frame, file))
            continue
        detail: Callable[[pd.DataFrame, int], str] | None = details.get((column, rule))
        if not rows:
            faults.append(Fault(file, None, column, None, rule))
        for position in rows:
            value = frame[column].iloc[position] if column in frame else None
            words = rule if detail is None else detail(frame, position)
            faults.append(Fault(file, position + 1, column, _shown(value), words))
    distinct = list(dict.fromkeys(faults))
    return sorted(distinct, key=lambda fault: (fault.row or 0, order.get(fault.column or "", -1)))


def _shared_faults(rules: Sequence[Rule], frame: pd.DataFrame, file: str) -> list[Fault]:
    return [
        Fault(file, position + 1, rule.column, _shown(frame[rule.column].iloc[position]), rule.words)
        for rule in rules
        for position, broken in enumerate(rule.broken(frame))
        if broken
    ]


def _place(error: pa.errors.SchemaError, positions: dict[Any, int]) -> tuple[str, list[int]]:
    """The column and the positions of the rows that one check refused."""
    if isinstance(error.schema, pa.DataFrameSchema):
        kept = error.check_output
        return str(getattr(error.check, "name", "")), [] if kept is None else [positions[i] for i in kept.index[~kept]]
    cases = error.failure_cases
    labels = cases["index"].tolist() if isinstance(cases, pd.DataFrame) and "index" in cases else []
    return str(error.schema.name), [positions[label] for label in labels if label in positions]


def _words(error: pa.errors.SchemaError) -> str:
    written = getattr(error.check, "error", None)
    if written:
        return str(written)
    if error.reason_code is pa.errors.SchemaErrorReason.SERIES_CONTAINS_NULLS:
        return "must not be missing"
    if error.reason_code is pa.errors.SchemaErrorReason.WRONG_DATATYPE:
        return f"must be of the type {error.schema.dtype}"
    return str(error.check or error.reason_code)


def _shown(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def validated(schema: pa.DataFrameSchema, frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """The frame, where it keeps its schema; raises InvalidInput with every fault otherwise."""
    try:
        checked: pd.DataFrame = schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        raise InvalidInput(faults_of(errors, source)) from None
    return checked


def _one_of(words: tuple[str, ...]) -> pa.Check:
    return pa.Check.isin(list(words), error=f"must be one of {', '.join(words)}")


def _count() -> pa.Check:
    return pa.Check(lambda series: series.map(lambda n: pd.isna(n) or n >= 0), error="must be at least 0")


def _rows(check: Callable[[pd.DataFrame], Any], column: str, words: str) -> pa.Check:
    return pa.Check(check, name=column, error=words, ignore_na=False)


# The patterns of one problem as the store keeps them: JSON in `inputs`, lists in `selected_on` as words.
STORED_PATTERNS = pa.DataFrameSchema(
    {
        "problem": pa.Column(None, nullable=False),
        "id": pa.Column(None, nullable=False, unique=True),
        "inputs": pa.Column(None, nullable=True),
        "expected": pa.Column(None, nullable=False),
        "expectation": pa.Column(None, nullable=False),
        "output": pa.Column(None, nullable=False),
        "tolerance": pa.Column(None, nullable=True),
        "polarity": pa.Column(None, _one_of(POLARITIES)),
        "origin": pa.Column(None, _one_of(ORIGINS)),
        "status": pa.Column(None, _one_of(STATUSES)),
        "canary": pa.Column(None, nullable=False),
        "twin": pa.Column(None, nullable=True),
        "parent": pa.Column(None, nullable=True),
        "selected_on": pa.Column(None, nullable=False),
        "note": pa.Column(None, nullable=False),
    },
    name="stored patterns",
)

# Predictions by input digest: an answer (with named outputs, or None) or an error, never both or neither.
PREDICTIONS = pa.DataFrameSchema(
    {
        "answer": pa.Column(None, nullable=True),
        "outputs": pa.Column(None, nullable=True),
        "error": pa.Column(None, nullable=True),
    },
    index=pa.Index(None, unique=True, nullable=False),
    checks=[
        _rows(
            lambda frame: frame["error"].isna() | (frame["answer"].isna() & frame["outputs"].isna()),
            "error",
            "an error comes without an answer",
        )
    ],
    name="predictions",
)

OUTCOMES = pa.DataFrameSchema(
    {
        "pattern": pa.Column(None, nullable=False, unique=True),
        "outcome": pa.Column(None, _one_of((PASSED, FAILED, OUTCOME_ERROR))),
        "reason": pa.Column(None, nullable=True),
    },
    checks=[
        _rows(
            lambda frame: (frame["outcome"] != OUTCOME_ERROR) | frame["reason"].notna(),
            "reason",
            "an error carries its reason",
        )
    ],
    name="outcomes",
)

CELLS = pa.DataFrameSchema(
    {
        "candidate": pa.Column(None, nullable=False),
        "problem": pa.Column(None, nullable=False),
        "state": pa.Column(None, _one_of((OK, ERROR, NOT_APPLICABLE))),
        "passes": pa.Column(None, _count(), nullable=True),
        "answered": pa.Column(None, _count()),
        "errors": pa.Column(None, _count()),
    },
    checks=[
        _rows(
            lambda frame: pd.Series(
                [
                    pd.isna(passes) or passes <= answered
                    for passes, answered in zip(frame["passes"], frame["answered"], strict=True)
                ],
                index=frame.index,
                dtype=bool,
            ),
            "passes",
            "cannot be more than the patterns answered",
        ),
        _rows(
            lambda frame: ~frame.duplicated(["candidate", "problem"], keep="first"),
            "problem",
            "is there twice for one candidate",
        ),
    ],
    name="cells",
)

# -- production ------------------------------------------------------------------------------------

MUST_BE_THERE = "must not be missing (the type has no '?')"
_FRAME_TYPES = {"number": "float64", "integer": "Int64", "boolean": "boolean"}


def production_table(schema: ProductionSchema) -> pa.DataFrameSchema:
    """The schema of typed rows of a batch, under the names of kept rows.

    Types, what may not be missing, the levels of a category, and the labels where the schema lists them.
    """
    columns = {column.name: _production_column(column) for column in schema.inputs.columns}
    for name, given in ((KEY, schema.key), (TIME, schema.time)):
        if given is not None:
            columns[name] = pa.Column(None, nullable=False)
    for name in (PREDICTION, LABEL):
        checks = [_one_of_labels(schema.labels)] if schema.labels else []
        columns[name] = pa.Column(_FRAME_TYPES.get(schema.answer_type), checks, nullable=True, required=False)
    return pa.DataFrameSchema(columns, name="rows of production")


def _production_column(column: Column) -> pa.Column:
    checks = [pa.Check.isin(list(column.levels), error=column.rule)] if column.kind == "category" else []
    return pa.Column(_FRAME_TYPES.get(column.kind), checks, nullable=column.optional)


def _one_of_labels(labels: tuple[Any, ...]) -> pa.Check:
    return pa.Check.isin(
        list(labels), error=f"must be one of the labels {', '.join(answer_text(label) for label in labels)}"
    )


def broken_cells(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> list[tuple[str, str, np.ndarray]]:
    """Column, rule and the rows (as booleans) of each check that a frame does not keep."""
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        positions = {label: position for position, label in enumerate(frame.index)}
        found = []
        for error in errors.schema_errors:
            column, rows = _place(error, positions)
            mask = np.zeros(len(frame), dtype=bool)
            mask[rows if rows else slice(None)] = True
            missing = error.reason_code is pa.errors.SchemaErrorReason.SERIES_CONTAINS_NULLS
            found.append((column, MUST_BE_THERE if missing else _words(error), mask))
        return found
    return []
