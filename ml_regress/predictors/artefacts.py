"""Artefacts on disk: what of a candidate's folder its digest covers, and what opens."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ml_regress.core.digest import digest_of

MANIFEST = "candidate.yaml"
UNFINISHED = (".part", ".tmp", "~")
# What Python writes beside a module when it imports it: no part of what the team handed in.
COMPILED = "__pycache__"


@dataclass(frozen=True)
class Artefact:
    """What a format opens: `name` is the manifest's `artefact`, `folder` the candidate's.

    `file` holds the very bytes that were compared with the registered digest; None where the digest
    is over the whole folder.
    """

    folder: Path
    name: str
    file: BinaryIO | None = None

    @property
    def bytes(self) -> BinaryIO:
        """The open file of a format that lies in one file."""
        if self.file is None:
            raise TypeError(f"{self.name} is no single file: its format covers the whole folder")
        return self.file


def files_of(folder: Path) -> Iterator[tuple[str, Path]]:
    """Files below a folder with their names relative to it; hidden, unfinished and compiled ones are not there."""
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if COMPILED in parts or any(part.startswith(".") for part in parts) or path.name.endswith(UNFINISHED):
            continue
        if path.is_file():
            yield "/".join(parts), path


def file_digest(path: Path) -> tuple[str, int]:
    """SHA-256 and size in bytes of a file; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()


def folder_digest(folder: Path, artefact: str) -> tuple[str, int]:
    """Digest over the artefact's name, and names and bytes of all files of a candidate but its manifest; their bytes.

    Raises OSError, and ValueError for a link that leads out of the folder: what lies there could change.
    """
    found, size = {}, 0
    for name, path in files_of(folder):
        if name == MANIFEST:
            continue
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"{name} is a link that leads out of the candidate's folder; copy the file")
        found[name], bytes_read = file_digest(path)
        size += bytes_read
    return digest_of({"artefact": artefact, "files": found}), size
