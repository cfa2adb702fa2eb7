"""Ratings: what a user thought of one answer of production."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

THUMBS = ("up", "down")
STARS = (1, 2, 3, 4, 5)
LOW_STARS = 2


@dataclass(frozen=True)
class Rating:
    """A user's judgement of one prediction: a thumb ("up", "down") or stars (1 to 5), one of the two, and words.

    It never changes a score by itself. `inputs` are typed, `prediction` is raw. `number` is given by the store.
    """

    inputs: Mapping[str, Any]
    prediction: Any
    candidate: str
    thumb: str | None = None
    stars: int | None = None
    words: str = ""
    person: str = ""
    batch: str | None = None
    key: str | None = None
    at: str = ""
    number: int = 0

    @property
    def low(self) -> bool:
        """Whether it is a complaint: thumb down, or at most LOW_STARS stars."""
        return self.thumb == "down" or (self.stars is not None and self.stars <= LOW_STARS)

    @property
    def shown(self) -> str:
        return f"thumb {self.thumb}" if self.thumb is not None else f"{self.stars} of 5 stars"
