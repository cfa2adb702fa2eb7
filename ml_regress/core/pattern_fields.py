"""The fields of a pattern table in text, and what a rule about them is."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ml_regress.core.expectation import ANSWER

# `inputs: none` marks a pattern without inputs beside others that have them; `guarded` is written by
# an export: in its row these columns carry an apostrophe that is not theirs.
FIELDS = (
    "pattern_id",
    "inputs",
    "expected",
    "expectation",
    "output",
    "tolerance",
    "polarity",
    "origin",
    "status",
    "canary",
    "twin",
    "parent",
    "selected_on",
    "note",
    "guarded",
)
PREFIX = "inputs."
NO_INPUTS = "none"
GUARDED = "guarded"
DEFAULTS = {
    "inputs": "given",
    "expectation": "equals",
    "output": ANSWER,
    "polarity": "positive",
    "origin": "import",
    "status": "active",
    "canary": "false",
}

Broken = Sequence[bool]


@dataclass(frozen=True)
class Rule:
    """`broken` says of each row whether it breaks the rule; `detail` words it for one position."""

    column: str
    words: str
    broken: Callable[[pd.DataFrame], Broken]
    detail: Callable[[pd.DataFrame, int], str] | None = None


def input_column(name: str) -> str:
    """The column of an input in a pattern table: its name, `inputs.NAME` where that is a field's."""
    return PREFIX + name if name in FIELDS or name.startswith(PREFIX) else name


def cells_of(frame: pd.DataFrame, field: str) -> list[str]:
    """The texts of a field with its default where they are missing ("" where it has none)."""
    default = DEFAULTS.get(field, "")
    return [cell if cell else default for cell in frame[field].tolist()]


def selected_on(text: str) -> tuple[str, ...]:
    """Candidate ids from words or a JSON list of texts; raises ValueError for anything else."""
    if not text.startswith("["):
        return tuple(text.split())
    items = json.loads(text)
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ValueError("no list of texts")
    return tuple(items)


def named(frame: pd.DataFrame, field: str, known: frozenset[str]) -> tuple[list[str], list[bool]]:
    """The cells of a field that names patterns, and whether each names another one that exists."""
    ids, cells = cells_of(frame, "pattern_id"), cells_of(frame, field)
    there = known.union(ids)
    return cells, [cell in there and cell != own for cell, own in zip(cells, ids, strict=True)]


def answer_text(value: Any) -> str:
    """A typed answer or input as a person would write it; parsing it gives the same value back."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)
