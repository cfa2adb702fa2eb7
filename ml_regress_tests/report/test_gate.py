"""The gate's words: exit codes, and four forms of one verdict that hostile names cannot break."""

import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from ml_regress.core.approval import NONE, Approval
from ml_regress.core.evaluation import Measure
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.power import Flakiness
from ml_regress.core.problem import Problem, Requirement
from ml_regress.core.verdict import FAIL, INCOMPLETE, INCONCLUSIVE, PASS, CellFacts, Flips, Verdict, judge
from ml_regress.core.waiver import Waiver, Waivers
from ml_regress.report.facts import gather_facts
from ml_regress.report.gate import (
    COMMENT_LIMIT,
    FORMATS,
    GateView,
    exit_code,
    gate_json,
    gate_junit,
    gate_markdown,
    gate_text,
    gate_view,
    shown,
)
from ml_regress.report.power import power_words
from ml_regress.store import Store
from ml_regress_tests.scenario import (
    commit_outcomes,
    execute,
    import_muffins,
    muffin_pattern,
    muffin_problem,
    registered,
    scalar,
)

HOSTILE = "a|b `c` <script>x</script> @team #1\n![i](http://x)\x1b[31m\x00\u202e & www.x.org ]]>"
WAIVER = Waiver(7, "new", "towel", None, "Ada", "a known gap", "2026-12-31", "2026-06-01T00:00:00Z")


def a_problem(name: str, title: str = "", *, metric: str = "pass_rate", state: str = "open", **asked: Any) -> Problem:
    requirement = Requirement(**asked)
    inputs = parse_input_types({"x": "number"})
    return Problem(name, title or name.title(), inputs, metric=metric, state=state, requirement=requirement)


def measured(problem: Problem, passes: int, patterns: int = 12, **facts: Any) -> CellFacts:
    rate = Measure(problem.metric, passes / patterns)
    given = {"suite": "s1", "answered": patterns, "patterns": patterns, "metric": rate, "flips": Flips(), **facts}
    return CellFacts(problem, "ok", passes=passes, **given)


def view_of(*facts: CellFacts, waivers: Waivers | None = None, **more: Any) -> GateView:
    verdict = judge(("new", "d1"), ("old", "d0"), facts, waivers=waivers, missing=more.pop("missing", ()))
    power = {each.problem.id: power_words(each.problem, each) for each in facts}
    return GateView("letters", verdict, "2026-06-21T08:00:00.000Z", power, **more)


MET = measured(a_problem("muffin", at_least=10), 11)
BROKEN = measured(a_problem("towel", at_least=10, max_regressions=1), 11, flips=Flips((), ("p3", "p4")))
UNSURE = measured(a_problem("sheep", metric_at_least=0.9), 12)
DUE = CellFacts(a_problem("goat", at_least=1), "due", "new pattern", patterns=3)


def junit(view: GateView) -> Any:
    return ElementTree.fromstring(gate_junit(view))  # noqa: S314 - made here


# -- exit codes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "verdict", "code"),
    [
        ((MET,), PASS, 0),
        ((MET, BROKEN), FAIL, 1),
        ((MET, UNSURE), INCONCLUSIVE, 2),
        ((MET, DUE), INCOMPLETE, 2),
        ((BROKEN, DUE), FAIL, 1),
        ((), INCOMPLETE, 2),
    ],
)
def test_the_exit_code_follows_the_verdict(facts: tuple[CellFacts, ...], verdict: str, code: int) -> None:
    view = view_of(*facts)
    assert (view.verdict.verdict, exit_code(view.verdict)) == (verdict, code)
    assert json.loads(gate_json(view))["exit_code"] == code
    assert gate_text(view).startswith(f"{verdict}: new of letters, against old in production\n")
    assert gate_markdown(view).startswith(f"**{verdict}")


@pytest.mark.parametrize(
    ("facts", "failures", "errors"), [((MET,), 0, 0), ((BROKEN,), 1, 0), ((UNSURE,), 0, 1), ((DUE,), 0, 1), ((), 0, 1)]
)
def test_junit_fails_where_the_exit_code_does(facts: tuple[CellFacts, ...], failures: int, errors: int) -> None:
    root = junit(view_of(*facts))
    assert (root.get("failures"), root.get("errors")) == (str(failures), str(errors))


# -- what is said --------------------------------------------------------------------------------


def test_the_text_says_what_decides_first_and_every_problem_in_a_line() -> None:
    lines = gate_text(view_of(MET, BROKEN, sign_off="nobody signed yet")).splitlines()
    assert lines[:6] == [
        "fail: new of letters, against old in production",
        "  - Towel (towel): 2 regressions against old (p3, p4); at most 1 regression",
        "",
        "2 problems: 1 fail, 1 pass",
        "  fail  Towel (towel): 11/12",
        "  pass  Muffin (muffin): 11/12",
    ]
    assert "decision: nobody signed yet" in lines


def test_a_waived_failure_passes_and_is_shown_as_waived_everywhere() -> None:
    view = view_of(MET, BROKEN, waivers=Waivers({"towel": WAIVER}, {}))
    assert exit_code(view.verdict) == 0
    text = gate_text(view)
    assert text.startswith("pass with waivers: new")
    assert "  - towel waived until 2026-12-31 by Ada: a known gap" in text
    assert "fail (waived)  Towel (towel): 11/12" in text
    assert "**fail (waived)**" in gate_markdown(view)
    assert "waived until 2026-12-31 by Ada" in gate_markdown(view)
    said = json.loads(gate_json(view))
    assert [each["number"] for each in said["waivers"]] == [7]
    assert [(each["verdict"], each["counted"], each["waiver"]) for each in said["problems"]] == [
        ("pass", "pass", None),
        ("fail", "pass", 7),
    ]
    root = junit(view)
    assert (root.get("failures"), root.get("skipped")) == ("0", "1")
    assert "a known gap" in root.find(".//skipped").get("message")


def test_what_could_not_be_judged_is_named_beside_a_fail_too() -> None:
    view = view_of(BROKEN, missing=["problems/x.yaml is refused: no title"])
    for form in FORMATS:
        assert "is refused" in shown(view, form)
    root = junit(view)
    assert (root.get("failures"), root.get("errors")) == ("1", "1")
    assert root.findall("testsuite")[-1].get("name") == "what could not be judged"


def test_a_skipped_flip_rule_is_skipped_in_junit() -> None:
    verdict = judge(("new", "d1"), None, [BROKEN._replace(flips=None)])
    view = GateView("letters", verdict, "2026-06-21T08:00:00.000Z")
    root = junit(view)
    assert (root.get("tests"), root.get("skipped"), root.get("errors")) == ("2", "1", "0")
    assert gate_text(view).startswith("pass: new of letters, no candidate is in production")


def test_junit_has_a_suite_a_problem_and_a_test_a_check_and_its_counts_add_up() -> None:
    both = measured(a_problem("sheep", metric_at_least=0.5, metric_at_most=0.9), 11)
    root = junit(view_of(MET, BROKEN, both))
    suites = root.findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["Muffin (muffin)", "Towel (towel)", "Sheep (sheep)"]
    assert [case.get("name") for case in suites[2].findall("testcase")] == ["metric", "metric 2"]
    assert {case.get("classname") for case in suites[2].findall("testcase")} == {"new.sheep"}
    for name in ("tests", "failures", "errors", "skipped"):
        assert int(root.get(name)) == sum(int(suite.get(name)) for suite in suites)
    assert int(root.get("tests")) == len(root.findall(".//testcase"))
    failure = root.find(".//failure")
    assert failure.get("type") == "fail" and failure.text == failure.get("message")
    assert suites[0].get("timestamp") == "2026-06-21T08:00:00"


def test_json_holds_all_numbers_under_stable_keys() -> None:
    said = json.loads(gate_json(view_of(MET, UNSURE)))
    assert set(said) == {
        "workspace", "candidate", "production", "made_at", "verdict", "exit_code", "reasons", "missing", "counts",
        "solved", "waivers", "decision", "problems", "evidence",
    }  # fmt: skip
    assert said["candidate"] == {"id": "new", "digest": "d1"}
    muffin, sheep = said["problems"]
    assert (muffin["passes"], muffin["answered"], muffin["rate"]) == (11, 12, pytest.approx(11 / 12))
    assert muffin["intervals"]["wilson"] == pytest.approx([0.6461, 0.9851], abs=1e-4)
    assert muffin["intervals"]["clopper_pearson"] == pytest.approx([0.6152, 0.9979], abs=1e-4)
    assert muffin["intervals"]["jeffreys"] == pytest.approx([0.6713, 0.9904], abs=1e-3)
    assert sheep["intervals"]["wilson_one_sided"][0] == pytest.approx(sheep["checks"][0]["low"])
    assert json.loads(gate_json(view_of(DUE)))["problems"][0]["intervals"] is None


# -- names are data ------------------------------------------------------------------------------


@pytest.fixture
def hostile() -> GateView:
    asked = a_problem("towel", HOSTILE, at_least=12)
    waiver = replace(WAIVER, problem="sheep", why=HOSTILE)
    other = measured(replace(a_problem("sheep", at_least=12), title=HOSTILE), 1)
    facts = [measured(asked, 1), other]
    view = view_of(*facts, waivers=Waivers({"sheep": waiver}, {}), missing=[HOSTILE], sign_off=HOSTILE)
    return replace(view, name=HOSTILE)


def test_no_name_forges_a_line_or_moves_the_cursor_in_a_terminal(hostile: GateView) -> None:
    text = gate_text(hostile)
    assert not {"\x1b", "\x00", "\u202e", "\r"} & set(text)
    assert "\\x1b[31m\\x00\\u202e" in text
    assert len([line for line in text.splitlines() if line.startswith("![i]")]) == 0


def test_no_name_becomes_markup_a_column_or_a_mention_in_a_comment(hostile: GateView) -> None:
    text = gate_markdown(hostile)
    assert "<script" not in text and "![i]" not in text and "`c`" not in text
    assert "@team" not in text and "#1" not in text.replace("&#124;", "").replace("&#96;", "")
    assert "http:" not in text and "www.x" not in text
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert {line.count("|") for line in table} == {6}
    assert len(table) == 4


def test_no_name_breaks_the_xml(hostile: GateView) -> None:
    root = junit(hostile)
    assert root.find("testsuite").get("name").startswith("a|b `c` <script>x</script> @team #1 ![i]")
    assert "\\x1b[31m\\x00\\u202e" in root.find("testsuite").get("name")


def test_json_keeps_names_as_they_are(hostile: GateView) -> None:
    said = json.loads(gate_json(hostile))
    assert said["workspace"] == HOSTILE and said["problems"][0]["title"] == HOSTILE
    assert gate_json(hostile).isascii()


def test_a_surrogate_in_a_name_can_be_printed_in_every_form() -> None:
    view = view_of(measured(a_problem("towel", "half \ud83d sign", at_least=12), 1))
    for form in FORMATS:
        shown(view, form).encode()


def test_a_comment_has_room_for_what_matters_where_there_are_many_problems() -> None:
    facts = [measured(a_problem(f"p{number}", "x" * 300, at_least=12), 11) for number in range(400)]
    text = gate_markdown(view_of(MET, *facts))
    assert len(text) < COMMENT_LIMIT
    assert "and 350 more" in text and "more problems are left out" in text


# -- power ---------------------------------------------------------------------------------------


def test_the_power_of_a_count_is_said_beside_it() -> None:
    assert power_words(MET.problem, MET) == (
        "11 of 12 is 0.917, 95% interval 0.646 to 0.985",
        "12 of 12 certifies only 0.758",
        "with 12 patterns 6 one-way flips are needed for p < 0.05",
    )
    fifteen = measured(a_problem("muffin", at_least=15), 15, 15)
    assert "15 of 15 certifies only 0.796" in power_words(fifteen.problem, fifteen)
    few = measured(a_problem("muffin", at_least=1), 1, 1)
    assert "with 1 pattern no change can reach p < 0.05: 6 one-way flips are needed" in power_words(few.problem, few)


ALL = "needs at least 25 patterns, all passing"
NO_NUMBER = "no number of patterns certifies it; ask for a count (at_least) instead"


@pytest.mark.parametrize(
    ("asked", "patterns", "words"),
    [
        ({"metric_at_least": 0.9}, 12, f"pass_rate at least 0.9 {ALL}; there are 12, so it cannot pass"),
        ({"metric_at_least": 0.9}, 25, f"pass_rate at least 0.9 {ALL}"),
        ({"metric_at_most": 0.3}, 12, "pass_rate at most 0.3 needs at least 7 patterns, none passing"),
        ({"metric_at_least": 1.0}, 12, f"pass_rate at least 1: {NO_NUMBER}"),
        (
            {"metric_at_least": 0.9, "metric": "recall"},
            30,
            "recall at least 0.9 needs at least 25 patterns that count in it, all passing",
        ),
    ],
)
def test_a_bound_on_a_rate_says_how_many_patterns_it_needs(asked: dict[str, Any], patterns: int, words: str) -> None:
    facts = measured(a_problem("sheep", **asked), patterns, patterns)
    assert power_words(facts.problem, facts)[-1] == words


@pytest.mark.parametrize("patterns", [24, 25])
def test_the_patterns_that_are_said_to_be_needed_are_those_of_the_verdict(patterns: int) -> None:
    facts = measured(a_problem("sheep", metric_at_least=0.9), patterns, patterns)
    cannot = "so it cannot pass" in power_words(facts.problem, facts)[-1]
    assert (view_of(facts).verdict.verdict == PASS) is not cannot


def test_a_bound_on_a_metric_that_is_no_rate_says_nothing_of_patterns() -> None:
    facts = measured(a_problem("sheep", metric="mae", metric_at_most=2.0), 3)
    assert not [line for line in power_words(facts.problem, facts) if "mae" in line]


def test_an_allowance_of_regressions_says_what_net_it_stands_for() -> None:
    allowed = measured(a_problem("sheep", max_regressions=3), 12)
    assert power_words(allowed.problem, allowed)[-1] == (
        "at most 3 regressions of 12 patterns: a net of -0.250 on the rate where nothing is fixed "
        "(3 one-way flips have p = 0.25)"
    )
    watched = measured(a_problem("sheep", state="watched"), 12)
    assert power_words(watched.problem, watched)[-1].startswith("no regression is allowed")


def test_a_cell_without_answers_has_no_interval_and_one_without_patterns_nothing() -> None:
    assert power_words(DUE.problem, DUE)[0] == "3 of 3 certifies only 0.439"
    assert power_words(DUE.problem, DUE._replace(patterns=0)) == ()


# -- draws ---------------------------------------------------------------------------------------


def test_the_false_fail_rate_is_said_where_draws_exist() -> None:
    view = view_of(MET, flaky={"muffin": Flakiness(5, ("p1", "p2"), 0.4937, 0.031)})
    assert (
        "flaky in 5 draws or more a pattern: p1, p2; measured anew, its count of passes and canaries fails by one draw "
        "49.4% of the time, by the majority of as many draws 3.1%"
    ) in gate_text(view)
    assert json.loads(gate_json(view))["problems"][0]["flaky"]["one_draw"] == 0.4937


def test_no_false_fail_rate_is_said_of_a_problem_that_asks_for_no_count() -> None:
    view = view_of(UNSURE, flaky={"sheep": Flakiness(5, (), 0.0, 0.0)})
    assert "nothing is flaky in 5 draws or more a pattern" in gate_text(view)
    assert "measured anew" not in gate_text(view)


@pytest.fixture
def drawn(store: Store) -> Store:
    """A candidate that asks two of three passes; p1 passed in one of four draws, p2 in three, p3 has one draw only."""
    asked = muffin_problem(requirement=Requirement(at_least=2, canaries=False))
    import_muffins(store, [muffin_pattern(name) for name in ("p1", "p2", "p3")], asked)
    store.candidates.register(registered("new"))
    commit_outcomes(store, "new", {"p1": "failed", "p2": "passed", "p3": "passed"})
    number = scalar(store, "SELECT number FROM evaluations")
    for pattern, passed in (("p1", 1), ("p2", 3)):
        execute(store, f"INSERT INTO reliabilities VALUES ({number}, '{pattern}', {passed}, 4)")
    return store


def viewed(store: Store) -> tuple[GateView, Verdict]:
    facts = gather_facts(store, ["new"])
    verdict = facts.verdict("new")
    return gate_view(store, "letters", facts, verdict, Approval(NONE)), verdict


def test_the_view_of_a_store_has_the_flakiness_of_its_draws(drawn: Store) -> None:
    view, verdict = viewed(drawn)
    assert verdict.verdict == PASS
    found = view.flaky["muffin"]
    assert (found.draws, found.flaky) == (1, ("p1", "p2"))
    assert found.one_draw == pytest.approx(0.75 * 0.25)  # p3 always passes, so one of the others must
    assert view.sign_off == "nobody signed yet"
    assert view.power["muffin"][0] == "2 of 3 is 0.667, 95% interval 0.208 to 0.939"


def test_a_waived_pattern_does_not_make_a_gate_flaky(drawn: Store) -> None:
    drawn.decisions.waive("new", "muffin", "p1", person="Ada", reason="a known gap", until="2999-12-31")
    found = viewed(drawn)[0].flaky["muffin"]
    assert (found.flaky, found.one_draw) == (("p2",), 0.0)


def test_without_draws_nothing_is_said_of_flakiness(store: Store) -> None:
    import_muffins(store, [muffin_pattern("p1")])
    store.candidates.register(registered("new"))
    commit_outcomes(store, "new", {"p1": "passed"})
    assert viewed(store)[0].flaky == {}


def test_junit_is_red_where_a_waiver_does_not_reach() -> None:
    facts = measured(a_problem("towel", at_least=12), 3, patterns=10, answered=8, errors=2)._replace(state="error")
    view = view_of(facts, waivers=Waivers({"towel": WAIVER}, {}))
    assert exit_code(view.verdict) == 2
    suite = junit(view).find("testsuite")
    assert suite.find(".//skipped") is not None
    assert "could not be measured" in suite.find(".//error").get("message")
