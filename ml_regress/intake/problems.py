"""Problem files: a YAML file and its pattern table, typed and checked together."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ml_regress.core.inputs import parse_integer, parse_number
from ml_regress.core.pattern import Pattern
from ml_regress.core.problem import LOWER_IS_BETTER, METRICS, SEVERITIES, STATES, Problem, Requirement
from ml_regress.errors import Fault, InvalidInput
from ml_regress.intake import yaml_text
from ml_regress.intake.declarations import Declaration
from ml_regress.intake.pattern_export import export_csv, table_of_patterns
from ml_regress.intake.patterns import parse_patterns, plain_patterns, table_of_stored
from ml_regress.intake.reading import NOTES, TableFormat
from ml_regress.intake.tables import READERS, inline_table, read_table

__all__ = [
    "ProblemFile",
    "export_csv",
    "parse_patterns",
    "parse_problem",
    "read_problem",
    "table_of_patterns",
    "table_of_stored",
]

KEYS = (
    "id",
    "title",
    "description",
    "owner",
    "severity",
    "reported_by",
    "reported_at",
    "state",
    "inputs",
    "answer",
    "labels",
    "positive_label",
    "metric",
    "requirement",
    "patterns",
    "table",
)
REQUIREMENT_KEYS = ("at_least", "metric_at_least", "metric_at_most", "canaries", "max_regressions", "tolerance")
_CANARIES = {"all": True, "true": True, "none": False, "false": False}
# Metrics between 0 and 1: a bound outside can never be met, or always is.
_PROPORTIONS = tuple(name for name in METRICS if name not in LOWER_IS_BETTER)


@dataclass(frozen=True)
class ProblemFile:
    """A problem with its patterns, the file as it was named, and all files it was read from.

    `notes` are for a person: what was put right, or looks odd without being wrong.
    """

    problem: Problem
    patterns: tuple[Pattern, ...]
    source: str
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def read_problem(path: Path, known: frozenset[str] = frozenset()) -> ProblemFile:
    """The problem in a YAML file, with the patterns inline or in the table it names.

    `known` are ids of patterns the problem has elsewhere. Raises InvalidInput with the faults of
    both files.
    """
    source = str(path)
    given = yaml_text.load(path)
    problem, declaration = _declared(given, source)
    patterns: tuple[Pattern, ...] = ()
    notes: tuple[str, ...] = ()
    table_source = source
    files: tuple[Path, ...] = (path,)
    form = declaration.table_format()
    faults = list(declaration.faults)
    try:
        if not declaration.broken("table"):
            table, table_source, files = _table(given.get("patterns"), path, form)
            # A table cannot be held against types that are faulty themselves.
            if not declaration.broken("inputs", "answer", "labels"):
                table = plain_patterns(problem, table, form, table_source)
                patterns = parse_patterns(problem, table, table_source, known)
            notes = table.attrs[NOTES]
    except InvalidInput as refused:
        faults.extend(refused.faults)
    if faults:
        raise InvalidInput(faults)
    return ProblemFile(problem, patterns, source, files, (*notes, *_oddities(problem, patterns, table_source)))


def parse_problem(given: Mapping[str, Any], source: str) -> Problem:
    """The problem of a mapping with the keys of a problem file; raises InvalidInput with every fault."""
    problem, declaration = _declared(given, source)
    if declaration.faults:
        raise InvalidInput(declaration.faults)
    return problem


def _declared(given: Mapping[str, Any], source: str) -> tuple[Problem, Declaration]:
    """The problem, with defaults in place of what is faulty, and the declaration that holds the faults."""
    keys = Declaration(given, source, KEYS)
    answer_type, labels, positive_label = keys.answers()
    metric = keys.text("metric", "pass_rate")
    keys.metric("metric", metric, answer_type, positive_label)
    problem = Problem(
        id=keys.slug("id"),
        title=keys.text("title", required=True),
        inputs=keys.inputs(),
        description=keys.text("description"),
        owner=keys.text("owner"),
        severity=keys.choice("severity", SEVERITIES, "medium"),
        reported_by=keys.text("reported_by"),
        reported_at=keys.date("reported_at"),
        state=keys.choice("state", STATES, "open"),
        answer_type=answer_type,
        labels=labels,
        positive_label=positive_label,
        metric=metric,
        requirement=_requirement(keys, metric),
    )
    return problem, keys


def _requirement(keys: Declaration, metric: str) -> Requirement:
    given = keys.given.get("requirement")
    if given in (None, ""):
        return Requirement()
    if not isinstance(given, Mapping):
        keys.fault("requirement", f"must be a mapping with {', '.join(REQUIREMENT_KEYS)}")
        return Requirement()
    inner = Declaration(given, keys.source, REQUIREMENT_KEYS, prefix="requirement.")
    bounds = [inner.parsed(key, lambda text: _bound(text, metric)) for key in ("metric_at_least", "metric_at_most")]
    low, high = bounds
    if low is not None and high is not None and low > high:
        inner.fault("metric_at_least", "must not be above metric_at_most", repr(low))
    canaries = inner.choice("canaries", tuple(_CANARIES), "all")
    found = Requirement(
        inner.parsed("at_least", _count),
        low,
        high,
        _CANARIES[canaries],
        inner.parsed("max_regressions", _count),
        inner.parsed("tolerance", _share),
    )
    keys.faults.extend(inner.faults)
    return found


def _count(text: str) -> int:
    try:
        value = parse_integer(text)
    except ValueError:
        value = -1
    if value < 0:
        raise ValueError("must be a whole number of at least 0")
    return value


def _share(text: str) -> float:
    value = parse_number(text)
    if not 0 <= value <= 1:
        raise ValueError("must be a share of the patterns between 0 and 1")
    return value


def _bound(text: str, metric: str) -> float:
    value = parse_number(text)
    if metric in _PROPORTIONS and not 0 <= value <= 1:
        raise ValueError(f"must be between 0 and 1, as {metric} is")
    if metric in LOWER_IS_BETTER and value < 0:
        raise ValueError(f"must be at least 0, as {metric} is")
    return value


def _table(given: Any, path: Path, form: TableFormat) -> tuple[pd.DataFrame, str, tuple[Path, ...]]:
    """The pattern table, its name for faults, and the files that the problem is read from."""
    if isinstance(given, list):
        return inline_table(given, str(path), form), str(path), (path,)
    if given is not None and not isinstance(given, str):
        raise InvalidInput.single(str(path), "must be the name of a file or a list of mappings", column="patterns")
    file = path.parent / given if given else _beside(path)
    table = read_table(file, form)
    if not len(table.columns):
        raise InvalidInput.single(
            str(file), "holds no pattern; give a header at least, or write `patterns: []` for a problem without any"
        )
    return table, str(file), (path, file)


def _beside(path: Path) -> Path:
    found = [file for suffix in READERS if (file := path.with_name(path.stem + suffix)).is_file()]
    if len(found) == 1:
        return found[0]
    names = ", ".join(file.name for file in found)
    rule = (
        f"{names} could all be its patterns; name one"
        if found
        else f"is missing, and no {path.stem}.csv, .jsonl or .parquet stands beside the file"
    )
    raise InvalidInput([Fault(str(path), None, "patterns", None, rule)])


def _oddities(problem: Problem, patterns: tuple[Pattern, ...], source: str) -> list[str]:
    active = sum(pattern.status == "active" for pattern in patterns)
    wanted = problem.requirement.at_least
    if not patterns:
        return [f"{source}: 0 patterns"]
    if wanted is not None and wanted > active:
        return [f"{source}: {active} active patterns, but the requirement asks for {wanted} passes"]
    return []
