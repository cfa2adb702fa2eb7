"""What Dagster shows as the columns of an asset: from Pandera schemas and from the store's tables.

dagster-pandera caps pandas below 3; this bridge is all that is needed of it.
"""

import dagster as dg
import pandera.pandas as pa
import sqlalchemy as sa


def column_schema(schema: pa.DataFrameSchema) -> dg.TableSchema:
    """The columns of a Pandera schema with types, constraints and the rules that span columns."""
    return dg.TableSchema(
        columns=[_pandera_column(str(name), column) for name, column in schema.columns.items()],
        constraints=dg.TableConstraints(other=[f"{check.name} {_words(check)}" for check in schema.checks]),
    )


def _pandera_column(name: str, column: pa.Column) -> dg.TableColumn:
    constraints = dg.TableColumnConstraints(
        nullable=bool(column.nullable), unique=bool(column.unique), other=[_words(check) for check in column.checks]
    )
    kind = "any" if column.dtype is None else str(column.dtype)
    return dg.TableColumn(name, kind, column.description, constraints)


def _words(check: pa.Check) -> str:
    return str(check.error or check.description or check.name)


def stored_schema(table: sa.Table) -> dg.TableSchema:
    """The columns of a table of the store: what a person sees who reads it with SQL."""
    return dg.TableSchema([_stored_column(column) for column in table.columns])


def _stored_column(column: "sa.Column[object]") -> dg.TableColumn:
    constraints = dg.TableColumnConstraints(nullable=bool(column.nullable), unique=bool(column.primary_key))
    return dg.TableColumn(column.name, str(column.type).lower(), constraints=constraints)
