"""Judging: verdicts recorded, waivers, sign-offs, promotion and rollback.

Promotion is the gate: it judges again from the store, in the transaction that moves production, so nothing that
happened since an approval is overlooked, and nothing passes by being absent.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ml_regress.core.approval import CURRENT, STALE, Approval, approval_of, evidence_changes
from ml_regress.core.digest import digest_of
from ml_regress.core.verdict import FAIL, INCOMPLETE, PASS, ProblemVerdict, Verdict, evidence_of
from ml_regress.core.waiver import APPROVE, APPROVE_WITH_WAIVERS, DECISIONS, SignOff, Waiver
from ml_regress.engine import notify, registry, watching
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import InvalidInput, NotFound, NotPassed, Unavailable
from ml_regress.report.facts import Facts, gather_facts
from ml_regress.store.database import now
from ml_regress.store.decisions import PROMOTE, ROLL_BACK, InProduction, Judged

# Looks at files that are still written, a quarter of their settling time apart.
SETTLES = 40


def take_in(workspace: Workspace) -> None:
    """Look at what lies in the workspace's folders: what changed there counts for a verdict.

    A file that was written a moment ago is waited for. Raises Unavailable where somebody goes on writing.
    """
    for _ in range(SETTLES):
        wait = registry.still_written(workspace)
        if not wait:
            break
        time.sleep(watching.SETTLE_SECONDS / 4)
    else:
        raise Unavailable(f"{', '.join(wait)}: still being written; try again when that is over")
    registry.look_at_problems(workspace)
    looks = registry.look_at_candidates(workspace, {})
    if looks:  # a folder that does not say itself that it is whole is believed when it looks the same twice
        time.sleep(watching.SETTLE_SECONDS)
        registry.look_at_candidates(workspace, looks)


@dataclass(frozen=True)
class Judgement:
    """A candidate's verdict of now, and where the decision on it stands."""

    verdict: Verdict
    approval: Approval
    facts: Facts


def judge(workspace: Workspace, candidate: str) -> Judgement:
    """Judge one candidate from the store as it is; raises NotFound for one that is not active."""
    store = workspace.store
    with store.database.read():
        facts = gather_facts(store, [candidate])
        verdict = facts.verdict(candidate)
        return Judgement(verdict, approval_of(store.decisions.sign_offs(candidate), verdict), facts)


def record(workspace: Workspace, candidates: Sequence[str] | None = None) -> dict[str, Verdict]:
    """Judge all active candidates (or these), record what changed, and note what somebody is to be told of.

    All in one transaction: a verdict and its notification are stored together or not at all. Returns the verdicts
    that changed.
    """
    store, changed = workspace.store, dict[str, Verdict]()
    # Most looks find nothing new, and to judge a large matrix takes seconds, for which nobody else should wait.
    with store.database.read():
        facts, known = gather_facts(store, candidates), store.decisions.verdict_digests()
        asked = facts.candidates if candidates is None else candidates
        moved = [name for name in asked if digest_of(evidence_of(facts.verdict(name))) != known.get(name)]
    if not moved:
        return {}
    with store.database.write():
        facts, sign_offs = gather_facts(store, moved), store.decisions.sign_offs()
        for candidate in moved:
            if candidate not in facts.candidates:  # archived since
                continue
            verdict = facts.verdict(candidate)
            before = store.decisions.record_verdict(candidate, verdict.verdict, evidence_of(verdict))
            if before is not None:
                changed[candidate] = verdict
                _tell(workspace, verdict, before, approval_of(sign_offs, verdict))
    return changed


def _tell(workspace: Workspace, verdict: Verdict, before: Judged, approval: Approval) -> None:
    if verdict.verdict == FAIL and _settled_before(workspace, verdict.candidate) != FAIL:
        _add(workspace, notify.failing_verdict(workspace, verdict, before.verdict or None), before)
    if verdict.candidate == verdict.production:
        broken = _broken(workspace, verdict)
        if broken:
            _add(workspace, notify.production_regressed(workspace, verdict, broken), before)
    if approval.state == STALE and approval.sign_off is not None:
        notify.add(workspace, notify.approval_stale(workspace, approval.sign_off, approval.changes))


def _add(workspace: Workspace, told: notify.Told, before: Judged) -> None:
    """Store a notification, once for each change: the same failure may come back, and is told again."""
    notify.add(workspace, (f"{told[0]}|{before.number}", *told[1:]))


def _settled_before(workspace: Workspace, candidate: str) -> str | None:
    """The last verdict before this one that said something: what is incomplete while it is measured says nothing."""
    recorded = workspace.store.decisions.verdicts(candidate)[1:]
    return next((each.verdict for each in recorded if each.verdict != INCOMPLETE), None)


def _broken(workspace: Workspace, verdict: Verdict) -> list[ProblemVerdict]:
    """The problems that production fails now and passed when that could be said last.

    A new pattern makes a problem incomplete before its measurement makes it fail: what lies between is passed over.
    """
    history = workspace.store.decisions.verdicts(verdict.candidate)[1:]
    failing = {each.problem: each for each in verdict.problems if each.verdict == FAIL}
    broken, settled = [], set[str]()
    for recorded in history:
        if settled >= failing.keys():
            break
        for each in json.loads(recorded.evidence).get("problems", ()):
            name, word = each["problem"], str(each["verdict"])
            if name in failing and name not in settled and (word == PASS or word.startswith(FAIL)):
                settled.add(name)
                if word == PASS:
                    broken.append(failing[name])
    return broken


def waive(
    workspace: Workspace, candidate: str, problem: str, pattern: str | None, *, person: str, reason: str, until: str
) -> Waiver:
    """Permit a failing requirement until a day; raises InvalidInput for words that are missing or a day gone by."""
    _said(person=person, reason=reason)
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise InvalidInput.single("waiver", "must be a day such as 2026-12-31", column="until", value=until) from None
    if day.isoformat() < now()[:10]:
        raise InvalidInput.single("waiver", "lies in the past: name the last day on which it counts", value=until)
    return workspace.store.decisions.waive(
        candidate, problem, pattern, person=person, reason=reason, until=day.isoformat()
    )


def sign(
    workspace: Workspace,
    candidate: str,
    *,
    person: str,
    role: str,
    decision: str,
    words: str = "",
    seen: str = "",
) -> SignOff:
    """Store a person's decision on a candidate, bound to the evidence of this moment.

    `seen` begins the digest of the evidence that the person looked at: another one is refused. Raises NotPassed for
    that, and for an approval that the verdict does not carry, InvalidInput for a decision without a name, a
    role or (where it rejects) a reason.
    """
    if decision not in DECISIONS:
        raise InvalidInput.single(
            "sign-off", f"must be one of {', '.join(DECISIONS)}", column="decision", value=decision
        )
    _said(person=person, role=role, **({} if decision == APPROVE else {"words": words}))
    store = workspace.store
    with store.database.write():
        store.database.hold_still()
        verdict = gather_facts(store, [candidate]).verdict(candidate)
        digest = digest_of(evidence_of(verdict))
        if seen and not digest.startswith(seen):
            raise NotPassed(f"the evidence is another one now ({digest[:12]}, not {seen}): look at it again")
        if decision in (APPROVE, APPROVE_WITH_WAIVERS):
            if verdict.verdict != PASS:
                raise NotPassed(f"{candidate} cannot be approved, its verdict is {_with_reasons(verdict)}")
            if bool(verdict.waived) != (decision == APPROVE_WITH_WAIVERS):
                raise NotPassed(_waiver_words(verdict))
        return store.decisions.sign(
            candidate, person=person, role=role, decision=decision, words=words, evidence=evidence_of(verdict)
        )


def _waiver_words(verdict: Verdict) -> str:
    if not verdict.waived:
        return f"nothing is waived for {verdict.candidate}: approve it without waivers"
    waived = "; ".join(f"{each.problem}: {each.words}" for each in verdict.waived)
    return f"{verdict.candidate} passes with waivers only ({waived}): approve it with waivers"


@dataclass(frozen=True)
class Verified:
    """A sign-off held against its own evidence (`intact`) and against the store of now (`current`).

    Of one that was used for a promotion `current` is None: what came after says nothing against it.
    """

    sign_off: SignOff
    recomputed: str
    intact: bool
    current: bool | None
    changes: tuple[str, ...]


def verify(workspace: Workspace, number: int) -> Verified:
    """Compute the digest of a sign-off's evidence again, from what was kept and from the store as it is.

    Raises NotFound for a sign-off that there is not.
    """
    store = workspace.store
    with store.database.read():
        signed = store.decisions.sign_off(number)
        kept = json.loads(signed.evidence)
        recomputed = digest_of(kept)
        if signed.used:
            return Verified(signed, recomputed, recomputed == signed.evidence_digest, None, ())
        try:
            evidence = evidence_of(gather_facts(store, [signed.candidate]).verdict(signed.candidate))
        except NotFound:
            changes: tuple[str, ...] = (f"{signed.candidate} is archived",)
        else:
            changes = evidence_changes(kept, evidence)
    return Verified(signed, recomputed, recomputed == signed.evidence_digest, not changes, changes)


def promote(workspace: Workspace, candidate: str, *, person: str, reason: str = "") -> InProduction:
    """Move production to a candidate whose verdict passes and whose approval is current, both judged here and now.

    Open problems that it solves are watched from then on: any regression against production fails.
    Raises NotPassed with every reason that stands against it; production stays then.
    """
    _said(person=person)
    take_in(workspace)
    store = workspace.store
    with store.database.write():
        store.database.hold_still()
        verdict = gather_facts(store, [candidate]).verdict(candidate)
        approval = approval_of(store.decisions.sign_offs(candidate), verdict)
        against = []
        if verdict.verdict != PASS:
            against.append(f"its verdict is {_with_reasons(verdict)}")
        if approval.state != CURRENT or approval.sign_off is None:
            against.append(f"there is no current approval: {approval.words}")
        if against:
            raise NotPassed(f"{candidate} is not promoted: " + "\n".join(against))
        moved = store.decisions.move_production(
            candidate,
            verb=PROMOTE,
            person=person,
            reason=reason,
            sign_off=approval.sign_off.number if approval.sign_off is not None else None,
            solved=[each.problem for each in verdict.solved],
        )
    if moved.watched:
        registry.look_at_problems(workspace)  # their state changed: let it be validated now, and not at the next look
    return moved


def roll_back(workspace: Workspace, candidate: str | None = None, *, person: str, reason: str) -> InProduction:
    """Move production back to a candidate that was in it before (the last one unless named), without a verdict.

    Raises InvalidInput without an approver or a reason, NotFound where there is nothing to go back to.
    """
    _said(person=person, reason=reason)
    store = workspace.store
    with store.database.write():
        history = store.decisions.production_history()
        before = _before(history)
        target = candidate or before
        if target is None:
            raise NotFound("nobody was in production before: there is nothing to roll back to")
        earlier = list(dict.fromkeys(each.candidate for each in history if each.candidate != history[0].candidate))
        if target not in earlier:
            raise NotFound(f"{target} was not in production before; these were: {', '.join(earlier) or 'nobody'}")
        return store.decisions.move_production(target, verb=ROLL_BACK, person=person, reason=reason)


def _before(history: Sequence[InProduction]) -> str | None:
    """Who was in production before the one that is in it now; what was rolled back does not count."""
    stack: list[str] = []
    for entry in reversed(history):
        if entry.verb == ROLL_BACK and entry.candidate in stack:
            del stack[stack.index(entry.candidate) :]
        stack.append(entry.candidate)
    return stack[-2] if len(stack) > 1 else None


def _with_reasons(verdict: Verdict) -> str:
    return f"{verdict.verdict}: " + "; ".join(verdict.reasons)


def _said(**texts: str) -> None:
    for name, text in texts.items():
        if not text.strip():
            raise InvalidInput.single("command line", "must be said: it is kept with the decision", column=name)
