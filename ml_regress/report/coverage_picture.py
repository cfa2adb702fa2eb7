"""Which kinds of rows have a pattern near them: rows of a table, and a picture of the plane that they lie in."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_regress.core.inputs import InputTypes
from ml_regress.core.outlier_result import CoveredCluster
from ml_regress.report.drift_words import counted, number_words
from ml_regress.report.pictures import input_pictures, plain_inputs, value_text
from ml_regress.report.small_drawing import Box, Drawing, Mark, Words

WIDTH, HEIGHT, EDGE = 460, 300, 34
SMALLEST, LARGEST = 10.0, 24.0
INPUTS_SHOWN = 8
COVERED, COVERED_FILL, UNCOVERED, UNCOVERED_FILL = "#0b5c9a", "#cfe2f3", "#a83c00", "#ffe9dc"
INK, SOFT, FRAME = "#1f2933", "#52606d", "#e4e7eb"


@dataclass(frozen=True)
class ShownInputs:
    """The inputs of one row as they are shown: pictures, then (name, value) pairs; `left_out` says what is not."""

    pictures: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, str], ...]
    left_out: str


def shown_inputs(inputs: Mapping[str, Any], types: InputTypes | None = None, most: int = INPUTS_SHOWN) -> ShownInputs:
    """Inputs for a page. Without their types images are shown as the numbers that they are made of."""
    try:
        pictures = () if types is None else tuple(input_pictures(types, inputs))
    except ValueError:  # inputs of another schema than the one in force
        pictures, types = (), None
    pairs = plain_inputs(types, inputs) if types else [(name, value_text(value)) for name, value in inputs.items()]
    hidden = len(pairs) - most
    return ShownInputs(pictures, tuple(pairs[:most]), f"and {counted(hidden, 'more input')}" if hidden > 0 else "")


def uncovered_first(clusters: Sequence[CoveredCluster]) -> list[CoveredCluster]:
    """Clusters without a pattern near them, then the others; the largest first."""
    return sorted(clusters, key=lambda each: (each.covered, -each.rows, each.number))


def nearness_words(cluster: CoveredCluster) -> str:
    """How far the nearest pattern is, in words."""
    if cluster.distance is None:
        return "no pattern has these inputs"
    if cluster.covered:
        return f"near: {number_words(cluster.distance)} of the limit"
    return f"too far: {number_words(cluster.distance)} times the limit"


def coverage_words(clusters: Sequence[CoveredCluster]) -> str:
    """How much has no pattern near it, in one sentence; "" without clusters."""
    if not clusters:
        return ""
    bare = [each for each in clusters if not each.covered]
    rows, all_rows = sum(each.rows for each in bare), sum(each.rows for each in clusters)
    if not bare:
        return "Each kind of rows has a pattern near it."
    verb = "has" if len(bare) == 1 else "have"
    share = f"{rows:,} of {counted(all_rows, 'row')}"
    return f"{len(bare)} of {counted(len(clusters), 'kind')} of rows {verb} no pattern near: {share}."


def coverage_drawing(clusters: Sequence[CoveredCluster], title: str) -> Drawing:
    """The kinds where they lie: a disc has a pattern near it, a diamond has none; larger where there are more rows.

    The plane has no units: what is near to one another is alike.
    """
    drawing = Drawing(WIDTH, HEIGHT, title, [Box(0.5, 0.5, WIDTH - 1, HEIGHT - 1, None, FRAME)])
    drawn = [each for each in clusters if math.isfinite(each.x) and math.isfinite(each.y)]
    xs, ys = [each.x for each in drawn], [each.y for each in drawn]
    most = max((each.rows for each in drawn), default=1)
    # Large ones first, so that none hides a smaller one.
    for each in sorted(drawn, key=lambda each: -each.rows):
        radius = SMALLEST + (LARGEST - SMALLEST) * math.sqrt(each.rows / most)
        x = _placed(each.x, xs, EDGE, WIDTH - EDGE)
        y = _placed(each.y, ys, HEIGHT - EDGE, EDGE)
        near = nearness_words(each)
        colour, fill = (COVERED, COVERED_FILL) if each.covered else (UNCOVERED, UNCOVERED_FILL)
        said = f"kind {each.number}: {counted(each.rows, 'row')}; {near}"
        drawing.parts.append(Mark(x, y, radius, colour, fill, diamond=not each.covered, title=said))
        drawing.parts.append(Words(x, y + 4, str(each.number), INK, "middle", size=11))
    if not drawn:
        drawing.parts.append(Words(WIDTH / 2, HEIGHT / 2, "no kinds of rows are known", SOFT, "middle", size=12))
    return drawing


def _placed(value: float, values: Sequence[float], first: float, last: float) -> float:
    low, high = min(values), max(values)
    return (first + last) / 2 if high == low else first + (value - low) / (high - low) * (last - first)
