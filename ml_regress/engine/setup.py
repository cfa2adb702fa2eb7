"""Making a workspace, empty or with an example."""

import os
import shutil
from pathlib import Path

from ml_regress.errors import Conflict, NotFound, Unavailable
from ml_regress.settings import FILE

EXAMPLES = ("digits", "flights", "occupancy")
PRODUCTION_FILE = "production.yaml"
# What of an example belongs into a workspace; its scripts and texts stay with it.
_PARTS = ("reference", "problems", "benchmarks", "candidates", "batches")
# The folders of an empty workspace: what a candidate was trained on lies where its team keeps it.
_FOLDERS = tuple(part for part in _PARTS if part != "reference")
_STARTER = """\
# What an operator chooses. Everything here is optional.
name: {name}
# production: the id of the candidate that serves users today
# allow_formats: [joblib, python]   # formats that run code when a candidate is opened
# trusted_types: []       # types a skops artefact may hold beyond the library's own list
# time_limit: 60          # seconds to open one candidate and have it predict
"""


def make_workspace(folder: Path, example: str | None = None) -> Path:
    """Make a workspace; its file is written last, so that a half-made one is none.

    Raises Conflict where there is one already, Unavailable where the folder cannot be written.
    """
    if (folder / FILE).exists():
        raise Conflict(f"{folder} is a workspace already")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part in _FOLDERS:
            (folder / part).mkdir(exist_ok=True)
        if example is not None:
            _copy_example(example_folder(example), folder)
        else:
            _write_last(folder / FILE, _STARTER.format(name=folder.resolve().name))
    except OSError as error:
        raise Unavailable(f"the workspace {folder} cannot be written: {error.strerror} ({error.filename})") from error
    return folder.resolve()


def example_folder(example: str) -> Path:
    """Where an example lies: inside the package when it was installed, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for root in (package / "examples", package.parent / "examples"):
        if (root / example / FILE).is_file():
            return root / example
    raise NotFound(f"the example {example!r} is not installed")


def _copy_example(example: Path, folder: Path) -> None:
    for part in _PARTS:
        for source in sorted((example / part).rglob("*"), key=lambda path: (path.suffix == ".yaml", path)):
            if source.is_file():
                target = folder / part / source.relative_to(example / part)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)  # a new time: the manifests, copied last, are the newest
    for name in (PRODUCTION_FILE, FILE):
        if (example / name).is_file():
            _write_last(folder / name, (example / name).read_text(encoding="utf-8"))


def _write_last(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    part.write_text(text)
    os.replace(part, path)
