"""The store: one object that the engine talks to."""

from ml_regress.store.batches import BatchTable
from ml_regress.store.candidates import CandidateTable
from ml_regress.store.database import Database
from ml_regress.store.decisions import DecisionTable
from ml_regress.store.drift import DriftTable
from ml_regress.store.due import DueList
from ml_regress.store.evaluations import EvaluationTable
from ml_regress.store.facts import FactTable
from ml_regress.store.history import HistoryTable
from ml_regress.store.notifications import NotificationTable
from ml_regress.store.problems import ProblemTable
from ml_regress.store.proposals import ProposalTable
from ml_regress.store.ratings import RatingTable
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
        self.decisions = DecisionTable(database)
        self.facts = FactTable(database)
        self.history = HistoryTable(database)
        self.notifications = NotificationTable(database)
        self.batches = BatchTable(database)
        self.drift = DriftTable(database)
        self.proposals = ProposalTable(database)
        self.ratings = RatingTable(database)

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
