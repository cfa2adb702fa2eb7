"""Recorded predictions: a table of what a model answered elsewhere, keyed by pattern or by inputs.

Rows are joined by key and never by position. A row that is left out is a missing prediction; a key
that is there twice, or that nobody asked for, refuses the table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from ml_regress.core.answer_map import SCORE, mapped_answers
from ml_regress.core.answers import typed_answer
from ml_regress.core.candidate import Candidate
from ml_regress.core.cells import typed_cells
from ml_regress.core.digest import digest_of
from ml_regress.core.inputs import Column, InputTypes, parse_number
from ml_regress.core.pattern import key_digest
from ml_regress.core.prediction import Prediction, RecordedRow
from ml_regress.errors import Fault, InvalidInput, UnknownPatterns
from ml_regress.intake.candidates import table_of_manifest, utc_time
from ml_regress.intake.exact import Exact
from ml_regress.intake.reading import NOTES, TableFormat, plain
from ml_regress.intake.tables import read_table

PATTERN, PROBLEM, PREDICTED, ERROR, RECORDED_AT = "pattern_id", "problem", "predicted", "error", "recorded_at"
OUTPUT = "output:"
NAMES = (PATTERN, PROBLEM, PREDICTED, ERROR, RECORDED_AT)
UNKNOWN = "no such pattern is known; import its problem first, or leave the row out"
UNKNOWN_INPUTS = "no pattern is known with these inputs; import its problem first, or leave the row out"
NUMERIC = ("number", "integer")


@dataclass(frozen=True)
class Question:
    """What a problem asks: its input types, its answer type, and the input digest of each pattern's id."""

    problem: str
    types: InputTypes
    answer_type: str
    digests: Mapping[str, str]


@dataclass(frozen=True)
class RecordedFile:
    """The predictions of a table, and notes on how it was read."""

    predictions: tuple[RecordedRow, ...]
    source: str
    notes: tuple[str, ...] = ()


@dataclass
class _Match:
    """For each row of a table what it answers; rows without a match are faults."""

    digests: list[str] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    questions: list[tuple[Question, ...]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unknown: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def miss(self, row: int, name: str | None, problem: str | None, found: list[Question], source: str) -> None:
        """A row whose key names no pattern, or several."""
        if not name:
            self.faults.append(Fault(source, row, PATTERN, None, "is missing"))
        elif not found:
            value = f"{problem}/{name}" if problem else name
            self.unknown.append(Fault(source, row, PATTERN, value, UNKNOWN))
        else:
            both = " and ".join(each.problem for each in found)
            rule = f"is a pattern of {both}; say of which in a column `{PROBLEM}`"
            self.faults.append(Fault(source, row, PATTERN, name, rule))

    def add(self, row: int, digest: str, key: str | None, questions: tuple[Question, ...]) -> None:
        self.rows.append(row)
        self.digests.append(digest)
        self.keys.append(key)
        self.questions.append(questions)


def read_recorded(folder: Path, candidate: Candidate, questions: Sequence[Question]) -> RecordedFile:
    """The predictions of a recorded candidate for these questions.

    Raises InvalidInput with the rows at fault; UnknownPatterns where nothing is wrong but that rows
    answer patterns that are not known (yet).
    """
    form, columns = table_of_manifest(folder)
    path = folder / candidate.manifest.artefact
    source = str(path)
    table = _renamed(read_table(path, form), columns, questions, source)
    by_pattern = PATTERN in table.columns
    match = _by_pattern(table, questions, source) if by_pattern else _by_inputs(table, questions, form, source)
    used = {*NAMES, *(() if by_pattern else (name for each in questions for name in each.types.names))}
    left = [name for name in table.columns if name not in used and not name.startswith((SCORE, OUTPUT))]
    notes = [f"{source}: columns that say nothing of a prediction were left out: {', '.join(left)}"] if left else []
    if match.faults:
        raise InvalidInput([*match.faults, *match.unknown])
    # Rows that nobody asked for are said with what else is wrong, but with it alone they may be right tomorrow.
    predictions, said = _predictions(table, match, candidate.manifest.answer_map, form, source)
    if match.unknown:
        raise UnknownPatterns(match.unknown)
    return RecordedFile(predictions, source, tuple(dict.fromkeys([*table.attrs[NOTES], *match.notes, *said, *notes])))


def _renamed(
    table: pd.DataFrame, columns: Mapping[str, str], questions: Sequence[Question], source: str
) -> pd.DataFrame:
    """The table with its columns under the names of this product."""
    known = {*NAMES, *(name for each in questions for name in each.types.names)}
    faults = []
    for name, given in columns.items():
        if name not in known and not name.startswith((SCORE, OUTPUT)):
            faults.append(f"{name!r} is none; a column is {', '.join(NAMES)}, score:CLASS, output:NAME or an input")
        elif given not in table.columns:
            faults.append(f"{name!r} should be the column {given!r}, which is not there")
        elif name in table.columns and name != given and name not in columns.values():
            faults.append(f"{name!r} should be the column {given!r}, but there is a column {name!r} too")
    renamed = table.rename(columns={given: name for name, given in columns.items()})
    renamed.attrs = dict(table.attrs)
    if not faults and PREDICTED not in renamed.columns and ERROR not in renamed.columns:
        faults.append(f"there is no column {PREDICTED!r}; say which one it is: `columns: {{{PREDICTED}: NAME}}`")
    if faults:
        raise InvalidInput([Fault(source, None, "columns", None, rule) for rule in faults])
    return renamed


def _by_pattern(table: pd.DataFrame, questions: Sequence[Question], source: str) -> _Match:
    asked: dict[str, list[Question]] = {}
    for question in questions:
        for name in question.digests:
            asked.setdefault(name, []).append(question)
    match, seen = _Match(), dict[str, int]()
    problems = table[PROBLEM].tolist() if PROBLEM in table.columns else [None] * len(table)
    alone = {question.problem: (question,) for question in questions}
    for row, (name, problem) in enumerate(zip(table[PATTERN].tolist(), problems, strict=True), start=1):
        found = asked.get(name, [])
        if problem:
            found = [each for each in found if each.problem == problem]
        if len(found) != 1:
            match.miss(row, name, problem, found, source)
            continue
        question = found[0]
        key = key_digest(question.problem, name)
        if seen.setdefault(key, row) != row:
            match.faults.append(Fault(source, row, PATTERN, name, f"was answered in row {seen[key]} already"))
        else:
            match.add(row, question.digests[name], key, alone[question.problem])
    return match


def _by_inputs(table: pd.DataFrame, questions: Sequence[Question], form: TableFormat, source: str) -> _Match:
    """Rows whose inputs are those of a pattern, under the types of each kind of question that fits the columns."""
    fitting = [each for each in questions if each.types.names and set(each.types.names) <= set(table.columns)]
    if not fitting:
        rule = f"there is no column {PATTERN!r}, and no problem has its inputs among {', '.join(table.columns)}"
        raise UnknownPatterns([Fault(source, None, "columns", None, rule)])
    kinds: dict[Any, list[Question]] = {}
    for question in fitting:
        kinds.setdefault(question.types.columns, []).append(question)
    match = _Match()
    found: list[dict[str, list[Question]]] = [{} for _ in range(len(table))]
    problems = table[PROBLEM].tolist() if PROBLEM in table.columns else [None] * len(table)
    for columns, group in kinds.items():
        asked: dict[str, list[Question]] = {}
        for question in group:
            for digest in set(question.digests.values()):
                asked.setdefault(digest, []).append(question)
        read = plain(table, columns, form, source)
        match.notes.extend(note for note in read.attrs[NOTES] if note not in table.attrs[NOTES])
        for position, digest in _input_digests(read, columns).items():
            given = [each for each in asked.get(digest, ()) if problems[position] in (None, "", each.problem)]
            if given:
                found[position].setdefault(digest, []).extend(given)
    seen = dict[str, int]()
    for row, answered in enumerate(found, start=1):
        if not answered:
            match.unknown.append(Fault(source, row, None, None, UNKNOWN_INPUTS))
        for digest, group in answered.items():
            if (first := seen.setdefault(digest, row)) != row:
                match.faults.append(Fault(source, row, None, None, f"has the same inputs as row {first}"))
            else:
                match.add(row, digest, None, tuple(group))
    return match


def _input_digests(table: pd.DataFrame, columns: Sequence[Column]) -> dict[int, str]:
    """The input digest of each row (from 0) whose cells are all of their types."""
    values, broken = {}, set[int]()
    for column in columns:
        values[column.name], wrong = typed_cells(column, table[column.name].tolist())
        broken.update(wrong)
    names = list(values)
    rows = zip(*values.values(), strict=True)
    return {
        position: digest_of({"inputs": dict(zip(names, row, strict=True))})
        for position, row in enumerate(rows)
        if position not in broken
    }


def _predictions(
    table: pd.DataFrame, match: _Match, answer_map: Mapping[str, str], form: TableFormat, source: str
) -> tuple[tuple[RecordedRow, ...], list[str]]:
    """The answers of the matched rows, and notes; raises InvalidInput for cells that are none."""
    scores = [name for name in table.columns if name.startswith(SCORE)]
    kept = table.loc[:, [name for name in table.columns if name in NAMES or name.startswith((SCORE, OUTPUT))]]
    kept.attrs = {}
    if PREDICTED in kept.columns:
        numeric = {
            row
            for row, group in zip(match.rows, match.questions, strict=True)
            if any(each.answer_type in NUMERIC for each in group)
        }
        # A label holds no decimal mark, whatever it looks like.
        cells = [
            cell if cell is None or row in numeric else Exact(cell)
            for row, cell in enumerate(kept[PREDICTED].tolist(), start=1)
        ]
        kept = kept.assign(**{PREDICTED: pd.Series(cells, index=kept.index, dtype=object)})
    asked = {each.answer_type for group in match.questions for each in group if each.answer_type in NUMERIC}
    answer = Column(PREDICTED, "integer" if asked == {"integer"} else "number")
    read = plain(kept, [answer, *(Column(name, "number") for name in scores)], form, source)
    cells_of = {name: read[name].tolist() for name in read.columns}
    nothing = [None] * len(table)
    predicted, errors = cells_of.get(PREDICTED, nothing), cells_of.get(ERROR, nothing)
    meant, made_at = mapped_answers(answer_map, predicted), cells_of.get(RECORDED_AT, nothing)
    others = {name: cells_of[name] for name in read.columns if name.startswith((SCORE, OUTPUT))}
    faults: list[Fault] = []
    sound = set[tuple[str | None, str]]()  # a table has few different answers
    found = []
    for row, digest, key, group in zip(match.rows, match.digests, match.keys, match.questions, strict=True):
        place = row - 1
        answer, error = predicted[place], (errors[place] or "").strip() or None
        if error is not None or any((answer, each.answer_type) not in sound for each in group):
            wrong = _wrong(answer, meant[place], error, group)
            faults.extend(Fault(source, row, PREDICTED, *each) for each in wrong)
            sound.update((answer, each.answer_type) for each in group if not wrong and error is None)
        time = _time(made_at[place], source, row, faults)
        outputs = _outputs(others, place, source, row, faults) if others and error is None else None
        made = Prediction(None if error else answer, outputs, error, made_at=time)
        found.append(RecordedRow(row, digest, key, tuple([each.problem for each in group]), made))
    if faults:
        raise InvalidInput(faults)
    return tuple(found), list(read.attrs[NOTES])


def _wrong(
    answer: str | None, meant: Any, error: str | None, group: Sequence[Question]
) -> list[tuple[str | None, str]]:
    """Value and broken rule of a cell that is no prediction."""
    blank = answer is None or not answer.strip()
    if error is not None:
        return [] if blank else [(answer, f"there is an {ERROR} too; a row has one of them")]
    if blank:
        return [(None, f"is blank; leave out what was not predicted, or say in a column `{ERROR}` why it failed")]
    return [
        (answer, f"is no {each.answer_type}, which the answers of {each.problem} are")
        for each in group
        if typed_answer(each.answer_type, meant) is None
    ]


def _time(cell: str | None, source: str, row: int, faults: list[Fault]) -> str | None:
    if not cell:
        return None
    try:
        return utc_time(cell)
    except ValueError as error:
        faults.append(Fault(source, row, RECORDED_AT, cell, str(error)))
        return None


def _outputs(
    others: Mapping[str, Sequence[str | None]], place: int, source: str, row: int, faults: list[Fault]
) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    for name, cells in others.items():
        cell = cells[place]
        if cell is None or not cell.strip():
            continue
        if name.startswith(OUTPUT):
            found[name.removeprefix(OUTPUT)] = str(cell)
            continue
        try:
            found[name] = parse_number(cell.strip())
        except ValueError as error:
            faults.append(Fault(source, row, name, cell, str(error)))
    return found or None
