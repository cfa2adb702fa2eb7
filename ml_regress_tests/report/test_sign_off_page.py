"""The sign-off report: what a person reads who decides, and the evidence that it holds."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ml_regress.core.approval import CURRENT, NONE, REJECTED, STALE, USED, Approval
from ml_regress.core.digest import digest_of
from ml_regress.core.problem import Requirement
from ml_regress.core.verdict import INCOMPLETE, INCONCLUSIVE, PASS, evidence_of
from ml_regress.core.waiver import APPROVE, REJECT, SignOff, Waiver
from ml_regress.report.evidence import Evidence
from ml_regress.report.history_svg import history_svg
from ml_regress.report.pages import report_html
from ml_regress.report.sign_off_page import decision_words, sign_off_html, write_sign_off
from ml_regress_tests.report.made_evidence import ERROR, a_candidate, a_pattern, a_problem, made_evidence
from ml_regress_tests.report.test_compare_page import NASTY, Page

LONG_AWAY = (datetime.now(UTC) + timedelta(days=3650)).date().isoformat()
PROBLEM = a_problem(title="1 or 8", requirement=Requirement(at_least=2, max_regressions=0), reported_by="post desk")
OTHER = a_problem("three", title="Three", requirement=Requirement(at_least=1, max_regressions=0), severity="critical")
PATTERNS = [a_pattern(PROBLEM.id, f"p{place}") for place in range(3)] + [a_pattern(OTHER.id, "q0")]
# `old` knows one of three, and q0; `new` knows all three, and breaks q0.
ANSWERS = {
    **{("old", f"p{place}"): 1 if place == 0 else 8 for place in range(3)},
    ("old", "q0"): 1,
    **{("new", f"p{place}"): 1 for place in range(3)},
    ("new", "q0"): 8,
}


def evidence(
    *, fixed: bool = False, waivers: tuple[Waiver, ...] = (), title: str = "1 or 8", **more: object
) -> Evidence:
    answers = {**ANSWERS, ("new", "q0"): 1} if fixed else ANSWERS
    problems = [replace(PROBLEM, title=title), OTHER]
    return made_evidence(
        [a_candidate("old", 1), a_candidate("new", 20, changed="more ones")],
        problems,
        PATTERNS,
        answers,
        production="old",
        waivers=waivers,
        **more,
    )


def signed(given: Evidence, decision: str = APPROVE, **changes: object) -> SignOff:
    content = evidence_of(given.verdict("new"))
    made = SignOff(3, "new", "Ada", "owner", decision, "seen it", "2026-07-02T10:00:00.000Z", digest_of(content),
                   json.dumps(content))  # fmt: skip
    return replace(made, **changes)


def page_of(given: Evidence, approval: Approval | None = None) -> Page:
    return Page(sign_off_html(given, "new", approval or Approval(NONE), None, {PROBLEM.id: ("3 of 3 certifies 0.44",)}))


def test_the_first_sentence_says_that_it_may_not_ship_and_why() -> None:
    page = page_of(evidence())
    assert "new may not ship: it does not pass 1 problem." in page.text
    assert "Three (three): 1 regression against old (q0)" in page.text
    assert "nobody signed yet" in page.text


def test_solved_and_broken_problems_are_counted_and_named_with_who_and_when() -> None:
    page = page_of(evidence())
    assert "1 of 2 problems 1 or 8" in page.text  # solved
    assert "1 of 2 problems Three (\u22121)" in page.text  # broken
    row = page.row("1 or 8 medium")
    assert "1 of 3 3 of 3 ✓ passes solved" in row
    assert "solved by new (2026-06-20, “more ones”)" in row
    assert "at least 2 pass, no regression" in row
    assert "Reported by post desk." in page.text
    assert "3 of 3 certifies 0.44." in page.text
    assert page.row("Three critical").startswith("Three critical")
    failing = next(row for row in page.rows if row.strip().startswith("Three q0"))
    assert "answer equals 1" in failing


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (NONE, "new passes every requirement, and waits for a decision."),
        (CURRENT, "new may ship: it passes every requirement, and Ada (owner) approved it."),
        (STALE, "new may not ship yet: there is new evidence since Ada (owner) approved it."),
        (REJECTED, "new may not ship: Ada (owner) rejected it."),
        (USED, "new was promoted on the approval of Ada (owner), and is not in production any more."),
    ],
)
def test_a_passing_candidate_waits_for_a_person(state: str, words: str) -> None:
    given = evidence(fixed=True)
    decision = REJECT if state == REJECTED else APPROVE
    approval = Approval(state, None if state == NONE else signed(given, decision), ("three was fail and is pass",))
    page = page_of(given, approval)
    assert words in page.text
    assert ("three was fail and is pass" in page.text) == (state == STALE)
    assert ("The approval is stale." in page.text) == (state == STALE)
    assert page.text.count("three was fail and is pass") <= 1


def test_the_file_of_a_sign_off_is_not_written_over_with_newer_evidence(tmp_path: Path) -> None:
    given, later = evidence(fixed=True), evidence()
    approved = signed(given)
    kept = write_sign_off(given, "new", Approval(CURRENT, approved), None, {}, folder=tmp_path)
    before = kept.read_bytes()
    other = write_sign_off(later, "new", Approval(STALE, approved, ("three was pass",)), None, {}, folder=tmp_path)
    unsigned = write_sign_off(later, "new", Approval(NONE), None, {}, folder=tmp_path)
    assert (kept.name, other.name, unsigned.name) == ("sign-off-new..3.html", "sign-off-new.html", "sign-off-new.html")
    assert kept.read_bytes() == before


def test_many_changes_and_many_reasons_are_shortened_and_counted() -> None:
    many = [a_problem(f"q{place}", title=f"Title {place}", requirement=Requirement(at_least=1)) for place in range(30)]
    given = made_evidence(
        [a_candidate("new", 20)],
        many,
        [a_pattern(each.id, f"{each.id}-p") for each in many],
        {("new", f"{each.id}-p"): 8 for each in many},
    )
    stale = Approval(STALE, signed(given), tuple(f"change {place}" for place in range(20)))
    page = page_of(given, stale)
    assert "and 10 more: see problem by problem" in " ".join(page.text.split())
    assert "change 11 and 8 more." in page.text and "change 12" not in page.text


def test_a_problem_that_asks_only_about_regressions_says_so_instead_of_who_solved_it() -> None:
    only = a_problem(requirement=Requirement(max_regressions=0))
    given = made_evidence(
        [a_candidate("old", 1), a_candidate("new", 20)],
        [only],
        [a_pattern(only.id, "p0")],
        {("old", "p0"): 1, ("new", "p0"): 1},
        production="old",
    )
    assert "asked only not to break it" in page_of(given).row("1 or 8 medium")


def test_what_cannot_be_said_may_not_ship() -> None:
    verdict = evidence(fixed=True).verdict("new")
    assert verdict.verdict == PASS
    for word, why in ((INCOMPLETE, "something is missing"), (INCONCLUSIVE, "a bound cannot be settled")):
        said = decision_words(verdict.__class__(**{**vars(verdict), "verdict": word}), Approval(NONE))
        assert said == f"new may not ship yet: its verdict is {word}, for {why}."


def test_what_is_waived_is_shown_with_who_why_and_until_when() -> None:
    waiver = Waiver(1, "new", OTHER.id, None, "Ada", "threes are rare", LONG_AWAY, "2026-06-30T00:00:00Z")
    page = page_of(evidence(waivers=(waiver,)))
    assert "new passes every requirement, 1 failure of it waived, and waits for a decision." in page.text
    assert f"Three: waived until {LONG_AWAY} by Ada: threes are rare" in page.text
    assert "○ waived (fail)" in page.row("Three critical").replace(") (", ")(")


def test_what_is_missing_is_named() -> None:
    page = page_of(evidence(fixed=True, missing=("problems/x.yaml is refused: no id",)))
    assert "its verdict is incomplete, for something is missing" in page.text
    assert "problems/x.yaml is refused: no id" in page.text


def test_the_page_holds_the_evidence_and_the_digest_that_was_signed() -> None:
    given = evidence(fixed=True)
    html = sign_off_html(given, "new", Approval(CURRENT, signed(given)), None, {})
    kept = re.search(r'<script type="application/json" id="evidence">(.*?)</script>', html, re.S)
    assert kept is not None
    content = json.loads(kept.group(1))
    assert content == json.loads(json.dumps(evidence_of(given.verdict("new"))))
    assert digest_of(content) in html
    assert "(sign-off 3)" in html and ": the same" in html
    other = Approval(STALE, signed(given, evidence_digest="0" * 64), ("x",))
    assert "<b>another</b>" in sign_off_html(given, "new", other, None, {})


def test_no_name_can_break_the_page_and_it_asks_nobody() -> None:
    given = evidence(title=NASTY, missing=("</script><script>alert(2)</script>",))
    html = sign_off_html(given, "new", Approval(STALE, signed(given, words=NASTY), (NASTY,)), None, {})
    page = Page(html)
    assert page.tags.count("script") == 1  # the evidence, which is data
    assert all(source.startswith(("data:", "#")) for source in page.sources)
    assert "alert(2)</script>" not in html
    assert NASTY in page.text


def test_the_report_of_the_workspace_shows_verdicts_and_says_that_an_approval_is_stale() -> None:
    given = evidence(fixed=True)
    stale = signed(given, evidence_digest="0" * 64, evidence='{"candidate": ["new", "x"]}')
    page = Page(report_html(replace(given, sign_offs=(stale,))))
    row = page.row("new ✓ pass Stale")
    assert "Stale:" in row and "is stale: candidate was new (x) and is new" in row
    assert "Solved: 1 or 8" in row
    assert page.row("★ old ✗ fail").count("1 of 3 patterns pass") == 1


def test_a_candidate_of_which_nothing_was_measured_passes_nothing() -> None:
    given = made_evidence(
        [a_candidate("old"), a_candidate("new", 20)],
        [PROBLEM, OTHER],
        PATTERNS,
        {key: answer for key, answer in ANSWERS.items() if key[0] == "old"},
        production="old",
    )
    page = page_of(given)
    assert "It passes all." not in page.text
    assert "Three (not measured yet), 1 or 8 (not measured yet)" in page.text
    assert "not measured by both on the same patterns" in page.text
    assert "no pattern that works in production" not in page.text


def test_without_a_production_nothing_is_said_to_be_solved_or_broken() -> None:
    given = made_evidence([a_candidate("new")], [PROBLEM], PATTERNS[:3], {("new", f"p{n}"): 1 for n in range(3)})
    page = page_of(given)
    assert "Nothing is compared with production: nobody is in it" in page.text


def test_a_waiver_that_does_not_reach_says_what_is_open_still() -> None:
    waiver = Waiver(1, "new", PROBLEM.id, None, "Ada", "for now", LONG_AWAY, "2026-06-30T00:00:00Z")
    answers = {**ANSWERS, ("new", "p0"): ERROR, ("new", "p1"): 8, ("new", "p2"): 8}
    given = made_evidence(
        [a_candidate("old", 1), a_candidate("new", 20)], [PROBLEM], PATTERNS[:3], answers, production="old",
        waivers=[waiver],
    )  # fmt: skip
    page = page_of(given)
    assert "? waived, but cannot be said: something is missing" in page.row("1 or 8 medium")
    assert given.verdict("new").problems[0].words == "incomplete (fail is waived)"


def test_of_many_candidates_the_graph_keeps_the_order_and_shows_the_gap() -> None:
    names = [f"c{place:02d}" for place in range(20)]
    given = made_evidence(
        [a_candidate(name, place + 1) for place, name in enumerate(names)],
        [PROBLEM],
        PATTERNS[:3],
        {(name, f"p{n}"): 1 for name in names for n in range(3)},
        production="c02",
    )
    picture = str(history_svg(given, PROBLEM, "c05"))
    shown = re.findall(r">(?:\u2605 )?(c\d\d)<", picture)
    assert shown == sorted(shown) and {"c02", "c05", "c19"} <= set(shown)
    assert picture.count("\u2026</text>") == 2
    assert picture.count("<polyline") == 3
