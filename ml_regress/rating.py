"""Ratings from a program: what a user thought of an answer goes into the store of a workspace.

    from ml_regress.rating import rate

    rate({"temp": 21.5, "hour": 8}, "late", thumb="down", words="it was on time", person="desk 4")

A rating is checked whole before it is kept, and changes no score.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_regress.core.given_rating import GivenRating
from ml_regress.core.rating import Rating
from ml_regress.engine import rating as rating_engine
from ml_regress.engine.workspace import Workspace
from ml_regress.settings import Settings

__all__ = ["Rating", "rate"]


def rate(
    inputs: Mapping[str, Any] | None = None,
    prediction: Any = None,
    *,
    thumb: str | None = None,
    stars: int | None = None,
    words: str = "",
    candidate: str | None = None,
    person: str = "",
    batch: str | None = None,
    key: str | None = None,
    workspace: Path | str | None = None,
) -> Rating:
    """Keep a user's rating of one answer, and give it back with its number.

    `inputs` are what was asked, by name, and `prediction` what was answered; `batch` and `key` (the key of a row in
    it) do instead of both. Give either `thumb` ("up" or "down") or `stars` (1 to 5). `candidate` is who answered:
    production where none is named (for a row of a batch: who was production when it came). `workspace` is a folder;
    None finds it as the commands do: ML_REGRESS_WORKSPACE, or the one around the present folder.

    Raises InvalidInput with every fault, NotFound (no such workspace, candidate, batch or row), Conflict (a batch in
    quarantine) or Unavailable; nothing is kept then.
    """
    given = GivenRating(inputs, prediction, thumb, stars, words, candidate, person, batch, key)
    opened = Workspace.open(Settings.load(None if workspace is None else Path(workspace)))
    try:
        return rating_engine.rate(opened, given, source="rating", actor="python")
    finally:
        opened.store.close()
