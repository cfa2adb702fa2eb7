"""Watched folders and files: what they look like, and which of them cannot be read now.

What cannot be read is refused until it can, and is tried at every look. Nothing is forgotten because
a folder was away.
"""

import json
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_regress.engine.workspace import Workspace

# A file that changed within this time may still be written to; it is read at the next look.
SETTLE_SECONDS = 1.0
FOLDERS = "folders"
_UNREADABLE = "cannot be read: "
_AGAIN = "it is tried again at every look"


@dataclass(frozen=True)
class Seen:
    """The files of one source with their sizes and times, as one text."""

    files: tuple[Path, ...]

    @classmethod
    def of(cls, files: Iterable[Path]) -> "Seen":
        return cls(tuple(dict.fromkeys(files)))

    @property
    def signature(self) -> str:
        return json.dumps({os.path.realpath(path): _stat(path) for path in self.files}, sort_keys=True)

    def still_written(self, now: float) -> bool:
        """Whether any file changed a moment before `now`, in seconds since 1970."""
        ages = [now - found[1] / 1e9 for path in self.files if (found := _stat(path)) is not None]
        # A time in the future says that clocks differ, and nothing about writing.
        return any(0 <= age < SETTLE_SECONDS for age in ages)


def files_of_signature(signature: str) -> list[Path]:
    """The files that a signature was made of."""
    return [Path(name) for name in json.loads(signature)] if signature.startswith("{") else []


def _stat(path: Path) -> list[int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]


def look_into(workspace: Workspace, kind: str) -> list[Path] | None:
    """What lies in a watched folder of the workspace, sorted; None where that cannot be told now.

    Then the folder stands among the refusals, until it can be looked into again.
    """
    root, why, found = workspace.settings.workspace / kind, None, None
    try:
        found = sorted(path for path in root.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        if workspace.store.sources.signatures(kind):
            why = f"the folder {root} is gone; what came from it stays. Bring it back, or make an empty one"
    except OSError as error:
        why = f"{root} {words(error)}; what came from it stays, {_AGAIN}"
    _stand(workspace, f"{kind}/", why)
    return found


def _stand(workspace: Workspace, source: str, why: str | None) -> None:
    known = workspace.store.sources.signatures(FOLDERS).get(source)
    if why is None and known is not None:
        workspace.store.sources.forget([source])
    elif why is not None and known != why:
        workspace.store.sources.read(source, FOLDERS, why, why)


def why_unreadable(paths: Iterable[Path]) -> str | None:
    """Why one of these files cannot be read now; None where all can, or are not there."""
    for path in paths:
        try:
            # A pipe would wait for somebody who writes.
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            try:
                os.read(handle, 1)
            finally:
                os.close(handle)
        except OSError as error:
            if not isinstance(error, FileNotFoundError) or path.is_symlink():
                return f"{path} {words(error)}; {_AGAIN}"
    return None


def is_folder(path: Path) -> bool:
    """True for a folder, False for anything else that is there; raises OSError where that cannot be told."""
    return stat.S_ISDIR(path.stat().st_mode)


def refuse_unreadable(workspace: Workspace, known: str | None, source: str, kind: str, why: str) -> None:
    """List a source among the refusals until it can be read; its signature is no file's, so every look tries."""
    if known != _UNREADABLE + why:
        workspace.store.sources.read(source, kind, _UNREADABLE + why, why)


def words(error: OSError) -> str:
    return f"cannot be read now ({error.strerror or error})"


def forget_gone(workspace: Workspace, known: Iterable[str], sources: Sequence[str]) -> None:
    """Forget the refusals of what is no longer there; what it brought stays."""
    gone = sorted(set(known) - set(sources))
    if gone:
        workspace.store.sources.forget(gone)
