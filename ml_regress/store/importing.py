"""Importing: what a file says is written where the store still holds what the last import wrote."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from ml_regress.core.digest import digest_of
from ml_regress.core.pattern import Pattern
from ml_regress.core.problem import Benchmark, Problem
from ml_regress.errors import Conflict
from ml_regress.store import tables
from ml_regress.store.database import now
from ml_regress.store.rows import PATTERN_CONTENT, benchmark_definition, dump, pattern_row, problem_row


@dataclass(frozen=True)
class Imported:
    """What an import did, by number of patterns; `problem` says what happened to the problem itself.

    `revision` is that of a problem that was not there before, whose rows are what the file says; else None.
    """

    problem: str
    added: int = 0
    changed: int = 0
    retired: int = 0
    unchanged: int = 0
    revision: int | None = field(default=None, compare=False)

    @property
    def words(self) -> str:
        """What was done, for a person."""
        return (
            f"problem {self.problem}; patterns: {self.added} added, {self.changed} changed, {self.retired} retired, "
            f"{self.unchanged} unchanged"
        )

    @property
    def did_anything(self) -> bool:
        return self.problem != "unchanged" or bool(self.added or self.changed or self.retired)


def write_problem(
    connection: sa.Connection, problem: Problem, patterns: Sequence[Pattern], source: str, *, sync: bool
) -> Imported:
    """Bring a problem and its patterns to what a file says; raises Conflict, naming each row and its columns."""
    conflicts: list[str] = []
    said = _write_row(connection, problem, source, conflicts)
    counts = _write_patterns(connection, problem.id, patterns, sync, conflicts)
    if conflicts:
        raise Conflict(
            f"{source}: changed in the database since the last import: {'; '.join(conflicts)}. "
            "Nothing was imported. Bring the change into the file, or undo it in the database"
        )
    revision = None
    if said == "added":
        columns = tables.problems.c
        revision = connection.execute(sa.select(columns.revision).where(columns.id == problem.id)).scalar_one()
    return Imported(said, **counts, revision=revision)


def write_benchmark(
    connection: sa.Connection, benchmark: Benchmark, data: bytes, data_digest: str, rows: int, *, source: str
) -> str:
    """Bring a benchmark to what a file says; says added, changed or unchanged."""
    _refuse_double_use(connection, benchmark.id, source, tables.problems, "problem")
    columns, content = tables.benchmarks.c, benchmark.measured_content(data_digest)
    row = {
        "id": benchmark.id,
        "state": benchmark.state,
        "definition": benchmark_definition(benchmark),
        "suite": digest_of(content),
        "data_digest": data_digest,
        "source": source,
    }
    old = connection.execute(sa.select(tables.benchmarks).where(columns.id == benchmark.id)).mappings().first()
    if old is not None and dict(old) == row:
        return "unchanged"
    if old is None:
        _refuse_case(connection, benchmark.id, source, tables.benchmarks, "benchmark")
        connection.execute(sa.insert(tables.benchmarks).values(row))
    else:
        _adopt(connection, tables.benchmarks, {"id": benchmark.id}, row)
    held = sa.select(tables.benchmark_data.c.digest).where(tables.benchmark_data.c.digest == data_digest)
    if connection.execute(held).first() is None:
        connection.execute(sa.insert(tables.benchmark_data).values(digest=data_digest, content=data, rows=rows))
    keep_suite(connection, benchmark.id, row["suite"], kind="benchmark", content=content, patterns=rows)
    return "added" if old is None else "changed"


def _same_but_for_case(connection: sa.Connection, name: str, table: sa.Table) -> str | None:
    ids = connection.execute(sa.select(table.c.id)).scalars()
    return next((other for other in ids if other.casefold() == name.casefold()), None)


def _refuse_double_use(connection: sa.Connection, name: str, source: str, table: sa.Table, kind: str) -> None:
    other = _same_but_for_case(connection, name, table)
    if other is not None:
        raise Conflict(
            f"{source}: {name!r} is already the id of the {kind} {other!r}; ids are unique over problems and benchmarks"
        )


def _refuse_case(connection: sa.Connection, name: str, source: str, table: sa.Table, kind: str) -> None:
    other = _same_but_for_case(connection, name, table)
    if other is not None:
        raise Conflict(f"{source}: the id {name!r} differs from the {kind} {other!r} only by case")


def refuse_taken(connection: sa.Connection, problem: str, source: str) -> None:
    """Raises Conflict where a new problem cannot have this id: a benchmark or another problem has it, in any case."""
    _refuse_double_use(connection, problem, source, tables.benchmarks, "benchmark")
    _refuse_double_use(connection, problem, source, tables.problems, "problem")


def _content(row: Mapping[Any, Any], columns: Iterable[str]) -> str:
    return digest_of({name: row[name] for name in columns})


def _write_row(connection: sa.Connection, problem: Problem, source: str, conflicts: list[str]) -> str:
    _refuse_double_use(connection, problem.id, source, tables.benchmarks, "benchmark")
    row = problem_row(problem)
    digest = _content(row, row)
    old = connection.execute(sa.select(tables.problems).where(tables.problems.c.id == problem.id)).mappings().first()
    if old is None:
        _refuse_case(connection, problem.id, source, tables.problems, "problem")
        connection.execute(sa.insert(tables.problems).values(**row, imported_digest=digest, source=source))
        return "added"
    current = _content(old, row)
    if current == digest:
        if old["imported_digest"] != digest:
            _adopt(connection, tables.problems, {"id": problem.id}, {"imported_digest": digest, "source": source})
        return "unchanged"
    if old["imported_digest"] == digest:
        return "unchanged"  # the file says what it said; the change was made in the database
    if current != old["imported_digest"]:  # None where it was written in the database and never imported
        changed = ", ".join(name for name in row if row[name] != old[name])
        conflicts.append(f"problem {problem.id} ({changed})")
        return "unchanged"
    _adopt(connection, tables.problems, {"id": problem.id}, {**row, "imported_digest": digest, "source": source})
    return "changed"


def _write_patterns(
    connection: sa.Connection, problem: str, patterns: Sequence[Pattern], sync: bool, conflicts: list[str]
) -> dict[str, int]:
    stored = {
        row["id"]: row
        for row in connection.execute(sa.select(tables.patterns).where(tables.patterns.c.problem == problem)).mappings()
    }
    folded = {name.casefold(): name for name in stored}
    counts = {"added": 0, "changed": 0, "retired": 0, "unchanged": 0}
    fresh: list[dict[str, Any]] = []
    for pattern in patterns:
        row = pattern_row(pattern)
        digest = _content(row, PATTERN_CONTENT)
        old = stored.get(pattern.id)
        if old is None:
            twin = folded.get(pattern.id.casefold())
            if twin is not None:
                conflicts.append(f"pattern {pattern.id} differs from {twin} only by case, or stands in the file twice")
                continue
            folded[pattern.id.casefold()] = pattern.id
            fresh.append({**row, "imported_digest": digest})
            counts["added"] += 1
            continue
        current, key = _content(old, PATTERN_CONTENT), {"problem": problem, "id": pattern.id}
        if current == digest:
            if old["imported_digest"] != digest:
                _adopt(connection, tables.patterns, key, {"imported_digest": digest})
            counts["unchanged"] += 1
        elif old["imported_digest"] == digest:
            counts["unchanged"] += 1  # edited in the database, while the file says what it said
        elif current != old["imported_digest"]:
            conflicts.append(f"pattern {pattern.id} ({', '.join(n for n in PATTERN_CONTENT if row[n] != old[n])})")
        else:
            _adopt(connection, tables.patterns, key, {**row, "imported_digest": digest})
            counts["changed"] += 1
    if fresh:
        connection.execute(sa.insert(tables.patterns), fresh)
    if sync:
        counts["retired"] = _retire_absent(connection, stored, {pattern.id for pattern in patterns}, conflicts)
    return counts


def _retire_absent(
    connection: sa.Connection, stored: Mapping[str, Mapping[Any, Any]], kept: set[str], conflicts: list[str]
) -> int:
    absent = [row for name, row in stored.items() if name not in kept and row["status"] != "retired"]
    for row in absent:
        if row["imported_digest"] is None or _content(row, PATTERN_CONTENT) != row["imported_digest"]:
            conflicts.append(f"pattern {row['id']} (absent from the file, written in the database)")
        else:
            retired = {**{name: row[name] for name in PATTERN_CONTENT}, "status": "retired"}
            key = {"problem": row["problem"], "id": row["id"]}
            values = {"status": "retired", "imported_digest": _content(retired, PATTERN_CONTENT)}
            _adopt(connection, tables.patterns, key, values)
    return len(absent)


def _adopt(connection: sa.Connection, table: sa.Table, key: Mapping[str, str], values: Mapping[str, Any]) -> None:
    where = [table.c[name] == value for name, value in key.items()]
    connection.execute(sa.update(table).where(*where).values({k: v for k, v in values.items() if k not in key}))


def keep_suite(
    connection: sa.Connection, problem: str, digest: str, *, kind: str, content: Mapping[str, Any], patterns: int
) -> None:
    """Store a suite under its digest, where it is not held yet."""
    columns = tables.suites.c
    held = sa.select(columns.digest).where(columns.problem == problem, columns.digest == digest)
    if connection.execute(held).first() is None:
        connection.execute(
            sa.insert(tables.suites).values(
                problem=problem, digest=digest, kind=kind, content=dump(content), patterns=patterns, frozen_at=now()
            )
        )
