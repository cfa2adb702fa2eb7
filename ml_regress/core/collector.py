"""The garbage collector, told when there is nothing for it to find."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_circles() -> Iterator[None]:
    """While very many small objects are made that hold no circle, do not look for circles among them again and again.

    Looking costs more than making them: it takes two fifths of the time of 200,000 verdicts.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
