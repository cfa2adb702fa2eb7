"""What a person does with proposals: accept them as patterns, edit them, reject them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from ml_regress.core.answers import UNSTORABLE
from ml_regress.core.given_rating import UNSTORABLE_RULE
from ml_regress.core.ids import folded
from ml_regress.core.pattern import POLARITIES, Pattern
from ml_regress.core.pattern_fields import answer_text, input_column
from ml_regress.core.problem import Problem
from ml_regress.core.proposal import ACCEPTED, Proposal
from ml_regress.engine.freezing import freeze_changed
from ml_regress.engine.proposed_problem import batch_types, proposed_problem
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, Fault, InvalidInput, NotFound
from ml_regress.intake.declarations import nearest
from ml_regress.intake.patterns import parse_patterns
from ml_regress.store.due import OPEN
from ml_regress.store.proposals import Decided

SOURCE = "proposals"
_NAMED = 20


@dataclass(frozen=True)
class Accepted:
    """The patterns that a problem got; `made` is True where the problem was made with them."""

    problem: str
    patterns: tuple[str, ...]
    made: bool


def accept(
    workspace: Workspace,
    ids: str | Sequence[str],
    *,
    person: str,
    expected: str | None = None,
    expectation: str | None = None,
    tolerance: str | None = None,
    problem: str | None = None,
    why: str = "",
) -> list[Accepted]:
    """Make active patterns of waiting proposals, all or none, and freeze what they belong to: those cells are due.

    `expected`, `expectation` (its kind), `tolerance` and `problem` stand for what the proposals say. A problem that
    was proposed is made with its first pattern. Raises InvalidInput (nobody said what to expect, a rule of pattern
    files is broken), NotFound, or Conflict (somebody decided before, a problem is closed).
    """
    names = _listed(ids)
    said = {"expected": expected, "expectation": expectation, "tolerance": tolerance, "problem": problem}
    _refuse_unkept(names[0], person, {**said, "why": why})
    changes = {name: text for name, text in said.items() if text is not None}
    store = workspace.store
    with store.database.write():  # what is validated is what is written
        found = [store.proposals.get(name) for name in names]
        _refuse_decided(found)
        meant = [_with(each, changes) for each in found]
        _refuse_unsaid(meant)
        groups: dict[str, list[Proposal]] = {}
        for each in meant:
            groups.setdefault(each.problem, []).append(each)
        decided = [_decided(workspace, name, group) for name, group in groups.items()]
        store.proposals.accept(decided, person=person, why=why)
    freeze_changed(workspace)
    return [Accepted(each.problem.id, tuple(made.id for made in each.patterns), each.new) for each in decided]


def edit(
    workspace: Workspace,
    name: str,
    *,
    person: str,
    expected: str | None = None,
    expectation: str | None = None,
    tolerance: str | None = None,
    polarity: str | None = None,
    problem: str | None = None,
    inputs: Mapping[str, str] | None = None,
    note: str | None = None,
) -> Proposal:
    """Change what a waiting proposal says; it keeps every rule of a pattern file, as far as it says anything.

    `inputs` gives texts by input. Raises InvalidInput, NotFound or Conflict; nothing is changed then.
    """
    if polarity is not None and polarity not in POLARITIES:
        rule = f"must be one of {', '.join(POLARITIES)}"
        raise InvalidInput.single(_place(name), rule, column="polarity", value=polarity)
    said = {"expected": expected, "expectation": expectation, "tolerance": tolerance, "polarity": polarity}
    _refuse_unkept(name, person, {**said, "problem": problem, "note": note, **(inputs or {})})
    changes: dict[str, Any] = {field: text for field, text in {**said, "problem": problem}.items() if text is not None}
    store = workspace.store
    with store.database.write():
        before = store.proposals.get(name)
        _refuse_decided([before])
        made = _with(before, changes)
        if inputs:
            typed = _typed_inputs(workspace, made, inputs)
            # So that nobody takes it for the row that it was.
            other = {name: before for name, before in made.inputs.items() if typed.get(name, before) != before}
            told = [f"{name} was {_text(before) or 'missing'}" for name, before in other.items()]
            made = replace(made, inputs={**made.inputs, **typed}, notes=(*made.notes, *told))
        if note:
            made = replace(made, notes=(*made.notes, note))
        if made != before:
            _refuse_invalid(workspace, made)
            changed = [field for field, value in vars(made).items() if value != getattr(before, field)]
            store.proposals.change(made, actor=person, detail=", ".join(changed))
    return made


def reject(workspace: Workspace, ids: str | Sequence[str], *, person: str, why: str) -> list[Proposal]:
    """Reject waiting proposals, all or none; they are kept, and their inputs are not proposed again.

    Raises InvalidInput without a reason, NotFound or Conflict.
    """
    names = _listed(ids)
    _refuse_unkept(names[0], person, {"why": why})
    if not why.strip():
        raise InvalidInput.single(_place(names[0]), "say why: it is kept, so that nobody asks again", column="why")
    return workspace.store.proposals.reject(names, person=person, why=why)


def _listed(ids: str | Sequence[str]) -> list[str]:
    names = [ids] if isinstance(ids, str) else list(dict.fromkeys(ids))
    if not names:
        raise InvalidInput.single(SOURCE, "name at least one proposal; `ml-regress proposals list` lists them")
    return names


def _refuse_unkept(name: str, person: str, texts: Mapping[str, str | None]) -> None:
    """Raises InvalidInput without a person's name, and for texts that no database keeps."""
    if not person.strip():
        raise InvalidInput.single(_place(name), "say who decides: it is kept", column="by")
    for column, text in {"by": person, **texts}.items():
        if UNSTORABLE.search(text or ""):
            raise InvalidInput.single(_place(name), UNSTORABLE_RULE, column=column)


def _place(name: str) -> str:
    return f"proposal {name}"


def _refuse_decided(proposals: Iterable[Proposal]) -> None:
    for each in proposals:
        if not each.waiting:
            raise Conflict(
                f"{each.id} was {each.state} by {each.decided_by} at {each.decided_at}; nothing was done. "
                f"`ml-regress proposals show {each.id}` says why"
            )


def _with(proposal: Proposal, changes: Mapping[str, Any]) -> Proposal:
    """The proposal with what a person said; one that moves to another problem leaves its title behind."""
    made = replace(proposal, **changes)
    if made.expectation != proposal.expectation and "tolerance" not in changes:
        made = replace(made, tolerance=None)  # it belonged to the other kind
    moved = made.problem != proposal.problem
    return replace(made, problem_title=None) if moved else made


def _refuse_unsaid(proposals: Sequence[Proposal]) -> None:
    faults = []
    for each in proposals:
        if each.expected is None:
            hint = "" if each.suggested is None else f" (the evidence suggests {each.suggested!r})"
            rule = f"nobody said yet what to expect{hint}; say it with --expected, or edit the proposal"
            faults.append(Fault(_place(each.id), None, "expected", None, rule))
    if faults:
        raise InvalidInput(faults)


def _decided(workspace: Workspace, name: str, group: Sequence[Proposal]) -> Decided:
    """Valid patterns of one problem, which is there or is to be made."""
    known = workspace.store.problems.patterns(name)
    stored = _stored(workspace, name, group[0])
    problem = proposed_problem(workspace, name, group) if stored is None else stored
    living = frozenset(known.loc[known["status"] != "retired", "id"])
    ready = [replace(each, twin=_twin(workspace, each, group, living)) for each in group]
    patterns = _patterns(problem, ready, frozenset(known["id"]))
    return Decided(problem, patterns, new=stored is None)


def _stored(workspace: Workspace, name: str, proposal: Proposal) -> Problem | None:
    """The problem of this id, None where it is a proposed one; raises NotFound, or Conflict for a closed one."""
    problems = workspace.store.problems.all(closed=True)
    found = next((each for each in problems if each.id == name), None)
    if found is not None:
        if found.state not in OPEN:
            raise Conflict(f"the problem {name} is closed; open it again, or name another one with --problem")
        return found
    if proposal.problem_title is None:
        ids = [each.id for each in problems]
        near = next((each for each in ids if folded(each) == folded(name)), None)
        there = ", ".join(([near] if near else ids)[:_NAMED]) or "none"
        raise NotFound(f"no problem {name!r}; there are {there}")
    return None


def _twin(workspace: Workspace, proposal: Proposal, group: Sequence[Proposal], living: frozenset[str]) -> str | None:
    """The twin where it is a pattern of the same problem, or becomes one with it."""
    twin = proposal.twin
    if twin is None or any(each.id == twin for each in group):
        return twin
    if twin not in living:
        return None
    other = next((each for each in workspace.store.proposals.all(ACCEPTED) if each.id == twin), None)
    return twin if other is None or other.problem == proposal.problem else None


def _patterns(problem: Problem, proposals: Sequence[Proposal], known: frozenset[str]) -> tuple[Pattern, ...]:
    """Active patterns of proposals, valid by the rules of pattern files; raises InvalidInput that names proposals."""
    family = known.union(each.id for each in proposals)
    names = dict.fromkeys(name for each in proposals for name in each.inputs)
    cells: dict[str, list[str | None]] = {
        "pattern_id": [each.id for each in proposals],
        **{input_column(name): [_text(each.inputs.get(name)) for each in proposals] for name in names},
        "expected": [each.expected for each in proposals],
        "expectation": [each.expectation for each in proposals],
        "tolerance": [each.tolerance for each in proposals],
        "output": [each.output for each in proposals],
        "polarity": [each.polarity for each in proposals],
        "origin": [each.origin for each in proposals],
        "status": ["active"] * len(proposals),
        "twin": [each.twin for each in proposals],
        "parent": [each.parent if each.parent in family else None for each in proposals],
        "selected_on": [" ".join(each.selected_on) for each in proposals],
        "note": [_note(each) for each in proposals],
    }
    table = pd.DataFrame({name: pd.Series(column, dtype=object) for name, column in cells.items()})
    try:
        return parse_patterns(problem, table, SOURCE, known)
    except InvalidInput as refused:
        raise InvalidInput(
            fault if fault.row is None else replace(fault, file=_place(proposals[fault.row - 1].id), row=None)
            for fault in refused.faults
        ) from None


def _text(value: Any) -> str | None:
    return None if value is None else answer_text(value)


def _note(proposal: Proposal) -> str:
    """Where a pattern comes from and why, for whoever reads it later."""
    place = "" if proposal.row is None else f"row {proposal.row + 1} of batch {proposal.batch}"
    return "; ".join(part for part in (place, proposal.varied, proposal.why, *proposal.notes) if part)


def _typed_inputs(workspace: Workspace, proposal: Proposal, texts: Mapping[str, str]) -> dict[str, Any]:
    stored = _stored(workspace, proposal.problem, proposal)
    types = batch_types(workspace, proposal) if stored is None else stored.inputs
    typed, faults = {}, []
    for name, text in texts.items():
        if name not in types.by_name:
            rule = f"the input {nearest(name, types.names)}"
            faults.append(Fault(_place(proposal.id), None, name, text, rule))
            continue
        try:
            typed[name] = types.by_name[name].parse(text)
        except ValueError as broken:
            faults.append(Fault(_place(proposal.id), None, name, text, str(broken)))
    if faults:
        raise InvalidInput(faults)
    return typed


def _refuse_invalid(workspace: Workspace, proposal: Proposal) -> None:
    """Raises for what no pattern could be; what to expect may be said later."""
    stored = _stored(workspace, proposal.problem, proposal)
    known = frozenset(workspace.store.problems.patterns(proposal.problem)["id"])
    if proposal.expected is None and stored is not None:
        missing = [name for name in proposal.inputs if name not in stored.inputs.by_name]
        missing += [
            each.name for each in stored.inputs.columns if not each.optional and each.name not in proposal.inputs
        ]
        if missing:
            rule = f"{stored.id} has other inputs: {', '.join(stored.inputs.names[:_NAMED])}"
            raise InvalidInput.single(_place(proposal.id), rule, column=missing[0])
    problem = proposed_problem(workspace, proposal.problem, [proposal]) if stored is None else stored
    try:
        _patterns(problem, [replace(proposal, twin=None)], known)
    except InvalidInput as refused:
        said = [each for each in refused.faults if proposal.expected is not None or each.column != "expected"]
        if said:
            raise InvalidInput(said) from None
