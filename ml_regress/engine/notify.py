"""Notifications: what somebody is told of, once, through a webhook.

They are stored in the transaction of what they tell of and delivered later, so that neither a crash nor a receiver
that is down loses one. Without a webhook none is stored.
"""

import http.client
import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from ml_regress.core.batch import Batch
from ml_regress.core.digest import digest_of
from ml_regress.core.drift_result import DRIFT, DriftReport
from ml_regress.core.verdict import ProblemVerdict, Verdict, evidence_of
from ml_regress.core.waiver import SignOff
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import shortened

FAILING_VERDICT, PRODUCTION_REGRESSED, APPROVAL_STALE = "failing verdict", "production regressed", "approval stale"
BATCH_DRIFTS, BATCH_QUARANTINED, NO_BATCH = "drift", "batch quarantined", "no batch"
TIMEOUT = 10.0
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
# Who claimed a notification and does not come back has lost it after this time.
CLAIM = timedelta(minutes=5)
# After so many seconds no other one is begun: a sensor, or a person at a command, waits for the delivery.
LONGEST = 20.0
LINES = 10

Told = tuple[str, str, dict[str, Any]]
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivered:
    """What a delivery did: sent, failed (to be tried again, or given up), and how many wait still."""

    sent: int = 0
    failed: int = 0
    waiting: int = 0


class NotDelivered(Exception):
    """An attempt that failed, in words without the address; `down` where others would fail as well."""

    def __init__(self, words: str, *, down: bool) -> None:
        super().__init__(words)
        self.down = down


def failing_verdict(workspace: Workspace, verdict: Verdict, before: str | None) -> Told:
    """(key, event, payload): a verdict is fail now, and was `before` (None for a first one)."""
    failing = [each for each in verdict.problems if each.counted == verdict.verdict]
    was = "" if before is None else f" It was {before}."
    text = f"{verdict.candidate} fails.{was}"
    return _told(workspace, FAILING_VERDICT, verdict.candidate, _digest(verdict), text=text, problems=failing)


def production_regressed(workspace: Workspace, verdict: Verdict, problems: Sequence[ProblemVerdict]) -> Told:
    """(key, event, payload): the candidate in production fails problems that it passed before."""
    text = f"{verdict.candidate}, which is in production, fails what it passed before."
    return _told(workspace, PRODUCTION_REGRESSED, verdict.candidate, _digest(verdict), text=text, problems=problems)


def approval_stale(workspace: Workspace, sign_off: SignOff, reasons: Sequence[str]) -> Told:
    """(key, event, payload): there is new evidence since a sign-off; told once a sign-off."""
    text = f"The approval of {sign_off.candidate} by {sign_off.person} ({sign_off.role}) is stale."
    about = f"{sign_off.number} {sign_off.evidence_digest}"
    told = _told(workspace, APPROVAL_STALE, sign_off.candidate, about, text=text, lines=reasons)
    return told[0], told[1], {**told[2], "sign_off": sign_off.number, "reasons": list(reasons)}


def batch_drifts(workspace: Workspace, report: DriftReport) -> Told:
    """(key, event, payload): a batch differs from its reference; told once a question."""
    lines = [f"{each.column}: {each.reason}" for each in report.drifting]
    lines += [each.reason for each in (report.domain, report.metric) if each is not None and each.state == DRIFT]
    text = f"Batch {report.batch} drifts from {report.reference}."
    told = _of_batch(workspace, BATCH_DRIFTS, report.batch, report.question, text=text, lines=lines)
    return told[0], told[1], {**told[2], "candidate": report.candidate}


def batch_quarantined(workspace: Workspace, batch: Batch) -> Told:
    """(key, event, payload): a batch broke the production schema; told once for its rows."""
    text = f"Batch {batch.id} is quarantined: it breaks the production schema, and nothing uses it."
    return _of_batch(workspace, BATCH_QUARANTINED, batch.id, batch.digest, text=text, lines=batch.reasons)


def no_batch(workspace: Workspace, words: str, day: str) -> Told:
    """(key, event, payload): no batch came when one was expected; told once a day."""
    return _of_batch(workspace, NO_BATCH, None, day, text=words)


def _of_batch(
    workspace: Workspace, event: str, batch: str | None, about: str, *, text: str, lines: Sequence[str] = ()
) -> Told:
    _, _, payload = _told(workspace, event, None, about, text=text, lines=lines)
    return f"{event}|{batch or ''}|{about}", event, {**payload, "batch": batch, "reasons": list(lines)}


def _digest(verdict: Verdict) -> str:
    return digest_of(evidence_of(verdict))


def _told(
    workspace: Workspace,
    event: str,
    candidate: str | None,
    about: str,
    *,
    text: str,
    problems: Sequence[ProblemVerdict] = (),
    lines: Sequence[str] = (),
) -> Told:
    found = [
        {"problem": each.problem, "title": each.title, "verdict": each.words, "reasons": list(each.reasons)}
        for each in problems
    ]
    said = list(lines) or [f"{each.title} ({each.problem}): {'; '.join(each.reasons)}" for each in problems]
    more = [f"and {len(said) - LINES} more"] if len(said) > LINES else []
    written = "\n".join([f"[{workspace.settings.name}] {text}", *(f"• {_line(each)}" for each in said[:LINES]), *more])
    payload = {
        "text": _slack(written),
        "event": event,
        "workspace": workspace.settings.name,
        "candidate": candidate,
        "problems": found,
        "at": _moment(datetime.now(UTC)),
    }
    return f"{event}|{candidate}|{about}", event, payload


def _line(text: str) -> str:
    return shortened(" ".join(text.split()), 500)


def _slack(text: str) -> str:
    """Text as Slack takes it: these three signs are all that could become a link or a mention."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def add(workspace: Workspace, told: Told) -> bool:
    """Store a notification where there is a webhook, in the transaction that is open, once a key.

    Returns whether it is new.
    """
    if workspace.settings.webhook is None:
        return False
    with workspace.store.database.write() as connection:
        return workspace.store.notifications.add(connection, *told)


def deliver(workspace: Workspace, now: datetime | None = None) -> Delivered:
    """Send what waits and whose time has come (`now`, with a time zone); what fails is tried again later.

    Two at once do not send the same. A process that ends between sending and noting it sends once more.
    """
    webhook, notifications = workspace.settings.webhook, workspace.store.notifications
    if webhook is None or not notifications.waiting():
        return Delivered()
    sent = failed = 0
    ends = time.monotonic() + LONGEST
    while time.monotonic() < ends:
        moment = now or datetime.now(UTC)
        claimed = notifications.claim(_moment(moment), _moment(moment + CLAIM))
        if claimed is None:
            break
        try:
            _send(webhook, claimed.payload)
        except NotDelivered as error:
            failed += 1
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2**claimed.attempts)
            notifications.failed(claimed.number, str(error), _moment(moment + wait))
            _logger.warning("a notification (%s) was not delivered: %s", claimed.event, error)
            if error.down:
                break
        else:
            sent += 1
            notifications.sent(claimed.number, _moment(moment))
    return Delivered(sent, failed, notifications.waiting())


def _moment(moment: datetime) -> str:
    """As the store writes times, so that they stand in their order as texts."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET without its content, perhaps to another place: it is an error."""

    def redirect_request(self, *_arguments: Any, **_keywords: Any) -> None:
        return None


def _send(webhook: str, payload: Mapping[str, Any]) -> None:
    """Post a payload as JSON; raises NotDelivered."""
    body = json.dumps(payload).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "ml-regress"}
    # The settings took no scheme but http and https; certificates are checked by default.
    request = urllib.request.Request(webhook, body, headers, method="POST")  # noqa: S310
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT) as answer:
            answer.read(1024)
    except urllib.error.HTTPError as error:
        error.close()
        raise NotDelivered(_status_words(error.code), down=error.code >= 500 or error.code == 429) from None
    except urllib.error.URLError as error:
        raise NotDelivered(f"the webhook cannot be reached: {_reason(error.reason)}", down=True) from None
    except TimeoutError:
        raise NotDelivered(f"the webhook did not answer within {TIMEOUT:g} seconds", down=True) from None
    except (OSError, http.client.HTTPException) as error:
        raise NotDelivered(f"the webhook did not answer as HTTP: {type(error).__name__}", down=True) from None


def _status_words(code: int) -> str:
    known = {each.value: each.phrase for each in HTTPStatus}
    words = f"the webhook answered {code} {known.get(code, '')}".rstrip()
    return f"{words}; ML_REGRESS_WEBHOOK must be its final address" if 300 <= code < 400 else words


def _reason(reason: object) -> str:
    """Why, in the system's words; a message that is somebody else's might hold the address."""
    if isinstance(reason, TimeoutError):
        return f"no answer within {TIMEOUT:g} seconds"
    words = reason.strerror if isinstance(reason, OSError) else None
    return shortened(words or type(reason).__name__, 200)
