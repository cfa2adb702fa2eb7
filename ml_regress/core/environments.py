"""Environments: where predictions were made, and in what two of them differ."""

from collections.abc import Iterable, Mapping
from typing import Any

_PLAIN = {"python": "Python", "machine": "machine", "platform": "platform"}
# Not part of where a prediction was made, but what was said about it.
_ASIDE = ("warnings", "features")


def environment_differences(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """In what the environments of two sides differ, one text a difference: "scikit-learn 1.8.0, now 1.9.1".

    A side may have several environments; one that is not known (of recorded predictions) says so.
    """
    old, new = _facts(before), _facts(after)
    return tuple(
        f"{_PLAIN.get(name, name)} {_words(old.get(name))}, now {_words(new.get(name))}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )


def _facts(environments: Iterable[Mapping[str, Any]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in environments:
        for name, value in _flat(each).items():
            found.setdefault(name, set()).add(value)
    return found


def _flat(environment: Mapping[str, Any]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in environment.items():
        if name in _ASIDE:
            continue
        if isinstance(value, Mapping):
            flat.update({str(inner): str(item) for inner, item in value.items()})
        elif isinstance(value, (list, tuple)):
            flat[name] = ", ".join(map(str, value))
        else:
            flat[name] = str(value)
    return flat


def _words(values: set[str] | None) -> str:
    return " and ".join(sorted(values)) if values else "not said"
