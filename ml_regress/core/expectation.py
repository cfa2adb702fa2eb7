"""Expectations: what an answer is held against."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ml_regress.core.answers import parse_answer
from ml_regress.core.inputs import parse_number

SCALAR_KINDS = ("equals", "close_to", "greater_than", "less_than", "contains", "matches")
LIST_KINDS = ("one_of", "between")
PATTERN_KINDS = ("same_as", "higher_than", "lower_than")
KINDS = SCALAR_KINDS + LIST_KINDS + PATTERN_KINDS
NUMERIC_KINDS = ("close_to", "greater_than", "less_than", "between", "higher_than", "lower_than")
TEXT_KINDS = ("contains", "matches")
NEGATION = "not_"
ANSWER = "answer"
SCORE = "score:"
DEFAULT_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Expectation:
    """A kind, its value, and the output it looks at.

    `value` is typed: an answer for equals, a tuple of answers for one_of, (low, high) for between,
    a float for close_to, greater_than and less_than, a text for contains and matches, the id of
    a pattern of the same problem for same_as, higher_than and lower_than. `tolerance` belongs to
    close_to and is absolute. `output` is "answer", "score:<class>" or the name of an output.
    """

    kind: str
    value: Any
    negated: bool = False
    output: str = ANSWER
    tolerance: float | None = None

    @property
    def name(self) -> str:
        """The kind as it is written in a file: `not_equals` for a negated equals."""
        return NEGATION + self.kind if self.negated else self.kind

    @property
    def words(self) -> str:
        """The expectation for a person: `answer equals 8`."""
        value = self.value
        if self.kind == "between":
            value = f"{value[0]} and {value[1]}"
        elif self.kind == "one_of":
            value = ", ".join(str(item) for item in value)
        shown = f"{self.output} {self.name.replace('_', ' ')} {value}"
        return shown if self.tolerance is None else f"{shown} (within {self.tolerance})"

    def as_dict(self) -> dict[str, Any]:
        """Plain data for digests and the content of a suite."""
        return {
            "kind": self.kind,
            "value": list(self.value) if isinstance(self.value, tuple) else self.value,
            "negated": self.negated,
            "output": self.output,
            "tolerance": self.tolerance,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Expectation":
        value = data["value"]
        return cls(
            data["kind"],
            tuple(value) if isinstance(value, list) else value,
            data["negated"],
            data["output"],
            data["tolerance"],
        )


def parse_expectation(name: str, text: str, *, output: str, tolerance: str | None, answer_type: str) -> Expectation:
    """An expectation from its texts in a file; raises ValueError with the broken rule.

    A list kind takes a JSON list. Numbers of score:<class> and named outputs are floats, whatever
    the type of the answer.
    """
    negated = name.startswith(NEGATION)
    kind = name.removeprefix(NEGATION)
    if kind not in KINDS:
        raise ValueError(f"expectation must be one of {', '.join(KINDS)}, or one with {NEGATION} before it")
    if not output:
        raise ValueError("output must be answer, score:<class> or the name of an output")
    value_type = answer_type if output == ANSWER else ("number" if output.startswith(SCORE) else "text")
    if kind in NUMERIC_KINDS and output == ANSWER and answer_type not in ("number", "integer"):
        raise ValueError(
            f"{kind} compares numbers, but answers of this problem are {answer_type}; "
            "declare `answer: number` or look at an output that is a number"
        )
    given = None
    if tolerance not in (None, ""):
        given = parse_number(tolerance)
        if given < 0 or kind != "close_to":
            raise ValueError("tolerance is a number of at least 0 and belongs to close_to")
    if kind == "close_to":
        return Expectation(kind, parse_number(text), negated, output, DEFAULT_TOLERANCE if given is None else given)
    return Expectation(kind, _parse_expected(kind, text, value_type), negated, output)


def _parse_expected(kind: str, text: str, value_type: str) -> Any:
    if kind in PATTERN_KINDS or kind == "contains":
        return text
    if kind == "matches":
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(f"must be a regular expression ({error})") from None
        return text
    if kind in LIST_KINDS:
        return _parse_list(kind, text, value_type)
    if kind in NUMERIC_KINDS:
        return parse_number(text)
    return parse_answer(value_type, text)


def _parse_list(kind: str, text: str, value_type: str) -> tuple[Any, ...]:
    rule = f"{kind} takes a JSON list such as " + ("[1, 5]" if kind == "between" else '["cat", "dog"]')
    try:
        items = json.loads(text, parse_float=str, parse_int=str)
    except ValueError:
        raise ValueError(rule) from None
    if not isinstance(items, list) or not items or not all(isinstance(item, (str, bool)) for item in items):
        raise ValueError(rule)
    words = ["true" if item is True else "false" if item is False else item for item in items]
    if kind == "one_of":
        return tuple(parse_answer(value_type, word) for word in words)
    if len(words) != 2:
        raise ValueError(rule)
    low, high = (parse_number(word) for word in words)
    if low > high:
        raise ValueError("between takes [low, high] with low at most high")
    return (low, high)
