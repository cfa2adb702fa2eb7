"""Candidate folders: `candidates/ID/candidate.yaml` and the artefact beside it."""

import contextlib
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path, PurePosixPath
from typing import Any

from ml_regress.core.candidate import RECORDED, Candidate, Manifest
from ml_regress.core.ids import SLUG_RULE, is_slug
from ml_regress.core.inputs import parse_number
from ml_regress.errors import Fault, InvalidInput, NotFound
from ml_regress.intake import yaml_text
from ml_regress.intake.declarations import Declaration
from ml_regress.intake.reading import TableFormat
from ml_regress.intake.sightings import others_of
from ml_regress.predictors.artefacts import MANIFEST, files_of
from ml_regress.predictors.formats import file_rule, format_named, format_names, format_of

KEYS = (
    "created_at",
    "format",
    "artefact",
    "changed",
    "parent",
    "data",
    "metrics",
    "libraries",
    "features",
    "defaults",
    "not_applicable",
    "time_limit",
    "note",
    "answer_map",
    "trained_on",
    "columns",
    "table",
)
TABLES = (".parquet", ".csv", ".jsonl")
LONGEST = 86400  # seconds of a time limit: a day
TIME_RULE = "must be an ISO time with its zone, such as 2026-06-01T09:00:00Z, or a plain date"


def read_candidate(folder: Path) -> Candidate:
    """The candidate in a folder, not registered yet; reads the artefact for its digest.

    Raises InvalidInput with every fault of the manifest.
    """
    keys = _declared(folder)
    if not is_slug(folder.name):
        keys.faults.append(
            Fault(str(folder), None, None, None, f"the folder's name is the candidate's id: {SLUG_RULE}")
        )
    manifest = _manifest(keys, folder)
    sha256, size = "", 0
    if not keys.faults:
        try:
            sha256, size = format_named(manifest.format).digest(folder, manifest.artefact)
        except OSError as error:
            keys.fault("artefact", f"cannot be read ({error.strerror or error})", manifest.artefact)
        except ValueError as error:
            keys.fault("artefact", str(error), manifest.artefact)
        except Exception as error:  # noqa: BLE001  a team's own format may raise anything
            keys.fault("artefact", _raised(manifest.format, error), manifest.artefact)
    if keys.faults:
        raise InvalidInput(keys.faults)
    saved: dict[str, str] = {}
    with contextlib.suppress(Exception):  # what an artefact does not say of itself, nobody knows
        saved = format_named(manifest.format).saved_with(folder / manifest.artefact)
    return Candidate(folder.name, manifest, str(folder), sha256, size, {**saved, **manifest.libraries})


def table_of_manifest(folder: Path) -> tuple[TableFormat, dict[str, str]]:
    """How a candidate's table of recorded predictions is written, and its columns by the names used here.

    Raises InvalidInput.
    """
    keys = _declared(folder)
    found = keys.table_format(), keys.mapping("columns", _column)
    if keys.faults:
        raise InvalidInput(keys.faults)
    return found


def _declared(folder: Path) -> "_Keys":
    file = folder / MANIFEST
    return _Keys(yaml_text.load(file), str(file), KEYS)


def _manifest(keys: "_Keys", folder: Path) -> Manifest:
    artefact = _artefact(keys, folder)
    form = _format(keys, artefact)
    if artefact and form and not keys.broken("artefact", "format"):
        _hold_against_format(keys, folder, artefact, form)
    parent = keys.text("parent") or None
    if parent is not None and not is_slug(parent):
        keys.fault("parent", f"is no candidate's id: {SLUG_RULE}", parent)
    elif parent == folder.name:
        keys.fault("parent", "a candidate is not its own parent", parent)
    return Manifest(
        created_at=_created_at(keys),
        format=form,
        artefact=artefact,
        changed=keys.text("changed").strip(),
        parent=parent,
        data=keys.mapping("data", str, alone="data"),
        metrics=keys.mapping("metrics", parse_number),
        libraries=keys.mapping("libraries", str),
        features=keys.names("features"),
        defaults=keys.mapping("defaults", str),
        not_applicable=_not_applicable(keys),
        time_limit=keys.parsed("time_limit", _seconds),
        note=keys.text("note").strip(),
        answer_map=keys.mapping("answer_map", _answer),
        trained_on=keys.parsed("trained_on", _inside),
    )


class _Keys(Declaration):
    """A manifest as it was written, and the faults found in it so far."""

    def mapping(self, key: str, parse: Callable[[str], Any], alone: str = "") -> dict[str, Any]:
        """The mapping under a key; where `alone` is given, one text may stand for {alone: text}."""
        value = self.given.get(key)
        if value is None or value == "":  # a key with nothing behind it
            return {}
        if alone and isinstance(value, str):
            return {alone: value.strip()}
        if not isinstance(value, dict):
            self.fault(key, "must be a mapping of `name: value`", value if isinstance(value, str) else None)
            return {}
        found = {}
        for name, item in value.items():
            try:
                if not isinstance(item, str):
                    raise ValueError("must be one value")
                found[name] = parse(item.strip())
            except ValueError as error:
                self.fault(f"{key}.{name}", str(error), item if isinstance(item, str) else None)
        return found

    def names(self, key: str) -> tuple[str, ...] | None:
        """The list of distinct names under a key, None where there is none."""
        value = self.given.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
            self.fault(key, "must be a list of column names", value if isinstance(value, str) else None)
            return None
        doubled = sorted({item for item in value if value.count(item) > 1})
        if doubled:
            self.fault(key, "names a column twice", doubled[0])
        return tuple(value)


def _artefact(keys: _Keys, folder: Path) -> str:
    artefact = keys.text("artefact").strip()
    if artefact or keys.broken("artefact"):
        return artefact
    others = others_of(name for name, _ in files_of(folder))
    if len(others) == 1:
        return others[0]
    rule = f"must name one of the files {', '.join(others)}" if others else "is missing, as is any other file"
    keys.fault("artefact", rule)
    return ""


def _format(keys: _Keys, artefact: str) -> str:
    found = format_of(artefact)
    if found is None and not keys.text("format"):
        if artefact and not keys.broken("format"):
            rule = file_rule(Path(keys.source).parent, artefact)
            if rule:  # a file that is not there tells no format either
                keys.fault("artefact", rule, artefact)
            else:
                known = ", ".join(format_names())
                keys.fault("format", f"is missing, and {artefact} does not tell it; it is one of {known}")
        return ""
    return keys.choice("format", format_names(), found or "")


def _raised(form: str, error: Exception) -> str:
    return f"cannot be read by the format {form}: {type(error).__name__}: {error}"


def _hold_against_format(keys: _Keys, folder: Path, artefact: str, form: str) -> None:
    try:
        rule = format_named(form).rule(folder, artefact)
    except NotFound as error:
        keys.fault("format", str(error), form)
        return
    except Exception as error:  # noqa: BLE001  a team's own format may raise anything
        rule = _raised(form, error)
    if rule:
        keys.fault("artefact", rule, artefact)
    for key in ("columns", "table"):
        if form != RECORDED and keys.given.get(key):
            keys.fault(key, f"says how recorded predictions are written; leave it out for the format {form}")


def _created_at(keys: _Keys) -> str:
    if not keys.text("created_at").strip():
        if not keys.broken("created_at"):
            keys.fault("created_at", f"is missing: it {TIME_RULE}")
        return ""
    return keys.parsed("created_at", utc_time) or ""


def utc_time(text: str) -> str:
    """An ISO time as UTC; a plain date is its midnight in UTC. Raises ValueError with the rule."""
    try:
        try:
            return datetime.combine(date.fromisoformat(text.strip()), time(tzinfo=UTC)).isoformat()
        except ValueError:
            moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is not None:
            return moment.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise ValueError(TIME_RULE) from None
    raise ValueError("has no zone: write it behind the time, as in 2026-06-01T09:00:00Z")


def _not_applicable(keys: _Keys) -> dict[str, str]:
    found = keys.mapping("not_applicable", str)
    for problem, reason in found.items():
        if not is_slug(problem):
            keys.fault(f"not_applicable.{problem}", f"is no problem's id: {SLUG_RULE}")
        elif not reason:
            keys.fault(f"not_applicable.{problem}", "must say why the candidate is not measured on it")
    return found


def _column(text: str) -> str:
    if not text:
        raise ValueError("must name a column of the table")
    return text


def _inside(text: str) -> str:
    path = PurePosixPath(text.strip())
    if path.is_absolute() or ".." in path.parts or path.suffix not in TABLES:
        known = ", ".join(TABLES)
        raise ValueError(f"must be a table ({known}) named from the workspace's folder, such as reference/q1.parquet")
    return str(path)


def _answer(text: str) -> str:
    if not text:
        raise ValueError("must say which answer is meant")
    return text


def _seconds(text: str) -> float:
    try:
        seconds = parse_number(text.strip())
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"must be a number of seconds above 0 and at most {LONGEST}")
    return seconds
