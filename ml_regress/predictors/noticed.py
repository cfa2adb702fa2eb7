"""Warnings of models and libraries, kept as texts for the cell instead of being printed or raised."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from ml_regress.core.answers import storable
from ml_regress.errors import shortened

SHOWN = 20
LENGTH = 300


@contextmanager
def noticed() -> Iterator[list[str]]:
    """Collects the warnings of its block; the list is filled when the block ends."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield texts
        finally:
            texts.extend(distinct(_text(warning) for warning in caught))


def distinct(texts: Iterator[str]) -> list[str]:
    """Each text once, in order, and at most 20 of them: a forest says the same for every tree."""
    found = list(dict.fromkeys(texts))
    if len(found) > SHOWN:
        return [*found[:SHOWN], f"… and {len(found) - SHOWN} more warnings"]
    return found


def _text(warning: warnings.WarningMessage) -> str:
    message = warning.message
    # scikit-learn's InconsistentVersionWarning, known by what it carries.
    saved = getattr(message, "original_sklearn_version", None)
    here = getattr(message, "current_sklearn_version", None)
    if saved and here:
        return f"saved with scikit-learn {saved}, running {here}"
    return storable(shortened(f"{warning.category.__name__}: {message}", LENGTH))
