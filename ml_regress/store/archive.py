"""The archive: kept rows of batches and profiles of references, as files named by digest.

They are too large for the database, and are derived from nothing but what their digest names: a file that is there is
whole, and never changes.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ml_regress.errors import NotFound, Unavailable


class Archive:
    """A folder of files and folders by digest, each written beside its place and then put there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def rows(self, digest: str) -> Path:
        """The kept rows (Parquet) of a digest; raises NotFound where they are gone."""
        path = self.folder / "rows" / f"{digest}.parquet"
        if not path.is_file():
            raise NotFound(
                f"the rows {digest[:12]}… are not in the archive {self.folder}; put the archive back from a backup, "
                "or import the batch again from its file"
            )
        return path

    def keep_rows(self, written: Path, digest: str) -> Path:
        """Put a finished Parquet file (made under `staging`) to its digest; one that is there already stays."""
        return self._put(written, self.folder / "rows" / f"{digest}.parquet")

    def profile(self, digest: str) -> Path:
        """Where the profile of this digest lies, or will: a folder."""
        return self.folder / "profiles" / digest

    def keep_profile(self, written: Path, digest: str) -> Path:
        """Put a finished folder (made under `staging`) to its digest; one that is there already stays."""
        return self._put(written, self.profile(digest))

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A folder for what is being written, on the same disk; it is gone afterwards. Raises Unavailable."""
        made = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(prefix=".staging-", dir=self.folder))
            yield made
        except OSError as error:
            raise Unavailable(
                f"the archive {self.folder} cannot be written ({error.strerror or error}); nothing was kept. Make "
                "space, or make the folder writable, and try again"
            ) from error
        finally:
            if made is not None:
                shutil.rmtree(made, ignore_errors=True)

    def _put(self, written: Path, target: Path) -> Path:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            try:
                os.replace(written, target)
            except OSError:
                if not target.exists():  # somebody else put the same content there a moment ago
                    raise
        return target
