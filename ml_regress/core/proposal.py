"""Proposals: inputs that may become patterns, until a person says what to expect of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ml_regress.core.expectation import ANSWER

WAITING, ACCEPTED, REJECTED = "proposed", "accepted", "rejected"
STATES = (WAITING, ACCEPTED, REJECTED)


@dataclass(frozen=True)
class Proposal:
    """A pattern that somebody may accept.

    `id` is the pattern's id to be; it is unique among all proposals. `problem` exists already, or is proposed with it
    (`problem_title` is not None then). `expected` is the text of the expectation as a pattern file would write it and
    `expectation` its kind, held against `output`; `expected` is None where a person must say it, and `suggested` is
    then what the evidence says (a majority, an answer near it), for the person to weigh. `inputs` are typed.
    `cause` says why the input is worth a pattern (core.outlier_result.CAUSES, or "varied"); `cluster` groups proposals
    of one kind; `batch` and `row` say where it comes from. `varied` names what was varied, of a contrived one.
    """

    id: str
    problem: str
    inputs: Mapping[str, Any]
    polarity: str = "positive"
    origin: str = "outlier"
    state: str = WAITING
    cause: str = ""
    why: str = ""
    problem_title: str | None = None
    expected: str | None = None
    expectation: str = "equals"
    suggested: str | None = None
    tolerance: str | None = None
    output: str = ANSWER
    twin: str | None = None
    parent: str | None = None
    selected_on: tuple[str, ...] = ()
    cluster: int | None = None
    batch: str | None = None
    row: int | None = None
    varied: str = ""
    made_at: str = ""
    decided_by: str | None = None
    decided_why: str = ""
    decided_at: str | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def waiting(self) -> bool:
        return self.state == WAITING
