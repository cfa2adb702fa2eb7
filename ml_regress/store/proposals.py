"""Proposals: inputs that wait for a person, and what became of them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import sqlalchemy as sa

from ml_regress.core.digest import digest_of
from ml_regress.core.ids import SLUG_RULE, folded, is_slug
from ml_regress.core.pattern import Pattern
from ml_regress.core.problem import Problem
from ml_regress.core.proposal import ACCEPTED, REJECTED, WAITING, Proposal
from ml_regress.errors import Conflict, InvalidInput, NotFound
from ml_regress.store import tables
from ml_regress.store.database import Database, now
from ml_regress.store.importing import refuse_taken
from ml_regress.store.log import note
from ml_regress.store.rows import dump, pattern_row, problem_row

_NAMED = 10
_LONGEST = 120


@dataclass(frozen=True)
class Decided:
    """Proposals that become patterns of one problem; `new` is True where the problem is made with them."""

    problem: Problem
    patterns: tuple[Pattern, ...]
    new: bool


class ProposalTable:
    """Proposals, the patterns that were made of them, and why others were not taken."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- writing ---------------------------------------------------------------------------------

    def add(self, proposals: Sequence[Proposal], *, actor: str) -> list[Proposal]:
        """Store what is new of these, and return it as it was stored.

        Inputs that this problem has in a proposal of any state, or in an active pattern, are passed over. An id that
        is taken gets a number behind it; twins among the given follow. Raises InvalidInput for an id that is no slug.
        """
        if not proposals:
            return []
        _refuse_no_slugs(proposals)
        at = now()  # one for all, so that they stand together
        with self._database.write() as connection:
            taken = _taken_ids(connection, {each.problem for each in proposals})
            known = _known_inputs(connection, {each.problem for each in proposals})
            added, names = list[Proposal](), dict[str, str]()
            for each in proposals:
                key = (each.problem, input_digest(each.inputs))
                if key in known:
                    names[each.id] = known[key]
                    continue
                name = _free(each.id, taken)
                taken.add(folded(name))
                known[key] = names[each.id] = name
                added.append(replace(each, id=name, state=WAITING, made_at=at))
            added = [replace(each, twin=_other(each, names)) for each in added]
            if added:
                connection.execute(sa.insert(tables.proposals), [_row(each) for each in added])
                for problem in dict.fromkeys(each.problem for each in added):
                    ids = ", ".join(each.id for each in added if each.problem == problem)
                    note(connection, actor, "propose", problem, ids)
            return added

    def change(self, proposal: Proposal, *, actor: str, detail: str) -> None:
        """Store a waiting proposal as it was edited; raises NotFound, or Conflict where it does not wait any more or
        its problem has these inputs already.
        """
        with self._database.write() as connection:
            before = _waiting(connection, proposal.id)
            key = (proposal.problem, input_digest(proposal.inputs))
            if key != (before.problem, input_digest(before.inputs)):
                other = _known_inputs(connection, {proposal.problem}).get(key)
                if other is not None:
                    raise Conflict(f"{proposal.problem} has these inputs already, as {other}; nothing was changed")
            values = _row(proposal)
            connection.execute(sa.update(tables.proposals).where(_named(proposal.id)).values(values))
            note(connection, actor, "edit proposal", proposal.id, detail)

    def reject(self, ids: Sequence[str], *, person: str, why: str) -> list[Proposal]:
        """Reject waiting proposals, all or none; they stay, and their inputs are not proposed again.

        Raises NotFound, or Conflict for one that somebody decided on before.
        """
        with self._database.write() as connection:
            found = [_waiting(connection, name) for name in dict.fromkeys(ids)]
            done = [_decided(connection, each.id, REJECTED, person, why) for each in found]
            for each in done:
                note(connection, person, "reject proposal", each.id, why)
            return done

    def accept(self, decided: Sequence[Decided], *, person: str, why: str) -> list[Proposal]:
        """Write patterns of waiting proposals (they have their ids), and the problems that are made with them.

        All or nothing, in one transaction. A twin that is a pattern already and names the new one is given it as its
        twin where it has none. Raises NotFound, or Conflict for what somebody else decided, made or wrote meanwhile.
        """
        with self._database.write() as connection:
            done: list[Proposal] = []
            for each in decided:
                found = [_waiting(connection, pattern.id) for pattern in each.patterns]
                if each.new:
                    refuse_taken(connection, each.problem.id, "proposals")
                    connection.execute(sa.insert(tables.problems).values(problem_row(each.problem)))
                    note(connection, person, "make problem", each.problem.id, each.problem.title)
                _refuse_other_ids(connection, each)
                _refuse_known_inputs(connection, each)
                connection.execute(sa.insert(tables.patterns), [pattern_row(pattern) for pattern in each.patterns])
                _tell_twins(connection, each)
                done += [
                    _decided(connection, proposal.id, ACCEPTED, person, why, problem=each.problem.id)
                    for proposal in found
                ]
                note(connection, person, "accept", each.problem.id, ", ".join(each.id for each in found))
            return done

    # -- reading ---------------------------------------------------------------------------------

    def all(self, state: str | None = None, problem: str | None = None) -> list[Proposal]:
        """Proposals of a state or a problem, or all: the oldest first, and by id with its numbers in order."""
        columns = tables.proposals.c
        query = sa.select(tables.proposals)
        if state is not None:
            query = query.where(columns.state == state)
        if problem is not None:
            query = query.where(columns.problem == problem)
        with self._database.read() as connection:
            found = [_proposal(row) for row in connection.execute(query).mappings()]
        return sorted(found, key=lambda each: (each.made_at, _natural(each.id)))

    def get(self, name: str) -> Proposal:
        """One proposal; raises NotFound with names that are near."""
        with self._database.read() as connection:
            return _get(connection, name)

    def version(self) -> str:
        """A text that changes whenever a proposal comes, or is edited or decided on."""
        columns = [column for column in tables.proposals.c if column.name != "why"]
        with self._database.read() as connection:
            rows = sorted([list(row) for row in connection.execute(sa.select(*columns))], key=lambda row: str(row[0]))
        return digest_of(rows)


def input_digest(inputs: Mapping[str, Any]) -> str:
    """The digest of inputs as a pattern with them has it."""
    return digest_of({"inputs": dict(inputs)})


def _row(proposal: Proposal) -> dict[str, Any]:
    return {
        **vars(proposal),
        "inputs": dump(dict(proposal.inputs)),
        "input_digest": input_digest(proposal.inputs),
        "selected_on": " ".join(proposal.selected_on),
        "notes": dump(list(proposal.notes)),
    }


def _proposal(row: Mapping[Any, Any]) -> Proposal:
    values = {name: value for name, value in row.items() if name != "input_digest"}
    values["inputs"] = json.loads(row["inputs"])
    values["selected_on"] = tuple(row["selected_on"].split())
    values["notes"] = tuple(json.loads(row["notes"]))
    return Proposal(**values)


def _refuse_no_slugs(proposals: Sequence[Proposal]) -> None:
    for each in proposals:
        for field in ("id", "problem"):
            value = getattr(each, field)
            if not is_slug(value):
                raise InvalidInput.single("proposals", SLUG_RULE, column=field, value=value)


def _taken_ids(connection: sa.Connection, problems: set[str]) -> set[str]:
    """The ids of all proposals and of the patterns of these problems, folded."""
    pattern = tables.patterns.c
    queries = (
        sa.select(tables.proposals.c.id),
        sa.select(pattern.id).where(pattern.problem.in_(sorted(problems))),
    )
    return {folded(name) for query in queries for name in connection.execute(query).scalars()}


def _known_inputs(connection: sa.Connection, problems: set[str]) -> dict[tuple[str, str], str]:
    """By problem and digest of the inputs the pattern or proposal that has them."""
    problem, suite, proposal = tables.problems.c, tables.suites.c, tables.proposals.c
    wanted = sorted(problems)
    frozen = (
        sa.select(suite.problem, suite.content)
        .join(tables.problems, sa.and_(problem.id == suite.problem, problem.suite == suite.digest))
        .where(suite.problem.in_(wanted), suite.kind == "problem")
    )
    query = sa.select(proposal.problem, proposal.input_digest, proposal.id).where(proposal.problem.in_(wanted))
    known = {(row.problem, row.input_digest): row.id for row in connection.execute(query)}
    for row in connection.execute(frozen):
        content = json.loads(row.content)
        for pattern, digest in zip(content["patterns"], content["input_digests"], strict=True):
            known[row.problem, digest] = pattern["id"]
    return known


def _free(name: str, taken: set[str]) -> str:
    """The id, or the first with a number behind it that is not taken."""
    chosen, number = name, 1
    while folded(chosen) in taken:
        number += 1
        ending = f"-{number}"
        chosen = name[: _LONGEST - len(ending)] + ending
    return chosen


def _other(proposal: Proposal, names: Mapping[str, str]) -> str | None:
    """The twin under the id that it was stored with, or that has its inputs."""
    twin = None if proposal.twin is None else names.get(proposal.twin, proposal.twin)
    return None if twin == proposal.id else twin


def _named(name: str) -> sa.ColumnElement[bool]:
    return tables.proposals.c.id == name


def _get(connection: sa.Connection, name: str) -> Proposal:
    if is_slug(name):  # what no id can be may be what no database can be asked for
        row = connection.execute(sa.select(tables.proposals).where(_named(name))).mappings().first()
        if row is not None:
            return _proposal(row)
    columns = tables.proposals.c
    ids = sorted(connection.execute(sa.select(columns.id).where(columns.state == WAITING)).scalars(), key=_natural)
    near = list(dict.fromkeys([*get_close_matches(name, ids, n=3), *ids]))
    more = f" and {len(near) - _NAMED} more" if len(near) > _NAMED else ""
    raise NotFound(f"no proposal {name!r}; waiting are {', '.join(near[:_NAMED]) or 'none'}{more}")


def _waiting(connection: sa.Connection, name: str) -> Proposal:
    found = _get(connection, name)
    if not found.waiting:
        because = f" ({found.decided_why})" if found.decided_why else ""
        raise Conflict(
            f"{name} was {found.state} by {found.decided_by} at {found.decided_at}{because}; it does not wait any more"
        )
    return found


def _decided(connection: sa.Connection, name: str, state: str, person: str, why: str, **changes: Any) -> Proposal:
    values = {"state": state, "decided_by": person, "decided_why": why, "decided_at": now(), **changes}
    connection.execute(sa.update(tables.proposals).where(_named(name)).values(values))
    return _get(connection, name)


def _refuse_other_ids(connection: sa.Connection, decided: Decided) -> None:
    pattern = tables.patterns.c
    held = connection.execute(sa.select(pattern.id).where(pattern.problem == decided.problem.id)).scalars()
    there = {folded(name): name for name in held}
    for each in decided.patterns:
        other = there.get(folded(each.id))
        if other is not None:
            said = f"{decided.problem.id} has a pattern {other} already; nothing was accepted"
            raise Conflict(f"{said}. Accept {each.id} into another problem, or reject it")


def _refuse_known_inputs(connection: sa.Connection, decided: Decided) -> None:
    """A pattern may have come since it was proposed, and another problem may have its inputs."""
    known = _known_inputs(connection, {decided.problem.id})
    for each in decided.patterns:
        other = known.get((decided.problem.id, input_digest(each.inputs or {})), each.id)
        if other != each.id:
            said = f"{decided.problem.id} has the inputs of {each.id} already, as {other}"
            raise Conflict(f"{said}; nothing was accepted. Reject it, or edit its inputs")


def _tell_twins(connection: sa.Connection, decided: Decided) -> None:
    """Patterns that were accepted before as the twin of one of these get it as theirs, where they have none."""
    pattern = tables.patterns.c
    for each in decided.patterns:
        if each.twin is not None:
            other = connection.execute(sa.select(tables.proposals.c.twin).where(_named(each.twin))).scalar()
            if other == each.id:
                connection.execute(
                    sa.update(tables.patterns)
                    .where(pattern.problem == decided.problem.id, pattern.id == each.twin)
                    .where(pattern.twin.is_(None), pattern.status != "retired")
                    .values(twin=each.id)
                )


def _natural(name: str) -> list[tuple[int, str]]:
    """Numbers inside of a name in their order: a-2 before a-10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name) if part]
