"""Rows and entities: how each is turned into the other."""

import json
from collections.abc import Mapping
from typing import Any

from ml_regress.core.answers import parse_answer
from ml_regress.core.candidate import Candidate, Manifest
from ml_regress.core.evaluation import Evaluation, Measure
from ml_regress.core.expectation import Expectation
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.pattern import Pattern
from ml_regress.core.problem import Benchmark, Problem, Requirement

PLAIN_PROBLEM = ("id", "title", "description", "owner", "severity", "reported_by", "reported_at", "state", "metric")
PATTERN_CONTENT = (
    "inputs",
    "expected",
    "expectation",
    "output",
    "tolerance",
    "polarity",
    "origin",
    "status",
    "canary",
    "twin",
    "parent",
    "selected_on",
    "note",
)


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def dump(value: Any) -> str:
    """JSON for the store: the order of keys is kept, for it is the order of columns."""
    return _encode(value)


def storable(text: str) -> str:
    """The text as every database keeps it: bytes of a file's name that are no text are written as an escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def text_of(value: Any) -> str:
    """A typed answer as a person would write it."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def problem_row(problem: Problem) -> dict[str, Any]:
    """The columns of `problems` that say what the problem is."""
    row: dict[str, Any] = {name: getattr(problem, name) for name in PLAIN_PROBLEM}
    row["inputs"] = dump(problem.inputs.as_dict())
    row["answer_type"] = problem.answer_type
    row["labels"] = dump([text_of(label) for label in problem.labels])
    row["positive_label"] = None if problem.positive_label is None else text_of(problem.positive_label)
    row["requirement"] = dump({key: value for key, value in problem.requirement.as_dict().items() if value is not None})
    return row


def problem_from_row(row: Mapping[Any, Any]) -> Problem:
    """The problem of a row that was valid when it was frozen."""
    kind = row["answer_type"]
    positive = row["positive_label"]
    return Problem(
        **{name: row[name] for name in PLAIN_PROBLEM},
        inputs=parse_input_types(json.loads(row["inputs"])),
        answer_type=kind,
        labels=tuple(parse_answer(kind, label) for label in json.loads(row["labels"])),
        positive_label=None if positive is None else parse_answer(kind, positive),
        requirement=Requirement(**json.loads(row["requirement"])),
    )


def pattern_row(pattern: Pattern) -> dict[str, Any]:
    """The columns of `patterns`, without what the store keeps for itself."""
    expectation = pattern.expectation
    value = expectation.value
    expected = dump([text_of(item) for item in value]) if isinstance(value, tuple) else text_of(value)
    return {
        "problem": pattern.problem,
        "id": pattern.id,
        "inputs": None if pattern.inputs is None else dump(dict(pattern.inputs)),
        "expected": expected,
        "expectation": expectation.name,
        "output": expectation.output,
        "tolerance": None if expectation.tolerance is None else text_of(expectation.tolerance),
        "polarity": pattern.polarity,
        "origin": pattern.origin,
        "status": pattern.status,
        "canary": pattern.canary,
        "twin": pattern.twin,
        "parent": pattern.parent,
        "selected_on": " ".join(pattern.selected_on),
        "note": pattern.note,
    }


def benchmark_definition(benchmark: Benchmark) -> str:
    """The definition that `benchmarks` keeps as one JSON text."""
    return dump(
        {
            "title": benchmark.title,
            "description": benchmark.description,
            "owner": benchmark.owner,
            "inputs": benchmark.inputs.as_dict(),
            "target": benchmark.target,
            "metrics": list(benchmark.metrics),
            "answer_type": benchmark.answer_type,
            "labels": list(benchmark.labels),
            "positive_label": benchmark.positive_label,
        }
    )


def benchmark_from_row(row: Mapping[Any, Any]) -> Benchmark:
    content = json.loads(row["definition"])
    content["inputs"] = parse_input_types(content["inputs"])
    content["metrics"] = tuple(content["metrics"])
    content["labels"] = tuple(content["labels"])
    return Benchmark(id=row["id"], state=row["state"], **content)


def candidate_from_row(row: Mapping[Any, Any]) -> Candidate:
    return Candidate(
        id=row["id"],
        manifest=Manifest.from_dict(json.loads(row["manifest"])),
        path=row["path"],
        sha256=row["sha256"],
        size=row["size"],
        libraries=json.loads(row["libraries"]),
        state=row["state"],
        registered_at=row["registered_at"],
    )


def evaluation_row(evaluation: Evaluation) -> dict[str, Any]:
    """The columns of `evaluations`; outcomes have rows of their own."""
    return {
        "candidate": evaluation.candidate,
        "problem": evaluation.problem,
        "suite": evaluation.suite,
        "state": evaluation.state,
        "reason": evaluation.reason,
        "passes": evaluation.passes,
        "answered": evaluation.answered,
        "errors": evaluation.errors,
        "measures": dump([vars(measure) for measure in evaluation.measures]),
        "warnings": dump(list(evaluation.warnings)),
        "environments": dump(list(evaluation.environments)),
        "counts": dump(dict(evaluation.counts)),
        "seconds": evaluation.seconds,
        "run": evaluation.run,
        "evaluated_at": evaluation.evaluated_at,
    }


def evaluation_from_row(row: Mapping[Any, Any]) -> Evaluation:
    return Evaluation(
        candidate=row["candidate"],
        problem=row["problem"],
        suite=row["suite"],
        state=row["state"],
        reason=row["reason"],
        passes=row["passes"],
        answered=row["answered"],
        errors=row["errors"],
        measures=tuple(Measure(**item) for item in json.loads(row["measures"])),
        warnings=tuple(json.loads(row["warnings"])),
        environments=tuple(json.loads(row["environments"])),
        counts=json.loads(row["counts"]),
        seconds=row["seconds"],
        run=row["run"],
        evaluated_at=row["evaluated_at"],
    )


def expectation_of(content: Mapping[str, Any]) -> Expectation:
    """The expectation inside the content of a suite."""
    return Expectation.from_dict(content["expectation"])
