"""Tables as kept rows in the archive; a file that did not change is not read again."""

import json
import os
from pathlib import Path
from typing import Any

from ml_regress.core.digest import digest_of
from ml_regress.core.production import ProductionSchema
from ml_regress.errors import Fault, InvalidInput, NotFound, Unavailable
from ml_regress.intake.kept_table import KeptTable, write_kept
from ml_regress.store.archive import Archive

# Raised when the same file would become other kept rows.
VERSION = "1"


def keep_table(path: Path, schema: ProductionSchema, archive: Archive) -> KeptTable:
    """A reference file as kept rows in the archive, under this schema.

    What breaks the schema is told by `reasons`, and is missing in the rows. Raises InvalidInput where the file cannot
    be read or holds no rows, Unavailable where the archive cannot be written or the file changed meanwhile.
    """
    seen = _look(path)
    remembered = archive.folder / "tables" / f"{_question(seen, schema)}.json"
    found = _remembered(remembered, archive)
    if found is not None:
        return found
    kept = keep_parts((path,), schema, archive)
    if _look(path) != seen:
        raise Unavailable(f"{path} changed while it was read; try again once it is written")
    _remember(kept, remembered)
    return kept


def keep_parts(parts: tuple[Path, ...], schema: ProductionSchema, archive: Archive) -> KeptTable:
    """The parts of one table as kept rows in the archive; raises InvalidInput and Unavailable."""
    with archive.staging() as folder:
        kept = write_kept(parts, schema, folder / "rows.parquet")
        path = archive.keep_rows(kept.path, kept.digest)
        return KeptTable(**{**vars(kept), "path": path})


def _look(path: Path) -> list[Any]:
    """What a file looks like; raises InvalidInput where it cannot be seen."""
    try:
        found = path.stat()
    except FileNotFoundError:
        raise InvalidInput.single(str(path), "there is no such file") from None
    except OSError as error:
        raise InvalidInput.single(str(path), f"cannot be read ({error.strerror or error})") from None
    return [os.path.realpath(path), found.st_size, found.st_mtime_ns]


def _question(seen: list[Any], schema: ProductionSchema) -> str:
    labels = [str(label) for label in schema.labels]
    return digest_of([VERSION, seen, schema.digest, labels])


def _remembered(file: Path, archive: Archive) -> KeptTable | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        path = archive.rows(found["digest"])
    except (OSError, ValueError, KeyError, NotFound):  # never written, cut off, or the rows are gone: read the file
        return None
    return KeptTable(
        **{
            **found,
            "path": path,
            "reasons": tuple(found["reasons"]),
            "faults": tuple(Fault(*fault) for fault in found["faults"]),
            "notes": tuple(found["notes"]),
        }
    )


def _remember(kept: KeptTable, file: Path) -> None:
    faults = [[each.file, each.row, each.column, each.value, each.rule] for each in kept.faults]
    content = {**{name: value for name, value in vars(kept).items() if name != "path"}, "faults": faults}
    written = file.with_name(f".{file.name}-{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        written.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        os.replace(written, file)
    except OSError as error:
        raise Unavailable(f"the archive {file.parent} cannot be written ({error.strerror or error})") from error
