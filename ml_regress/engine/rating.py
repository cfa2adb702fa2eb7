"""Ratings: what a user thought of an answer, checked whole and kept. None of them changes a score."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ml_regress.core.answers import UNSTORABLE, typed_answer
from ml_regress.core.given_rating import UNSTORABLE_RULE, GivenRating, judgement, plain_value, typed_inputs
from ml_regress.core.inputs import InputTypes
from ml_regress.core.pattern_fields import answer_text
from ml_regress.core.problem import Problem
from ml_regress.core.rating import Rating
from ml_regress.engine.production_schema import production_schema
from ml_regress.engine.rated_rows import RatedRow, RatedRows
from ml_regress.engine.registry import candidate_meant
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, Fault, InvalidInput, NotFound
from ml_regress.intake.ratings import read_ratings

WHOSE = "whose answer is rated?"
_NEVER_MISSING = ("words", "person")
_TEXTS = (*_NEVER_MISSING, "key", "batch", "candidate")


def rate(workspace: Workspace, given: GivenRating, *, source: str = "rating", actor: str = "rating") -> Rating:
    """Keep one rating; `source` names in a fault where it comes from.

    Raises InvalidInput with every fault, NotFound (no such candidate, batch or row) or Conflict (a quarantined batch).
    """
    made = _Checker(workspace, source).checked(given)
    return workspace.store.ratings.add(made, actor=actor)


def rate_file(workspace: Workspace, path: Path, usual: GivenRating, *, actor: str = "rating") -> list[Rating]:
    """Keep the ratings of a table, all of them or, with every fault named by its row, none.

    `usual` holds the candidate, the person and the batch of rows that do not say their own.
    """
    checker, faults, made = _Checker(workspace, str(path)), list[Fault](), list[Rating]()
    for each in read_ratings(path):
        own = replace(
            each,
            candidate=each.candidate or usual.candidate,
            person=each.person or usual.person,
            batch=each.batch or usual.batch,
        )
        try:
            made.append(checker.checked(own))
        except InvalidInput as refused:
            faults += refused.faults
        except (NotFound, Conflict) as refused:
            faults.append(Fault(str(path), each.row, None, None, str(refused)))
    if faults:
        raise InvalidInput(faults)
    return workspace.store.ratings.add_all(made, actor=actor)


@dataclass(frozen=True)
class _Asked:
    """What inputs and an answer are held against; `answer_type` is None where it is not certain."""

    types: InputTypes
    answer_type: str | None


class _Checker:
    """Checks ratings of one source, and reads once what is the same for all of them."""

    def __init__(self, workspace: Workspace, source: str) -> None:
        self._workspace, self._source = workspace, source
        self._rows = RatedRows(workspace)
        self._candidates: dict[str | None, str] = {}
        schema = production_schema(workspace)
        self._schema = None if schema is None else _Asked(schema.inputs, schema.answer_type)
        self._problems = [] if schema is not None else workspace.store.problems.all(closed=True)

    def checked(self, given: GivenRating) -> Rating:
        """The rating that is to be kept; raises InvalidInput with every fault of it, NotFound or Conflict."""
        self._refuse_unreadable(given)
        faults = [
            self._fault(given, name, None, UNSTORABLE_RULE)
            for name in _TEXTS
            if UNSTORABLE.search(str(getattr(given, name) or ""))
        ]
        thumb, stars, prediction = None, None, None
        try:
            thumb, stars = judgement(given.thumb, given.stars)
        except ValueError as error:
            faults.append(self._fault(given, "stars" if given.thumb is None else "thumb", None, str(error)))
        try:
            prediction = plain_value(given.prediction)
        except ValueError as error:
            faults.append(self._fault(given, "prediction", None, str(error)))
        row = self._row(given)
        inputs, answer_type, wrong = self._inputs(given, row)
        faults += wrong
        if given.texts and answer_type is not None and prediction is not None:
            typed = typed_answer(answer_type, prediction)
            prediction = prediction if typed is None else typed
        if row is not None and row.prediction is not None:
            if prediction is not None and typed_answer(row.answer_type, prediction) != row.prediction:
                rule = f"is not what row {given.key!r} of batch {given.batch!r} was answered: {row.prediction!r}"
                faults.append(self._fault(given, "prediction", prediction, rule))
            prediction = row.prediction
        if prediction is None and not any(fault.column == "prediction" for fault in faults):
            faults.append(self._fault(given, "prediction", None, "is missing; say what was answered"))
        if faults:
            raise InvalidInput(faults)
        return Rating(
            inputs,
            prediction,
            self._candidate(given.candidate or (None if row is None else row.candidate)),
            thumb,
            stars,
            given.words.strip(),
            given.person.strip(),
            given.batch,
            given.key,
        )

    def _candidate(self, named: str | None) -> str:
        if named not in self._candidates:
            self._candidates[named] = candidate_meant(self._workspace, named, WHOSE)
        return self._candidates[named]

    def _row(self, given: GivenRating) -> RatedRow | None:
        if given.batch is None:
            return None
        if given.key is None:
            self._rows.batch(given.batch)
            return None
        return self._rows.row(given.batch, given.key)

    def _refuse_unreadable(self, given: GivenRating) -> None:
        """Raises InvalidInput for what a program gave that is no text or no mapping; nothing else can be checked."""
        faults = [
            self._fault(given, name, value, f"must be a text, and is {type(value).__name__}")
            for name in _TEXTS
            if not isinstance(value := getattr(given, name), str) and (value is not None or name in _NEVER_MISSING)
        ]
        if given.inputs is not None and not isinstance(given.inputs, Mapping):
            rule = f"must be values by name, as a dict has them, and are {type(given.inputs).__name__}"
            faults.append(self._fault(given, "inputs", None, rule))
        if faults:
            raise InvalidInput(faults)

    def _inputs(self, given: GivenRating, row: RatedRow | None) -> tuple[dict[str, Any], str | None, list[Fault]]:
        """The typed inputs, the type of answers, and what is wrong with them."""
        if row is not None:
            return dict(row.inputs), row.answer_type, self._against_row(given, row)
        if not given.inputs:
            rule = "are missing; give them, or a batch and the key of one of its rows"
            return {}, None, [self._fault(given, "inputs", None, rule)]
        asked, wrong = self._asked(given)
        if asked is None:
            return {}, None, wrong
        typed, broken = typed_inputs(asked.types, given.inputs)
        faults = [self._fault(given, name, given.inputs.get(name), rule) for name, rule in broken.items()]
        return typed, asked.answer_type, faults

    def _against_row(self, given: GivenRating, row: RatedRow) -> list[Fault]:
        """What inputs that are given beside a row say otherwise than the row."""
        stated = given.inputs or {}
        typed, broken = typed_inputs(row.types, stated)
        place = f"row {given.key!r} of batch {given.batch!r}"
        other = {
            name: f"is not what {place} holds: {'nothing' if held is None else answer_text(held)}"
            for name, held in row.inputs.items()
            if name in stated and name not in broken and typed[name] != held
        }
        rules = {**{name: rule for name, rule in broken.items() if name in stated}, **other}
        return [self._fault(given, name, stated[name], rule) for name, rule in rules.items()]

    def _asked(self, given: GivenRating) -> tuple[_Asked | None, list[Fault]]:
        """The schema in force; without one the problems that ask these inputs, or those that nearly do."""
        if self._schema is not None:
            return self._schema, []
        names = set(given.inputs or {})
        same = _asking(self._problems, names)
        if not same and not self._problems:
            rule = "cannot be checked: there is no problem and no production.yaml that declares them"
            return None, [self._fault(given, "inputs", None, rule)]
        # Every fault against the nearest problem says more than that none has these inputs.
        same = same or [max(self._problems, key=lambda each: _likeness(names, each.inputs.names))]
        if len({frozenset(each.inputs.declared) for each in same}) > 1:
            rule = f"are those of {', '.join(each.id for each in same)}, which type them differently; declare "
            rule += "them in production.yaml"
            return None, [self._fault(given, "inputs", None, rule)]
        kinds = {each.answer_type for each in same}
        return _Asked(same[0].inputs, kinds.pop() if len(kinds) == 1 else None), []

    def _fault(self, given: GivenRating, column: str, value: Any, rule: str) -> Fault:
        return Fault(self._source, given.row, column, None if value is None else str(value), rule)


def _asking(problems: Iterable[Problem], names: set[str]) -> list[Problem]:
    """The problems with exactly these inputs, else those that need no other ones."""
    every: Sequence[Problem] = list(problems)
    exact = [each for each in every if set(each.inputs.names) == names]
    return exact or [each for each in every if _required(each) <= names <= set(each.inputs.names)]


def _required(problem: Problem) -> set[str]:
    return {column.name for column in problem.inputs.columns if not column.optional}


def _likeness(names: set[str], others: Iterable[str]) -> float:
    there = set(others)
    return len(names & there) / len(names | there)


def inputs_of(texts: Sequence[str]) -> Mapping[str, str]:
    """Inputs written as NAME=VALUE, each name once; raises InvalidInput."""
    found: dict[str, str] = {}
    for each in texts:
        name, equals, value = each.partition("=")
        if not equals or not name or name in found:
            rule = "must be NAME=VALUE, each name once"
            raise InvalidInput.single("command line", rule, column="--input", value=each)
        found[name] = value
    return found
