"""The SQL store that holds the truth: SQLite by default, PostgreSQL by URL."""

from ml_regress.store.store import Store

__all__ = ["Store"]
