"""`production.yaml`: what a workspace says of its production. Every fault is found at once."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from ml_regress.core.inputs import InputTypes, parse_integer, parse_number
from ml_regress.core.production import RESERVED, DriftRules, ProductionSchema, Window
from ml_regress.errors import InvalidInput
from ml_regress.intake import yaml_text
from ml_regress.intake.declarations import NO_INPUT_TYPES, Declaration
from ml_regress.intake.kept_columns import SCORE
from ml_regress.intake.typed_arrow import moment_of, moment_text

FILE = "production.yaml"
KEYS = (
    "inputs",
    "key",
    "time",
    "prediction",
    "label",
    "answer",
    "labels",
    "positive_label",
    "metric",
    "reference",
    "every",
    "largest",
    "drift",
)
RULE_KEYS = ("alpha", "number", "category", "missing", "metric", "fewest", "ignore", "columns")
WINDOW_KEYS = ("from", "to")
_UNITS = {"minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400}
_BYTES = {"kb": 1000, "mb": 1000**2, "gb": 1000**3, "tb": 1000**4, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NO_RULES = DriftRules()


def read_production(path: Path) -> ProductionSchema:
    """The schema that a file states; raises InvalidInput with every fault.

    Where it leaves out `inputs`, there are none in it, and `inferred` says that they are still to be found.
    """
    return production_of(yaml_text.load(path), str(path))


def production_of(given: Mapping[str, Any], source: str) -> ProductionSchema:
    """As `read_production`, for the keys of a file that is already read."""
    keys = Declaration(given, source, KEYS)
    stated = given.get("inputs") not in (None, "", {})
    inputs = keys.inputs() if stated else NO_INPUT_TYPES
    answer_type, labels, positive_label = keys.answers()
    metric = keys.text("metric", "mae" if answer_type == "number" else "accuracy")
    keys.metric("metric", metric, answer_type, positive_label)
    key, time = keys.text("key").strip() or None, keys.text("time").strip() or None
    prediction, label = keys.text("prediction", "prediction").strip(), keys.text("label", "label").strip()
    _refuse_same(keys, {"key": key, "prediction": prediction, "label": label, "time": time})
    _refuse_taken(keys, inputs, prediction, label)
    every, largest = keys.parsed("every", duration), keys.parsed("largest", size)
    schema = ProductionSchema(
        inputs=inputs,
        key=key,
        time=time,
        prediction=prediction,
        label=label,
        answer_type=answer_type,
        labels=labels,
        positive_label=positive_label,
        metric=metric,
        reference=_window(keys),
        every=every,
        rules=_rules(keys, inputs),
        inferred=not stated,
    )
    if keys.faults:
        raise InvalidInput(keys.faults)
    return schema if largest is None else replace(schema, largest=largest)


def duration(text: str) -> timedelta:
    """A span such as "1 day", "6 hours" or "2 weeks"; raises ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)?\s*([a-z]+?)s?", text.strip().lower())
    seconds = _UNITS.get(found[2]) if found else None
    if found is None or seconds is None or float(found[1] or 1) * seconds < _UNITS["minute"]:
        raise ValueError('must be a span of at least a minute, such as "1 day", "6 hours" or "1 week"')
    try:
        return timedelta(seconds=float(found[1] or 1) * seconds)
    except OverflowError:
        raise ValueError("must be a span that a calendar knows") from None


def size(text: str) -> int:
    """Bytes of a size such as "2 GB" or "500 MB"; raises ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]+)", text.strip().lower())
    unit = _BYTES.get(found[2]) if found else None
    if found is None or unit is None or not 1 <= float(found[1]) * unit < 2**63:
        raise ValueError('must be a size above 0, such as "2 GB" or "500 MB"')
    return round(float(found[1]) * unit)


def size_words(count: int) -> str:
    """Bytes as a person would write them."""
    for name in ("GB", "MB", "kB"):
        unit = _BYTES[name.lower()]
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count} bytes"


def _refuse_same(keys: Declaration, columns: Mapping[str, str | None]) -> None:
    seen: dict[str, str] = {}
    for name, column in columns.items():
        if column is None:
            continue
        if column.startswith((RESERVED, SCORE)):
            keys.fault(name, f"must not begin with {RESERVED!r} or {SCORE!r}", column)
        if column in seen:
            keys.fault(name, f"must be another column than {seen[column]}", column)
        seen[column] = name


def _refuse_taken(keys: Declaration, inputs: InputTypes, prediction: str, label: str) -> None:
    for name in (*inputs.as_dict(), *inputs.names):
        if name.startswith((RESERVED, SCORE)):
            keys.fault(f"inputs.{name}", f"no input may begin with {RESERVED!r} or {SCORE!r}")
    for role, column in (("prediction", prediction), ("label", label)):
        if column in inputs.by_name:
            keys.fault(f"inputs.{column}", f"is the {role}; it cannot be an input, too")


def _window(keys: Declaration) -> Window | None:
    given = keys.given.get("reference")
    if given in (None, "", {}):
        return None
    if not isinstance(given, Mapping):
        keys.fault("reference", "must be a mapping with from and to, such as {from: 2013-01-01, to: 2013-04-01}")
        return None
    inner = Declaration(given, keys.source, WINDOW_KEYS, prefix="reference.")
    start, end = inner.parsed("from", _moment), inner.parsed("to", _moment)
    if start is not None and end is not None and start >= end:
        inner.fault("to", "must be after from (it is not part of the window itself)", end)
    keys.faults.extend(inner.faults)
    return Window(start, end) if start or end else None


def _moment(text: str) -> str:
    """A date as it is, a time in UTC: both stand in the order of the beginnings of batches."""
    moment = moment_of(text)
    return text.strip() if _DAY.fullmatch(text.strip()) else moment_text(moment)


def _rules(keys: Declaration, inputs: InputTypes) -> DriftRules:
    given = keys.given.get("drift")
    if given in (None, "", {}):
        return _NO_RULES
    if not isinstance(given, Mapping):
        keys.fault("drift", f"must be a mapping with {', '.join(RULE_KEYS)}")
        return _NO_RULES
    inner = Declaration(given, keys.source, RULE_KEYS, prefix="drift.")
    parse: dict[str, Callable[[str], float]] = {
        **dict.fromkeys(("number", "category", "missing", "metric"), _size_rule),
        "alpha": _alpha,
        "fewest": _fewest,
    }
    found = {name: inner.parsed(name, one) for name, one in parse.items()}
    numbers: dict[str, Any] = {name: value for name, value in found.items() if value is not None}
    rules = replace(_NO_RULES, **numbers, columns=_column_sizes(inner, inputs), ignored=_ignored(inner, inputs))
    keys.faults.extend(inner.faults)
    return rules


def _alpha(text: str) -> float:
    value = parse_number(text)
    if not 0 < value < 1:
        raise ValueError("must be a number between 0 and 1")
    return value


def _size_rule(text: str) -> float:
    value = parse_number(text)
    if value < 0:
        raise ValueError("must be at least 0")
    return value


def _fewest(text: str) -> int:
    value = parse_integer(text)
    if value < 1:
        raise ValueError("must be at least 1")
    return value


def _column_sizes(inner: Declaration, inputs: InputTypes) -> dict[str, float]:
    given = inner.given.get("columns")
    if given in (None, "", {}):
        return {}
    if not isinstance(given, Mapping):
        inner.fault("columns", "must be a mapping of columns to sizes, such as {temp: 0.2}")
        return {}
    sizes = Declaration(given, inner.source, tuple(given), prefix=f"{inner.prefix}columns.")
    found = {name: sizes.parsed(name, _size_rule) for name in given}
    for name in given:
        _known_input(sizes, name, inputs)
    inner.faults.extend(sizes.faults)
    return {name: value for name, value in found.items() if value is not None}


def _ignored(inner: Declaration, inputs: InputTypes) -> tuple[str, ...]:
    given = inner.given.get("ignore")
    if given in (None, ""):
        return ()
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        inner.fault("ignore", "must be a list of columns")
        return ()
    for name in given:
        _known_input(inner, name, inputs, "ignore")
    return tuple(dict.fromkeys(given))


def _known_input(keys: Declaration, name: str, inputs: InputTypes, key: str | None = None) -> None:
    """Refuse a column that is no input, where the inputs are stated; scores and answers have names of their own."""
    if inputs.names and name not in inputs.by_name and not name.startswith((RESERVED, SCORE)):
        keys.fault(key or name, "is none of the inputs", name)
