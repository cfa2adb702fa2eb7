"""Dropped candidates become verdicts in Dagster's pages, and its form moves production: with real processes."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from ml_regress.engine import judge
from ml_regress.engine.workspace import Workspace
from ml_regress.settings import Settings
from ml_regress_tests.defs.browser import CHROMIUM, Page, browser
from ml_regress_tests.defs.running import Running, running
from ml_regress_tests.models import ConstantModel
from ml_regress_tests.scenario import BASIC, row, write_candidate, write_problem, write_workspace

LAUNCH = """mutation Launch($parameters: ExecutionParams!) {launchPipelineExecution(executionParams: $parameters) {
  __typename ... on LaunchRunSuccess {run {runId}} ... on PythonError {message}
  ... on RunConfigValidationInvalid {errors {message}}}}"""
WHERE = "{repositoriesOrError {... on RepositoryConnection {nodes {name location {name}}}}}"
FAILED = """query Failed($run: ID!) {logsForRun(runId: $run) {... on EventConnection {events {
  ... on ExecutionStepFailureEvent {failureMetadata {description}}}}}}"""

PLOTS = """(() => {
  const button = [...document.querySelectorAll('button')].find(e => e.innerText && e.innerText.trim() == 'Plots');
  if (button) button.click();
  return !!button})()"""

FIELD = """(() => {
  const line = [...document.querySelectorAll('.CodeMirror-line')].find(e => e.innerText.includes('person:'));
  if (!line) return null;
  const box = line.querySelector('span').getBoundingClientRect();
  return [box.right - 4, (box.top + box.bottom) / 2]})()"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ML_REGRESS_HOME", "ML_REGRESS_DATABASE_URL", "ML_REGRESS_WEBHOOK"):
        monkeypatch.delenv(name, raising=False)
    made = write_workspace(tmp_path / "workspace", f"{BASIC}production: first\n")
    for name in ("fruit", "pets"):
        rows = [row("blueberry", 0.5, crumbs=len(name)), row("puppy", 2.0, "chihuahua", crumbs=-len(name))]
        write_problem(made, name, rows, requirement={"at_least": 1, "max_regressions": 0})
    for month, (name, answer) in enumerate((("first", "muffin"), ("second", "muffin"), ("third", "chihuahua")), 1):
        write_candidate(made, name, ConstantModel(answer), created_at=f"2026-0{month}-01T00:00:00Z")
    return made


def launch(up: Running, job: str, op: str, config: dict[str, Any]) -> str:
    """Start a job as its launchpad does; the id of the run."""
    (place,) = up.graphql(WHERE)["repositoriesOrError"]["nodes"]
    parameters = {
        "selector": {
            "repositoryLocationName": place["location"]["name"], "repositoryName": place["name"], "jobName": job,
        },
        "runConfigData": json.dumps({"ops": {op: {"config": config}}}),
        "mode": "default",
    }  # fmt: skip
    answer = up.graphql(LAUNCH, parameters=parameters)["launchPipelineExecution"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    return str(answer["run"]["runId"])


def ended(up: Running, job: str, run: str) -> str:
    """How a run ended."""

    def status() -> str | None:
        found = {each["runId"]: each["status"] for each in up.runs(job)}
        return found[run] if found[run] in ("SUCCESS", "FAILURE", "CANCELED") else None

    return str(up.wait_for(status))


def refusal(up: Running, run: str) -> str:
    events = up.graphql(FAILED, run=run)["logsForRun"]["events"]
    (failure,) = [event["failureMetadata"] for event in events if event.get("failureMetadata")]
    return str(failure["description"])


def newest(up: Running) -> dict[str, dict[str, Any]]:
    """The metadata of each candidate's newest verdict."""
    events = sorted(up.materializations("verdicts"), key=lambda event: int(event["timestamp"]))
    return {event["partition"]: event["metadata"] for event in events}


def says(*words: str) -> str:
    return " && ".join(f"document.body.innerText.includes({word!r})" for word in words)


def shown_to_a_person(up: Running, page: Page, shots: Path) -> None:
    ui = f"http://127.0.0.1:{up.ui_port}"
    (place,) = up.graphql(WHERE)["repositoriesOrError"]["nodes"]
    page.open(f"{ui}/assets/verdicts?view=partitions&partition=third")
    page.wait_for(says("approval", "regressions", "nobody signed yet", "problems_fail"))
    page.screenshot(shots / "verdicts.png")
    page.open(f"{ui}/assets/verdicts")
    page.wait_for(says("evidence_digest", "Plots"))
    page.wait_for(PLOTS)
    page.wait_for("document.querySelectorAll('canvas').length > 5")
    page.screenshot(shots / "verdicts-plots.png")
    page.open(f"{ui}/assets/scoreboard?view=checks")
    page.wait_for(says("newest_meets_requirements", "production_meets_requirements"))
    page.screenshot(shots / "checks.png")
    for job, op, words in (
        ("promote", "promotion", "Who promotes it"),
        ("roll_back", "rollback", "Who answers for it"),
    ):
        page.open(f"{ui}/locations/{place['location']['name']}/jobs/{job}/playground")
        page.wait_for(says("Launch Run", op, "candidate", "person", "reason"))
        # The pane beside the form explains the fields where the cursor stands.
        x, y = page.wait_for(FIELD)
        for event in ("mousePressed", "mouseReleased"):
            page.call("Input.dispatchMouseEvent", type=event, x=x, y=y, button="left", clickCount=1)
        page.wait_for(says(words))
        page.screenshot(shots / f"{job}.png")


@pytest.mark.slow
def test_candidates_become_verdicts_and_the_form_moves_production_only_where_it_may(folder: Path) -> None:
    shots = Path(os.environ.get("ML_REGRESS_TEST_SCREENSHOTS", folder / "screenshots"))
    shots.mkdir(parents=True, exist_ok=True)
    with running(folder) as up:
        up.wait_for(lambda: "\nready: " in up.text, 240)
        up.wait_for(lambda: set(newest(up)) == {"first", "second", "third"})
        told = newest(up)
        assert [told[name]["verdict"] for name in ("first", "second", "third")] == ["pass", "pass", "fail"]
        assert (told["third"]["regressions"], told["third"]["fixes"]) == (2, 2)
        workspace = Workspace.open(Settings.load(folder))

        form = {"candidate": "second", "person": "Grace", "reason": "release 7"}
        refused = launch(up, "promote", "promotion", form)
        assert ended(up, "promote", refused) == "FAILURE"
        assert "nobody signed yet" in refusal(up, refused)
        red = launch(up, "promote", "promotion", {**form, "candidate": "third"})
        assert ended(up, "promote", red) == "FAILURE"
        assert "regression against first (blueberry)" in refusal(up, red)
        assert workspace.store.candidates.production() == "first"
        if CHROMIUM.exists():
            with browser(folder) as page:
                shown_to_a_person(up, page, shots)
                page.open(f"http://127.0.0.1:{up.ui_port}/runs/{red}")
                page.wait_for(says("third is not promoted"))
                page.screenshot(shots / "refused.png")

        judge.sign(workspace, "second", person="Ada", role="owner", decision="approve", words="seen it all")
        up.wait_for(lambda: newest(up)["second"]["approval"].startswith("approve by Ada (owner)"))
        moved = launch(up, "promote", "promotion", form)
        assert ended(up, "promote", moved) == "SUCCESS"
        assert workspace.store.candidates.production() == "second"
        up.wait_for(lambda: newest(up)["third"]["production"] == "second")
        back = launch(up, "roll_back", "rollback", {"person": "Grace", "reason": "users complain"})
        assert ended(up, "roll_back", back) == "SUCCESS"
        assert workspace.store.candidates.production() == "first"
        workspace.store.close()
        assert up.stop(signal.SIGINT) == 0
