"""Looking at candidates' folders: which are whole, from names, sizes and times."""

import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ml_regress.core.digest import digest_of
from ml_regress.errors import InvalidInput, NotFound
from ml_regress.intake import yaml_text
from ml_regress.predictors.artefacts import MANIFEST, files_of
from ml_regress.predictors.formats import MISSING, file_rule, format_named, format_of


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
    artefact, others = given.get("artefact") or None, others_of(files)
    if artefact is None and len(others) == 1:
        artefact = others[0]
    lacking = unsettled = ""
    if artefact is None and not others:
        lacking = "waits for the artefact"
    elif not isinstance(artefact, str):
        unsettled = f"{MANIFEST} does not say which file is the artefact"
    elif _is_whole_folder(form := str(given.get("format") or format_of(artefact) or "")):
        unsettled = "waits until nothing changes: no file of its folder tells that it was the last"
    elif file_rule(folder, artefact) == MISSING and form:
        lacking = f"waits for the artefact {artefact}"
    elif not form or file_rule(folder, artefact):
        unsettled = f"{MANIFEST} does not say what the artefact is"
    elif form == "skops" and not _is_complete_zip(folder / artefact):
        lacking = f"waits for the rest of {artefact}: it is no complete skops file"
    elif files[MANIFEST][1] < max((files[name][1] for name in others), default=0):
        unsettled = f"waits until nothing changes: a file is newer than {MANIFEST}"
    return lacking, unsettled


def _is_whole_folder(form: str) -> bool:
    try:
        return format_named(form).whole_folder
    except NotFound:  # reading it will say
        return False


def others_of(files: Iterable[str]) -> list[str]:
    """The files of a candidate's folder beside its manifest."""
    return sorted(name for name in files if name != MANIFEST)


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time (ns) of each file below the folder; hidden and unfinished ones are not there yet."""
    found = {}
    for name, path in files_of(folder):
        try:
            state = path.stat()
        except OSError:  # gone since it was listed
            continue
        found[name] = (state.st_size, state.st_mtime_ns)
    return found


def _is_complete_zip(path: Path) -> bool:
    """True where the directory at the end of the zip is there and names what the file holds."""
    try:
        with zipfile.ZipFile(path) as archive:
            return bool(archive.namelist())
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False
