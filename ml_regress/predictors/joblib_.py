"""Artefacts of joblib: pickles, which run code when they are opened."""

import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from ml_regress.predictors.artefacts import Artefact
from ml_regress.predictors.predictor import Policy

CHUNK = 2**20
# A hostile file may unpack to anything; a version that lies deeper than this stays unknown.
SCAN_LIMIT = 2**30
# The key of an estimator's state, what pickle says to remember it, and the text behind it.
_VERSION = re.compile(rb"_sklearn_version(?:\x94|q.|r.{4})?(?:\x8c(?P<short>.)|X(?P<long>.{4}))", re.S)
_LONGEST = 64
DANGER = (
    "a joblib file is a pickle, and a pickle runs any code that its author put into it when it is opened; "
    'better, convert it with skops.io.dump(model, "model.skops")'
)


def open_model(artefact: Artefact, policy: Policy) -> Any:
    """The model in a joblib file."""
    import joblib  # noqa: PLC0415 - only who opens one pays for it

    return joblib.load(artefact.bytes)


def saved_with(artefact: Path) -> dict[str, str]:
    """The version of scikit-learn that the pickle names, found in its bytes: nothing is unpickled.

    Raw arrays lie between the opcodes of a joblib file, so a walk over the opcodes would stop at
    the first array, and estimators name their version behind their arrays.
    """
    tail = b""
    read = 0
    try:
        for chunk in _unpacked(artefact):
            window = tail + chunk
            for found in _VERSION.finditer(window):
                version = _text_behind(window, found)
                if version is not None:
                    return {"scikit-learn": version}
            tail = window[-2 * _LONGEST :]
            read += len(chunk)
            if read > SCAN_LIMIT:
                break
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        pass  # cut short or of a packing we do not know: the version is unknown, and opening will say more
    return {}


def _text_behind(window: bytes, found: re.Match[bytes]) -> str | None:
    length = int.from_bytes(found["short"] or found["long"], "little")
    text = window[found.end() : found.end() + length]
    if length <= _LONGEST and len(text) == length and re.fullmatch(rb"[0-9][0-9A-Za-z.+-]*", text):
        return text.decode("ascii")
    return None


def _unpacked(artefact: Path) -> Iterator[bytes]:
    """The pickle's bytes in chunks, unpacked as its first bytes say."""
    with artefact.open("rb") as file:
        start = file.read(6)
        file.seek(0)
        if start[:1] == b"x":
            yield from _inflated(file)
            return
        with _unpacking(file, start) as stream:
            while chunk := stream.read(CHUNK):
                yield chunk


def _unpacking(file: BinaryIO, start: bytes) -> Any:
    if start.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)
    if start.startswith(b"BZ"):
        return bz2.BZ2File(file)
    if start.startswith((b"]\x00", b"\xfd7zXZ")):
        return lzma.LZMAFile(file)
    return file


def _inflated(file: BinaryIO) -> Iterator[bytes]:
    inflater = zlib.decompressobj()
    while packed := file.read(CHUNK):
        while packed:
            yield inflater.decompress(packed, CHUNK)
            packed = inflater.unconsumed_tail
