"""What lies in the watched folder of batches: which files are which batch, and what time its name says."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ml_regress.core.ids import SLUG_RULE, is_slug
from ml_regress.errors import InvalidInput
from ml_regress.intake.pieces import OPENERS
from ml_regress.intake.typed_arrow import moment_text

UNFINISHED = (".part", ".tmp", ".crdownload")
LABELS, PREDICTIONS = "labels", "predictions"
_JOINED = (LABELS, PREDICTIONS)
_PERIOD = re.compile(r"((?:19|20|21)\d\d)(?:-(\d\d)(?:-(\d\d)(?:T(\d\d))?)?)?(?![0-9])")
_YEAR_ONLY = re.compile(r"-\d")
_LAST = timedelta(milliseconds=1)


@dataclass(frozen=True)
class BatchFiles:
    """The files of one source.

    `parts` are the tables of the batch, in order; `joined` are tables of later labels or predictions, each with which
    of the two it is. A file `ID.labels.csv` has no parts of its own. `beside` is what else lies in the folder.
    """

    id: str
    path: Path
    parts: tuple[Path, ...]
    joined: tuple[tuple[str, Path], ...] = ()
    beside: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        return (*self.parts, *(path for _, path in self.joined))

    @property
    def left_out(self) -> tuple[str, ...]:
        """The names of what in the folder is neither a table nor to be ignored."""
        return tuple(path.name for path in self.beside if not is_ignored(path))

    @property
    def size(self) -> int:
        """Bytes of its parts; raises InvalidInput where one is gone by now."""
        try:
            return sum(path.stat().st_size for path in self.parts)
        except FileNotFoundError as error:
            raise InvalidInput.single(str(error.filename), "there is no such file") from None


def is_ignored(path: Path) -> bool:
    """Whether a name says that there is nothing to read (yet): hidden, unfinished, or words for people."""
    name = path.name.lower()
    return name.startswith((".", "readme")) or name.endswith(UNFINISHED)


def is_joined(path: Path) -> bool:
    """Whether a file holds later labels or predictions of a batch: ID.labels.csv."""
    return path.suffix != "" and path.stem.lower().endswith(tuple(f".{kind}" for kind in _JOINED))


def batch_files(path: Path) -> BatchFiles:
    """The batch, or the labels or predictions, of a file or folder.

    Raises InvalidInput for what is no table, a folder without any, and a name that is no id.
    """
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise InvalidInput.single(str(path), "there is no such file")
    if not _is_table(path):
        raise InvalidInput.single(str(path), f"is no table; use a file that ends in {', '.join(OPENERS)}")
    kind = next((kind for kind in _JOINED if path.stem.lower().endswith(f".{kind}")), None)
    if kind is None:
        return BatchFiles(_id(path.stem, path), path, (path,))
    name = path.stem[: -len(kind) - 1]
    return BatchFiles(_id(name, path), path, (), ((kind, path),))


def _folder(path: Path) -> BatchFiles:
    entries = sorted(path.iterdir())
    tables = [each for each in entries if not is_ignored(each) and _is_table(each) and each.is_file()]
    if not tables:
        rule = f"holds no table; put files into it that end in {', '.join(OPENERS)}"
        raise InvalidInput.single(str(path), rule)
    for each in tables:
        if not each.name.isprintable():
            raise InvalidInput.single(str(path), f"holds {each.name!r}, which is no name to print; rename it")
    joined = tuple((each.stem.lower(), each) for each in tables if each.stem.lower() in _JOINED)
    parts = tuple(each for each in tables if each.stem.lower() not in _JOINED)
    beside = tuple(each for each in entries if each not in tables)
    return BatchFiles(_id(path.name, path), path, parts, joined, beside)


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in OPENERS


def _id(name: str, path: Path) -> str:
    if not is_slug(name):
        raise InvalidInput.single(str(path), f"{SLUG_RULE}; rename it", value=name)
    return name


def period_of(name: str) -> tuple[str, str] | None:
    """The first and the last moment of the year, month, day or hour that an id begins with; None where it does not."""
    found = _PERIOD.match(name)
    if found is None or (found[2] is None and _YEAR_ONLY.match(name, found.end())):
        return None
    month, day, hour = (None if part is None else int(part) for part in found.groups()[1:])
    try:
        start = datetime(int(found[1]), month or 1, day or 1, hour or 0, tzinfo=UTC)
    except ValueError:  # no month or day of the calendar: a number that looks like one
        return None
    if hour is not None:
        end = start + timedelta(hours=1)
    elif day is not None:
        end = start + timedelta(days=1)
    elif month is not None:
        end = (start + timedelta(days=31)).replace(day=1)
    else:
        end = start.replace(year=start.year + 1)
    return moment_text(start), moment_text(end - _LAST)
