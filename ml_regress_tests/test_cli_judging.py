"""Comparing, judging and deciding from the command line: from a first look to production and back."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ml_regress.engine.workspace import Workspace
from ml_regress.settings import Settings
from ml_regress.store.database import now
from ml_regress_tests.scenario import (
    commit_outcomes,
    import_muffins,
    muffin_pattern,
    muffin_problem,
    registered,
    write_workspace,
)
from ml_regress_tests.test_cli import done, no_environment, refused, run, said_as_json

__all__ = ["no_environment"]  # a fixture that holds for every test here, too

NAMES = [f"p{place}" for place in range(6)]
TODAY = now()[:10]
GOOD = dict.fromkeys(NAMES, "passed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with `old` in production, `good` that solves the muffins and `worse` that breaks a towel."""
    from ml_regress.core.problem import Requirement

    made = write_workspace(tmp_path / "workspace", "name: bakery\n")
    store = Workspace.open(Settings.load(made, {})).store
    asked = Requirement(at_least=5, max_regressions=0)
    for problem in ("muffin", "towel"):
        given = muffin_problem(problem, title=problem.title(), requirement=asked)
        import_muffins(store, [muffin_pattern(name, problem=problem) for name in NAMES], given)
    for place, name in enumerate(("old", "good", "worse"), 1):
        store.candidates.register(registered(name, f"2026-0{place}-01T00:00:00+00:00", changed=f"change {place}"))
        commit_outcomes(store, name, dict.fromkeys(NAMES, "failed") if name == "old" else GOOD, "muffin")
        commit_outcomes(store, name, {**GOOD, "p0": "failed"} if name == "worse" else GOOD, "towel")
    store.candidates.adopt_production("old", actor="test", reason="it served users before")
    store.close()
    return made


def sign(folder: Path, candidate: str = "good", decision: str = "approve", **options: str) -> str:
    given = {"by": "Ada", "role": "owner", "words": "seen", **options}
    return done(folder, "sign", candidate, "--decision", decision,
                *(word for name, value in given.items() for word in (f"--{name}", value)))  # fmt: skip


def test_the_gate_is_an_exit_code_with_reasons(folder: Path) -> None:
    assert "pass: good of bakery, against old in production" in done(folder, "gate", "good")
    result = run(folder, "gate", "worse")
    assert result.exit_code == 1
    assert "Towel (towel): 1 regression against old (p0)" in result.stdout
    assert run(folder, "gate", "old").exit_code == 1
    assert "no active candidate 'nobody'" in refused(folder, "gate", "nobody")
    given = muffin_problem("towel", title="Towel")
    store = Workspace.open(Settings.load(folder, {})).store
    import_muffins(store, [muffin_pattern(name, problem="towel") for name in [*NAMES, "p9"]], given)
    assert run(folder, "gate", "good").exit_code == 2


@pytest.mark.parametrize("form", ["json", "junit", "markdown"])
def test_the_gate_speaks_to_machines_and_reviewers_with_the_same_exit_code(folder: Path, form: str) -> None:
    result = run(folder, "gate", "worse", "--format", form)
    assert result.exit_code == 1
    if form == "json":
        assert json.loads(result.stdout)["verdict"] == "fail"
    else:
        assert {"junit": "<testsuite", "markdown": "| "}[form] in result.stdout
    assert "1 regression against old" in result.stdout


def test_a_signed_candidate_is_promoted_and_rolled_back_and_the_history_tells(folder: Path) -> None:
    assert "no current approval: nobody signed yet" in refused(folder, "promote", "good", "--by", "Grace")
    said = sign(folder)
    assert re.search(r"sign-off 1: approve, good, evidence [0-9a-f]{12}", said)
    report = Path(said.splitlines()[-1])
    assert report.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "good is in production since" in done(folder, "promote", "good", "--by", "Grace", "--why", "release 7")
    assert "must be said" in refused(folder, "rollback", "--by", "Grace", "--why", " ")
    assert "old is in production again" in done(folder, "rollback", "--by", "Grace", "--why", "users complain")
    history = said_as_json(folder, "production")
    assert [(entry["candidate"], entry["verb"], entry["sign_off"]) for entry in history] == [
        ("old", "roll back", None), ("good", "promote", 1), ("old", "adopt", None),
    ]  # fmt: skip
    assert "users complain" in done(folder, "production")


def test_a_decision_that_the_verdict_does_not_carry_is_refused_and_nothing_is_stored(folder: Path) -> None:
    said = refused(folder, "sign", "worse", "--by", "Ada", "--role", "owner", "--decision", "approve")
    assert "worse cannot be approved, its verdict is fail: Towel (towel): 1 regression" in said
    assert said_as_json(folder, "sign-offs") == []
    assert run(folder, "sign", "worse", "--by", "Ada", "--role", "owner", "--decision", "maybe").exit_code == 2


def test_a_waiver_is_listed_counts_and_can_be_taken_back(folder: Path) -> None:
    waiver = ("waive", "worse", "towel", "p0", "--by", "Ada", "--why", "a known one", "--until", TODAY)
    assert f"waiver 1: worse, towel/p0 waived until {TODAY} by Ada: a known one" in done(folder, *waiver)
    assert run(folder, "gate", "worse").exit_code == 0
    assert "approve it with waivers" in refused(
        folder, "sign", "worse", "--by", "A", "--role", "o", "--decision", "approve"
    )
    sign(folder, "worse", "approve with waivers")
    listed = said_as_json(folder, "waivers")
    assert [(each["number"], each["pattern"], each["counts"]) for each in listed] == [(1, "p0", True)]
    assert run(folder, "waivers", "--withdraw", "1").exit_code == 2
    assert "is withdrawn" in done(folder, "waivers", "--withdraw", "1", "--by", "Grace")
    assert run(folder, "gate", "worse").exit_code == 1
    assert "is stale: towel was pass and is fail" in run(folder, "gate", "worse").stdout


def test_verify_computes_the_digest_again_and_says_what_changed_since(folder: Path) -> None:
    sign(folder)
    assert "nothing changed since" in done(folder, "verify", "1")
    done(folder, "waive", "good", "towel", "p1", "--by", "Ada", "--why", "x", "--until", TODAY)
    found = said_as_json(folder, "verify", "1")
    assert found["intact"] and found["current"]  # a waiver of what passes changes nothing
    done(folder, "candidates", "archive", "good")
    assert "new evidence since: good is archived" in done(folder, "verify", "1")
    assert "there is no sign-off 7" in refused(folder, "verify", "7")


def test_compare_prints_the_problems_and_writes_the_page(folder: Path, tmp_path: Path) -> None:
    said = done(folder, "compare", "old", "good", "--output", tmp_path / "pages")
    page = Path(said.splitlines()[-1].strip())
    assert page.parent == tmp_path / "pages"
    assert "Muffin" in page.read_text(encoding="utf-8")
    found: dict[str, Any] = said_as_json(folder, "compare", "old", "good", "--correction", "benjamini-hochberg")
    by_problem = {each["problem"]: each for each in found["problems"]}
    assert (by_problem["muffin"]["fixes"], by_problem["muffin"]["regressions"]) == (6, 0)
    assert by_problem["muffin"]["p"] == pytest.approx(0.03125)
    assert "same candidate twice" in refused(folder, "compare", "old", "old")
    assert "no candidate 'nobody'" in refused(folder, "compare", "old", "nobody")


def test_answer_says_it_in_one_paragraph_with_the_patterns_below(folder: Path) -> None:
    said = done(folder, "answer", "muffin")
    assert said.startswith("Yes, but not in production: worse meets what is asked.")
    assert "It was solved by good (2026-02-01, “change 2”): 6 of 6." in said
    assert all(name in said for name in NAMES)
    found = said_as_json(folder, "answer", "muffin")
    assert (found["answer"], len(found["patterns"])) == ("yes, but not in production", 6)
    assert "no problem 'sponge'" in refused(folder, "answer", "sponge")
