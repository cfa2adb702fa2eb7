"""Input types: what the columns of a pattern hold, and how text becomes typed values.

A declaration is `number`, `integer`, `boolean`, `text`, `date`, `category(a, b)` or
`image(height, width, columns)`; a `?` behind it says that a value may be missing. Everything
arrives as text, so that 007 stays 007 until a declared type says that it is a number.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

KINDS = ("number", "integer", "boolean", "text", "date", "category", "image")
BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
_DECLARATION = re.compile(r"(?P<kind>[a-z]+)\s*(?:\((?P<arguments>.*)\))?\s*(?P<optional>\?)?\Z", re.S)
_RANGE = re.compile(r"(?P<low>-?\d+(?:\.\d+)?)\s*\.\.\s*(?P<high>-?\d+(?:\.\d+)?)\Z")
# Beyond this a float no longer holds every whole number, and two ids could become one.
EXACT_INTEGER = 2**63 - 1


@dataclass(frozen=True)
class Image:
    """A picture spread over number columns, row by row; `low` is drawn black, `high` white."""

    name: str
    height: int
    width: int
    template: str
    low: float = 0.0
    high: float = 255.0

    @property
    def columns(self) -> tuple[str, ...]:
        """The height x width column names, row by row."""
        return tuple(
            self.template.format(row=row, column=column, index=row * self.width + column)
            for row in range(self.height)
            for column in range(self.width)
        )


@dataclass(frozen=True)
class Column:
    """One column of inputs: its type, whether it may be missing, and the levels of a category."""

    name: str
    kind: str
    optional: bool = False
    levels: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        """The rule a value must keep, in words for a person."""
        words = {
            "number": "must be a finite number",
            "integer": "must be a whole number",
            "boolean": "must be true or false",
            "text": "must be text",
            "date": "must be a date written YYYY-MM-DD",
            "category": f"must be one of {', '.join(self.levels)}",
        }
        return words[self.kind]

    def parse(self, text: str | None) -> Any:
        """The typed value of a text; raises ValueError where it breaks the rule.

        Missing (None, or an empty text in any column but a required text) becomes None where
        the column is optional.
        """
        if text is None or (text == "" and (self.kind != "text" or self.optional)):
            if self.optional:
                return None
            raise ValueError("is missing, and the input type is not optional ('?')")
        return parse_value(self.kind, text, self.levels)


def parse_value(kind: str, text: str, levels: Sequence[str] = ()) -> Any:
    """The value of a text under a type; raises ValueError with the rule it breaks."""
    if kind == "text":
        return text
    if kind == "category":
        if text not in levels:
            raise ValueError(f"must be one of {', '.join(levels)}")
        return text
    stripped = text.strip()
    if kind == "number":
        return parse_number(stripped)
    if kind == "integer":
        return parse_integer(stripped)
    if kind == "boolean":
        if stripped.lower() not in BOOLEANS:
            raise ValueError("must be true or false")
        return BOOLEANS[stripped.lower()]
    if kind == "date":
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", stripped):
            raise ValueError("must be a date written YYYY-MM-DD")
        try:
            return date.fromisoformat(stripped).isoformat()
        except ValueError:
            raise ValueError("must be a date of the calendar written YYYY-MM-DD") from None
    raise ValueError(f"has the unknown type {kind!r}")


def parse_number(text: str) -> float:
    """A finite decimal number; refuses nan, inf and underscores, which float() takes."""
    if not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", text):
        raise ValueError("must be a finite number")
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


def parse_integer(text: str) -> int:
    """A whole number; 3.0 is 3, 3.5 is refused, and no digit is lost on the way."""
    if re.fullmatch(r"[+-]?\d+", text):
        value = int(text)
    else:
        number = parse_number(text)
        if number != int(number) or abs(number) >= 2**53:
            raise ValueError("must be a whole number")
        value = int(number)
    if abs(value) > EXACT_INTEGER:
        raise ValueError("must be a whole number of at most 64 bits")
    return value


@dataclass(frozen=True)
class InputTypes:
    """The declared inputs of a problem: its declarations, flat columns and images."""

    declared: tuple[tuple[str, str], ...]
    columns: tuple[Column, ...]
    images: tuple[Image, ...] = ()
    by_name: Mapping[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def as_dict(self) -> dict[str, str]:
        """The declarations as they were written."""
        return dict(self.declared)

    def frame(self, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
        """Typed inputs (dicts by column) as a frame of one dtype a column.

        Number is float64, integer int64 (Int64 where optional), boolean bool (boolean where
        optional), text, category and date object.
        """
        if rows and all(column.kind == "number" for column in self.columns):
            # As one block: an image has thousands of columns, and each would become a series of its own.
            names = self.names
            values = [[row[name] for name in names] for row in rows]
            return pd.DataFrame(np.array(values, dtype=np.float64), columns=list(names))
        data = {}
        for column in self.columns:
            values = [row[column.name] for row in rows]
            data[column.name] = pd.Series(values, dtype=_dtype(column))
        return pd.DataFrame(data, columns=list(self.names))


def _dtype(column: Column) -> Any:
    if column.kind == "number":
        return np.float64
    if column.kind == "integer":
        return "Int64" if column.optional else np.int64
    if column.kind == "boolean":
        return "boolean" if column.optional else np.bool_
    return object


def parse_input_types(declarations: Mapping[str, str]) -> InputTypes:
    """Input types from `name: declaration`; raises ValueError that names the declaration."""
    columns: list[Column] = []
    images: list[Image] = []
    for name, text in declarations.items():
        found = _DECLARATION.match(text.strip())
        kind = found["kind"] if found else ""
        if found is None or kind not in KINDS:
            raise ValueError(
                f"input {name!r}: {text!r} is no input type; use number, integer, boolean, text, "
                "date, category(a, b) or image(height, width, columns), with ? where it may be missing"
            )
        arguments = found["arguments"]
        optional = found["optional"] is not None
        if kind == "image":
            image = _parse_image(name, text, arguments or "")
            images.append(image)
            columns.extend(Column(column, "number", optional) for column in image.columns)
        elif kind == "category":
            levels = tuple(level.strip() for level in (arguments or "").split(",") if level.strip())
            if not levels or len(set(levels)) < len(levels):
                raise ValueError(f"input {name!r}: {text!r} needs its levels, each once: category(a, b)")
            columns.append(Column(name, kind, optional, levels))
        elif arguments is not None:
            raise ValueError(f"input {name!r}: {text!r}: {kind} takes no arguments")
        else:
            columns.append(Column(name, kind, optional))
    names = [column.name for column in columns]
    doubled = sorted(name for name, count in Counter(names).items() if count > 1)
    if doubled:
        raise ValueError(f"inputs name the column {doubled[0]!r} twice")
    return InputTypes(tuple(declarations.items()), tuple(columns), tuple(images))


def _parse_image(name: str, text: str, arguments: str) -> Image:
    usage = (
        f"input {name!r}: {text!r}: write image(height, width, columns) such as "
        "image(8, 8, pixel_{row}_{column}) or image(8, 8, p{index}, 0..16)"
    )
    parts = [part.strip() for part in arguments.split(",")]
    if len(parts) not in (3, 4) or not (parts[0].isdigit() and parts[1].isdigit()):
        raise ValueError(usage)
    height, width, template = int(parts[0]), int(parts[1]), parts[2].strip("'\"")
    low, high = 0.0, 255.0
    if len(parts) == 4:
        limits = _RANGE.match(parts[3])
        if limits is None or float(limits["low"]) >= float(limits["high"]):
            raise ValueError(usage)
        low, high = float(limits["low"]), float(limits["high"])
    if not 1 <= height * width <= 65536:
        raise ValueError(f"input {name!r}: {text!r}: an image has 1 to 65536 pixels")
    try:
        image = Image(name, height, width, template, low, high)
        distinct = len(set(image.columns))
    except (KeyError, IndexError, ValueError):
        raise ValueError(usage) from None
    if distinct != height * width:
        raise ValueError(f"{usage}; {template!r} does not name {height * width} columns apart")
    return image
