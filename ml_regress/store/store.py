"""The store: one object that the engine talks to."""

from ml_regress.store.candidates import CandidateTable
from ml_regress.store.database import Database
from ml_regress.store.due import DueList
from ml_regress.store.evaluations import EvaluationTable
from ml_regress.store.problems import ProblemTable
from ml_regress.store.sources import SourceTable


class Store:
    """The truth of one workspace, by topic."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.problems = ProblemTable(database)
        self.candidates = CandidateTable(database)
        self.due = DueList(database)
        self.evaluations = EvaluationTable(database)
        self.sources = SourceTable(database)

    @classmethod
    def open(cls, url: str) -> "Store":
        """The store at a URL, brought to this version's tables; raises Unavailable."""
        database = Database(url)
        try:
            database.migrate()
        except BaseException:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        self.database.close()
