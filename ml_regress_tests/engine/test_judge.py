"""Verdicts from the store, waivers, sign-offs, promotion and rollback: what is let through, and what is not."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ml_regress.core.approval import CURRENT, NONE, REJECTED, STALE, USED
from ml_regress.core.problem import Requirement
from ml_regress.core.verdict import FAIL, INCOMPLETE, PASS
from ml_regress.core.waiver import APPROVE, APPROVE_WITH_WAIVERS, REJECT
from ml_regress.engine import judge as judging
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Conflict, InvalidInput, NotFound, NotPassed, Unavailable
from ml_regress.predictors.host import PredictorHost
from ml_regress_tests.models import ConstantModel, save_model
from ml_regress_tests.scenario import (
    age,
    commit_outcomes,
    execute,
    import_muffins,
    measure_due,
    muffin_pattern,
    muffin_problem,
    registered,
    scalar,
    take_in,
    write_candidate,
    write_problem,
)

PATTERNS = ["p1", "p2", "p3"]
GOOD = dict.fromkeys(PATTERNS, "passed")
BAD = {**GOOD, "p1": "failed", "p2": "failed"}
TOMORROW = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()
OUTCOMES_OF = "evaluation IN (SELECT number FROM evaluations WHERE"
ASKED = Requirement(at_least=2, max_regressions=0)


@pytest.fixture
def judged(workspace: Workspace) -> Workspace:
    """Two problems: `old` is in production and bad at muffins, `good` is good, `worse` breaks towels."""
    store = workspace.store
    for problem in ("muffin", "towel"):
        given = muffin_problem(problem, title=problem.title(), requirement=ASKED)
        import_muffins(store, [muffin_pattern(name, problem=problem) for name in PATTERNS], given)
    for place, name in enumerate(("old", "good", "worse"), 1):
        store.candidates.register(registered(name, f"2026-0{place}-01T00:00:00+00:00"))
    measured: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
        "old": (BAD, GOOD),
        "good": (GOOD, GOOD),
        "worse": (GOOD, {**GOOD, "p3": "failed"}),
    }
    for name, (muffin, towel) in measured.items():
        commit_outcomes(store, name, muffin, "muffin")
        commit_outcomes(store, name, towel, "towel")
    store.candidates.adopt_production("old", actor="test", reason="it served users before")
    return workspace


def approve(workspace: Workspace, candidate: str = "good", decision: str = APPROVE, words: str = "seen it all") -> int:
    return judging.sign(workspace, candidate, person="Ada", role="owner", decision=decision, words=words).number


def forget(workspace: Workspace, where: str) -> None:
    """Delete evaluations with their outcomes."""
    execute(workspace.store, f"DELETE FROM outcomes WHERE evaluation IN (SELECT number FROM evaluations WHERE {where})")
    execute(workspace.store, f"DELETE FROM evaluations WHERE {where}")


def state(workspace: Workspace, candidate: str = "good") -> str:
    return judging.judge(workspace, candidate).approval.state


def test_a_candidate_that_solves_and_breaks_nothing_passes(judged: Workspace) -> None:
    verdict = judging.judge(judged, "good").verdict
    assert (verdict.verdict, verdict.production) == (PASS, "old")
    assert [each.problem for each in verdict.solved] == ["muffin"]
    assert verdict.reasons == ()


def test_a_candidate_that_solves_one_problem_and_breaks_another_fails_and_both_are_named(judged: Workspace) -> None:
    verdict = judging.judge(judged, "worse").verdict
    assert verdict.verdict == FAIL
    assert [each.problem for each in verdict.solved] == ["muffin"]
    assert verdict.reasons == ("Towel (towel): 1 regression against old (p3); at most 0 regressions",)


def test_a_candidate_that_is_not_there_or_archived_is_not_judged(judged: Workspace) -> None:
    judged.store.candidates.archive("good", actor="test")
    for name in ("good", "nobody"):
        with pytest.raises(NotFound, match=f"{name} is no active candidate"):
            judging.judge(judged, name)


def test_what_was_judged_is_recorded_once_and_again_when_it_changes(judged: Workspace) -> None:
    assert set(judging.record(judged)) == {"old", "good", "worse"}
    assert judging.record(judged) == {}
    commit = {**GOOD, "p3": "failed"}
    forget(judged, "candidate = 'good' AND problem = 'towel'")
    commit_outcomes(judged.store, "good", commit, "towel")
    assert judging.record(judged)["good"].verdict == FAIL
    assert [each.verdict for each in judged.store.decisions.verdicts("good")] == [FAIL, PASS]


def test_an_approval_holds_until_there_is_new_evidence_and_says_what_changed(judged: Workspace) -> None:
    assert state(judged) == NONE
    number = approve(judged)
    assert state(judged) == CURRENT
    assert judging.verify(judged, number).current
    given = muffin_problem("towel", title="Towel", requirement=Requirement(at_least=3, max_regressions=0))
    import_muffins(judged.store, [muffin_pattern(name, problem="towel") for name in PATTERNS], given)
    found = judging.judge(judged, "good").approval
    assert found.state == STALE
    assert found.changes == ("what is asked of towel changed, or how it is met",)
    checked = judging.verify(judged, number)
    assert (checked.intact, checked.current) == (True, False)


def test_a_new_pattern_makes_an_approval_stale_and_the_verdict_incomplete(judged: Workspace) -> None:
    approve(judged)
    given = muffin_problem("towel", title="Towel", requirement=ASKED)
    import_muffins(judged.store, [muffin_pattern(name, problem="towel") for name in [*PATTERNS, "p4"]], given)
    found = judging.judge(judged, "good")
    assert (found.verdict.verdict, found.approval.state) == (INCOMPLETE, STALE)
    assert found.approval.changes == ("towel was pass and is incomplete",)
    with pytest.raises(NotPassed, match="not measured yet"):
        judging.promote(judged, "good", person="Ada")


def test_a_candidate_that_has_nothing_to_do_with_it_leaves_an_approval_alone(judged: Workspace) -> None:
    approve(judged)
    judged.store.candidates.register(registered("newer", "2026-09-01T00:00:00+00:00"))
    assert state(judged) == CURRENT


def test_another_production_makes_an_approval_stale(judged: Workspace) -> None:
    approve(judged)
    judged.store.decisions.move_production("worse", verb="roll back", person="Ada", reason="test")
    found = judging.judge(judged, "good").approval
    assert found.state == STALE
    assert found.changes[0].startswith("production was old (")


def test_an_approval_needs_a_passing_verdict_a_name_and_a_role(judged: Workspace) -> None:
    with pytest.raises(NotPassed, match=r"its verdict is fail: Towel \(towel\): 1 regression against old"):
        approve(judged, "worse")
    with pytest.raises(NotPassed, match="nothing is waived for good"):
        approve(judged, decision=APPROVE_WITH_WAIVERS)
    with pytest.raises(InvalidInput, match="must be said"):
        judging.sign(judged, "good", person=" ", role="owner", decision=APPROVE)
    with pytest.raises(InvalidInput, match="must be said"):
        judging.sign(judged, "good", person="Ada", role="owner", decision=REJECT)
    with pytest.raises(InvalidInput, match="must be one of approve, reject"):
        judging.sign(judged, "good", person="Ada", role="owner", decision="perhaps")
    assert judged.store.decisions.sign_offs() == []


def test_a_rejection_takes_the_place_of_an_approval(judged: Workspace) -> None:
    approve(judged)
    approve(judged, decision=REJECT, words="the client asked to wait")
    assert state(judged) == REJECTED
    with pytest.raises(NotPassed, match="rejected by Ada"):
        judging.promote(judged, "good", person="Ada")


def test_a_waived_failure_is_shown_as_waived_and_needs_an_approval_with_waivers(judged: Workspace) -> None:
    judging.waive(judged, "worse", "towel", None, person="Ada", reason="towels are out of season", until=TOMORROW)
    verdict = judging.judge(judged, "worse").verdict
    assert verdict.verdict == PASS
    towel = next(each for each in verdict.problems if each.problem == "towel")
    assert (towel.verdict, towel.words) == (FAIL, "fail (waived)")
    assert verdict.waived[0].words == f"waived until {TOMORROW} by Ada: towels are out of season"
    with pytest.raises(NotPassed, match="passes with waivers only"):
        approve(judged, "worse")
    approve(judged, "worse", APPROVE_WITH_WAIVERS)
    assert judging.promote(judged, "worse", person="Ada").candidate == "worse"


def test_a_waiver_of_a_pattern_lets_that_pattern_through_and_no_other(judged: Workspace) -> None:
    judging.waive(judged, "worse", "towel", "p3", person="Ada", reason="a known one", until=TOMORROW)
    found = judging.judge(judged, "worse").verdict
    assert found.verdict == PASS
    assert [each.pattern for each in found.waived] == ["p3"]
    judging.waive(judged, "old", "muffin", "p3", person="Ada", reason="not the failing one", until=TOMORROW)
    assert judging.judge(judged, "old").verdict.verdict == FAIL


def test_a_waiver_that_expired_or_was_withdrawn_stops_counting_by_itself(judged: Workspace) -> None:
    store = judged.store
    made = judging.waive(judged, "worse", "towel", None, person="Ada", reason="for now", until=TOMORROW)
    approve(judged, "worse", APPROVE_WITH_WAIVERS)
    execute(store, "UPDATE waivers SET until = '2026-01-01'")
    assert judging.judge(judged, "worse").verdict.verdict == FAIL
    assert state(judged, "worse") == STALE
    with pytest.raises(NotPassed, match="its verdict is fail"):
        judging.promote(judged, "worse", person="Ada")
    execute(store, f"UPDATE waivers SET until = '{TOMORROW}'")
    assert judging.judge(judged, "worse").verdict.verdict == PASS
    store.decisions.withdraw(made.number, person="Grace")
    assert judging.judge(judged, "worse").verdict.verdict == FAIL
    with pytest.raises(Conflict, match="was withdrawn"):
        store.decisions.withdraw(made.number, person="Grace")


def test_a_waiver_needs_a_reason_a_day_to_come_and_something_that_is_there(judged: Workspace) -> None:
    asked = {"person": "Ada", "reason": "because", "until": TOMORROW}
    with pytest.raises(InvalidInput, match="must be a day such as"):
        judging.waive(judged, "worse", "towel", None, **{**asked, "until": "next week"})
    with pytest.raises(InvalidInput, match="lies in the past"):
        judging.waive(judged, "worse", "towel", None, **{**asked, "until": "2026-01-01"})
    with pytest.raises(InvalidInput, match="must be said"):
        judging.waive(judged, "worse", "towel", None, **{**asked, "reason": ""})
    with pytest.raises(NotFound, match="towel has no pattern 'p9'"):
        judging.waive(judged, "worse", "towel", "p9", **asked)
    with pytest.raises(NotFound, match="no problem 'sponge'"):
        judging.waive(judged, "worse", "sponge", None, **asked)
    assert judged.store.decisions.waivers() == []


def test_promotion_rests_on_a_sign_off_which_is_used_then_and_never_stale(judged: Workspace) -> None:
    number = approve(judged)
    moved = judging.promote(judged, "good", person="Grace", reason="release 7")
    assert (moved.candidate, moved.sign_off, judged.store.candidates.production()) == ("good", number, "good")
    assert state(judged) == USED
    assert [each.verb for each in judged.store.decisions.production_history()] == ["promote", "adopt"]
    with pytest.raises(NotPassed, match="no current approval"):
        judging.promote(judged, "good", person="Grace")


def test_a_solved_problem_is_watched_from_its_promotion_on(judged: Workspace) -> None:
    approve(judged)
    assert judging.promote(judged, "good", person="Ada").watched == ("muffin",)
    states = {problem.id: problem.state for problem in judged.store.problems.all()}
    assert states == {"muffin": "watched", "towel": "open"}
    verdict = judging.judge(judged, "old").verdict
    assert any("it is watched: no regression against production" in reason for reason in verdict.reasons)
    judging.roll_back(judged, person="Ada", reason="users complain")
    assert {problem.state for problem in judged.store.problems.all()} == {"watched", "open"}


def test_promotion_without_an_approval_or_a_passing_verdict_moves_nothing(judged: Workspace) -> None:
    with pytest.raises(NotPassed, match="no current approval: nobody signed yet"):
        judging.promote(judged, "good", person="Grace")
    with pytest.raises(NotPassed, match="verdict is fail"):
        judging.promote(judged, "worse", person="Grace")
    assert judged.store.candidates.production() == "old"
    assert scalar(judged.store, "SELECT count(*) FROM aliases") == 1


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("DELETE FROM evaluations WHERE candidate = 'good' AND problem = 'towel'", "not measured yet"),
        (
            "UPDATE evaluations SET state = 'error', reason = 'crashed' WHERE candidate = 'good'",
            "could not be measured",
        ),
        (
            "UPDATE evaluations SET state = 'not applicable' WHERE candidate = 'good' AND problem = 'towel'",
            "declares itself",
        ),
        ("UPDATE patterns SET status = 'retired' WHERE problem = 'towel'", "has no active pattern any more"),
        ("UPDATE patterns SET expected = '{{' WHERE problem = 'towel'", "towel is refused"),
        ("UPDATE problems SET state = 'closed'", "no problem is in the matrix"),
        ("DELETE FROM evaluations WHERE candidate = 'old' AND problem = 'towel'", "not measured on the same suite"),
        (f"DELETE FROM outcomes WHERE {OUTCOMES_OF} candidate = 'old')", "not measured on the same suite"),
        (f"DELETE FROM outcomes WHERE {OUTCOMES_OF} candidate = 'good')", "are gone from the store"),
    ],
)
def test_nothing_that_should_stop_a_promotion_passes_by_being_absent(
    judged: Workspace, statement: str, why: str
) -> None:
    approve(judged)
    if statement.startswith("DELETE FROM evaluations WHERE "):
        forget(judged, statement.removeprefix("DELETE FROM evaluations WHERE "))
    else:
        execute(judged.store, statement)
    with pytest.raises(NotPassed, match=why):
        judging.promote(judged, "good", person="Ada")
    assert judged.store.candidates.production() == "old"


def test_a_file_that_changed_since_the_last_look_counts_in_the_promotion(judged: Workspace, folder: Path) -> None:
    approve(judged)
    write_problem(folder, "sponge", [{"pattern_id": "s1", "ears": 1, "crumbs": 2, "expected": "muffin"}])
    path = folder / "problems" / "sponge.yaml"
    path.write_text(path.read_text().replace("chihuahua", "chihuahua\x00"))
    age(path)
    with pytest.raises(NotPassed, match=r"problems/sponge\.yaml"):
        judging.promote(judged, "good", person="Ada")


def test_a_rollback_needs_an_approver_and_a_reason_and_no_verdict(judged: Workspace) -> None:
    approve(judged)
    judging.promote(judged, "good", person="Grace")
    with pytest.raises(InvalidInput, match="must be said"):
        judging.roll_back(judged, person="Grace", reason=" ")
    moved = judging.roll_back(judged, person="Grace", reason="users complain")
    assert (moved.candidate, judged.store.candidates.production()) == ("old", "old")
    history = judged.store.decisions.production_history()
    assert [(each.candidate, each.verb, each.reason) for each in history[:1]] == [
        ("old", "roll back", "users complain")
    ]


def test_a_second_rollback_goes_further_back_and_not_to_what_was_rolled_back(judged: Workspace) -> None:
    move = judged.store.decisions.move_production
    for name in ("good", "worse"):
        move(name, verb="promote", person="Ada", reason="")
    assert judging.roll_back(judged, person="Ada", reason="1").candidate == "good"
    assert judging.roll_back(judged, person="Ada", reason="2").candidate == "old"
    with pytest.raises(NotFound, match="nobody was in production before"):
        judging.roll_back(judged, person="Ada", reason="3")
    assert judging.roll_back(judged, "worse", person="Ada", reason="4").candidate == "worse"
    with pytest.raises(NotFound, match="was not in production before"):
        judging.roll_back(judged, "nobody", person="Ada", reason="5")


def test_a_sign_off_cannot_be_changed_and_a_forged_one_is_found(judged: Workspace) -> None:
    number = approve(judged)
    for statement in ("UPDATE sign_offs SET words = 'x'", "DELETE FROM sign_offs"):
        with pytest.raises(Exception, match="a sign-off stands as it was signed"):
            execute(judged.store, statement)
    evidence = json.loads(judged.store.decisions.sign_off(number).evidence)
    evidence["problems"][0]["passes"] = 99
    columns = "candidate, person, role, decision, words, at, evidence_digest"
    execute(
        judged.store,
        f"INSERT INTO sign_offs ({columns}, evidence) SELECT {columns}, :forged FROM sign_offs",
        forged=json.dumps(evidence),
    )
    found = judging.verify(judged, number + 1)
    assert not found.intact
    assert judging.verify(judged, number).intact
    with pytest.raises(NotFound, match="there is no sign-off 99"):
        judging.verify(judged, 99)


def test_a_canary_whose_outcome_is_gone_has_not_passed(workspace: Workspace) -> None:
    store = workspace.store
    given = muffin_problem(requirement=Requirement(at_least=1))
    import_muffins(store, [muffin_pattern(name, canary=name == "p1") for name in PATTERNS], given)
    store.candidates.register(registered("one"))
    commit_outcomes(store, "one", {**GOOD, "p1": "failed"})
    assert judging.judge(workspace, "one").verdict.reasons == ("Chihuahua or muffin (muffin): the canary p1 failed",)
    execute(store, "DELETE FROM outcomes WHERE pattern = 'p1'")
    verdict = judging.judge(workspace, "one").verdict
    assert verdict.verdict == INCOMPLETE
    assert "outcomes of this cell are gone from the store" in verdict.reasons[0]


def test_a_folder_of_problems_that_cannot_be_looked_at_stops_a_promotion(judged: Workspace, folder: Path) -> None:
    approve(judged)
    (folder / "problems").rmdir()
    (folder / "problems").write_text("no folder")
    with pytest.raises(NotPassed, match="problems cannot be looked at"):
        judging.promote(judged, "good", person="Ada")


def test_a_candidate_whose_folder_is_refused_is_not_promoted_and_others_are(judged: Workspace) -> None:
    approve(judged)
    judged.store.sources.read("candidates/good", "candidates", "1", "is registered with another content")
    assert judging.judge(judged, "good").verdict.missing == (
        "the folder of good is refused: is registered with another content",
    )
    assert judging.judge(judged, "worse").verdict.missing == ()


def test_a_problem_without_any_pattern_checks_nothing_and_one_with_proposed_ones_waits(judged: Workspace) -> None:
    execute(judged.store, "INSERT INTO problems (id, title) VALUES ('void', 'Void'), ('waits', 'Waits')")
    execute(
        judged.store,
        "INSERT INTO patterns (problem, id, inputs, expected, status) VALUES ('waits', 'a', '{}', 'x', 'proposed')",
    )
    execute(judged.store, "UPDATE problems SET frozen_revision = revision")
    verdict = judging.judge(judged, "good").verdict
    assert verdict.verdict == INCOMPLETE
    assert verdict.missing == ("the problem void has no active pattern any more: close it, or give it one",)


def test_a_file_that_was_written_a_moment_ago_is_waited_for(judged: Workspace, folder: Path) -> None:
    approve(judged)
    write_problem(folder, "sponge", [{"pattern_id": "s1", "ears": 1, "crumbs": 2, "expected": "muffin"}])
    with pytest.raises(NotPassed, match=r"Sponge \(sponge\): not measured yet"):
        judging.promote(judged, "good", person="Ada")


def test_a_file_that_somebody_goes_on_writing_stops_a_promotion(
    judged: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve(judged)
    monkeypatch.setattr(judging, "SETTLES", 1)
    write_problem(folder, "sponge", [])
    with pytest.raises(Unavailable, match=r"problems/sponge\.yaml: still being written"):
        judging.promote(judged, "good", person="Ada")


def test_equal_counts_of_other_patterns_are_new_evidence(judged: Workspace) -> None:
    given = muffin_problem("towel", title="Towel", requirement=Requirement(at_least=2))
    import_muffins(judged.store, [muffin_pattern(name, problem="towel") for name in PATTERNS], given)
    approve(judged, "worse")
    forget(judged, "candidate = 'worse' AND problem = 'towel'")
    commit_outcomes(judged.store, "worse", {**GOOD, "p1": "failed"}, "towel")
    found = judging.judge(judged, "worse").approval
    assert (found.state, found.changes) == (STALE, ("other patterns of towel pass now",))


def test_a_signature_is_refused_where_the_evidence_is_not_what_was_seen(judged: Workspace) -> None:
    digest = judged.store.decisions.sign_off(approve(judged)).evidence_digest
    assert judging.sign(judged, "good", person="Ada", role="o", decision=APPROVE, seen=digest[:12]).number == 2
    with pytest.raises(NotPassed, match="the evidence is another one now"):
        judging.sign(judged, "good", person="Ada", role="o", decision=APPROVE, seen="abcdef")


def test_nothing_that_comes_after_a_promotion_speaks_against_its_sign_off(judged: Workspace) -> None:
    number = approve(judged)
    judging.promote(judged, "good", person="Ada")
    found = judging.verify(judged, number)
    assert (found.intact, found.current, found.changes) == (True, None, ())


@pytest.fixture
def told(judged: Workspace) -> Workspace:
    """The workspace with a webhook that nobody answers: what is told waits in the store."""
    return replace(judged, settings=replace(judged.settings, webhook="http://127.0.0.1:9/hook"))


def events(workspace: Workspace) -> list[tuple[str, str]]:
    return [
        (
            each.event,
            json.loads(each.payload)["candidate"] if isinstance(each.payload, str) else each.payload["candidate"],
        )
        for each in sorted(workspace.store.notifications.list(), key=lambda each: each.number)
    ]


def test_a_failing_verdict_is_told_once_and_again_when_it_comes_back(told: Workspace) -> None:
    judging.record(told)
    judging.record(told)
    assert events(told) == [("failing verdict", "old"), ("failing verdict", "worse")]
    waiver = judging.waive(told, "worse", "towel", None, person="Ada", reason="for now", until=TOMORROW)
    judging.record(told)
    told.store.decisions.withdraw(waiver.number, person="Ada")
    judging.record(told)
    assert events(told)[2:] == [("failing verdict", "worse")]


def test_a_regression_of_production_is_told_although_it_was_incomplete_in_between(told: Workspace) -> None:
    judging.record(told)
    before = len(events(told))
    given = muffin_problem("towel", title="Towel", requirement=Requirement(at_least=4, max_regressions=0))
    patterns = [muffin_pattern(name, problem="towel") for name in [*PATTERNS, "p4"]]
    import_muffins(told.store, patterns, given)
    judging.record(told)
    commit_outcomes(told.store, "old", {**GOOD, "p4": "failed"}, "towel")
    judging.record(told)
    assert ("production regressed", "old") in events(told)[before:]
    judging.record(told)
    assert [event for event, _ in events(told)].count("production regressed") == 1


def test_a_stale_approval_is_told_once(told: Workspace) -> None:
    judging.record(told)
    approve(told)
    judging.record(told)
    import_muffins(
        told.store,
        [muffin_pattern(name, problem="towel") for name in [*PATTERNS, "p4"]],
        muffin_problem("towel", title="Towel", requirement=ASKED),
    )
    judging.record(told)
    judging.record(told)
    assert [event for event, _ in events(told)].count("approval stale") == 1


def test_an_artefact_that_was_overwritten_after_it_was_measured_is_not_promoted(
    workspace: Workspace, folder: Path, host: PredictorHost
) -> None:
    write_problem(folder, "muffin", [{"pattern_id": "p1", "ears": 1, "crumbs": 2, "expected": "muffin"}],
                  requirement={"at_least": 1})  # fmt: skip
    write_candidate(folder, "good", ConstantModel("muffin"), created_at="2026-06-01T00:00:00Z")
    take_in(workspace)
    measure_due(workspace, host)
    approve(workspace, "good")
    save_model(folder / "candidates" / "good", ConstantModel("chihuahua"))
    for path in (folder / "candidates" / "good").iterdir():
        age(path, 100 if path.suffix == ".yaml" else 50)
    with pytest.raises(NotPassed, match=r"the folder of good is refused: .*registered with another content"):
        judging.promote(workspace, "good", person="Ada")


def test_a_failing_verdict_is_not_told_again_because_it_was_incomplete_while_it_was_measured(told: Workspace) -> None:
    judging.record(told)
    before = events(told)
    patterns = [muffin_pattern(name, problem="towel") for name in [*PATTERNS, "p4"]]
    import_muffins(told.store, patterns, muffin_problem("towel", title="Towel", requirement=ASKED))
    judging.record(told)
    for name in ("old", "worse"):
        commit_outcomes(
            told.store, name, {**GOOD, "p3": "passed" if name == "old" else "failed", "p4": "passed"}, "towel"
        )
    judging.record(told)
    assert judging.judge(told, "worse").verdict.verdict == FAIL
    assert events(told) == before
