"""Candidate folders: `candidates/ID/candidate.yaml` and the artefact beside it."""

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from ml_regress.core.candidate import Candidate, Manifest
from ml_regress.core.digest import digest_of
from ml_regress.core.ids import SLUG_RULE, is_slug
from ml_regress.core.inputs import parse_number
from ml_regress.errors import Fault, InvalidInput
from ml_regress.intake import yaml_text
from ml_regress.intake.declarations import Declaration
from ml_regress.predictors.formats import FORMATS, saved_libraries

MANIFEST = "candidate.yaml"
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
)
UNFINISHED = (".part", ".tmp", "~")
LONGEST = 86400  # seconds of a time limit: a day
TIME_RULE = "must be an ISO time with its zone, such as 2026-06-01T09:00:00Z, or a plain date"


@dataclass(frozen=True)
class Sighting:
    """What one look at a candidate's folder found.

    `signature` changes with any name, size or time of its files. `whole` folders may be read. Of
    the others, `settled_needed` ones may be read once two looks gave the same signature, and
    `impossible` ones lack something that no waiting replaces. `reason` says what is awaited.
    """

    id: str
    signature: str
    whole: bool
    reason: str = ""
    impossible: bool = False

    @property
    def settled_needed(self) -> bool:
        return not self.whole and not self.impossible


def look(folder: Path) -> Sighting:
    """Whether a candidate's folder is whole, from names, sizes and times; the artefact is not read."""
    files = _files(folder)
    signature = digest_of([[name, size, changed] for name, (size, changed) in sorted(files.items())])
    lacking, unsettled = "", ""
    if MANIFEST not in files:
        lacking = f"waits for {MANIFEST}"
    else:
        lacking, unsettled = _awaited(folder, files)
    return Sighting(folder.name, signature, not (lacking or unsettled), lacking or unsettled, bool(lacking))


def _awaited(folder: Path, files: Mapping[str, tuple[int, int]]) -> tuple[str, str]:
    """What is lacking, and what could still change; "" for each where there is nothing."""
    try:
        given = yaml_text.load(folder / MANIFEST)
    except InvalidInput as error:  # half written, or wrong for good: reading it will say
        return "", str(error)
    artefact, others = given.get("artefact") or None, _others(files)
    if artefact is None and len(others) == 1:
        artefact = others[0]
    lacking = unsettled = ""
    if artefact is None and not others:
        lacking = "waits for the artefact"
    elif not isinstance(artefact, str):
        unsettled = f"{MANIFEST} does not say which file is the artefact"
    elif not (folder / artefact).is_file():
        lacking = f"waits for the artefact {artefact}"
    elif given.get("format", _format_of(artefact)) == "skops" and not _is_complete_zip(folder / artefact):
        lacking = f"waits for the rest of {artefact}: it is no complete skops file"
    elif files[MANIFEST][1] < max((files[name][1] for name in others), default=0):
        unsettled = f"waits until nothing changes: a file is newer than {MANIFEST}"
    return lacking, unsettled


def read_candidate(folder: Path) -> Candidate:
    """The candidate in a folder, not registered yet; reads the artefact for its digest.

    Raises InvalidInput with every fault of the manifest.
    """
    file = folder / MANIFEST
    keys = _Keys(yaml_text.load(file), str(file), KEYS)
    if not is_slug(folder.name):
        keys.faults.append(
            Fault(str(folder), None, None, None, f"the folder's name is the candidate's id: {SLUG_RULE}")
        )
    manifest = _manifest(keys, folder)
    artefact = folder / manifest.artefact
    sha256, size = "", 0
    if not keys.faults:
        try:
            with artefact.open("rb") as opened:
                sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
                size = opened.tell()
        except OSError as error:
            keys.fault("artefact", f"cannot be read ({error.strerror or error})", manifest.artefact)
    if keys.faults:
        raise InvalidInput(keys.faults)
    libraries = {**saved_libraries(manifest.format, artefact), **manifest.libraries}
    return Candidate(folder.name, manifest, str(folder), sha256, size, libraries)


def _manifest(keys: "_Keys", folder: Path) -> Manifest:
    artefact = _artefact(keys, folder)
    parent = keys.text("parent") or None
    if parent is not None and not is_slug(parent):
        keys.fault("parent", f"is no candidate's id: {SLUG_RULE}", parent)
    elif parent == folder.name:
        keys.fault("parent", "a candidate is not its own parent", parent)
    return Manifest(
        created_at=_created_at(keys),
        format=_format(keys, artefact),
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
    if not artefact:
        others = _others(_files(folder))
        if len(others) == 1:
            return others[0]
        if not keys.broken("artefact"):
            rule = f"must name one of the files {', '.join(others)}" if others else "is missing, as is any other file"
            keys.fault("artefact", rule)
        return ""
    path = folder / artefact
    rule = ""
    if Path(artefact).is_absolute() or ".." in Path(artefact).parts:
        rule = "must be a file in the candidate's own folder"
    elif artefact == MANIFEST:
        rule = "must name the file of the model"
    elif not path.is_file():
        rule = "there is no such file in the candidate's folder"
    elif not path.resolve().is_relative_to(folder.resolve()):
        rule = "is a link that leads out of the candidate's folder; copy the file"
    if rule:
        keys.fault("artefact", rule, artefact)
    return artefact


def _others(files: Iterable[str]) -> list[str]:
    return sorted(name for name in files if name != MANIFEST)


def _format(keys: _Keys, artefact: str) -> str:
    found = _format_of(artefact)
    if found is None and not keys.text("format"):
        if artefact and not keys.broken("format"):
            keys.fault("format", f"is missing, and {artefact} does not tell it; it is one of {', '.join(FORMATS)}")
        return ""
    return keys.choice("format", tuple(FORMATS), found or "")


def _format_of(artefact: str) -> str | None:
    return next((name for name, known in FORMATS.items() if artefact.lower().endswith(known.extension)), None)


def _created_at(keys: _Keys) -> str:
    if not keys.text("created_at").strip():
        if not keys.broken("created_at"):
            keys.fault("created_at", f"is missing: it {TIME_RULE}")
        return ""
    return keys.parsed("created_at", _utc) or ""


def _utc(text: str) -> str:
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


def _seconds(text: str) -> float:
    try:
        seconds = parse_number(text.strip())
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"must be a number of seconds above 0 and at most {LONGEST}")
    return seconds


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time (ns) of each file below the folder; hidden and unfinished ones are not there yet."""
    found = {}
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") for part in parts) or path.name.endswith(UNFINISHED):
            continue
        try:
            if path.is_file():
                state = path.stat()
                found["/".join(parts)] = (state.st_size, state.st_mtime_ns)
        except OSError:  # gone since it was listed
            continue
    return found


def _is_complete_zip(path: Path) -> bool:
    """True where the directory at the end of the zip is there and names what the file holds."""
    try:
        with zipfile.ZipFile(path) as archive:
            return bool(archive.namelist())
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False
