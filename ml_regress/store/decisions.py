"""What people decided, and what was judged: waivers, sign-offs, verdicts, promotions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from ml_regress.core.digest import digest_of
from ml_regress.core.waiver import SignOff, Waiver
from ml_regress.errors import Conflict, NotFound
from ml_regress.store import tables
from ml_regress.store.candidates import PRODUCTION
from ml_regress.store.database import Database, now
from ml_regress.store.log import note
from ml_regress.store.rows import dump

PROMOTE, ROLL_BACK, ADOPT = "promote", "roll back", "adopt"


@dataclass(frozen=True)
class Judged:
    """A verdict as it was recorded: `evidence` is core.verdict.evidence_of as JSON, named by its digest."""

    number: int
    candidate: str
    verdict: str
    evidence_digest: str
    evidence: str
    judged_at: str


@dataclass(frozen=True)
class InProduction:
    """One entry of the history of production: how it came about, by whom, why, and the sign-off it rests on.

    `watched` are the problems that it solved, which are watched since; known where production has just moved.
    """

    number: int
    candidate: str
    at: str
    person: str
    reason: str
    verb: str
    sign_off: int | None
    watched: tuple[str, ...] = ()


class DecisionTable:
    """Waivers, sign-offs, verdicts and the moves of production."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- waivers ---------------------------------------------------------------------------------

    def waive(
        self, candidate: str, problem: str, pattern: str | None, *, person: str, reason: str, until: str
    ) -> Waiver:
        """Store a waiver; raises NotFound for a candidate, problem or pattern that there is not."""
        with self._database.write() as connection:
            _known(connection, tables.candidates.c.id, candidate, "candidate")
            _known(connection, tables.problems.c.id, problem, "problem")
            if pattern is not None:
                columns = tables.patterns.c
                here = sa.select(columns.id).where(columns.problem == problem, columns.id == pattern)
                if connection.execute(here).first() is None:
                    raise NotFound(f"{problem} has no pattern {pattern!r}; `ml-regress patterns {problem}` lists them")
            values = {"candidate": candidate, "problem": problem, "pattern": pattern, "person": person,
                      "reason": reason, "until": until, "at": now()}  # fmt: skip
            number = _insert(connection, tables.waivers, values)
            place = problem if pattern is None else f"{problem}/{pattern}"
            note(connection, person, "waive", f"{candidate}|{place}", f"waiver {number} until {until}: {reason}")
            return Waiver(number, candidate, problem, pattern, person, reason, until, values["at"] or "")

    def withdraw(self, number: int, *, person: str) -> Waiver:
        """Take a waiver back; raises NotFound, and Conflict where it was taken back already."""
        with self._database.write() as connection:
            columns = tables.waivers.c
            row = connection.execute(sa.select(tables.waivers).where(columns.number == number)).mappings().first()
            if row is None:
                raise NotFound(f"there is no waiver {number}; `ml-regress waivers` lists them")
            if row["withdrawn_at"] is not None:
                raise Conflict(f"waiver {number} was withdrawn at {row['withdrawn_at']}")
            connection.execute(sa.update(tables.waivers).where(columns.number == number).values(withdrawn_at=now()))
            note(connection, person, "withdraw", f"{row['candidate']}|{row['problem']}", f"waiver {number}")
            return _waiver(row)

    def waivers(self, candidate: str | None = None) -> list[Waiver]:
        """The waivers that nobody withdrew, expired ones too, oldest first."""
        columns = tables.waivers.c
        query = sa.select(tables.waivers).where(columns.withdrawn_at.is_(None)).order_by(columns.number)
        if candidate is not None:
            query = query.where(columns.candidate == candidate)
        with self._database.read() as connection:
            return [_waiver(row) for row in connection.execute(query).mappings()]

    # -- verdicts and sign-offs ------------------------------------------------------------------

    def record_verdict(self, candidate: str, verdict: str, evidence: Mapping[str, Any]) -> Judged | None:
        """Append a verdict where its evidence is not that of the last one; what was recorded before, if it was.

        Returns None where nothing changed; the entry before (or an empty one with number 0) where it did.
        """
        digest = digest_of(dict(evidence))
        with self._database.write() as connection:
            before = _latest(connection, candidate)
            if before is not None and before.evidence_digest == digest:
                return None
            values = {"candidate": candidate, "verdict": verdict, "evidence_digest": digest,
                      "evidence": dump(dict(evidence)), "judged_at": now()}  # fmt: skip
            connection.execute(sa.insert(tables.verdicts).values(values))
            return before or Judged(0, candidate, "", "", "{}", "")

    def verdicts(self, candidate: str) -> list[Judged]:
        """The recorded verdicts of a candidate, newest first."""
        columns = tables.verdicts.c
        query = sa.select(tables.verdicts).where(columns.candidate == candidate).order_by(columns.number.desc())
        with self._database.read() as connection:
            return [Judged(**row) for row in connection.execute(query).mappings()]

    def verdict_digests(self) -> dict[str, str]:
        """The evidence digest of each candidate's last recorded verdict."""
        columns = tables.verdicts.c
        last = sa.select(sa.func.max(columns.number)).group_by(columns.candidate)
        query = sa.select(columns.candidate, columns.evidence_digest).where(columns.number.in_(last))
        with self._database.read() as connection:
            return {row.candidate: row.evidence_digest for row in connection.execute(query)}

    def sign(
        self,
        candidate: str,
        *,
        person: str,
        role: str,
        decision: str,
        words: str,
        evidence: Mapping[str, Any],
    ) -> SignOff:
        """Store a person's decision with the evidence it is bound to."""
        with self._database.write() as connection:
            values: dict[str, Any] = {"candidate": candidate, "person": person, "role": role, "decision": decision,
                      "words": words, "at": now(), "evidence_digest": digest_of(dict(evidence)),
                      "evidence": dump(dict(evidence))}  # fmt: skip
            number = _insert(connection, tables.sign_offs, values)
            note(connection, person, "sign", candidate, f"sign-off {number}: {decision}")
            return SignOff(number, **values)

    def sign_offs(self, candidate: str | None = None) -> list[SignOff]:
        """Sign-offs, newest first; `used` says that a promotion rests on one."""
        columns, used = tables.sign_offs.c, sa.exists().where(tables.promotions.c.sign_off == tables.sign_offs.c.number)
        query = sa.select(tables.sign_offs, used.label("used")).order_by(columns.number.desc())
        if candidate is not None:
            query = query.where(columns.candidate == candidate)
        with self._database.read() as connection:
            return [SignOff(**{**row, "used": bool(row["used"])}) for row in connection.execute(query).mappings()]

    def sign_off(self, number: int) -> SignOff:
        """One sign-off; raises NotFound."""
        for each in self.sign_offs():
            if each.number == number:
                return each
        raise NotFound(f"there is no sign-off {number}; `ml-regress sign-offs` lists them")

    # -- production ------------------------------------------------------------------------------

    def move_production(
        self,
        candidate: str,
        *,
        verb: str,
        person: str,
        reason: str,
        sign_off: int | None = None,
        solved: Sequence[str] = (),
    ) -> InProduction:
        """Point production at a candidate and keep the history; the caller has decided that it may.

        Open problems among those that it `solved` are watched from now on.

        Raises NotFound for a candidate that there is not, Conflict for one that is archived or in production already.
        """
        with self._database.write() as connection:
            columns = tables.candidates.c
            state = connection.execute(sa.select(columns.state).where(columns.id == candidate)).scalar_one_or_none()
            if state is None:
                raise NotFound(f"no candidate {candidate!r} in the store; `ml-regress candidates list` names them")
            if state == "archived":
                raise Conflict(f"{candidate} is archived: `ml-regress candidates unarchive {candidate}` first")
            history = self.production_history()
            if history and history[0].candidate == candidate:
                raise Conflict(f"{candidate} is in production already")
            values = {"alias": PRODUCTION, "candidate": candidate, "at": now(), "actor": person, "reason": reason}
            number = _insert(connection, tables.aliases, values)
            connection.execute(sa.insert(tables.promotions).values(alias=number, verb=verb, sign_off=sign_off))
            before = history[0].candidate if history else "nobody"
            note(connection, person, verb, candidate, f"after {before}: {reason}")
            watched = _watch(connection, solved)
            if watched:
                note(connection, person, "watch", candidate, f"solved: {', '.join(watched)}")
            return InProduction(number, candidate, values["at"], person, reason, verb, sign_off, tuple(watched))

    def production_history(self) -> list[InProduction]:
        """Who was in production, newest first."""
        alias, moved = tables.aliases.c, tables.promotions.c
        query = (
            sa.select(
                alias.number,
                alias.candidate,
                alias.at,
                alias.actor.label("person"),
                alias.reason,
                sa.func.coalesce(moved.verb, ADOPT).label("verb"),
                moved.sign_off,
            )
            .outerjoin(tables.promotions, moved.alias == alias.number)
            .where(alias.alias == PRODUCTION)
            .order_by(alias.number.desc())
        )
        with self._database.read() as connection:
            return [InProduction(**row) for row in connection.execute(query).mappings()]

    def version(self) -> tuple[int, ...]:
        """Numbers that change whenever a person decided something."""
        with self._database.read() as connection:
            return tuple(
                int(connection.execute(sa.select(query)).scalar_one() or 0)
                for query in (
                    sa.func.max(tables.waivers.c.number),
                    sa.func.count(tables.waivers.c.withdrawn_at),
                    sa.func.max(tables.sign_offs.c.number),
                    sa.func.max(tables.aliases.c.number),
                )
            )


def _watch(connection: sa.Connection, solved: Sequence[str]) -> list[str]:
    columns = tables.problems.c
    here = (columns.id.in_(list(solved)), columns.state == "open")
    found = sorted(connection.execute(sa.select(columns.id).where(*here)).scalars())
    if found:
        connection.execute(sa.update(tables.problems).where(*here).values(state="watched"))
    return found


def _known(connection: sa.Connection, column: "sa.Column[str]", name: str, kind: str) -> None:
    if connection.execute(sa.select(column).where(column == name)).first() is None:
        raise NotFound(f"no {kind} {name!r} in the store")


def _insert(connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> int:
    made = connection.execute(sa.insert(table).values(dict(values)).returning(table.c.number))
    return int(made.scalar_one())


def _latest(connection: sa.Connection, candidate: str) -> Judged | None:
    columns = tables.verdicts.c
    query = sa.select(tables.verdicts).where(columns.candidate == candidate).order_by(columns.number.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return None if row is None else Judged(**row)


def _waiver(row: Mapping[Any, Any]) -> Waiver:
    return Waiver(
        row["number"], row["candidate"], row["problem"], row["pattern"], row["person"], row["reason"], row["until"],
        row["at"],
    )  # fmt: skip
