"""The gate's answer: whether a candidate may ship, as an exit code and in words, for a person and for machines.

Names and titles are data: each form escapes them, so that none can forge a line, a mention or an element.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any
from xml.etree import ElementTree

from ml_regress.core.digest import digest_of
from ml_regress.core.statistics import ONE_SIDED, clopper_pearson, jeffreys, wilson
from ml_regress.core.verdict import FAIL, PASS, SKIPPED, Check, ProblemVerdict, evidence_of
from ml_regress.core.waiver import Waiver
from ml_regress.report.gate_view import GateView, exit_code, gate_view
from ml_regress.report.markdown import markdown_table, markdown_text
from ml_regress.report.plain import plain

__all__ = [
    "EXIT_CODES", "FORMATS", "GateView", "exit_code", "gate_json", "gate_junit", "gate_markdown", "gate_text",
    "gate_view", "shown",
]  # fmt: skip

EXIT_CODES = (
    "Exit codes: 0 the verdict is pass, 1 it is fail (or the command was refused), 2 it is inconclusive or incomplete "
    "(or wrong usage); the reason of a refusal is on standard error."
)
# A comment of GitHub holds 65,536 characters, and some words around this one.
COMMENT_LIMIT = 60_000
_REFERENCE = re.compile(r"(\\?[@#!])(?=[\w\"])")


def gate_text(view: GateView) -> str:
    """For a terminal: what decides first, then every problem in a line, then what the numbers can tell."""
    verdict = view.verdict
    lines = [view.headline, *(f"  - {reason}" for reason in verdict.reasons)]
    if verdict.missing and verdict.verdict == FAIL:
        lines += ["it is incomplete, too:", *(f"  - {each}" for each in verdict.missing)]
    lines += ["", view.counts]
    width = max((len(each.words) for each in verdict.problems), default=0)
    lines += [f"  {each.words:<{width}}  {_problem_line(each)}" for each in view.worst_first]
    if verdict.solved:
        lines += [f"solved: {', '.join(f'{each.title} ({each.problem})' for each in verdict.solved)}"]
    if verdict.waived:
        lines += ["waived:", *(f"  - {place_of(each)} {each.words}" for each in verdict.waived)]
    told = [(each, view.told(each)) for each in view.worst_first]
    if any(words for _, words in told):
        lines += ["", "what the numbers can tell:"]
        lines += [f"  {each.problem}: {'; '.join(words)}" for each, words in told if words]
    lines += ["", f"decision: {view.sign_off or 'nobody signed yet'}"]
    lines += [f"judged at {view.made_at}, evidence {digest_of(evidence_of(verdict))[:12]}"]
    return "\n".join(map(plain, lines))


def _problem_line(each: ProblemVerdict) -> str:
    measured = f"{each.passes}/{each.answered}" if each.answered else "nothing measured"
    errors = f", {each.errors} errors" if each.errors > 1 else ", 1 error" * each.errors
    return f"{each.title} ({each.problem}): {measured}{errors}" + (", solved" if each.solved else "")


def place_of(waiver: Waiver) -> str:
    return waiver.problem if waiver.pattern is None else f"{waiver.problem}/{waiver.pattern}"


def gate_json(view: GateView) -> str:
    """For a script: all words and numbers, under keys that stay (docs/gate.md)."""
    verdict = view.verdict
    return json.dumps(
        {
            "workspace": view.name,
            "candidate": {"id": verdict.candidate, "digest": verdict.candidate_digest},
            "production": verdict.production and {"id": verdict.production, "digest": verdict.production_digest},
            "made_at": view.made_at,
            "verdict": verdict.verdict,
            "exit_code": exit_code(verdict),
            "evidence": digest_of(evidence_of(verdict)),
            "reasons": verdict.reasons,
            "missing": verdict.missing,
            "counts": verdict.counts(),
            "solved": [each.problem for each in verdict.solved],
            "waivers": [asdict(each) for each in verdict.waived],
            "decision": view.sign_off,
            "problems": [_problem_json(view, each) for each in verdict.problems],
        },
        indent=2,
        allow_nan=False,
    )


def _problem_json(view: GateView, each: ProblemVerdict) -> dict[str, Any]:
    found = view.flaky.get(each.problem)
    return {
        "problem": each.problem,
        "title": each.title,
        "verdict": each.verdict,
        "counted": each.counted,
        "solved": each.solved,
        "waiver": None if each.waiver is None else each.waiver.number,
        "waived_patterns": [waiver.pattern for waiver in each.waived],
        "suite": each.suite,
        "passes": each.passes,
        "answered": each.answered,
        "errors": each.errors,
        "rate": each.passes / each.answered if each.answered else None,
        "intervals": _intervals(each) if each.answered else None,
        "checks": [check._asdict() for check in each.checks],
        "power": view.told(each),
        "flaky": None if found is None else asdict(found),
    }


def _intervals(each: ProblemVerdict) -> dict[str, tuple[float, float]]:
    """Intervals of the rate: two-sided at 95%, and both one-sided 95% bounds."""
    k, n = each.passes, each.answered
    return {
        "wilson": wilson(k, n),
        "clopper_pearson": clopper_pearson(k, n),
        "jeffreys": jeffreys(k, n),
        "wilson_one_sided": wilson(k, n, ONE_SIDED),
    }


def gate_markdown(view: GateView) -> str:
    """For a comment on a pull request: the verdict, what decides, a table of problems, and details to unfold."""
    verdict = view.verdict
    parts = [f"**{_comment(view.headline)}**"]
    parts.append(_list(verdict.reasons))
    if verdict.missing and verdict.verdict == FAIL:
        parts.append("It is incomplete, too:\n\n" + _list(verdict.missing))
    parts.append(f"{_comment(view.counts)}. Decision: {_comment(view.sign_off or 'nobody signed yet')}.")
    rows = [
        [f"**{each.words}**" if each.words != PASS else PASS, _comment(f"{each.title} ({each.problem})"),
         f"{each.passes}/{each.answered}" if each.answered else "", "solved" if each.solved else "",
         "<br>".join(map(_comment, _why(each)))]
        for each in view.worst_first
    ]  # fmt: skip
    header = ["Verdict", "Problem", "Passes", "", "Why"]
    details = [
        _list([f"{each.problem}: {'; '.join(words)}" for each in view.worst_first if (words := view.told(each))]),
        "Waived:\n\n" + _list([f"{place_of(each)} {each.words}" for each in verdict.waived]) if verdict.waived else "",
        f"Judged at {view.made_at}, evidence {digest_of(evidence_of(verdict))[:12]}.",
    ]
    folded = "\n\n".join(
        ["<details><summary>What the numbers can tell</summary>", *filter(None, details), "</details>"]
    )
    parts = [part for part in parts if part]
    room = COMMENT_LIMIT - len("\n\n".join(parts))
    table, left_out = _fitting(header, rows, room // 2)
    parts += [table, f"{left_out} more problems are left out: see the report." if left_out else ""]
    if len(folded) < room // 2:
        parts.append(folded)
    return "\n\n".join(filter(None, parts)) + "\n"


def _why(each: ProblemVerdict) -> list[str]:
    reasons = list(each.reasons) or [check.reason for check in each.checks]
    return reasons if each.waiver is None else [*reasons, each.waiver.words]


def _comment(text: str) -> str:
    """Free text that stays text in a comment: a mention, or a reference to an issue, would call somebody."""
    safe = markdown_text(plain(text), 1000).replace("www.", "www\\.")
    # Both sites look for mentions in the rendered text, where a backslash is gone.
    return _REFERENCE.sub("\\1\u200b", safe)


def _list(lines: Iterable[str], most: int = 50) -> str:
    given = list(lines)
    more = [f"- and {len(given) - most} more"] if len(given) > most else []
    return "\n".join([*(f"- {_comment(line)}" for line in given[:most]), *more])


def _fitting(header: list[str], rows: list[list[str]], room: int) -> tuple[str, int]:
    """The table with as many rows as there is room for, and how many are left out."""
    kept = list[list[str]]()
    for row in rows:
        room -= sum(map(len, row)) + 3 * len(row) + 2
        if room < 0:
            break
        kept.append(row)
    return markdown_table(header, kept), len(rows) - len(kept)


def gate_junit(view: GateView) -> str:
    """JUnit's XML (which knows no control characters): a problem is a suite of tests, each check a test of it.

    A failing check is a failure, one that is inconclusive or incomplete an error, one that is skipped or waived is
    skipped. What could not be judged at all is a suite of its own.
    """
    verdict = view.verdict
    root = ElementTree.Element("testsuites", {"name": plain(f"ml-regress gate: {verdict.candidate}")})
    suites = [_junit_suite(view, each) for each in verdict.problems]
    if verdict.missing:
        suites.append(_missing_suite(view))
    totals = Counter[str]()
    for suite in suites:
        counted = Counter(child.tag for case in suite.iter("testcase") for child in case)
        numbers = {"tests": len(suite.findall("testcase")), "failures": counted["failure"], "errors": counted["error"],
                   "skipped": counted["skipped"]}  # fmt: skip
        totals.update(numbers)
        for name, number in numbers.items():
            suite.set(name, str(number))
        suite.set("time", "0")
        suite.set("timestamp", view.made_at[:19])
        root.append(suite)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(totals[name]))
    root.set("time", "0")
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _junit_suite(view: GateView, each: ProblemVerdict) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", {"name": plain(f"{each.title} ({each.problem})")})
    numbers = Counter[str]()
    for check in each.checks:
        numbers[check.rule] += 1
        name = check.rule if numbers[check.rule] == 1 else f"{check.rule} {numbers[check.rule]}"
        case = _junit_case(suite, f"{view.verdict.candidate}.{each.problem}", name)
        said = _junit_outcome(check, each.waiver, not_applicable=each.verdict != FAIL)
        if said is not None:
            _add(case, said[0], check.verdict, said[1])
    told = view.told(each)
    if told:
        ElementTree.SubElement(suite, "system-out").text = "\n".join(map(plain, told))
    return suite


def _junit_outcome(check: Check, waiver: Waiver | None, *, not_applicable: bool) -> tuple[str, str] | None:
    """(element, message) of a check that did not pass; a waiver lets a fail through, or what is not applicable."""
    if check.verdict == PASS:
        return None
    if waiver is not None and (check.verdict == FAIL or not_applicable):
        return "skipped", f"{check.reason}; {waiver.words}"
    return {FAIL: "failure", SKIPPED: "skipped"}.get(check.verdict, "error"), check.reason


def _missing_suite(view: GateView) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", {"name": "what could not be judged"})
    for number, words in enumerate(view.verdict.missing, 1):
        _add(_junit_case(suite, view.verdict.candidate, f"missing {number}"), "error", "incomplete", words)
    return suite


def _junit_case(suite: ElementTree.Element, of: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", {"classname": plain(of), "name": plain(name), "time": "0"})


def _add(case: ElementTree.Element, tag: str, kind: str, words: str) -> None:
    """A message as attribute, and as text where a reader shows only that; "skipped" knows no type."""
    given = {"message": plain(words)} if tag == "skipped" else {"message": plain(words), "type": kind}
    ElementTree.SubElement(case, tag, given).text = plain(words)


_FORMS: dict[str, Callable[[GateView], str]] = {
    "text": gate_text,
    "json": gate_json,
    "junit": gate_junit,
    "markdown": gate_markdown,
}
FORMATS = tuple(_FORMS)


def shown(view: GateView, form: str) -> str:
    """The view in one of FORMATS."""
    return _FORMS[form](view)
