"""Proposals: inputs that wait for a person, and what became of them."""

from ml_regress.store.database import Database


class ProposalTable:
    """Proposals: inputs that wait for a person, and what became of them."""

    def __init__(self, database: Database) -> None:
        self._database = database
