"""Pictures of one column: the distributions of reference and batch over each other.

The reference is a filled area or bar, the batch a line or a frame, so that no colour has to be told apart.
"""

import math
from collections.abc import Sequence

from ml_regress.core.drift_result import NUMBER, ColumnDrift, DriftReport
from ml_regress.errors import shortened
from ml_regress.report.drift_words import number_words, ordered, share_words, shown_name
from ml_regress.report.pictures import data_uri
from ml_regress.report.small_drawing import Box, Drawing, Line, Part, Words

WIDTH, HEIGHT = 320, 150
LEFT, RIGHT, TOP, FOOT = 8, 312, 16, 130
LABELS = 104  # where the bars of levels begin
LEVELS = 8
TALLEST = 26.0
REFERENCE, BATCH, SOFT, INK, AXIS = "#bcd3ea", "#a83c00", "#52606d", "#1f2933", "#9aa5b1"


def column_drawing(column: ColumnDrift, *, headed: bool = False) -> Drawing | None:
    """Both distributions of a column; None where there is nothing to draw. `headed` writes its name and a legend."""
    reference, current = column.shape.get("reference"), column.shape.get("current")
    if not reference or not current or not all(map(math.isfinite, [*reference, *current])):
        return None
    title = f"{shown_name(column.column)}: the reference and the batch"
    drawing = Drawing(WIDTH, HEIGHT + (22 if headed else 0), title)
    down = 22 if headed else 0
    if headed:
        drawing.parts += _head(column)
    if column.kind == NUMBER and column.shape.get("edges"):
        drawing.parts += _number_parts(column.shape["edges"], reference, current, down)
    elif column.shape.get("levels"):
        drawing.parts += _level_parts(column.shape["levels"], reference, current, down)
        shown = min(len(reference), LEVELS)  # few levels take no room that they do not fill
        drawing.height = down + min(HEIGHT, math.ceil(TOP + TALLEST * shown))
    else:
        return None
    return drawing


def worst_pictures(report: DriftReport, most: int = 6) -> list[tuple[str, str]]:
    """(name, data URI of a PNG) of the columns and answers that drift, the worst first."""
    found = []
    for column in ordered(report.drifting)[:most]:
        drawing = column_drawing(column, headed=True)
        if drawing is not None:
            found.append((shown_name(column.column), data_uri(drawing.png())))
    return found


def _head(column: ColumnDrift) -> list[Part]:
    return [
        Words(LEFT, 14, shortened(shown_name(column.column), 24), INK, size=13),
        Box(188, 5, 12, 9, REFERENCE),
        Words(204, 14, "reference", SOFT),
        Line(((262, 10), (274, 10)), BATCH, 2),
        Words(278, 14, "batch", SOFT),
    ]


def _number_parts(
    edges: Sequence[float], reference: Sequence[float], current: Sequence[float], down: int
) -> list[Part]:
    """Steps over bins of equal width; the outer bins hold all that is beyond, and are set apart."""
    count, top = len(reference), max([*reference, *current])
    wide, gap = (RIGHT - LEFT - 8) / count, 4.0

    def left(place: int) -> float:
        apart = gap * ((place > 0) + (place == count - 1)) if count > 2 else 0.0
        return LEFT + place * wide + apart

    def height(share: float) -> float:
        return (FOOT - TOP) * share / top if top > 0 else 0.0

    foot = FOOT + down
    parts: list[Part] = [
        Box(left(place), foot - height(share), wide, height(share), REFERENCE)
        for place, share in enumerate(reference)
        if share > 0
    ]
    parts.append(Line(((LEFT, foot), (RIGHT, foot)), AXIS))
    for run in _runs(count):
        points = []
        for place in run:
            y = foot - height(current[place])
            points += [(left(place), y), (left(place) + wide, y)]
        start, end = points[0][0], points[-1][0]
        parts.append(Line(((start, foot), *points, (end, foot)), BATCH, 1.8))
    inner = (1, count - 1) if count > 2 else (0, count)
    parts.append(Words(LEFT, TOP - 4 + down, f"{share_words(top)} of rows", SOFT, size=10))
    low, high = _apart(edges[inner[0]], edges[inner[1]])
    parts.append(Words(left(inner[0]), foot + 13, low, SOFT, size=10))
    parts.append(Words(left(inner[1] - 1) + wide, foot + 13, high, SOFT, "end", size=10))
    return parts


def _apart(low: float, high: float) -> tuple[str, str]:
    """Both ends of the axis with so many digits that they differ."""
    words = (number_words(low), number_words(high))
    digits = 4
    while words[0] == words[1] and digits <= 12:
        words = (f"{low:.{digits}g}", f"{high:.{digits}g}")
        digits += 1
    return words


def _runs(count: int) -> list[range]:
    """The bins that touch: the inner ones, and each outer one by itself."""
    return [range(1), range(1, count - 1), range(count - 1, count)] if count > 2 else [range(count)]


def _level_parts(levels: Sequence[str], reference: Sequence[float], current: Sequence[float], down: int) -> list[Part]:
    """Bars of the levels, of many those whose share moved most."""
    places = list(range(len(levels)))
    if len(places) > LEVELS:
        moved = sorted(places, key=lambda place: -abs(current[place] - reference[place]))
        places = sorted(moved[: LEVELS - 1])
    tall = min(TALLEST, (FOOT - TOP + 14) / max(len(places) + (len(places) < len(levels)), 1))
    most = max([*reference, *current]) or 1.0
    parts: list[Part] = []
    for row, place in enumerate(places):
        y = TOP - 8 + down + row * tall
        before, after = reference[place], current[place]
        wide = (RIGHT - LABELS - 44) / most
        parts += [
            Words(LABELS - 6, y + tall / 2 + 3, shortened(str(levels[place]), 16), INK, "end", size=10),
            Box(LABELS, y + 1, before * wide, tall - 4, REFERENCE),
            Box(LABELS, y + tall / 4, after * wide, tall / 2 - 2, None, BATCH),
            Words(LABELS + max(before, after) * wide + 4, y + tall / 2 + 3, share_words(after), SOFT, size=10),
        ]
    if len(places) < len(levels):
        y = TOP - 8 + down + len(places) * tall
        parts.append(Words(LABELS, y + tall / 2 + 3, f"{len(levels) - len(places)} others moved less", SOFT, size=10))
    parts.append(Line(((LABELS, TOP - 8 + down), (LABELS, TOP - 8 + down + tall * len(places))), AXIS))
    return parts
