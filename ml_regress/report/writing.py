"""Files that readers never see half: written beside their place, then put there."""

import os
import tempfile
from pathlib import Path

from ml_regress.errors import Unavailable


def write_whole(path: Path, text: str) -> Path:
    """Writes a file, and its folder where that is missing, whole or not at all; raises Unavailable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            temporary.chmod(0o644)  # mkstemp makes files that only their owner reads
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written ({error.strerror or error}); what was there before stays. Make space, or "
            "make the folder writable, and try again"
        ) from error
    return path
