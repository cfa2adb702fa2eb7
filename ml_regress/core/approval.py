"""Approvals: whether a person's decision still stands on the evidence that the person saw."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_regress.core.digest import digest_of
from ml_regress.core.verdict import Verdict, evidence_of
from ml_regress.core.waiver import SignOff

NONE, CURRENT, STALE, USED, REJECTED = "none", "current", "stale", "used", "rejected"


@dataclass(frozen=True)
class Approval:
    """Where the decision on a candidate stands: the newest sign-off, and what changed since it was signed.

    `state` is "none", "current", "stale" (new evidence since), "used" (a promotion rests on it) or "rejected".
    """

    state: str
    sign_off: SignOff | None = None
    changes: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        signed = self.sign_off
        if signed is None:
            return "nobody signed yet"
        who = f"{signed.person} ({signed.role}), {signed.at[:16].replace('T', ' ')} UTC, sign-off {signed.number}"
        if self.state == REJECTED:
            return f"rejected by {who}"
        if self.state == STALE:
            return f"the approval of {who} is stale: {'; '.join(self.changes)}"
        return f"{signed.decision} by {who}" + (", used for a promotion" if self.state == USED else "")


def approval_of(sign_offs: Sequence[SignOff], verdict: Verdict) -> Approval:
    """The approval of a candidate from its sign-offs, newest first, held against the verdict of today."""
    mine = [each for each in sign_offs if each.candidate == verdict.candidate]
    if not mine:
        return Approval(NONE)
    newest = mine[0]
    if not newest.approves:
        return Approval(REJECTED, newest)
    if newest.used:
        return Approval(USED, newest)
    evidence = evidence_of(verdict)
    if digest_of(evidence) == newest.evidence_digest:
        return Approval(CURRENT, newest)
    return Approval(STALE, newest, evidence_changes(json.loads(newest.evidence), evidence))


def evidence_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """What differs between two evidences (core.verdict.evidence_of), in words; never empty where they differ."""
    said = []
    for name in ("candidate", "production"):
        if before.get(name) != after.get(name):
            said.append(f"{name} was {_name(before.get(name))} and is {_name(after.get(name))}")
    old, new = ({each["problem"]: each for each in side.get("problems", ())} for side in (before, after))
    for problem in sorted({*old, *new}):
        one, two = old.get(problem), new.get(problem)
        if one is None or two is None:
            said.append(f"the problem {problem} {'is new' if one is None else 'left the matrix'}")
        elif one != two:
            said.append(_problem_words(problem, one, two))
    if before.get("missing") != after.get("missing"):
        said.append("; ".join(after.get("missing", ())) or "what was missing is there now")
    if not said and dict(before) != dict(after):
        said.append("the verdict was reached in another way")
    return tuple(said)


def _problem_words(problem: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if before["verdict"] != after["verdict"]:
        return f"{problem} was {before['verdict']} and is {after['verdict']}"
    if before["suite"] != after["suite"]:
        return f"the patterns of {problem} changed"
    if before["waivers"] != after["waivers"]:
        return f"the waivers of {problem} changed"
    numbers = ("passes", "answered", "errors")
    if any(before[name] != after[name] for name in numbers):
        return f"{problem} was {before['passes']}/{before['answered']} and is {after['passes']}/{after['answered']}"
    if before.get("solved") != after.get("solved"):
        return f"{problem} {'is solved now' if after.get('solved') else 'no longer counts as solved'}"
    if before.get("moved") != after.get("moved"):
        return f"other patterns of {problem} pass now"
    return f"what is asked of {problem} changed, or how it is met"


def _name(value: Any) -> str:
    return "nobody" if value is None else (f"{value[0]} ({str(value[1])[:12]})" if len(value) > 1 else str(value))
