"""Inputs as small pictures: PNG bytes, data URIs and the plain rest of a pattern's inputs."""

import base64
import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image as Pillow

from ml_regress.core.inputs import Image, InputTypes
from ml_regress.report.evidence import DASH, is_missing

PNG = "image/png"
SVG = "image/svg+xml"
# A picture in a report is a reminder, not the data: this many pixels a side say what it was.
LONGEST_SIDE = 64
MISSING_GREY = 128


def image_png(
    values: Sequence[float | None], height: int, width: int, low: float = 0.0, high: float = 255.0, *, scale: int = 1
) -> bytes:
    """A greyscale PNG of height x width values, row by row, each pixel drawn scale x scale.

    `low` is black, `high` white, values beyond are cut, missing ones are grey. Raises ValueError
    where there are not height x width values.
    """
    if len(values) != height * width:
        raise ValueError(f"a picture of {height} x {width} takes {height * width} values, not {len(values)}")
    pixels = np.array([np.nan if value is None else value for value in values], dtype=float)
    grey = np.clip((pixels - low) / (high - low), 0.0, 1.0) * 255
    grey = np.where(np.isfinite(pixels), np.rint(grey), MISSING_GREY)
    picture = Pillow.fromarray(grey.astype(np.uint8).reshape(height, width))
    if scale > 1:
        picture = picture.resize((width * scale, height * scale), Pillow.Resampling.NEAREST)
    return png_bytes(picture)


def png_bytes(picture: Pillow.Image) -> bytes:
    """A Pillow picture as PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def data_uri(data: bytes, media_type: str = PNG) -> str:
    """The bytes as a data URI, which needs no other file."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def input_picture(image: Image, inputs: Mapping[str, Any], scale: int = 1) -> bytes:
    """The picture of one declared image; a side above LONGEST_SIDE pixels is made smaller."""
    values = [inputs.get(column) for column in _columns(image)]
    longest = max(image.height, image.width)
    png = image_png(values, image.height, image.width, image.low, image.high)
    if longest <= LONGEST_SIDE and scale == 1:
        return png
    with Pillow.open(io.BytesIO(png)) as picture:
        if longest > LONGEST_SIDE:
            picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Pillow.Resampling.BOX)
            return png_bytes(picture)
        size = (image.width * scale, image.height * scale)
        return png_bytes(picture.resize(size, Pillow.Resampling.NEAREST))


def input_pictures(types: InputTypes, inputs: Mapping[str, Any] | None, scale: int = 1) -> list[tuple[str, str]]:
    """(name, data URI) of every image among the inputs."""
    if inputs is None:
        return []
    return [(image.name, data_uri(input_picture(image, inputs, scale))) for image in types.images]


def plain_inputs(types: InputTypes, inputs: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """(column, value as text) of every input that is no pixel of an image."""
    if inputs is None:
        return []
    pixels = pixel_columns(types.images)
    return [(name, value_text(value)) for name, value in inputs.items() if name not in pixels]


# Thousands of patterns share one declaration, whose column names are texts made by a template.
@lru_cache(maxsize=128)
def _columns(image: Image) -> tuple[str, ...]:
    return image.columns


@lru_cache(maxsize=128)
def pixel_columns(images: tuple[Image, ...]) -> frozenset[str]:
    """The columns that are pixels of any of the images."""
    return frozenset(column for image in images for column in _columns(image))


def value_text(value: Any) -> str:
    """A value for a person: missing is a dash, a float without needless digits."""
    if is_missing(value):
        return DASH
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
