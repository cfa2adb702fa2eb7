"""The page of a comparison, and what the terminal shows: numbers, words and pictures, whatever the names are."""

import io
import json
from html.parser import HTMLParser
from pathlib import Path

from rich.console import Console

from ml_regress.core.expectation import Expectation
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.pattern import Pattern
from ml_regress.core.problem import Problem, Requirement
from ml_regress.report.compare_page import compare_html, write_compare
from ml_regress.report.compare_text import compare_dict, compare_text, headline
from ml_regress.report.compared import Compared, gather_compared
from ml_regress.store import Store
from ml_regress_tests.scenario import (
    commit_outcomes,
    execute,
    import_muffins,
    muffin_pattern,
    muffin_problem,
    registered,
)
from ml_regress_tests.store.made import ENVIRONMENT, predictions

NASTY = '<script>alert(1)</script> & "x"'
NAMES = [f"p{place}" for place in range(10)]
PASSED, FAILED = dict.fromkeys(NAMES, "passed"), dict.fromkeys(NAMES, "failed")


class Page(HTMLParser):
    """The texts of a page, its elements, and the rows of its tables."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.rows: list[str] = []
        self.sources: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [str(value) for name, value in attrs if name in ("src", "href", "onclick", "onerror")]
        if tag == "tr":
            self.rows.append("")

    def handle_data(self, data: str) -> None:
        words = f" {data.strip()}"
        self.text += words
        if self.rows:
            self.rows[-1] += words

    def row(self, start: str) -> str:
        rows = (" ".join(row.split()) for row in self.rows)
        return next(row for row in rows if row.startswith(start))


def compared(store: Store, *, title: str = "Muffin", canary: str = "") -> Compared:
    """`new` fixes all muffins, and breaks one towel."""
    asked = Requirement(tolerance=0.05)
    for problem in ("muffin", "towel"):
        given = muffin_problem(problem, title=title if problem == "muffin" else "Towel", requirement=asked)
        patterns = [
            muffin_pattern(name, problem=problem, canary=name == canary, twin="p1" if name == "p0" else None)
            for name in NAMES
        ]
        import_muffins(store, patterns, given)
    for place, name in enumerate(("old", "new"), 1):
        store.candidates.register(registered(name, f"2026-0{place}-01T00:00:00+00:00", changed=f"{title} {place}"))
        commit_outcomes(store, name, FAILED if name == "old" else PASSED, "muffin")
        commit_outcomes(store, name, PASSED if name == "old" else {**PASSED, "p3": "failed"}, "towel")
    store.candidates.adopt_production("old", actor="test", reason="")
    return gather_compared(store, "bakery", "old", "new")


def test_each_problem_has_its_numbers_and_what_can_be_said(store: Store) -> None:
    page = Page(compare_html(compared(store)))
    muffin = page.row("Muffin muffin")
    assert "0 of 10 10 of 10" in muffin
    assert "+10" in muffin and "0.002" in muffin and "0.004" in muffin  # p, and p among two problems
    assert "+100.0 points" in muffin and "✓ better" in muffin and "tolerance 5.0 points" in muffin
    assert "pairs with both right: 0, then 1 of 1" in muffin
    towel = page.row("Towel towel")
    assert "10 of 10 9 of 10" in towel and "1.000" in towel and "no clear change" in towel
    assert page.row("backward trust") == "backward trust 90.0% of what was right stays right"
    assert page.row("error compatibility") == "error compatibility 0.0% of what was wrong stays wrong"
    assert page.row("correction") == "correction the p values of 2 problems are adjusted together (Holm)"
    assert page.row("pooled").startswith("pooled better: 9 fixed, 1 broken of 18 units (a family counts once)")


def test_what_is_undefined_is_said_to_be_so(store: Store) -> None:
    found = compared(store)
    execute(store, "UPDATE problems SET state = 'closed' WHERE id = 'towel'")
    page = Page(compare_html(gather_compared(store, "bakery", "old", "new")))
    assert page.row("backward trust") == "backward trust undefined of what was right stays right"
    assert compare_dict(found)["compatibility"]["trust"] == 0.9
    assert compare_dict(gather_compared(store, "bakery", "old", "new"))["compatibility"]["trust"] is None


def test_patterns_chosen_on_failures_are_said_and_take_no_part(store: Store) -> None:
    compared(store)
    execute(store, "UPDATE patterns SET selected_on = 'old' WHERE problem = 'muffin' AND id IN ('p5', 'p6')")
    page = Page(compare_html(gather_compared(store, "bakery", "old", "new")))
    assert "2 chosen on its failures, tested on 8" in page.row("Muffin muffin")
    assert "chosen on the failures" in page.text
    execute(store, "UPDATE patterns SET selected_on = 'old' WHERE problem = 'muffin'")
    page = Page(compare_html(gather_compared(store, "bakery", "old", "new")))
    assert "chosen on its failures" in page.row("Muffin muffin")
    assert "✓ better" not in page.row("Muffin muffin")


def test_flips_stand_worst_first_with_input_expectation_and_both_answers(store: Store) -> None:
    image = parse_input_types({"image": "image(2, 2, pixel_{index}, 0..255)", "hint": "text"})
    problem = Problem("shape", "Shape", image, labels=("dot", "bar"))
    inputs = [{f"pixel_{place}": float(place * number) for place in range(4)} for number in (10, 20)]
    patterns = [
        Pattern("shape", f"s{place}", {**values, "hint": NASTY}, Expectation("equals", "dot"), canary=place == 1)
        for place, values in enumerate(inputs)
    ]
    import_muffins(store, patterns, problem)
    for name, answers in (("old", ("dot", "dot")), ("new", ("bar", "bar"))):
        store.candidates.register(registered(name))
        made = {pattern.input_digest: answer for pattern, answer in zip(patterns, answers, strict=True)}
        store.evaluations.commit(name, [], predictions=predictions(**made), environment=ENVIRONMENT, claim="test")
        outcome = "passed" if name == "old" else "failed"
        commit_outcomes(store, name, {"s0": outcome, "s1": outcome}, "shape")
    page = Page(compare_html(gather_compared(store, "bakery", "old", "new")))
    flips = [" ".join(row.split()) for row in page.rows if "✗ broken" in row]
    assert [flip.split()[2] for flip in flips] == ["s1", "s0"]  # the canary first
    assert "canary" in flips[0] and "answer equals dot" in flips[0] and flips[0].endswith("dot bar")
    assert NASTY in flips[0]
    assert len([source for source in page.sources if source.startswith("data:image/png;base64,")]) == 2


def test_no_name_can_break_the_page_and_it_asks_nobody(store: Store, tmp_path: Path) -> None:
    found = compared(store, title=NASTY)
    html = compare_html(found)
    page = Page(html)
    assert "script" not in page.tags
    assert NASTY in page.text
    assert all(source.startswith(("data:", "#")) for source in page.sources)
    assert "default-src 'none'" in html
    assert write_compare(found, tmp_path).name == "compare-old..new.html"


def test_the_sentence_at_the_top_names_what_broke_most(store: Store) -> None:
    found = compared(store)
    assert headline(found) == (
        "new is better overall: 10 fixed and 1 broken of 20 patterns. "
        "No problem can be called worse: chance alone could do that; most broke in Towel (\u22121)."
    )
    back = gather_compared(store, "bakery", "new", "old")
    assert headline(back).endswith("It is clearly worse on Muffin (\u221210).")


def test_problems_that_cannot_be_compared_say_why(store: Store) -> None:
    compared(store)
    store.candidates.register(registered("due", "2026-05-01T00:00:00+00:00"))
    found = gather_compared(store, "bakery", "old", "due")
    page = Page(compare_html(found))
    assert "Muffin (muffin): due is not measured on the current suite" in page.text
    assert "Nothing was measured by both on the same patterns." in page.text
    assert headline(found).startswith("due cannot be compared with old")


def test_the_terminal_and_scripts_get_the_same_numbers(store: Store) -> None:
    found = compared(store)
    console = Console(file=io.StringIO(), width=200)
    for part in compare_text(found):
        console.print(part)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "Muffin (muffin)" in said and "0/10" in said and "better" in said
    facts = json.loads(json.dumps(compare_dict(found)))
    muffin = next(each for each in facts["problems"] if each["problem"] == "muffin")
    assert (muffin["fixes"], muffin["regressions"], muffin["passed_after"]) == (10, 0, 10)
    assert muffin["p"] == 2 / 2**10
    assert set(muffin["tests"]) == {"exact", "mid_p", "chi2", "chi2_p", "one_sided"}
    assert set(muffin["intervals"]["after"]) == {"wilson", "clopper_pearson", "jeffreys"}
    assert facts["flips_left_out"] == 0
    assert len(facts["flips"]) == 11
