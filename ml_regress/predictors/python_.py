"""Candidates of Python code: `artefact: module:object` in the candidate's own folder.

The object is a function of a frame, an object with `predict`, or a class of such objects that is made
without arguments. Its folder is the first place where its imports are looked for; its modules leave
with it, so that the `model` of one candidate is not that of the next.
"""

import importlib
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ml_regress.errors import CannotOpen
from ml_regress.predictors.artefacts import Artefact
from ml_regress.predictors.predictor import Policy

DANGER = "it is code, which runs when it is opened and when it predicts"
USAGE = "must be module:object, such as letters.model:predict, for a module in the candidate's folder"
_TAKEN = "the module {} was imported from elsewhere: its name is taken by an installed package; rename it"
_CACHES = sys.pycache_prefix
_NAME = re.compile(r"(?P<module>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):(?P<object>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\Z")


class _Function:
    """A function in the face of a model."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.predict = function


def object_rule(folder: Path, name: str) -> str:
    """The rule that `module:object` breaks, "" where its module lies in the folder."""
    found = _NAME.match(name)
    if found is None:
        return USAGE
    place = folder.joinpath(*found["module"].split("."))
    if not (place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()):
        return f"there is no module {found['module']} in the candidate's folder"
    return ""


def open_model(artefact: Artefact, policy: Policy) -> Any:
    """The model that `module:object` names; raises CannotOpen, or whatever its code raises."""
    found = _NAME.match(artefact.name)
    if found is None:
        raise CannotOpen(f"artefact {artefact.name!r} {USAGE}")
    folder = str(artefact.folder.resolve())
    forget_modules(artefact.folder)
    sys.dont_write_bytecode = True  # a candidate never changes, not even by being read
    sys.pycache_prefix = os.devnull  # and what was compiled elsewhere is no part of its digest: it is not run
    _refuse_taken_names(artefact.folder)
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    module = importlib.import_module(found["module"])
    if not Path(str(module.__file__)).resolve().is_relative_to(folder):
        raise CannotOpen(_TAKEN.format(found["module"]))
    made: Any = module
    for part in found["object"].split("."):
        made = getattr(made, part)
    if isinstance(made, type):
        made = made()
    if callable(made) and not hasattr(made, "predict"):
        return _Function(made)
    return made


def _refuse_taken_names(folder: Path) -> None:
    """A module of this process with the name of one of the candidate's would be measured in its place."""
    place = folder.resolve()
    for path in folder.iterdir():
        is_module = path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))
        taken = sys.modules.get(path.stem) if is_module else None
        if taken is not None and not any(Path(part).is_relative_to(place) for part in _places(taken)):
            raise CannotOpen(_TAKEN.format(path.stem))


def forget_modules(folder: Path) -> None:
    """Take a candidate's folder off the path, and its modules out of this process."""
    sys.pycache_prefix = _CACHES
    place = folder.resolve()
    if str(place) not in sys.path:
        return  # nothing was imported from it, and to look through all modules takes longer than most models do
    sys.path[:] = [entry for entry in sys.path if entry != str(place)]
    for name, module in list(sys.modules.items()):
        if any(Path(part).is_relative_to(place) for part in _places(module)):
            del sys.modules[name]


def _places(module: Any) -> list[str]:
    """Where a module lies; a folder without __init__.py is a package that has a path and no file."""
    file = getattr(module, "__file__", None)
    paths = getattr(module, "__path__", ())
    return [part for part in (file, *(paths if hasattr(paths, "__iter__") else ())) if isinstance(part, str)]
