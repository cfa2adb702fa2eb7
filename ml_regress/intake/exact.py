"""Cells that are not read again."""

from collections.abc import Sequence


class Exact(str):
    """The text of a value whose type its file gave: a JSON number, a typed column of Parquet.

    It is in its plain writing already, so that nobody asks what its comma or its day means.
    """

    __slots__ = ()


Cells = Sequence[str | None]
