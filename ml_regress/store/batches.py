"""Batches and the production schemas they were read under."""

from ml_regress.store.database import Database


class BatchTable:
    """Batches and the production schemas they were read under."""

    def __init__(self, database: Database) -> None:
        self._database = database
