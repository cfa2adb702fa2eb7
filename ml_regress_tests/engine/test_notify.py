"""Notifications: stored with what they tell of, delivered to a real receiver once, and lost by nothing."""

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ml_regress.core.inputs import parse_input_types
from ml_regress.core.problem import Problem, Requirement
from ml_regress.core.verdict import CellFacts, Flips, Verdict, judge
from ml_regress.core.waiver import SignOff
from ml_regress.engine import judge as judging
from ml_regress.engine import notify
from ml_regress.engine.notify import Delivered
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import InvalidInput
from ml_regress.settings import Settings
from ml_regress.store.notifications import MOST_ATTEMPTS
from ml_regress_tests.defs.judged import PATTERNS, approve, ask, fill

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
SECRET = "T0KEN-that-nobody-may-read"  # noqa: S105 - of no service


class Receiver(http.server.ThreadingHTTPServer):
    """Keeps what is posted to it, and answers with the next of its codes, then with 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.codes: list[int] = []
        self.got: list[dict[str, Any]] = []
        self.fetched: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}/services/{SECRET}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        code = self.server.codes.pop(0) if self.server.codes else 200
        if code == 200:
            assert self.headers["Content-Type"].startswith("application/json")
            self.server.got.append(json.loads(body))
        self.send_response(code)
        if code in (302, 307):
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.fetched.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def told(workspace: Workspace, receiver: Receiver) -> Workspace:
    """A workspace whose notifications go to the receiver."""
    return hooked(workspace, receiver.url)


def hooked(workspace: Workspace, url: str | None) -> Workspace:
    return replace(workspace, settings=replace(workspace.settings, webhook=url, name="letters"))


def a_verdict(regressions: tuple[str, ...] = ("p3",), title: str = "Muffin <or> dog & co") -> Verdict:
    problem = Problem(
        "muffin", title, parse_input_types({"x": "number"}), requirement=Requirement(at_least=1, max_regressions=0)
    )
    facts = CellFacts(problem, "ok", suite="s1", passes=3, answered=4, patterns=4, flips=Flips(regressions=regressions))
    return judge(("new", "d1"), ("old", "d0"), [facts])


def add(workspace: Workspace, *keys: str) -> None:
    for key in keys:
        assert notify.add(workspace, (key, "failing verdict", {"text": key}))


def texts(receiver: Receiver) -> list[str]:
    return [each["text"] for each in receiver.got]


# -- delivery ------------------------------------------------------------------------------------


def test_what_waits_is_sent_once_in_order(told: Workspace, receiver: Receiver) -> None:
    add(told, "one", "two")
    assert notify.deliver(told) == Delivered(sent=2)
    assert texts(receiver) == ["one", "two"]
    assert notify.deliver(told) == Delivered()
    assert len(receiver.got) == 2
    assert all(each.sent_at and each.error is None for each in told.store.notifications.list())


def test_a_receiver_that_fails_first_gets_it_later(told: Workspace, receiver: Receiver) -> None:
    add(told, "one", "two")
    receiver.codes = [503]
    assert notify.deliver(told, NOW) == Delivered(failed=1, waiting=2)  # the other one is not tried in vain
    assert receiver.got == []
    _, first = told.store.notifications.list()
    assert (first.attempts, first.error, first.next_at) == (
        1, "the webhook answered 503 Service Unavailable", "2030-01-01T12:01:00.000Z",
    )  # fmt: skip
    assert notify.deliver(told, NOW + timedelta(seconds=59)) == Delivered(sent=1, waiting=1)
    assert notify.deliver(told, NOW + timedelta(seconds=60)) == Delivered(sent=1)
    assert texts(receiver) == ["two", "one"]


def test_one_that_is_refused_does_not_hold_up_the_others(told: Workspace, receiver: Receiver) -> None:
    add(told, "refused", "two")
    receiver.codes = [400]
    assert notify.deliver(told, NOW) == Delivered(sent=1, failed=1, waiting=1)
    assert texts(receiver) == ["two"]


def test_waits_grow_to_an_hour_and_after_ten_attempts_it_is_given_up_and_kept(
    told: Workspace, receiver: Receiver
) -> None:
    add(told, "one")
    receiver.codes = [500] * 20
    moment, waits = NOW, []
    for _ in range(MOST_ATTEMPTS):
        assert notify.deliver(told, moment).failed == 1
        (kept,) = told.store.notifications.list()
        then = datetime.fromisoformat(kept.next_at)
        waits.append((then - moment) / timedelta(minutes=1))
        assert notify.deliver(told, then - timedelta(seconds=1)).failed == 0
        moment = then
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert notify.deliver(told, moment + timedelta(days=9)) == Delivered()
    (kept,) = told.store.notifications.list()
    assert kept.given_up and kept.error == "the webhook answered 500 Internal Server Error"


@pytest.mark.parametrize("code", [302, 307])
def test_a_redirect_is_no_delivery(told: Workspace, receiver: Receiver, code: int) -> None:
    add(told, "one")
    receiver.codes = [code]
    assert notify.deliver(told, NOW) == Delivered(failed=1, waiting=1)
    assert receiver.fetched == []
    assert "ML_REGRESS_WEBHOOK must be its final address" in str(told.store.notifications.list()[0].error)


def test_a_receiver_that_is_not_there_or_speaks_no_http_costs_nothing_and_the_reason_has_no_secret(
    workspace: Workspace,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    absent = hooked(workspace, f"http://127.0.0.1:{port}/{SECRET}")
    add(absent, "one")
    assert notify.deliver(absent, NOW) == Delivered(failed=1, waiting=1)
    assert absent.store.notifications.list()[0].error == "the webhook cannot be reached: Connection refused"
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_say_nonsense, args=(server,))
        thread.start()
        strange = hooked(workspace, f"http://127.0.0.1:{server.getsockname()[1]}/{SECRET}")
        assert notify.deliver(strange, NOW + timedelta(hours=1)) == Delivered(failed=1, waiting=1)
        thread.join()
    (kept,) = workspace.store.notifications.list()
    assert kept.error == "the webhook did not answer as HTTP: BadStatusLine"
    assert SECRET not in str(kept)


def _say_nonsense(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"220 mail is welcome\r\n")


def test_an_https_address_is_told_nothing_without_tls(workspace: Workspace, receiver: Receiver) -> None:
    add(hooked(workspace, receiver.url), "one")
    spoken = hooked(workspace, receiver.url.replace("http:", "https:"))
    assert notify.deliver(spoken, NOW).failed == 1
    assert receiver.got == []


def test_two_senders_at_once_send_each_notification_once(told: Workspace, receiver: Receiver) -> None:
    add(told, *(f"n{number}" for number in range(8)))
    done: list[Delivered] = []
    senders = [threading.Thread(target=lambda: done.append(notify.deliver(told))) for _ in range(3)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(texts(receiver)) == sorted(f"n{number}" for number in range(8))
    assert sum(each.sent for each in done) == 8


def test_what_a_sender_claimed_before_it_died_is_sent_later(told: Workspace, receiver: Receiver) -> None:
    add(told, "one")
    notifications = told.store.notifications
    assert notifications.claim("2030-01-01T12:00:00.000Z", "2030-01-01T12:05:00.000Z") is not None
    assert notify.deliver(told, NOW + timedelta(minutes=4)) == Delivered(waiting=1)
    assert notify.deliver(told, NOW + timedelta(minutes=5)) == Delivered(sent=1)
    assert texts(receiver) == ["one"]


# -- storing -------------------------------------------------------------------------------------


def test_a_key_is_stored_once(told: Workspace, receiver: Receiver) -> None:
    add(told, "one")
    assert not notify.add(told, ("one", "failing verdict", {"text": "again"}))
    notify.deliver(told)
    assert not notify.add(told, ("one", "failing verdict", {"text": "again"}))
    assert texts(receiver) == ["one"]


def test_a_notification_is_undone_with_what_it_tells_of(told: Workspace) -> None:
    with pytest.raises(sa.exc.ArgumentError), told.store.database.write():
        add(told, "one")
        raise sa.exc.ArgumentError("what it tells of did not come about")
    assert told.store.notifications.list() == []


def test_without_a_webhook_nothing_is_stored_or_sent(workspace: Workspace, receiver: Receiver) -> None:
    assert not notify.add(hooked(workspace, None), ("one", "failing verdict", {"text": "one"}))
    assert workspace.store.notifications.list() == []
    add(hooked(workspace, receiver.url), "one")
    assert notify.deliver(hooked(workspace, None)) == Delivered()
    assert receiver.got == []


# -- words ---------------------------------------------------------------------------------------


def test_a_failing_verdict_names_its_problems_and_reasons(told: Workspace, receiver: Receiver) -> None:
    assert notify.add(told, notify.failing_verdict(told, a_verdict(), "pass"))
    notify.deliver(told)
    (payload,) = receiver.got
    reason = "1 regression against old (p3); at most 0 regressions"
    assert payload.pop("at").endswith("Z")
    assert payload == {
        "text": "[letters] new fails. It was pass.\n"
        f"• Muffin &lt;or&gt; dog &amp; co (muffin): {reason}",
        "event": "failing verdict",
        "workspace": "letters",
        "candidate": "new",
        "problems": [
            {"problem": "muffin", "title": "Muffin <or> dog & co", "verdict": "fail", "reasons": [reason]}
        ],
    }  # fmt: skip


def test_the_same_evidence_is_told_once_and_other_evidence_again(told: Workspace) -> None:
    assert notify.add(told, notify.failing_verdict(told, a_verdict(), "pass"))
    assert not notify.add(told, notify.failing_verdict(told, a_verdict(), None))
    assert notify.add(told, notify.failing_verdict(told, a_verdict(("p3", "p4")), "pass"))
    verdict = a_verdict()
    assert notify.add(told, notify.production_regressed(told, verdict, verdict.problems))


def test_production_that_regressed_is_told_with_its_problems(told: Workspace) -> None:
    verdict = a_verdict()
    _, event, payload = notify.production_regressed(told, verdict, verdict.problems)
    assert event == "production regressed"
    assert payload["text"].startswith("[letters] new, which is in production, fails what it passed before.\n• Muffin")
    assert [each["problem"] for each in payload["problems"]] == ["muffin"]


def test_a_stale_approval_is_told_once_a_sign_off_with_what_changed(told: Workspace) -> None:
    signed = SignOff(4, "new", "Ada <!channel>", "owner", "approve", "", "2026-06-01T00:00:00Z", "e1", "{}")
    made = notify.approval_stale(told, signed, ("muffin was pass and is fail",))
    assert notify.add(told, made)
    assert not notify.add(told, notify.approval_stale(told, signed, ("muffin was pass and is incomplete",)))
    assert notify.add(told, notify.approval_stale(told, replace(signed, number=5), ()))
    payload = made[2]
    assert payload["text"] == (
        "[letters] The approval of new by Ada &lt;!channel&gt; (owner) is stale.\n• muffin was pass and is fail"
    )
    assert (payload["sign_off"], payload["reasons"], payload["problems"]) == (4, ["muffin was pass and is fail"], [])


def test_a_text_stays_short_and_a_title_cannot_forge_a_line(told: Workspace) -> None:
    verdict = a_verdict(title="Muffin\n[letters] all is well " + "x" * 5000)
    many = replace(verdict, problems=verdict.problems * 30)
    text = notify.failing_verdict(told, many, None)[2]["text"]
    assert len(text) < 8000
    lines = text.splitlines()
    assert len(lines) == 12 and lines[-1] == "and 20 more"
    assert all(line.startswith("• Muffin [letters] all is well") for line in lines[1:-1])


def test_what_is_judged_is_told_once_from_a_failing_verdict_to_a_stale_approval(
    told: Workspace, receiver: Receiver
) -> None:
    fill(told)
    judging.record(told)
    judging.record(told)
    notify.deliver(told)
    assert {(each["event"], each["candidate"]) for each in receiver.got} == {
        ("failing verdict", "old"),
        ("failing verdict", "worse"),
    }
    assert len(receiver.got) == 2
    approve(told, "good")
    ask(told, "towel", patterns=(*PATTERNS, "p4"))
    judging.record(told)
    notify.deliver(told)
    (stale,) = receiver.got[2:]
    assert (stale["event"], stale["candidate"]) == ("approval stale", "good")
    assert "towel was pass and is incomplete" in stale["text"]


# -- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["https://hooks.example.org/services/x", "http://127.0.0.1:8080/", "https://[::1]:8/a"])
def test_a_webhook_is_taken_from_the_environment_and_is_not_shown(folder: Path, url: str) -> None:
    settings = Settings.load(folder, {"ML_REGRESS_WEBHOOK": url})
    assert settings.webhook == url
    assert url not in repr(settings)
    assert Settings.load(folder, {"ML_REGRESS_WEBHOOK": ""}).webhook is None


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://host/x",
        "hooks.example.org/x",
        "https:///x",
        "https://user:secret@host/x",
        "https://host:port/x",
        "https://[::1/x",
        "https://host/a b",
        "https://host/\n",
        "https://höst/x",
    ],
)
def test_an_address_that_is_no_webhook_is_refused_without_showing_it(folder: Path, url: str) -> None:
    with pytest.raises(InvalidInput, match="column 'ML_REGRESS_WEBHOOK': must be an address such as") as refused:
        Settings.load(folder, {"ML_REGRESS_WEBHOOK": url})
    assert url not in str(refused.value)
    (folder / "ml_regress.yaml").write_text("webhook: https://host/x\n")
    with pytest.raises(InvalidInput, match="is no setting"):
        Settings.load(folder, {})
