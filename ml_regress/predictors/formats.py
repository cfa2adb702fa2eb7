"""The formats of artefacts, by the name that a manifest uses.

A team adds its own with an entry point of the group `ml_regress.formats` that names a Format; the
contract suite (ml_regress.contract) says whether it keeps what the others keep.
"""

import functools
import importlib.metadata
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_regress.core.candidate import RECORDED
from ml_regress.errors import NotFound
from ml_regress.predictors import joblib_, python_, skops_
from ml_regress.predictors.artefacts import MANIFEST, Artefact, file_digest, folder_digest
from ml_regress.predictors.predictor import Policy

ENTRY_POINTS = "ml_regress.formats"
_NAME = re.compile(r"[a-z][a-z0-9_-]*\Z")


MISSING = "there is no such file in the candidate's folder"


def file_rule(folder: Path, name: str) -> str:
    """The rule that a name of a file in a candidate's folder breaks, "" where it is one."""
    path = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        return "must be a file in the candidate's own folder"
    if name == MANIFEST:
        return "must name the file of the model"
    if not path.is_file():
        return MISSING
    if not path.resolve().is_relative_to(folder.resolve()):
        return "is a link that leads out of the candidate's folder; copy the file"
    return ""


def _says_nothing(artefact: Path) -> dict[str, str]:
    return {}


def _never_opened(artefact: Artefact, policy: Policy) -> Any:
    raise NotFound(f"{artefact.name} holds recorded predictions: there is no model to open")


@dataclass(frozen=True)
class Format:
    """How artefacts of one kind become models.

    `open` gives a model: anything with `predict`, frame in, one answer a row out (or a frame with the
    column `answer` and outputs beside it). It may raise NotPermitted or anything else.
    `runs_code` says that opening runs what the artefact's author wrote: then the operator must allow
    the format by name. `extension` tells the format of a file. `whole_folder` has the digest cover
    the candidate's folder and not one file; `rule` gives the rule that the manifest's `artefact`
    breaks, or "". `saved_with` reads the library versions that an artefact names, and runs nothing of
    it. `imports` are modules that opening needs: they are imported before a time limit begins.
    """

    open: Callable[[Artefact, Policy], Any]
    extension: str = ""
    runs_code: bool = True
    whole_folder: bool = False
    rule: Callable[[Path, str], str] = file_rule
    saved_with: Callable[[Path], dict[str, str]] = _says_nothing
    imports: tuple[str, ...] = ()
    danger: str = "opening one runs code that its author wrote"

    def digest(self, folder: Path, name: str) -> tuple[str, int]:
        """SHA-256 and bytes of what lies in a candidate's folder; raises OSError or ValueError."""
        return folder_digest(folder, name) if self.whole_folder else file_digest(folder / name)


_OWN: Mapping[str, Format] = {
    "skops": Format(
        skops_.open_model,
        ".skops",
        runs_code=False,
        saved_with=skops_.saved_with,
        imports=("sklearn", "skops.io"),
    ),
    "joblib": Format(
        joblib_.open_model,
        ".joblib",
        saved_with=joblib_.saved_with,
        imports=("sklearn", "joblib"),
        danger=joblib_.DANGER,
    ),
    "python": Format(
        python_.open_model,
        whole_folder=True,
        rule=python_.object_rule,
        danger=python_.DANGER,
    ),
    RECORDED: Format(_never_opened, runs_code=False),
}


@functools.cache
def _registered() -> Mapping[str, importlib.metadata.EntryPoint]:
    """The formats that installed packages bring, by name; loaded when they are used."""
    return {
        point.name: point
        for point in importlib.metadata.entry_points(group=ENTRY_POINTS)
        if _NAME.match(point.name) and point.name not in _OWN
    }


def format_names() -> tuple[str, ...]:
    """The names that a manifest may use."""
    return (*_OWN, *sorted(_registered()))


@functools.cache
def format_named(name: str) -> Format:
    """The format of a name; raises NotFound for a name that nobody brings, or whose package does not load."""
    if name in _OWN:
        return _OWN[name]
    point = _registered().get(name)
    if point is None:
        raise NotFound(f"the format {name!r} is not known; known are {', '.join(format_names())}")
    try:
        found = point.load()
    except Exception as error:  # an import of somebody else's package may raise anything
        raise NotFound(f"the format {name!r} ({point.value}) does not load: {type(error).__name__}: {error}") from error
    if not isinstance(found, Format):
        raise NotFound(f"the format {name!r} ({point.value}) is a {type(found).__name__} and no Format")
    return found


def format_of(artefact: str) -> str | None:
    """The format that the ending of a file's name tells, None where it tells none."""
    for name in format_names():
        try:
            extension = format_named(name).extension
        except NotFound:  # a package that does not load takes no other format with it
            continue
        if extension and artefact.lower().endswith(extension):
            return name
    return None


def saved_libraries(format_name: str, artefact: Path) -> dict[str, str]:
    """Versions that an artefact was saved with, as far as it says; empty where it cannot be read."""
    return format_named(format_name).saved_with(artefact)
