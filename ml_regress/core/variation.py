"""Contrived neighbours of a pattern: one input is varied at a time, and what was varied is said in words.

Which neighbours come first depends on the content of the inputs and on a seed, never on an order.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_UP, Decimal
from typing import Any

import numpy as np

from ml_regress.core.digest import digest_of, digest_of_text
from ml_regress.core.inputs import Column, Image, InputTypes
from ml_regress.core.pattern_fields import answer_text
from ml_regress.core.variation_image import image_variants
from ml_regress.core.variation_text import text_variants

PERCENTS = (1, 5)
# Parts of the spread (standard deviation over the problem's patterns) that a number is moved by.
PARTS = {"a tenth of its spread": 0.1, "half of its spread": 0.5}
# A number that moves by this part of the spread or more may have another right answer.
LARGE = 0.5
DAYS = {"1 day": 1, "1 week": 7}
# A text column counts as one of levels where each value stands, on average, in this many patterns. Of single words
# it is enough that one of them comes again.
_PATTERNS_A_LEVEL = 2
# What a slip makes of a level is another level that nobody knows; of these two everybody knows what is meant.
_SLIPS_OF_LEVELS = ("case", "spacing")


@dataclass(frozen=True)
class Variation:
    """Typed inputs in which `name` (an input, or an image) was varied, by a `kind` of change with its `form`.

    `words` say what was varied and by how much. `keeps_answer` is False where the right answer may be another one.
    """

    inputs: Mapping[str, Any]
    name: str
    kind: str
    form: str
    words: str
    keeps_answer: bool

    @property
    def digest(self) -> str:
        """The digest of the inputs, as a pattern has it."""
        return digest_of({"inputs": dict(self.inputs)})


@dataclass(frozen=True)
class _Change:
    """Other values of some columns."""

    values: Mapping[str, Any]
    kind: str
    form: str
    words: str
    keeps_answer: bool


def variations(
    types: InputTypes,
    inputs: Mapping[str, Any],
    others: Sequence[Mapping[str, Any]],
    *,
    count: int,
    only: Sequence[str] = (),
    seed: int = 0,
) -> list[Variation]:
    """At most `count` neighbours of typed `inputs`, of as many kinds and inputs as there are.

    `others` are the inputs of the problem's patterns: they give spreads and levels, and no neighbour equals one of
    them. `only` names the inputs (or images) to vary, all where it is empty. Raises ValueError for another name.
    """
    names = varied_names(types)
    stray = next((name for name in only if name not in names), None)
    if stray is not None:
        raise ValueError(f"is no input; use {', '.join(names)}")
    salt = f"{seed} {digest_of(dict(inputs))}"
    everybody = others if any(dict(each) == dict(inputs) for each in others) else [inputs, *others]
    found: list[Variation] = []
    for name in only or names:
        generator = np.random.default_rng(int(digest_of_text(f"{salt} {name}")[:16], 16))
        for change in _changes(types, name, inputs, everybody, generator=generator, most=count):
            if all(_keeps_type(types.by_name[column], value) for column, value in change.values.items()):
                made = {column: change.values.get(column, inputs[column]) for column in types.names}
                found.append(Variation(made, name, change.kind, change.form, change.words, change.keeps_answer))
    known = {digest_of({"inputs": dict(each)}) for each in everybody}
    return _interleaved(found, known, count, salt)


def varied_names(types: InputTypes) -> list[str]:
    """What can be varied: inputs, an image as one."""
    pixels = {column for image in types.images for column in image.columns}
    return [image.name for image in types.images] + [name for name in types.names if name not in pixels]


def _interleaved(found: Sequence[Variation], known: set[str], count: int, salt: str) -> list[Variation]:
    """The first `count` with distinct inputs: each time of the kind that came least, then of the input, then form."""
    ranked = sorted((digest_of_text(f"{salt} {each.name} {each.words}"), place) for place, each in enumerate(found))
    left = [found[place] for _, place in ranked]
    taken, kinds, names, forms = list[Variation](), Counter[str](), Counter[str](), Counter[str]()
    seen = set(known)
    while left and len(taken) < count:
        uses = [(kinds[each.kind], names[each.name], forms[each.form]) for each in left]
        best = left.pop(uses.index(min(uses)))
        if best.digest in seen:
            continue
        seen.add(best.digest)
        taken.append(best)
        kinds[best.kind] += 1
        names[best.name] += 1
        forms[best.form] += 1
    return taken


def _changes(
    types: InputTypes,
    name: str,
    inputs: Mapping[str, Any],
    others: Sequence[Mapping[str, Any]],
    *,
    generator: np.random.Generator,
    most: int,
) -> Iterator[_Change]:
    image = next((image for image in types.images if image.name == name), None)
    if image is not None:
        yield from _image_changes(image, inputs, generator)
        return
    column, value = types.by_name[name], inputs[name]
    if value is None:
        return  # what is missing has no neighbours
    seen = [each[name] for each in others if each.get(name) is not None]
    if column.kind in ("number", "integer"):
        yield from _nudges(column, value, [float(each) for each in seen])
    elif column.kind == "date":
        yield from _days(name, value)
    else:
        levels = _levels_of(column, seen)
        for level in levels:
            if level != value:
                words = f"{name} {answer_text(value)} became {answer_text(level)}"
                yield _Change({name: level}, "level", answer_text(level), words, keeps_answer=False)
        for made in text_variants(value, generator, most) if column.kind == "text" else ():
            if not levels or made.kind in _SLIPS_OF_LEVELS:
                words = f"{made.kind} in {name!r}: {made.words}"
                yield _Change({name: made.text}, made.kind, made.form, words, keeps_answer=True)
    if column.optional:
        yield _Change({name: None}, "missing", "missing", f"{name} left out", keeps_answer=False)


def _nudges(column: Column, value: float, seen: Sequence[float]) -> Iterator[_Change]:
    """Small and larger steps up and down; where no pattern is below zero, none goes there."""
    scale = max(map(abs, seen)) or 1.0
    spread = float(np.std(np.array(seen) / scale)) * scale  # so that squares of large numbers are numbers, too
    steps = [(f"{percent} %", abs(value) * percent / 100) for percent in PERCENTS]
    steps += [(words, spread * part) for words, part in PARTS.items()]
    for reason, size in steps:
        whole = column.kind == "integer"
        step = _whole_step(size) if whole else _short(size, up=size >= LARGE * spread > 0)
        if not step:
            continue
        words = f"{reason}, at least 1" if whole and size < 1 else reason
        keeps = spread == 0 or float(step) < LARGE * spread
        for sign, signed in (("+", step), ("-", -step)):
            moved = int(value) + int(signed) if whole else float(Decimal(repr(float(value))) + signed)
            if moved < 0 <= min(seen):
                continue
            change = f"{column.name} {sign} {float(step):g} ({words})"
            yield _Change({column.name: moved}, "large nudge" if not keeps else "nudge", reason + sign, change, keeps)


def _whole_step(size: float) -> Decimal:
    # Rounded up, so that half of a spread is never less than that.
    return Decimal(max(1, math.ceil(round(size, 9)))) if size < 2**62 else Decimal(0)


def _short(size: float, *, up: bool) -> Decimal:
    """The size with two digits, which a person can read; rounded up where it must not be less."""
    if not size or not math.isfinite(size):
        return Decimal(0)
    exact = Decimal(repr(size))
    digits = Decimal(1).scaleb(exact.adjusted() - 1)
    return exact.quantize(digits, rounding=ROUND_UP if up else ROUND_HALF_EVEN)


def _days(name: str, value: str) -> Iterator[_Change]:
    for words, days in DAYS.items():
        for sign, by in (("+", days), ("-", -days)):
            try:
                moved = date.fromisoformat(value) + timedelta(days=by)
            except OverflowError:
                continue  # the calendar ends there
            # The day of the week and the season may decide the answer.
            yield _Change({name: moved.isoformat()}, "date", words + sign, f"{name} {sign} {words}", keeps_answer=False)


def _levels_of(column: Column, seen: Sequence[Any]) -> Sequence[Any]:
    """The levels of a column: those declared, else those that the patterns hold; () where it holds sentences."""
    if column.kind == "boolean":
        return (False, True)
    if column.kind == "category":
        return column.levels
    levels = sorted(set(seen))
    words = not any(" " in level for level in levels)
    few = len(levels) < len(seen) if words else len(levels) * _PATTERNS_A_LEVEL <= len(seen)
    return levels if few else ()


def _image_changes(image: Image, inputs: Mapping[str, Any], generator: np.random.Generator) -> Iterator[_Change]:
    flat = [inputs[name] for name in image.columns]
    if any(pixel is None for pixel in flat):
        return  # a picture with holes has no neighbours that are whole
    pixels = np.array(flat, dtype=np.float64).reshape(image.height, image.width)
    for made in image_variants(image, pixels, generator):
        values = dict(zip(image.columns, made.pixels.ravel().tolist(), strict=True))
        yield _Change(values, made.kind, made.form, f"{image.name} {made.words}", keeps_answer=True)


def _keeps_type(column: Column, value: Any) -> bool:
    """Whether a file with this value would be read, and as this value."""
    try:
        parsed = column.parse(None if value is None else answer_text(value))
    except ValueError:
        return False
    return type(parsed) is type(value) and parsed == value
