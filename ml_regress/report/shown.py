"""Which candidates stand side by side where not all of them fit."""

from collections.abc import Sequence

# Candidates that stand side by side on a page, beside production; graphs over time show all.
SHOWN_CANDIDATES = 40


def shown_candidates(order: Sequence[str], production: str | None, limit: int = SHOWN_CANDIDATES) -> tuple[str, ...]:
    """The `limit` newest candidates and production, in order."""
    newest = set(order[-limit:])
    return tuple(candidate for candidate in order if candidate in newest or candidate == production)


def left_out_words(total: int, shown: int) -> str:
    """That the oldest candidates are left out, "" where none is."""
    hidden = total - shown
    return f"{hidden:,} of {total:,} candidates are left out here, the oldest ones." if hidden else ""
