"""Ratings of answers, as users gave them."""

from ml_regress.store.database import Database


class RatingTable:
    """Ratings of answers, as users gave them."""

    def __init__(self, database: Database) -> None:
        self._database = database
