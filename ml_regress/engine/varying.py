"""Contrived neighbours of a pattern, as proposals: nothing is measured until a person accepts one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import pandas as pd

from ml_regress.core.ids import slug_of
from ml_regress.core.pattern import Pattern
from ml_regress.core.problem import Problem
from ml_regress.core.proposal import Proposal
from ml_regress.core.variation import Variation, variations
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, InvalidInput, NotFound
from ml_regress.intake.patterns import parse_patterns, table_of_stored
from ml_regress.store.rows import pattern_row

USUAL, MOST = 10, 100
_NAMED = 20
_LONGEST_STEM = 90  # of an id, which may have 120 characters


@dataclass(frozen=True)
class Varied:
    """The pattern that was varied, what is new among its neighbours, how many were proposed before, and notes."""

    parent: Pattern
    proposals: tuple[Proposal, ...]
    known: int
    notes: tuple[str, ...]


def vary(
    workspace: Workspace,
    pattern: str,
    *,
    problem: str | None = None,
    count: int = USUAL,
    only: Sequence[str] = (),
    seed: int = 0,
    actor: str = "command",
) -> Varied:
    """Propose `count` neighbours of a pattern, named PROBLEM/PATTERN, or alone where one problem has this id.

    A neighbour has the parent's expectation, polarity and `selected_on`; where the right answer may be another one
    (another level or day, a large nudge, something left out) it waits for a person to say it. Raises NotFound,
    Conflict (a retired pattern, an id of several problems) or InvalidInput (nothing to vary, no such input).
    """
    if not 1 <= count <= MOST:
        raise InvalidInput.single("command line", f"must be from 1 to {MOST}", column="--count", value=str(count))
    entry, rows, name = _located(workspace, pattern, problem)
    living = _living(entry, rows)
    parent = next((each for each in living if each.id == name), None)
    if parent is None:
        raise Conflict(f"{entry.id}/{name} is retired, and would bring back what nobody wants to ask; vary another one")
    _refuse_unsuited(parent)
    inputs = dict(parent.inputs or {})
    others = [each.inputs for each in living if each.inputs is not None]
    others += _retired_inputs(entry, rows)
    try:
        found = variations(entry.inputs, inputs, others, count=count, only=only, seed=seed)
    except ValueError as error:
        raise InvalidInput.single("command line", str(error), column="--only", value=", ".join(only)) from None
    added = workspace.store.proposals.add([proposal_of(parent, each) for each in found], actor=actor)
    return Varied(parent, tuple(added), len(found) - len(added), tuple(_notes(found, count)))


def proposal_of(parent: Pattern, made: Variation) -> Proposal:
    """A neighbour as a proposal of the parent's family. A canary is never inherited: it must be decided anew."""
    said = pattern_row(parent)
    stem = f"{parent.id[:_LONGEST_STEM]}-{slug_of(made.kind)}"
    doubt = "" if made.keeps_answer else "; the right answer may be another one, so somebody must say what to expect"
    return Proposal(
        id=f"{stem}-{made.digest[:6]}",
        problem=parent.problem,
        inputs=made.inputs,
        polarity=parent.polarity,
        origin="contrived",
        cause="varied",
        why=f"varied from {parent.id}: {made.words}{doubt}",
        expected=said["expected"] if made.keeps_answer else None,
        expectation=said["expectation"],
        suggested=said["expected"],
        tolerance=said["tolerance"],
        output=said["output"],
        parent=parent.id,
        selected_on=parent.selected_on,
        varied=made.words,
    )


def _located(workspace: Workspace, pattern: str, problem: str | None) -> tuple[Problem, pd.DataFrame, str]:
    """The problem of a pattern, its rows in the table, and the pattern's id."""
    store = workspace.store.problems
    problems = {entry.id: entry for entry in store.all(closed=True)}
    given, slash, name = pattern.rpartition("/")
    if slash and problem not in (None, given):
        rule = f"names the problem {given!r}, and --problem another one"
        raise InvalidInput.single("command line", rule, column="PATTERN", value=pattern)
    meant = given if slash else problem
    if meant is not None:
        if meant not in problems:
            raise NotFound(f"no problem {meant!r}; there are {_listed(meant, list(problems))}")
        rows = store.patterns(meant)
        if name not in set(rows["id"]):
            raise NotFound(f"{meant} has no pattern {name!r}; it has {_listed(name, rows['id'].tolist())}")
        return problems[meant], rows, name
    known = store.pattern_digests()
    having = sorted(each for each, patterns in known.items() if name in patterns and each in problems)
    if not having:
        every = [f"{each}/{inner}" for each, patterns in known.items() for inner in patterns]
        same = [each for each in every if get_close_matches(name, [each.rpartition("/")[2]])]
        there = f"do you mean {', '.join(same[:3])}?" if same else "`ml-regress patterns PROBLEM` lists them"
        raise NotFound(f"no pattern {name!r} in any problem; {there}")
    if len(having) > 1:
        ways = " or ".join(f"{each}/{name}" for each in having[:_NAMED])
        raise Conflict(f"{len(having)} problems have a pattern {name!r}: write {ways}")
    return problems[having[0]], store.patterns(having[0]), name


def _listed(name: str, names: Sequence[str]) -> str:
    listed = list(dict.fromkeys([*get_close_matches(name, names, n=1), *names]))
    more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    return f"{', '.join(listed[:_NAMED]) or 'none'}{more}"


def _living(problem: Problem, rows: pd.DataFrame) -> tuple[Pattern, ...]:
    """The active and proposed patterns of a problem, typed."""
    source = f"table patterns, problem {problem.id}"
    living = rows[rows["status"] != "retired"]
    return parse_patterns(problem, table_of_stored(living, problem, source), source, frozenset(rows["id"]))


def _retired_inputs(problem: Problem, rows: pd.DataFrame) -> list[Mapping[str, Any]]:
    """What retired patterns asked, so that no neighbour brings it back; those of other columns are left out."""
    texts = rows[rows["status"] == "retired"]["inputs"].tolist()
    found = [json.loads(text) for text in texts if isinstance(text, str)]
    return [each for each in found if isinstance(each, dict) and set(each) == set(problem.inputs.names)]


def _refuse_unsuited(parent: Pattern) -> None:
    place = f"{parent.problem}/{parent.id}"
    if parent.inputs is None:
        raise InvalidInput.single(place, "has no inputs, so nothing can be varied; only recorded candidates answer it")


def _notes(found: Sequence[Variation], count: int) -> list[str]:
    if len(found) == count:
        return []
    return [f"{count} were asked for; there are {len(found)} that are no pattern of the problem already"]
