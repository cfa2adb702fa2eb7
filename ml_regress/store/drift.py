"""What checks of batches found: drift and strange rows, the newest report of each batch in force."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import sqlalchemy as sa

from ml_regress.core.drift_result import DriftReport
from ml_regress.core.outlier_result import OutlierReport
from ml_regress.errors import NotFound
from ml_regress.store import tables
from ml_regress.store.database import Database, now
from ml_regress.store.rows import dump

_Report = TypeVar("_Report", DriftReport, OutlierReport)


class DriftTable:
    """Reports are added and never changed; the newest one of a batch is the one that counts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep_drift(self, report: DriftReport) -> None:
        """Keep a report; one without `checked_at` is of now. Raises NotFound where its batch is not in the store."""
        self._keep(tables.drift_results, report, state=report.state)

    def drift_of(self, batch: str) -> DriftReport | None:
        """The newest report on drift of a batch, None where it was never checked."""
        return self._newest(tables.drift_results, batch, DriftReport.from_dict)

    def drifts(self) -> dict[str, DriftReport]:
        """The newest report on drift of each batch that was checked, by the batch's id."""
        return self._all(tables.drift_results, DriftReport.from_dict)

    def drift_states(self) -> dict[str, tuple[str, str]]:
        """Question and state of the newest report on drift of each batch; no report is read for it."""
        columns = tables.drift_results.c
        query = sa.select(columns.batch, columns.question, columns.state).where(_is_newest(tables.drift_results))
        with self._database.read() as connection:
            return {row.batch: (row.question, row.state) for row in connection.execute(query)}

    def keep_outliers(self, report: OutlierReport) -> None:
        """Keep a report; one without `checked_at` is of now. Raises NotFound where its batch is not in the store."""
        self._keep(tables.outlier_results, report)

    def outliers_of(self, batch: str) -> OutlierReport | None:
        """The newest report on strange rows of a batch, None where it was never looked at."""
        return self._newest(tables.outlier_results, batch, OutlierReport.from_dict)

    def outliers(self) -> dict[str, OutlierReport]:
        """The newest report on strange rows of each batch that was looked at, by the batch's id."""
        return self._all(tables.outlier_results, OutlierReport.from_dict)

    def outlier_questions(self) -> dict[str, str]:
        """The question of the newest report on strange rows of each batch; no report is read for it."""
        columns = tables.outlier_results.c
        query = sa.select(columns.batch, columns.question).where(_is_newest(tables.outlier_results))
        with self._database.read() as connection:
            return {row.batch: row.question for row in connection.execute(query)}

    def expected_since(self) -> str | None:
        """When the schema in force came (ISO, UTC): from then on batches are expected. None where there is none."""
        with self._database.read() as connection:
            columns = tables.production_schemas.c
            query = sa.select(columns.at).order_by(columns.number.desc()).limit(1)
            return connection.execute(query).scalar_one_or_none()

    def version(self) -> str:
        """Changes whenever a report of either kind is added."""
        with self._database.read() as connection:
            numbers = [
                connection.execute(sa.select(sa.func.max(table.c.number))).scalar_one() or 0
                for table in (tables.drift_results, tables.outlier_results)
            ]
        return "-".join(map(str, numbers))

    # -- inside ----------------------------------------------------------------------------------

    def _keep(self, table: sa.Table, report: DriftReport | OutlierReport, **more: Any) -> None:
        content = {**report.as_dict(), "checked_at": report.checked_at or now()}
        values = {
            "batch": report.batch,
            "question": report.question,
            "content": dump(content),
            "checked_at": content["checked_at"],
            **more,
        }
        with self._database.write() as connection:
            if connection.execute(sa.select(tables.batches.c.id).where(tables.batches.c.id == report.batch)).first():
                connection.execute(sa.insert(table).values(values))
                return
        raise NotFound(f"no batch {report.batch!r} is known; `ml-regress batches list` names them")

    def _newest(self, table: sa.Table, batch: str, made: Callable[[Mapping[str, Any]], _Report]) -> _Report | None:
        query = sa.select(table.c.content).where(table.c.batch == batch).order_by(table.c.number.desc()).limit(1)
        with self._database.read() as connection:
            content = connection.execute(query).scalar_one_or_none()
        return None if content is None else made(json.loads(content))

    def _all(self, table: sa.Table, made: Callable[[Mapping[str, Any]], _Report]) -> dict[str, _Report]:
        query = sa.select(table.c.batch, table.c.content).where(_is_newest(table)).order_by(table.c.batch)
        with self._database.read() as connection:
            return {row.batch: made(json.loads(row.content)) for row in connection.execute(query)}


def _is_newest(table: sa.Table) -> "sa.ColumnElement[bool]":
    return table.c.number.in_(sa.select(sa.func.max(table.c.number)).group_by(table.c.batch))
