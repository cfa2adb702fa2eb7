"""The sign-off report: one HTML file about one candidate, for a person who decides and knows no machine learning.

It holds a frozen copy of the evidence that a sign-off is bound to, with its digest, beside all that it shows.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from ml_regress.core.approval import CURRENT, REJECTED, STALE, USED, Approval
from ml_regress.core.digest import digest_of
from ml_regress.core.history import SOLVED, SOLVED_AGAIN
from ml_regress.core.problem import SEVERITIES, Problem
from ml_regress.core.verdict import FAIL, INCONCLUSIVE, PASS, ProblemVerdict, Verdict, evidence_of
from ml_regress.report import summary
from ml_regress.report.compare_page import INPUT_CHARACTERS
from ml_regress.report.compare_text import headline
from ml_regress.report.compared import Compared
from ml_regress.report.evidence import DASH, MINUS, Evidence
from ml_regress.report.flip_view import flip_views
from ml_regress.report.history_svg import history_svg
from ml_regress.report.pattern_grid import Budget, answer_text
from ml_regress.report.scoreboard import picture_left_out, scoreboard_svg
from ml_regress.report.templates import in_script, page_environment, page_style
from ml_regress.report.writing import write_whole

FLIPS_SHOWN = 60
FAILING_SHOWN = 200
PLAIN = {
    PASS: "passes",
    FAIL: "does not pass",
    INCONCLUSIVE: "cannot be said: too few patterns",
    "incomplete": "cannot be said: something is missing",
}


@dataclass(frozen=True)
class ProblemRow:
    """One problem as the report tells it: how far, since when, what was asked, and what so few patterns can tell."""

    problem: Problem
    verdict: ProblemVerdict
    plain: str
    asked: str
    before: str
    after: str
    since: str
    power: tuple[str, ...]
    history: Markup
    fixes: tuple[str, ...]
    regressions: tuple[str, ...]
    compared: bool


@dataclass(frozen=True)
class FailingPattern:
    """A pattern that the candidate does not pass."""

    title: str
    pattern: str
    outcome: str
    expectation: str
    answer: str
    reason: str


def sign_off_html(
    evidence: Evidence,
    candidate: str,
    approval: Approval,
    compared: Compared | None,
    power: Mapping[str, tuple[str, ...]],
) -> str:
    """The report as one self-contained page. `compared` is production against the candidate, None without one.

    `power` says beside each problem what its numbers can tell.
    """
    verdict = evidence.verdict(candidate)
    rows = [_row(evidence, verdict, each, power.get(each.problem, ())) for each in verdict.problems]
    rows.sort(key=lambda row: (row.verdict.counted == PASS, -SEVERITIES.index(row.problem.severity)))
    frozen = evidence_of(verdict)
    failing = _failing(evidence, candidate)
    return (
        page_environment()
        .get_template("sign_off.html.j2")
        .render(
            evidence=evidence,
            candidate=next(each for each in evidence.candidates if each.id == candidate),
            verdict=verdict,
            decision=decision_words(verdict, approval),
            tone={PASS: "yes" if approval.state == CURRENT else "", FAIL: "no"}.get(verdict.verdict, ""),
            approval=approval,
            stale=approval.state == STALE,
            sign_off=approval.sign_off,
            rows=rows,
            unmeasured=[row for row in rows if row.verdict.answered == 0 or row.verdict.errors],
            not_compared=[row for row in rows if not row.compared],
            solved=[row for row in rows if row.verdict.solved],
            broken=[
                f"{row.problem.title} ({MINUS}{len(row.regressions)})"
                for row in sorted(rows, key=lambda row: -len(row.regressions))
                if row.regressions
            ],
            requirement_words=summary.requirement_words,
            compared=compared,
            headline=None if compared is None else headline(compared),
            flips=() if compared is None else flip_views(compared.flipped[:FLIPS_SHOWN], Budget(INPUT_CHARACTERS)),
            failing=failing[:FAILING_SHOWN],
            failing_total=len(failing),
            matrix=Markup(scoreboard_svg(evidence)),  # noqa: S704 - every text in it is escaped there
            picture_left_out=picture_left_out(evidence),
            digest=digest_of(frozen),
            frozen=in_script(json.dumps(frozen, ensure_ascii=False, indent=1)),
            style=page_style(),
        )
    )


def write_sign_off(
    evidence: Evidence,
    candidate: str,
    approval: Approval,
    compared: Compared | None,
    power: Mapping[str, tuple[str, ...]],
    *,
    folder: Path,
) -> Path:
    """Writes sign-off-CANDIDATE.html into the folder, whole or not at all.

    With the number of the sign-off in its name where the page shows the evidence that was signed.
    Raises Unavailable.
    """
    signed, today = approval.sign_off, digest_of(evidence_of(evidence.verdict(candidate)))
    # The file that was signed stays as it was signed: what came after is another file, and no id holds two dots.
    number = f"..{signed.number}" if signed is not None and signed.evidence_digest == today else ""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", f"sign-off-{candidate}{number}.html")
    page = sign_off_html(evidence, candidate, approval, compared, power)
    return write_whole(folder / name, page)


def decision_words(verdict: Verdict, approval: Approval) -> str:
    """May it ship: the first sentence of the report."""
    name = verdict.candidate
    if approval.state == USED:
        since = "is in production" if verdict.production == name else "is not in production any more"
        today = "" if verdict.verdict == PASS else f" Today its verdict is {verdict.verdict}."
        return f"{name} was promoted on the approval of {_who(approval)}, and {since}.{today}"
    if verdict.verdict == FAIL:
        counts = verdict.counts()
        return f"{name} may not ship: it does not pass {summary.counted(counts[FAIL], 'problem')}."
    if verdict.verdict != PASS:
        why = "a bound cannot be settled" if verdict.verdict == INCONCLUSIVE else "something is missing"
        return f"{name} may not ship yet: its verdict is {verdict.verdict}, for {why}."
    waived = f", {summary.counted(len(verdict.waived), 'failure')} of it waived" if verdict.waived else ""
    if approval.state == CURRENT:
        return f"{name} may ship: it passes every requirement{waived}, and {_who(approval)} approved it."
    if approval.state == REJECTED:
        return f"{name} may not ship: {_who(approval)} rejected it."
    if approval.state == STALE:
        return f"{name} may not ship yet: there is new evidence since {_who(approval)} approved it."
    return f"{name} passes every requirement{waived}, and waits for a decision."


def _who(approval: Approval) -> str:
    signed = approval.sign_off
    return "nobody" if signed is None else f"{signed.person} ({signed.role})"


def _row(evidence: Evidence, verdict: Verdict, each: ProblemVerdict, power: tuple[str, ...]) -> ProblemRow:
    problem = next(problem for problem in evidence.problems if problem.id == each.problem)
    flips = evidence.facts.cells[verdict.candidate, problem.id].flips
    compared = flips is not None and evidence.production not in (None, verdict.candidate)
    before = DASH if evidence.production is None else _far(evidence, evidence.production, problem.id)
    return ProblemRow(
        problem,
        each,
        _plain(each),
        summary.requirement_words(problem, evidence.canaries_of(problem.id)),
        before,
        _far(evidence, verdict.candidate, problem.id),
        _since(evidence, problem),
        power,
        history_svg(evidence, problem, verdict.candidate),
        flips.fixes if flips is not None and compared else (),
        flips.regressions if flips is not None and compared else (),
        compared,
    )


def _plain(each: ProblemVerdict) -> str:
    if each.counted == INCONCLUSIVE:
        unknown = all(check.low is None for check in each.checks if check.verdict == INCONCLUSIVE)
        return "cannot be said: its number has no interval" if unknown else PLAIN[INCONCLUSIVE]
    if each.waiver is None:
        return PLAIN[each.verdict]
    return "waived" if each.counted == PASS else f"waived, but {PLAIN[each.counted]}"


def _far(evidence: Evidence, candidate: str, problem: str) -> str:
    cell = evidence.cell(candidate, problem)
    if cell.passes is None or not cell.answered:
        return {"error": "could not be measured", "not applicable": "does not apply"}.get(
            cell.state, "not measured yet"
        )
    errors = f", {cell.errors} without an answer" if cell.errors else ""
    return f"{cell.passes} of {cell.answered}{errors}"


def _since(evidence: Evidence, problem: Problem) -> str:
    """Who solved it and when, as history tells it."""
    marks = evidence.who_solved(problem.id)
    if not marks:
        asked = problem.requirement
        alone = (asked.at_least, asked.metric_at_least, asked.metric_at_most)
        if all(bound is None for bound in alone) and not (asked.canaries and evidence.canaries_of(problem.id)):
            return "asked only not to break it" if asked.max_regressions is not None else DASH
        return summary.history_words(evidence, problem)
    made = {each.id: each.manifest.created_at[:10] for each in evidence.candidates}
    changed = {each.id: each.manifest.changed for each in evidence.candidates}
    said = []
    for mark in marks:
        why = (
            f", “{changed[mark.candidate]}”" if changed[mark.candidate] and mark.kind in (SOLVED, SOLVED_AGAIN) else ""
        )
        by = "" if mark.kind == "met from the start" else "by "
        said.append(f"{mark.kind} {by}{mark.candidate} ({made[mark.candidate]}{why})")
    return "; ".join(said)


def _failing(evidence: Evidence, candidate: str) -> list[FailingPattern]:
    rows = evidence.outcomes
    rows = rows[(rows["candidate"] == candidate) & (rows["outcome"] != "passed")]
    about = {(row["problem"], row["pattern"]): str(row["expectation"]) for row in evidence.patterns.to_dict("records")}
    return [
        FailingPattern(
            evidence.titles[row["problem"]],
            row["pattern"],
            row["outcome"],
            about.get((row["problem"], row["pattern"]), ""),
            answer_text(row["answer"]),
            str(row["reason"] or ""),
        )
        for row in rows.to_dict("records")
        if row["problem"] in evidence.titles
    ]
