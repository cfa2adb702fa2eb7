"""The rules of a pattern table, in plain words, as the checks of its schema.

A rule looks at text cells; None and "" are missing. On one cell only the first rule that it breaks
speaks: each later one leaves such rows alone.
"""

from collections.abc import Callable, Iterator

import pandas as pd

from ml_regress.core.cells import typed_cells
from ml_regress.core.expectation_rules import expectation_rules
from ml_regress.core.ids import SLUG_RULE, folded, is_slug
from ml_regress.core.inputs import BOOLEANS, Column
from ml_regress.core.pattern import ORIGINS, POLARITIES, STATUSES
from ml_regress.core.pattern_fields import (
    NO_INPUTS,
    Broken,
    Rule,
    cells_of,
    input_column,
    named,
    selected_on,
)
from ml_regress.core.problem import Problem


def rules_of(problem: Problem, *, with_inputs: bool, known: frozenset[str]) -> list[Rule]:
    """All rules of the problem's pattern table."""
    rules = [*_id_rules(known), *_field_rules(), *_reference_rules(known), *expectation_rules(problem, known)]
    for column in problem.inputs.columns if with_inputs else ():
        rules.extend(_input_rules(column))
    return rules


def _id_rules(known: frozenset[str]) -> Iterator[Rule]:
    def ids(frame: pd.DataFrame) -> list[str]:
        return cells_of(frame, "pattern_id")

    def repeats(frame: pd.DataFrame) -> Broken:
        return [name != "" and first != row for row, (name, first) in enumerate(_firsts(ids(frame), str), start=1)]

    def folds(frame: pd.DataFrame) -> Broken:
        return [other is not None for other in _other_case(ids(frame), known)]

    yield Rule("pattern_id", "is blank; every pattern needs an id", lambda f: [not name for name in ids(f)])
    yield Rule("pattern_id", SLUG_RULE, lambda f: [name != "" and not is_slug(name) for name in ids(f)])
    yield Rule(
        "pattern_id",
        "repeats the id of an earlier row",
        repeats,
        lambda f, i: f"repeats the id of row {_firsts(ids(f), str)[i][1]}",
    )
    yield Rule(
        "pattern_id",
        "differs from another id only by case",
        folds,
        lambda f, i: f"differs only by case from {_other_case(ids(f), known)[i]}; they would share a file",
    )


def _firsts(ids: list[str], key: Callable[[str], str]) -> list[tuple[str, int]]:
    """Each id with the row in which its key came first."""
    seen: dict[str, int] = {}
    return [(name, seen.setdefault(key(name), row)) for row, name in enumerate(ids, start=1)]


def _other_case(ids: list[str], known: frozenset[str]) -> list[str | None]:
    """For each id the earlier or stored one that it would share a file with, as words."""
    stored = {folded(name): name for name in known}
    words: list[str | None] = []
    for name, row in _firsts(ids, folded):
        there = stored.get(folded(name), name)
        if ids[row - 1] != name:
            words.append(f"{ids[row - 1]!r} of row {row}")
        elif there != name and name not in known:
            words.append(f"{there!r}, which the problem has already")
        else:
            words.append(None)
    return words


def _field_rules() -> Iterator[Rule]:
    def choice(field: str, words: tuple[str, ...]) -> Rule:
        rule = f"must be one of {', '.join(words)}"
        return Rule(field, rule, lambda f: [cell not in words for cell in cells_of(f, field)])

    def not_candidates(frame: pd.DataFrame) -> Broken:
        return [not _are_slugs(text) for text in cells_of(frame, "selected_on")]

    yield choice("inputs", ("given", NO_INPUTS))
    yield choice("polarity", POLARITIES)
    yield choice("origin", ORIGINS)
    yield choice("status", STATUSES)
    yield Rule(
        "canary",
        "must be true or false",
        lambda f: [cell.strip().lower() not in BOOLEANS for cell in cells_of(f, "canary")],
    )
    yield Rule("selected_on", "must be ids of candidates, separated by spaces", not_candidates)


def _are_slugs(text: str) -> bool:
    try:
        return all(is_slug(name) for name in selected_on(text))
    except ValueError:
        return False


def _reference_rules(known: frozenset[str]) -> Iterator[Rule]:
    for field in ("twin", "parent"):

        def stray(frame: pd.DataFrame, field: str = field) -> Broken:
            return [cell != "" and not there for cell, there in zip(*named(frame, field, known), strict=True)]

        yield Rule(field, "must be the id of another pattern of this problem", stray)
    yield Rule("parent", "leads back to the pattern itself; a family needs a first one", _in_circle)


def _in_circle(frame: pd.DataFrame) -> Broken:
    """Which patterns are their own ancestors (a pattern that names itself has a rule of its own)."""
    ids = cells_of(frame, "pattern_id")
    parents = dict(zip(ids, cells_of(frame, "parent"), strict=True))
    done: dict[str, bool] = {"": False}
    for start in parents:
        path: dict[str, int] = {}
        name = start
        while name not in done and name not in path:
            path[name] = len(path)
            name = parents.get(name, "")
        circle_from = path.get(name, len(path))
        done.update(
            {visited: place >= circle_from and parents.get(visited) != visited for visited, place in path.items()}
        )
    return [done[name] for name in ids]


def _input_rules(column: Column) -> Iterator[Rule]:
    name = input_column(column.name)

    def absent(cell: str | None) -> bool:
        return cell is None or (cell == "" and column.kind != "text")

    def rows(frame: pd.DataFrame) -> Iterator[tuple[str | None, bool]]:
        return zip(frame[name].tolist(), (cell == NO_INPUTS for cell in cells_of(frame, "inputs")), strict=True)

    def breaks(frame: pd.DataFrame) -> Broken:
        broken = typed_cells(column, frame[name].tolist())[1]
        return [i in broken and not none and not absent(cell) for i, (cell, none) in enumerate(rows(frame))]

    if not column.optional:
        yield Rule(
            name,
            "is missing, and the input type is not optional ('?')",
            lambda f: [absent(cell) and not none for cell, none in rows(f)],
        )
    yield Rule(name, column.rule, breaks)
    yield Rule(
        name, f"must be empty where `inputs` is {NO_INPUTS}", lambda f: [none and bool(cell) for cell, none in rows(f)]
    )
