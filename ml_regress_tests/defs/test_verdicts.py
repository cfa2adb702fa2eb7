"""The asset `verdicts`, its sensor, and the checks that say whether requirements are met."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dagster as dg
import pytest

from ml_regress.core.verdict import FAIL, INCOMPLETE, PASS
from ml_regress.core.waiver import APPROVE_WITH_WAIVERS
from ml_regress.defs import names, sensors
from ml_regress.defs.checks import scoreboard_results
from ml_regress.defs.resources import WorkspaceResource
from ml_regress.engine import judge
from ml_regress.engine.workspace import Workspace
from ml_regress.report.gather import gather
from ml_regress_tests.defs.judged import BROKEN, PATTERNS, TOMORROW, approve, ask, fill, forget
from ml_regress_tests.defs.running import free_ports
from ml_regress_tests.defs.ticks import Daemon, latest, partitions
from ml_regress_tests.scenario import (
    commit_outcomes,
    execute,
    import_muffins,
    muffin_pattern,
    muffin_problem,
    registered,
)


@pytest.fixture
def workspace(resource: WorkspaceResource, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("ML_REGRESS_DATABASE_URL", database_url)
    opened = resource.open()
    fill(opened)
    yield opened
    opened.store.close()


@pytest.fixture
def daemon(instance: dg.DagsterInstance, resource: WorkspaceResource, workspace: Workspace) -> Daemon:
    return Daemon(instance, resource)


def look(daemon: Daemon) -> set[str]:
    """A tick of the sensor; the candidates that it reported."""
    return {str(event.partition) for event in daemon.tick(sensors.verdicts_sensor).asset_events}


def recorded(workspace: Workspace, candidate: str) -> list[str]:
    return [each.verdict for each in workspace.store.decisions.verdicts(candidate)]


def test_each_candidate_has_its_verdict_with_numbers_and_reasons_and_no_run(daemon: Daemon) -> None:
    assert look(daemon) == partitions(daemon.instance, "verdicts") == {"old", "good", "worse"}
    assert daemon.instance.get_runs() == []
    told = latest(daemon.instance, "verdicts", "worse")
    assert {name: value for name, value in told.items() if isinstance(value, int)} == {
        "problems_fail": 1, "problems_incomplete": 0, "problems_inconclusive": 0, "problems_pass": 1,
        "problems_waived": 0, "solved": 1, "passes": 5, "answered": 6, "fixes": 2, "regressions": 1,
        "problems_not_compared": 0,
    }  # fmt: skip
    assert (told["verdict"], told["production"], told["approval"]) == (FAIL, "old", "nobody signed yet")
    rows = told["problems"].splitlines()[2:]
    assert rows[0].startswith(
        "| Towel \\(towel\\) | fail | 2/3 | 1 regression against old \\(p3\\); at most 0 regressions"
    )
    assert rows[1] == "| Muffin \\(muffin\\) | pass | 3/3 | solved\\: production does not meet it |"
    assert told["report"].startswith("http://127.0.0.1:")


def test_production_itself_has_no_flips_and_says_so_by_their_absence(daemon: Daemon) -> None:
    look(daemon)
    told = latest(daemon.instance, "verdicts", "old")
    assert not {"fixes", "regressions"} & set(told)
    assert told["verdict"] == FAIL


def test_what_cannot_be_compared_is_counted_and_not_shown_as_no_regression(
    daemon: Daemon, workspace: Workspace
) -> None:
    forget(workspace, "old", "muffin")
    forget(workspace, "old", "towel")
    look(daemon)
    told = latest(daemon.instance, "verdicts", "good")
    assert told["problems_not_compared"] == 2
    assert not {"fixes", "regressions"} & set(told)
    assert told["verdict"] == INCOMPLETE


def test_a_second_look_reports_and_records_nothing(daemon: Daemon, workspace: Workspace) -> None:
    look(daemon)
    result = daemon.tick(sensors.verdicts_sensor)
    assert not result.asset_events
    assert result.skip_reason is not None
    assert recorded(workspace, "good") == [PASS]


def test_a_decision_is_reported_of_its_candidate_only(daemon: Daemon, workspace: Workspace) -> None:
    look(daemon)
    approve(workspace)
    assert look(daemon) == {"good"}
    assert latest(daemon.instance, "verdicts", "good")["approval"].startswith("approve by Ada (owner)")
    judge.waive(workspace, "worse", "towel", None, person="Ada", reason="out of season", until=TOMORROW)
    assert look(daemon) == {"worse"}
    told = latest(daemon.instance, "verdicts", "worse")
    assert (told["verdict"], told["problems_waived"], told["problems_fail"]) == (PASS, 1, 0)
    assert (
        f"fail \\(waived\\) | 2/3 | 1 regression against old \\(p3\\); at most 0 regressions; waived until {TOMORROW}"
        in (told["problems"])
    )
    assert recorded(workspace, "worse") == [PASS, FAIL]


def test_a_promotion_changes_what_all_are_compared_with(daemon: Daemon, workspace: Workspace) -> None:
    look(daemon)
    approve(workspace)
    judge.promote(workspace, "good", person="Grace")
    assert look(daemon) == {"old", "good", "worse"}
    assert latest(daemon.instance, "verdicts", "worse")["production"] == "good"
    assert latest(daemon.instance, "verdicts", "good")["approval"].endswith("used for a promotion")


def test_a_waiver_that_expires_is_noticed_at_the_latest_after_an_hour(daemon: Daemon, workspace: Workspace) -> None:
    judge.waive(workspace, "worse", "towel", None, person="Ada", reason="out of season", until=TOMORROW)
    approve(workspace, "worse", APPROVE_WITH_WAIVERS)
    look(daemon)
    execute(workspace.store, "UPDATE waivers SET until = '2026-01-01'")  # as if the days had gone by
    cursor = json.loads(daemon.cursors["verdicts_sensor"] or "")
    version, hour = cursor["version"].split()
    assert sensors.verdicts_version(workspace.store, (int(hour) + 1) * 3600) != cursor["version"]
    daemon.cursors["verdicts_sensor"] = json.dumps({**cursor, "version": f"{version} {int(hour) - 1}"})
    assert look(daemon) == {"worse"}
    told = latest(daemon.instance, "verdicts", "worse")
    assert told["verdict"] == FAIL
    assert "is stale: towel was fail (waived) and is fail" in told["approval"]


def test_a_lost_tick_is_reported_by_the_next_and_recorded_once(daemon: Daemon, workspace: Workspace) -> None:
    look(daemon)
    before = dict(daemon.cursors)
    forget(workspace, "good", "towel")
    commit_outcomes(workspace.store, "good", BROKEN, "towel")
    assert look(daemon) == {"good"}
    daemon.cursors = before  # its result never arrived
    assert look(daemon) == {"good"}
    assert recorded(workspace, "good") == [FAIL, PASS]


def test_two_dagsters_on_one_store_record_a_verdict_once_and_both_show_it(
    daemon: Daemon, workspace: Workspace, resource: WorkspaceResource
) -> None:
    with dg.DagsterInstance.ephemeral() as home:
        other = Daemon(home, resource)
        assert look(daemon) == look(other) == {"old", "good", "worse"}
        assert partitions(home, "verdicts") == {"old", "good", "worse"}
    assert recorded(workspace, "good") == [PASS]


def test_while_cells_are_due_verdicts_wait_for_a_minute_and_are_then_what_they_are(
    daemon: Daemon, workspace: Workspace
) -> None:
    look(daemon)
    ask(workspace, "towel", patterns=(*PATTERNS, "p4"))
    assert look(daemon) == set()
    cursor = json.loads(daemon.cursors["verdicts_sensor"] or "")
    assert time.time() - cursor["since"] < 60
    assert recorded(workspace, "good") == [PASS], "a verdict of a moment is recorded for nobody"
    daemon.cursors["verdicts_sensor"] = json.dumps({**cursor, "since": cursor["since"] - 61})
    assert look(daemon) == {"old", "good", "worse"}
    assert latest(daemon.instance, "verdicts", "good")["verdict"] == INCOMPLETE


def test_a_note_that_is_not_validated_yet_makes_no_verdict_incomplete_for_a_moment(
    daemon: Daemon, workspace: Workspace
) -> None:
    approve(workspace)
    look(daemon)
    execute(workspace.store, "UPDATE patterns SET note = 'seen' WHERE problem = 'towel' AND id = 'p1'")
    assert look(daemon) == set()
    daemon.tick(sensors.problems_sensor)
    look(daemon)
    assert recorded(workspace, "good") == [PASS]
    assert latest(daemon.instance, "verdicts", "good")["approval"].startswith("approve by Ada")


def test_an_archived_candidate_is_judged_no_more_and_again_when_it_is_back(
    daemon: Daemon, workspace: Workspace
) -> None:
    look(daemon)
    workspace.store.candidates.archive("worse", actor="test")
    assert look(daemon) == set()
    workspace.store.candidates.unarchive("worse", actor="test")
    assert look(daemon) == {"worse"}


def test_an_empty_workspace_has_no_verdicts_and_no_fault(
    instance: dg.DagsterInstance, resource: WorkspaceResource
) -> None:
    assert look(Daemon(instance, resource)) == set()


def test_a_long_table_says_what_it_leaves_out_and_no_text_becomes_markup(daemon: Daemon, workspace: Workspace) -> None:
    for number in range(60):
        name = f"extra-{number}"
        import_muffins(
            workspace.store, [muffin_pattern("p1", problem=name)], muffin_problem(name, title="<b>A | [b](c)</b>")
        )
    daemon.cursors["verdicts_sensor"] = '{"since": 0}'
    look(daemon)
    table = latest(daemon.instance, "verdicts", "good")["problems"]
    assert "… and 12 more" in table
    assert "<b>" not in table
    assert "[b](" not in table
    assert all(line.count("|") == 5 for line in table.splitlines() if line.startswith("|"))


# -- notifications -------------------------------------------------------------------------------


@pytest.fixture
def received() -> Iterator[tuple[str, list[str]]]:
    """The address of a receiver, and the texts it got."""
    texts: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            texts.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", texts
        server.shutdown()
        thread.join()


def test_somebody_is_told_of_a_new_failing_verdict_once(
    daemon: Daemon, workspace: Workspace, received: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, texts = received
    look(daemon)
    monkeypatch.setenv("ML_REGRESS_WEBHOOK", address)
    forget(workspace, "good", "towel")
    commit_outcomes(workspace.store, "good", BROKEN, "towel")
    assert look(daemon) == {"good"}
    for _ in range(2):
        assert look(daemon) == set()
    (text,) = texts
    assert "good fails" in text
    assert "1 regression against old (p3)" in text


def test_a_receiver_that_is_down_stops_no_verdict(
    daemon: Daemon, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ML_REGRESS_WEBHOOK", f"http://127.0.0.1:{free_ports(1)[0]}/")
    assert look(daemon) == {"old", "good", "worse"}
    assert look(daemon) == set()
    approve(workspace)
    assert look(daemon) == {"good"}


# -- checks --------------------------------------------------------------------------------------


def checks(workspace: Workspace) -> dict[str, dg.AssetCheckResult]:
    found = scoreboard_results(gather(workspace.store, "scenario"))
    return {str(result.check_name): result for result in found}


def test_the_checks_name_what_the_newest_and_production_do_not_meet(workspace: Workspace) -> None:
    found = checks(workspace)
    assert found[names.NEWEST_MEETS].passed
    production = found[names.PRODUCTION_MEETS]
    assert not production.passed
    assert production.metadata["candidate"].value == "old"
    assert "| Muffin \\(muffin\\) | fail | 1/3 | 1 of 3 patterns pass; at least 2 of 3 must |" in str(
        production.metadata["not_met"].value
    )
    assert "towel" not in str(production.metadata["not_met"].value)
    assert all(each.severity is dg.AssetCheckSeverity.WARN for each in found.values())


def test_what_cannot_be_said_has_not_passed(workspace: Workspace) -> None:
    workspace.store.candidates.register(registered("newer", "2026-09-01T00:00:00+00:00"))
    newest = checks(workspace)[names.NEWEST_MEETS]
    assert not newest.passed
    assert newest.metadata["candidate"].value == "newer"
    assert newest.metadata["verdict"].value == INCOMPLETE
    assert "not measured yet" in str(newest.metadata["not_met"].value)


def test_a_waived_failure_passes_and_is_shown(workspace: Workspace) -> None:
    judge.waive(workspace, "old", "muffin", None, person="Ada", reason="as ever", until=TOMORROW)
    production = checks(workspace)[names.PRODUCTION_MEETS]
    assert production.passed
    assert production.metadata["not_met"].value == "none"
    assert f"waived until {TOMORROW} by Ada\\: as ever" in str(production.metadata["waived"].value)


def test_a_refused_problem_keeps_the_checks_from_passing(workspace: Workspace, daemon: Daemon) -> None:
    execute(workspace.store, "UPDATE patterns SET expected = '{{' WHERE problem = 'towel'")
    daemon.tick(sensors.problems_sensor)
    newest = checks(workspace)[names.NEWEST_MEETS]
    assert not newest.passed
    assert "towel is refused" in str(newest.metadata["missing"].value)


def test_a_check_with_nothing_to_check_says_so_and_does_not_pass(folder: Path, resource: WorkspaceResource) -> None:
    found = checks(resource.open())
    for name, why in ((names.NEWEST_MEETS, "no candidate is registered"), (names.PRODUCTION_MEETS, "in production")):
        assert not found[name].passed
        assert why in str(found[name].metadata["verdict"].value)
