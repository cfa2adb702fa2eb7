"""Contrived neighbours of a picture: moved, noisy, thicker, brighter or turned, each named in words.

The ground of a picture is taken to be `low`, and what is drawn on it to be brighter.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ml_regress.core.inputs import Image

NOISE = 0.05  # standard deviation, as a part of the range from low to high
BRIGHTER, DARKER = 1.25, 0.8
DEGREES = 10
# Below this a stroke is about one pixel wide: a whole pixel less and it is gone, one more and it fills the picture.
_SMALL = 16
_DIGITS = 4


@dataclass(frozen=True, eq=False)
class ImageVariant:
    """Another picture (height x width): its `kind`, its `form` within the kind, and in words what was done."""

    pixels: np.ndarray
    kind: str
    form: str
    words: str


def image_variants(image: Image, pixels: np.ndarray, generator: np.random.Generator) -> Iterator[ImageVariant]:
    """Pictures near this one (float64, height x width) in its own range; whole pixels stay whole, none is the same.

    A picture of which nothing is left (one colour, where it was not before) is no neighbour.
    """
    low, high = min(image.low, float(pixels.min())), max(image.high, float(pixels.max()))
    whole = bool((pixels == np.round(pixels)).all())
    # Digits that no eye sees would only make a file long.
    digits = 0 if whole else max(0, _DIGITS - math.floor(math.log10(image.high - image.low)))
    for made in _made(image, pixels, generator):
        kept = made.pixels if made.kind == "shift" else np.clip(np.round(made.pixels, digits), low, high)
        if not np.array_equal(kept, pixels) and (np.ptp(kept) > 0 or np.ptp(pixels) == 0):
            yield ImageVariant(kept, made.kind, made.form, made.words)


def _made(image: Image, pixels: np.ndarray, generator: np.random.Generator) -> Iterator[ImageVariant]:
    moves = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
    for way, move in moves.items():
        moved = ndimage.shift(pixels, move, order=0, mode="constant", cval=image.low)
        yield ImageVariant(moved, "shift", way, f"shifted {way} by one pixel")
    spread = NOISE * (image.high - image.low)
    noisy = pixels + generator.normal(0.0, spread, pixels.shape)
    yield ImageVariant(noisy, "noise", "noise", f"noise with a standard deviation of {spread:g} on every pixel")
    for form, made, by in _thickness(pixels):
        yield ImageVariant(made, "thickness", form, f"what is drawn made {form} by {by} pixel")
    for form, times in (("lighter", BRIGHTER), ("darker", DARKER)):
        scaled = image.low + times * (pixels - image.low)
        yield ImageVariant(scaled, "brightness", form, f"{form}: {times:g} times as bright above the ground")
    for form, degrees in (("left", DEGREES), ("right", -DEGREES)):
        turned = ndimage.rotate(pixels, degrees, reshape=False, order=3, mode="constant", cval=image.low)
        yield ImageVariant(turned, "rotation", form, f"turned {form} by {DEGREES} degrees")


def _thickness(pixels: np.ndarray) -> Iterator[tuple[str, np.ndarray, str]]:
    """Strokes thicker and thinner by a pixel, in a small picture half way there: form, picture, by how much."""
    small = min(pixels.shape) < _SMALL
    stroke = np.ones((2, 2), dtype=bool) if small else ndimage.generate_binary_structure(2, 1)
    for form, change in (("thicker", ndimage.grey_dilation), ("thinner", ndimage.grey_erosion)):
        made = change(pixels, footprint=stroke, mode="nearest")
        yield form, (pixels + made) / 2 if small else made, "half a" if small else "one"
