"""Patterns and the suite that freezes them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_regress.core.digest import digest_of, digest_of_text
from ml_regress.core.expectation import Expectation

POLARITIES = ("positive", "negative")
ORIGINS = ("production", "contrived", "outlier", "rating", "import")
STATUSES = ("proposed", "active", "retired")
_as_json = json.JSONEncoder(ensure_ascii=False).encode


def key_digest(problem: str, pattern: str) -> str:
    """The digest of what a pattern without inputs asks: nothing but its name tells it."""
    # The canonical JSON of the two, written out: tables of recorded predictions ask for thousands.
    return digest_of_text(f'{{"pattern":{_as_json(pattern)},"problem":{_as_json(problem)}}}')


@dataclass(frozen=True)
class Pattern:
    """One test of a problem: inputs and an expectation.

    `inputs` maps the flat input columns to typed values, or is None for a pattern that only
    recorded candidates can answer. `selected_on` names the candidates whose failures it was
    chosen for.
    """

    problem: str
    id: str
    inputs: Mapping[str, Any] | None
    expectation: Expectation
    polarity: str = "positive"
    origin: str = "import"
    status: str = "active"
    canary: bool = False
    twin: str | None = None
    parent: str | None = None
    selected_on: tuple[str, ...] = ()
    note: str = ""

    @property
    def input_digest(self) -> str:
        """Digest of the inputs alone: patterns of any problem that ask the same share predictions."""
        if self.inputs is None:
            return key_digest(self.problem, self.id)
        return digest_of({"inputs": dict(self.inputs)})

    def measured_content(self) -> dict[str, Any]:
        """What of a pattern makes two of its outcomes comparable."""
        return {
            "id": self.id,
            "inputs": None if self.inputs is None else dict(self.inputs),
            "expectation": self.expectation.as_dict(),
            "polarity": self.polarity,
            "canary": self.canary,
            "twin": self.twin,
        }


@dataclass(frozen=True)
class SuitePattern:
    """A pattern as a suite froze it."""

    id: str
    inputs: Mapping[str, Any] | None
    input_digest: str
    expectation: Expectation
    polarity: str
    canary: bool
    twin: str | None


@dataclass(frozen=True)
class Suite:
    """The frozen active patterns of a problem, named by digest."""

    digest: str
    problem: str
    content: Mapping[str, Any]
    patterns: tuple[SuitePattern, ...]


def freeze(problem_content: Mapping[str, Any], problem: str, patterns: Sequence[Pattern], scorer_version: str) -> Suite:
    """The suite of a problem's active patterns; independent of their order.

    `problem_content` is Problem.measured_content(); `scorer_version` is "" for built-in metrics.
    """
    active = sorted((pattern for pattern in patterns if pattern.status == "active"), key=lambda pattern: pattern.id)
    measured = {
        "problem": dict(problem_content),
        "scorer_version": scorer_version,
        "patterns": [pattern.measured_content() for pattern in active],
    }
    digest = digest_of(measured)
    # Input digests can be computed again from the inputs; stored, they cost no time on every read.
    content = {**measured, "input_digests": [pattern.input_digest for pattern in active]}
    return suite_from_content(digest, problem, content)


def suite_from_content(digest: str, problem: str, content: Mapping[str, Any]) -> Suite:
    """A suite back from the content that the store keeps under its digest."""
    patterns = tuple(
        SuitePattern(
            item["id"],
            item["inputs"],
            input_digest,
            Expectation.from_dict(item["expectation"]),
            item["polarity"],
            item["canary"],
            item["twin"],
        )
        for item, input_digest in zip(content["patterns"], content["input_digests"], strict=True)
    )
    return Suite(digest, problem, content, patterns)
