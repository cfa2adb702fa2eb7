"""Problems, patterns and benchmarks: what files and testers wrote, and what was frozen of it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import sqlalchemy as sa

from ml_regress.core.pattern import Pattern, Suite, suite_from_content
from ml_regress.core.problem import Benchmark, Problem
from ml_regress.errors import Conflict, NotFound
from ml_regress.store import tables
from ml_regress.store.database import Database
from ml_regress.store.due import OPEN, fill_due
from ml_regress.store.importing import Imported, keep_suite, write_benchmark, write_problem
from ml_regress.store.log import note
from ml_regress.store.rows import benchmark_from_row, dump, problem_from_row, problem_row

__all__ = ["Imported", "Measured", "ProblemTable", "Stale", "measured"]


@dataclass(frozen=True)
class Measured:
    """One entry of the problem dimension: a problem or a benchmark with its current suite."""

    id: str
    kind: str
    suite: str
    state: str
    title: str


@dataclass(frozen=True)
class Stale:
    """A problem whose rows changed since they were last frozen, as it stands in the table."""

    id: str
    revision: int
    row: Mapping[str, Any]
    patterns: pd.DataFrame


class ProblemTable:
    """The problem dimension in the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- writing ---------------------------------------------------------------------------------

    def import_problem(
        self,
        problem: Problem,
        patterns: Sequence[Pattern],
        *,
        source: str,
        sync: bool = False,
        actor: str = "import",
        notes: Sequence[str] = (),
    ) -> Imported:
        """Write what a file says, where the store still holds what the last import wrote.

        All or nothing: raises Conflict, naming each row that somebody changed in the database.
        With `sync`, imported patterns that the file no longer holds are retired. `notes` say how the
        file was read; the audit log keeps them.
        """
        with self._database.write() as connection:
            imported = write_problem(connection, problem, patterns, source, sync=sync)
            if imported.did_anything:
                said = imported.problem
                detail = f"{said}, {imported.added} added, {imported.changed} changed, {imported.retired} retired"
                note(connection, actor, "import", problem.id, "; ".join([detail, *notes]))
            return imported

    def import_benchmark(
        self,
        benchmark: Benchmark,
        data: bytes,
        data_digest: str,
        rows: int,
        *,
        source: str,
        actor: str = "import",
        notes: Sequence[str] = (),
    ) -> str:
        """Store a benchmark and ask for its cells; says added, changed or unchanged."""
        with self._database.write() as connection:
            said = write_benchmark(connection, benchmark, data, data_digest, rows, source=source)
            if said != "unchanged":
                fill_due(connection, "new benchmark" if said == "added" else "benchmark changed", problem=benchmark.id)
                note(connection, actor, "import", benchmark.id, "; ".join([f"benchmark {said}, {rows} rows", *notes]))
            return said

    def freeze(self, problem: Problem, suite: Suite, revision: int) -> bool:
        """Make the validated suite of a revision the current one and ask for its cells; True if it is new."""
        with self._database.write() as connection:
            columns = tables.problems.c
            before, frozen = connection.execute(
                sa.select(columns.suite, columns.frozen_revision).where(columns.id == problem.id)
            ).one()
            if frozen > revision:
                return False  # somebody froze a later state while this one was validated
            keep_suite(
                connection,
                problem.id,
                suite.digest,
                kind="problem",
                content=suite.content,
                patterns=len(suite.patterns),
            )
            connection.execute(
                sa.update(tables.problems)
                .where(tables.problems.c.id == problem.id)
                # Without an active pattern there is nothing to measure, and the problem is not in the matrix.
                .values(
                    suite=suite.digest if suite.patterns else None,
                    frozen=dump(problem_row(problem)),
                    frozen_revision=revision,
                )
            )
            reason = "new problem" if before is None else "suite changed" if before != suite.digest else "reopened"
            fill_due(connection, reason, problem=problem.id)
            return bool(before != suite.digest)

    def mark_checked(self, stale: Stale) -> None:
        """Remember that this revision was looked at and refused, so that it is not looked at again."""
        with self._database.write() as connection:
            columns = tables.problems.c
            connection.execute(
                sa.update(tables.problems)
                .where(columns.id == stale.id, columns.frozen_revision < stale.revision)
                .values(frozen_revision=stale.revision)
            )
            fill_due(connection, "reopened", problem=stale.id)

    def accept(self, problem: str, patterns: Sequence[str] = (), *, actor: str) -> list[str]:
        """Turn the proposed patterns of a problem active, those named or all; the ids of those that were.

        Raises NotFound for a pattern that is not there, Conflict for one that is retired.
        """
        with self._database.write() as connection:
            statuses = dict(zip(*(_pattern_frame(connection, problem)[name] for name in ("id", "status")), strict=True))
            unknown = [name for name in patterns if name not in statuses]
            if unknown or not statuses:
                there = ", ".join(statuses) or "none"
                raise NotFound(f"{problem} has no pattern {', '.join(map(repr, unknown)) or 'at all'}; it has {there}")
            retired = [name for name in patterns if statuses[name] == "retired"]
            if retired:
                raise Conflict(f"{problem}: {', '.join(retired)} is retired, and not proposed")
            done = [name for name in patterns or statuses if statuses[name] == "proposed"]
            if done:
                columns = tables.patterns.c
                connection.execute(
                    sa.update(tables.patterns)
                    .where(columns.problem == problem, columns.id.in_(done))
                    .values(status="active")
                )
                note(connection, actor, "accept", problem, ", ".join(done))
            return list(dict.fromkeys(done))

    def refreeze(self, ids: Iterable[str]) -> None:
        """Have these problems validated and frozen anew, as after a change of their scorer."""
        with self._database.write() as connection:
            connection.execute(
                sa.update(tables.problems).where(tables.problems.c.id.in_(list(ids))).values(frozen_revision=0)
            )

    # -- reading ---------------------------------------------------------------------------------

    def stale(self) -> list[Stale]:
        """The problems that changed since they were last frozen, with all their patterns."""
        columns = tables.problems.c
        with self._database.read() as connection:
            rows = (
                connection.execute(
                    sa.select(tables.problems).where(columns.revision != columns.frozen_revision).order_by(columns.id)
                )
                .mappings()
                .all()
            )
            return [Stale(row["id"], row["revision"], dict(row), _pattern_frame(connection, row["id"])) for row in rows]

    def measured(self) -> list[Measured]:
        """All that stands in the problem dimension: open and watched, with a suite."""
        with self._database.read() as connection:
            return measured(connection)

    def all(self, *, closed: bool = False) -> list[Problem]:
        """The problems as they were last frozen, by id; `closed` ones only when asked for."""
        columns = tables.problems.c
        query = sa.select(columns.id, columns.frozen, columns.state).where(columns.frozen.is_not(None))
        with self._database.read() as connection:
            rows = sorted(connection.execute(query).all(), key=lambda row: row.id)
        return [problem_from_row(json.loads(row.frozen)) for row in rows if closed or row.state in OPEN]

    def get(self, problem: str) -> Problem:
        """One problem as it was last frozen; raises NotFound."""
        for entry in self.all(closed=True):
            if entry.id == problem:
                return entry
        raise NotFound(f"no problem {problem!r} in the store; `ml-regress problems` lists them")

    def benchmarks(self, *, closed: bool = False) -> list[Benchmark]:
        with self._database.read() as connection:
            rows = connection.execute(sa.select(tables.benchmarks)).mappings().all()
        rows = sorted(rows, key=lambda row: str(row["id"]))
        return [benchmark_from_row(row) for row in rows if closed or row["state"] in OPEN]

    def benchmark_data(self, benchmark: str) -> bytes:
        """The rows of a benchmark, as Parquet."""
        query = (
            sa.select(tables.benchmark_data.c.content)
            .join(tables.benchmarks, tables.benchmarks.c.data_digest == tables.benchmark_data.c.digest)
            .where(tables.benchmarks.c.id == benchmark)
        )
        with self._database.read() as connection:
            content = connection.execute(query).scalar_one_or_none()
        if content is None:
            raise NotFound(f"no benchmark {benchmark!r} in the store")
        return bytes(content)

    def benchmark_rows(self) -> dict[str, int]:
        """How many rows each benchmark has."""
        data, bench = tables.benchmark_data.c, tables.benchmarks.c
        query = sa.select(bench.id, data.rows).join(tables.benchmark_data, bench.data_digest == data.digest)
        with self._database.read() as connection:
            return {row.id: row.rows for row in connection.execute(query)}

    def patterns(self, problem: str) -> pd.DataFrame:
        """The pattern rows of a problem as they stand in the table, all statuses, by id."""
        with self._database.read() as connection:
            return _pattern_frame(connection, problem)

    def pattern_digests(self) -> dict[str, dict[str, str | None]]:
        """By problem and pattern the digest of the inputs, None for a pattern that stands in no current suite."""
        problem, suite, pattern = tables.problems.c, tables.suites.c, tables.patterns.c
        query = sa.select(suite.problem, suite.content).join(
            tables.problems, sa.and_(problem.id == suite.problem, problem.suite == suite.digest)
        )
        found: dict[str, dict[str, str | None]] = {}
        with self._database.read() as connection:
            contents = connection.execute(query).all()
            for row in connection.execute(sa.select(pattern.problem, pattern.id)):
                found.setdefault(row.problem, {})[row.id] = None
        for row in contents:
            content = json.loads(row.content)
            names = (item["id"] for item in content["patterns"])
            found.setdefault(row.problem, {}).update(zip(names, content["input_digests"], strict=True))
        return found

    def version(self) -> int:
        """A number that grows whenever a problem or a pattern changes."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(sa.func.sum(tables.problems.c.revision))).scalar_one() or 0)

    def suites(self, wanted: Iterable[tuple[str, str]]) -> dict[str, Suite]:
        """Frozen suites of problems, by problem, for (problem, suite digest) pairs."""
        pairs = dict(wanted)
        columns = tables.suites.c
        query = sa.select(columns.problem, columns.digest, columns.content).where(
            columns.kind == "problem", columns.problem.in_(list(pairs)), columns.digest.in_(list(pairs.values()))
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return {
            row.problem: suite_from_content(row.digest, row.problem, json.loads(row.content))
            for row in rows
            if pairs[row.problem] == row.digest
        }


def measured(connection: sa.Connection) -> list[Measured]:
    """The problem dimension: open and watched problems and benchmarks that have a suite, by id."""
    problem, bench = tables.problems.c, tables.benchmarks.c
    rows = [
        *connection.execute(
            sa.select(problem.id, sa.literal("problem"), problem.suite, problem.state, problem.title).where(
                problem.state.in_(OPEN), problem.suite.is_not(None)
            )
        ),
        *(
            (row.id, "benchmark", row.suite, row.state, json.loads(row.definition)["title"])
            for row in connection.execute(sa.select(tables.benchmarks).where(bench.state.in_(OPEN)))
        ),
    ]
    return sorted((Measured(*row) for row in rows), key=lambda entry: entry.id)


def _pattern_frame(connection: sa.Connection, problem: str) -> pd.DataFrame:
    query = sa.select(tables.patterns).where(tables.patterns.c.problem == problem)
    rows = sorted(connection.execute(query).mappings().all(), key=lambda row: str(row["id"]))
    return pd.DataFrame(
        [dict(row) for row in rows], columns=[column.name for column in tables.patterns.c], dtype=object
    )
