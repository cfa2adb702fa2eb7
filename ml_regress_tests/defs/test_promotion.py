"""The jobs `promote` and `roll_back`: a run is red and production stays wherever something stands against it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from ml_regress.core.waiver import APPROVE_WITH_WAIVERS, REJECT
from ml_regress.definitions import defs
from ml_regress.defs import names
from ml_regress.defs.promotion import Promotion, RollBack
from ml_regress.defs.resources import WorkspaceResource
from ml_regress.engine import judge
from ml_regress.engine.workspace import Workspace
from ml_regress_tests.defs.judged import BROKEN, GOOD, PATTERNS, TOMORROW, approve, ask, fill, forget
from ml_regress_tests.scenario import age, commit_outcomes, execute, row, write_problem

Result = dg.ExecuteInProcessResult


@pytest.fixture
def workspace(
    folder: Path, resource: WorkspaceResource, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    monkeypatch.setenv("ML_REGRESS_DATABASE_URL", database_url)
    # A job with a configuration of its own keeps the resources of its definition, whatever a caller gives.
    monkeypatch.setenv("ML_REGRESS_WORKSPACE", str(folder))
    opened = resource.open()
    fill(opened)
    yield opened
    opened.store.close()


class Jobs:
    """The two jobs, run as the launchpad runs them."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance

    def promote(self, candidate: str = "good", person: str = "Grace", reason: str = "release 7") -> Result:
        return self._run("promote", {"promotion": Promotion(candidate=candidate, person=person, reason=reason)})

    def roll_back(self, person: str = "Grace", reason: str = "users complain", candidate: str = "") -> Result:
        return self._run("roll_back", {"rollback": RollBack(person=person, reason=reason, candidate=candidate)})

    def _run(self, job: str, config: dict[str, dg.Config]) -> Result:
        return defs.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            run_config=dg.RunConfig(ops=dict(config)),
            raise_on_error=False,
        )


@pytest.fixture
def jobs(instance: dg.DagsterInstance, workspace: Workspace) -> Jobs:
    return Jobs(instance)


def refusal(result: Result) -> str:
    """Why a run failed, as its page says it; the same words must stand in the metadata."""
    assert not result.success
    (event,) = [event for event in result.all_events if event.is_step_failure]
    failure = event.step_failure_data.user_failure_data
    assert failure is not None
    assert failure.description is not None
    assert isinstance(failure.metadata["why"], dg.MarkdownMetadataValue)
    assert not [event for event in result.all_events if event.event_type_value == "STEP_UP_FOR_RETRY"]
    return failure.description


def observed(instance: dg.DagsterInstance) -> list[dg.AssetObservation]:
    found = instance.fetch_observations(dg.AssetKey(names.CANDIDATES), limit=10).records
    return [record.event_log_entry.asset_observation for record in found if record.event_log_entry.asset_observation]


def test_a_promotion_moves_production_and_says_who_from_where_and_on_which_sign_off(
    jobs: Jobs, workspace: Workspace
) -> None:
    number = approve(workspace)
    result = jobs.promote()
    assert result.success
    assert workspace.store.candidates.production() == "good"
    (observation,) = observed(jobs.instance)
    told = {name: value.value for name, value in observation.metadata.items()}
    assert observation.partition == "good"
    assert {name: told[name] for name in ("decision", "from", "to", "person", "reason", "sign_off", "signed_by")} == {
        "decision": "promote", "from": "old", "to": "good", "person": "Grace", "reason": "release 7",
        "sign_off": number, "signed_by": "Ada (owner)",
    }  # fmt: skip
    assert told["evidence_digest"] == workspace.store.decisions.sign_off(number).evidence_digest
    run = jobs.instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags[names.PRODUCTION_TAG] == "good"
    assert run.tags["dagster/max_retries"] == "0"


def test_an_approval_serves_one_promotion(jobs: Jobs, workspace: Workspace) -> None:
    approve(workspace)
    assert jobs.promote().success
    assert jobs.roll_back().success
    assert "used for a promotion" in refusal(jobs.promote())
    assert workspace.store.candidates.production() == "old"


# -- what stops a promotion ----------------------------------------------------------------------


def sql(statement: str) -> Callable[[Workspace], None]:
    return lambda workspace: execute(workspace.store, statement)


def a_requirement_that_changed(workspace: Workspace) -> None:
    ask(workspace, "towel", at_least=3)


def a_pattern_that_is_new(workspace: Workspace) -> None:
    ask(workspace, "towel", patterns=(*PATTERNS, "p4"))


def a_pattern_in_error(workspace: Workspace) -> None:
    forget(workspace, "good", "towel")
    commit_outcomes(workspace.store, "good", {**GOOD, "p3": "error"}, "towel")


def a_regression_measured_since(workspace: Workspace) -> None:
    forget(workspace, "good", "towel")
    commit_outcomes(workspace.store, "good", BROKEN, "towel")


def a_rejection(workspace: Workspace) -> None:
    approve(workspace, decision=REJECT, words="the client asked to wait")


def a_refused_file(workspace: Workspace) -> None:
    folder = workspace.settings.workspace
    age(write_problem(folder, "sponge", [row("s1", 1.0, "waffle")]))


def another_production(workspace: Workspace) -> None:
    workspace.store.decisions.move_production("worse", verb="roll back", person="Ada", reason="test")


CELL = "candidate = 'good' AND problem = 'towel'"
STOPS: dict[str, tuple[Callable[[Workspace], None], str]] = {
    "a missing cell": (lambda workspace: forget(workspace, "good", "towel"), "not measured yet"),
    "a cell that is due": (a_pattern_that_is_new, "not measured yet"),
    "a cell in error": (sql(f"UPDATE evaluations SET state = 'error', passes = 0, answered = 0 WHERE {CELL}"),
                        "nothing could be measured"),
    "a check that crashed": (sql(f"UPDATE evaluations SET state = 'error', reason = 'the scorer crashed' WHERE {CELL}"),
                             "the scorer crashed"),
    "a pattern in error": (a_pattern_in_error, "1 pattern could not be measured"),
    "a cell that does not apply": (sql(f"UPDATE evaluations SET state = 'not applicable' WHERE {CELL}"),
                                   "declares itself not applicable"),
    "a regression measured since": (a_regression_measured_since, "1 regression against old (p3)"),
    "a production without its cell": (lambda workspace: forget(workspace, "old", "towel"), "not measured on the same"),
    "a problem without patterns": (sql("UPDATE patterns SET status = 'retired' WHERE problem = 'towel'"),
                                   "has no active pattern any more"),
    "an empty matrix": (sql("UPDATE problems SET state = 'closed'"), "no problem is in the matrix"),
    "a refused file": (a_refused_file, "problems/sponge.yaml is refused"),
    "an archived candidate": (lambda workspace: workspace.store.candidates.archive("good", actor="test"),
                              "good is no active candidate"),
    "a stale approval": (a_requirement_that_changed, "is stale: what is asked of towel changed"),
    "another production": (another_production, "is stale: production was old ("),
    "a rejection": (a_rejection, "rejected by Ada (owner)"),
}  # fmt: skip


@pytest.mark.parametrize("name", STOPS)
def test_what_stands_against_an_approved_candidate_makes_the_run_red(
    jobs: Jobs, workspace: Workspace, name: str
) -> None:
    broken, why = STOPS[name]
    approve(workspace)
    broken(workspace)
    before = workspace.store.decisions.production_history()
    assert why in refusal(jobs.promote())
    assert workspace.store.decisions.production_history() == before
    assert observed(jobs.instance) == []


def test_a_candidate_that_nobody_approved_is_not_promoted(jobs: Jobs, workspace: Workspace) -> None:
    assert "there is no current approval: nobody signed yet" in refusal(jobs.promote())
    assert workspace.store.candidates.production() == "old"


def test_a_waiver_that_expired_stops_what_it_let_through(jobs: Jobs, workspace: Workspace) -> None:
    judge.waive(workspace, "worse", "towel", None, person="Ada", reason="out of season", until=TOMORROW)
    approve(workspace, "worse", APPROVE_WITH_WAIVERS)
    execute(workspace.store, "UPDATE waivers SET until = '2026-01-01'")
    assert "1 regression against old (p3)" in refusal(jobs.promote("worse"))
    execute(workspace.store, f"UPDATE waivers SET until = '{TOMORROW}'")
    assert jobs.promote("worse").success


def test_a_red_candidate_stays_red_whatever_happens_to_another_and_whatever_checks_say(
    jobs: Jobs, workspace: Workspace, resource: WorkspaceResource
) -> None:
    assert "Towel (towel): 1 regression against old (p3)" in refusal(jobs.promote("worse"))
    forget(workspace, "good", "towel")
    commit_outcomes(workspace.store, "good", GOOD, "towel")
    refreshed = defs.resolve_job_def("refresh").execute_in_process(
        instance=jobs.instance, resources={"workspace": resource}
    )
    green = {check.check_name for check in refreshed.get_asset_check_evaluations() if check.passed}
    assert names.NEWEST_MEETS in green  # of `good`, the newest
    approve(workspace, "good")
    assert "Towel (towel): 1 regression against old (p3)" in refusal(jobs.promote("worse"))
    assert workspace.store.candidates.production() == "old"
    assert jobs.promote("good").success


def test_a_form_that_is_not_filled_in_is_refused_with_the_name_of_what_is_missing(
    jobs: Jobs, workspace: Workspace
) -> None:
    approve(workspace)
    assert "'candidate': must be said" in refusal(jobs.promote(candidate=" "))
    assert "'person': must be said" in refusal(jobs.promote(person=""))
    assert "'reason': must be said" in refusal(jobs.roll_back(reason=" "))
    assert "nobody is no active candidate" in refusal(jobs.promote("nobody"))
    assert workspace.store.candidates.production() == "old"


def test_a_rollback_goes_back_without_a_verdict_and_not_where_nobody_was(jobs: Jobs, workspace: Workspace) -> None:
    assert "nobody was in production before" in refusal(jobs.roll_back())
    approve(workspace)
    assert jobs.promote().success
    assert "worse was not in production before" in refusal(jobs.roll_back(candidate="worse"))
    forget(workspace, "old", "towel")
    assert jobs.roll_back().success
    assert workspace.store.candidates.production() == "old"
    newest = {name: value.value for name, value in observed(jobs.instance)[0].metadata.items()}
    assert (newest["decision"], newest["from"], newest["to"]) == ("roll back", "good", "old")
    assert "sign_off" not in newest


def test_a_reason_cannot_become_markup_in_the_page(jobs: Jobs, workspace: Workspace) -> None:
    result = jobs.promote("<b>x</b>|[y](z)")
    (event,) = [event for event in result.all_events if event.is_step_failure]
    failure = event.step_failure_data.user_failure_data
    assert failure is not None
    why = str(failure.metadata["why"].value)
    assert "<b>" not in why
    assert "[y](" not in why


def test_the_forms_explain_each_field() -> None:
    for job, op in (("promote", "promotion"), ("roll_back", "rollback")):
        fields = defs.resolve_job_def(job).graph.node_dict[op].definition.config_schema.config_type.fields
        assert all(field.description for field in fields.values()), job
