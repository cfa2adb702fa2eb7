"""Candidates and aliases in the store."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from ml_regress.core.candidate import Candidate
from ml_regress.core.evaluation import ERROR, NOT_APPLICABLE, OK
from ml_regress.core.prediction import RecordedRow
from ml_regress.errors import Conflict, NotFound
from ml_regress.store import tables
from ml_regress.store.database import Database, in_utc, now
from ml_regress.store.due import APPENDED, fill_due
from ml_regress.store.log import note
from ml_regress.store.recorded import keep_recorded
from ml_regress.store.rows import candidate_from_row, dump

PRODUCTION = "production"


class CandidateTable:
    """Registration, archive and order of candidates, and the alias of production."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(
        self,
        candidate: Candidate,
        *,
        recorded: Sequence[RecordedRow] | None = None,
        actor: str = "import",
        notes: Sequence[str] = (),
    ) -> str:
        """Register a candidate and ask for its cells; says registered, updated (its notes) or unchanged.

        `recorded` are the predictions of a recorded candidate, which may grow: the cells that lacked
        what is new are due again. Raises Conflict where the id is taken by other bytes, features,
        defaults or answer map, and InvalidInput for rows that contradict what was recorded before.
        """
        with self._database.write() as connection:
            said = self._register(connection, candidate, actor)
            if recorded is None:
                return said
            kept = keep_recorded(connection, candidate.id, recorded, f"{candidate.path}/{candidate.manifest.artefact}")
            if not kept.rows:
                return said
            if said != "registered":
                due = tables.due.c
                connection.execute(
                    sa.update(tables.due)
                    .where(due.candidate == candidate.id, due.problem.in_(sorted(kept.problems)))
                    .values(claimed_by=None, claimed_at=None, reason=APPENDED)  # a run may have read what there was
                )
                self._measure_again(connection, candidate, kept.problems, APPENDED, states=(ERROR,))
            note(connection, actor, "record", candidate.id, "; ".join([f"{kept.rows} predictions", *notes]))
            return f"{said}, {kept.rows} predictions recorded"

    def _register(self, connection: sa.Connection, candidate: Candidate, actor: str) -> str:
        columns, manifest = tables.candidates.c, dump(candidate.manifest.as_dict())
        same = [
            name
            for name in connection.execute(sa.select(columns.id)).scalars()
            if name.casefold() == candidate.id.casefold()
        ]
        if not same:
            connection.execute(
                sa.insert(tables.candidates).values(
                    id=candidate.id,
                    digest=candidate.digest,
                    sha256=candidate.sha256,
                    size=candidate.size,
                    format=candidate.manifest.format,
                    path=candidate.path,
                    manifest=manifest,
                    libraries=dump(dict(candidate.libraries)),
                    created_at=in_utc(candidate.manifest.created_at),
                    registered_at=now(),
                )
            )
            fill_due(connection, "new candidate", candidate=candidate.id)
            note(connection, actor, "register", candidate.id, f"digest {candidate.digest}")
            return "registered"
        if candidate.id not in same:
            raise Conflict(f"the id {candidate.id!r} differs from the candidate {same[0]!r} only by case")
        found = connection.execute(sa.select(tables.candidates).where(columns.id == candidate.id))
        old = found.mappings().one()
        if (old["digest"], old["format"]) != (candidate.digest, candidate.manifest.format):
            raise Conflict(
                f"{candidate.path}: the candidate {candidate.id!r} is registered with another content "
                f"(artefact sha256 {old['sha256'][:12]}…, now {candidate.sha256[:12]}…; "
                f"digest {old['digest'][:12]}…, now {candidate.digest[:12]}…). "
                "Candidates never change: give the new one an id of its own"
            )
        noted = {
            "manifest": manifest,
            "path": candidate.path,
            "format": candidate.manifest.format,
            "libraries": dump(dict(candidate.libraries)),
            "created_at": in_utc(candidate.manifest.created_at),
        }
        if all(old[name] == value for name, value in noted.items()):
            return "unchanged"
        before = candidate_from_row(old).manifest.not_applicable
        connection.execute(sa.update(tables.candidates).where(columns.id == candidate.id).values(noted))
        changed = set(before) ^ set(candidate.manifest.not_applicable)
        self._measure_again(connection, candidate, changed, "applicability changed")
        note(connection, actor, "update", candidate.id, "manifest")
        return "updated"

    def _measure_again(
        self,
        connection: sa.Connection,
        candidate: Candidate,
        problems: Iterable[str],
        reason: str,
        *,
        states: Sequence[str] = (OK, ERROR),
    ) -> None:
        """Cells of these states, and those that were not applicable, are due although their suites did not change.

        What was measured on older suites stays as history.
        """
        done, problem, bench = tables.evaluations.c, tables.problems.c, tables.benchmarks.c
        current = sa.union_all(sa.select(problem.suite), sa.select(bench.suite))
        here = (
            done.candidate == candidate.id,
            done.problem.in_(sorted(problems)),
            sa.or_(done.state == NOT_APPLICABLE, sa.and_(done.state.in_(states), done.suite.in_(current))),
        )
        rows = sa.select(done.number).where(*here)
        connection.execute(sa.delete(tables.outcomes).where(tables.outcomes.c.evaluation.in_(rows)))
        connection.execute(sa.delete(tables.evaluations).where(*here))
        fill_due(connection, reason, candidate=candidate.id)

    def all(self, *, archived: bool = False) -> list[Candidate]:
        """Candidates in order: created_at of the manifest, then registration; active ones unless asked."""
        columns = tables.candidates.c
        query = sa.select(tables.candidates).order_by(columns.created_at, columns.number)
        if not archived:
            query = query.where(columns.state == "active")
        with self._database.read() as connection:
            return [candidate_from_row(row) for row in connection.execute(query).mappings()]

    def get(self, candidate: str) -> Candidate:
        query = sa.select(tables.candidates).where(tables.candidates.c.id == candidate)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise _unknown(candidate)
        return candidate_from_row(row)

    def archive(self, candidate: str, *, actor: str) -> bool:
        """Take a candidate out of the matrix, keeping its results; False where it was archived already."""
        return self._move(candidate, "archived", actor)

    def unarchive(self, candidate: str, *, actor: str) -> bool:
        """Bring a candidate back and ask for what is missing; False where it is active already."""
        return self._move(candidate, "active", actor)

    def _move(self, candidate: str, state: str, actor: str) -> bool:
        columns = tables.candidates.c
        with self._database.write() as connection:
            before = connection.execute(sa.select(columns.state).where(columns.id == candidate)).scalar_one_or_none()
            if before is None:
                raise _unknown(candidate)
            if before == state:
                return False
            if state == "archived" and _production(connection) == candidate:
                raise Conflict(f"{candidate} is production and cannot be archived: promote another candidate first")
            connection.execute(sa.update(tables.candidates).where(columns.id == candidate).values(state=state))
            fill_due(connection, "un-archived", candidate=candidate)
            note(connection, actor, "archive" if state == "archived" else "unarchive", candidate)
        return True

    def production(self) -> str | None:
        """The candidate that serves users, or None where nobody said so."""
        with self._database.read() as connection:
            return _production(connection)

    def adopt_production(self, candidate: str, *, actor: str, reason: str) -> bool:
        """Name the candidate that already served users before this store knew it.

        Only where no production is known: from then on it moves by promotion alone.
        """
        with self._database.write() as connection:
            columns = tables.aliases.c
            if connection.execute(sa.select(columns.number).where(columns.alias == PRODUCTION)).first():
                return False
            known = sa.select(tables.candidates.c.id).where(
                tables.candidates.c.id == candidate, tables.candidates.c.state == "active"
            )
            if connection.execute(known).first() is None:
                return False
            connection.execute(
                sa.insert(tables.aliases).values(
                    alias=PRODUCTION, candidate=candidate, at=now(), actor=actor, reason=reason
                )
            )
            note(connection, actor, "adopt production", candidate, reason)
            return True


def _production(connection: sa.Connection) -> str | None:
    columns = tables.aliases.c
    query = sa.select(columns.candidate).where(columns.alias == PRODUCTION).order_by(columns.number.desc()).limit(1)
    return connection.execute(query).scalar_one_or_none()


def _unknown(candidate: str) -> NotFound:
    return NotFound(f"no candidate {candidate!r} in the store; `ml-regress candidates list` names them")
