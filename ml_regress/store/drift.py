"""What checks of batches found: drift and strange rows."""

from ml_regress.store.database import Database


class DriftTable:
    """What checks of batches found: drift and strange rows."""

    def __init__(self, database: Database) -> None:
        self._database = database
