"""Ids are slugs: they name folders, partition keys, files and parts of web addresses."""

import re

SLUG = r"[A-Za-z0-9][A-Za-z0-9._-]*"
SLUG_RULE = (
    "an id starts with a letter or digit and holds only letters, digits, '.', '_' and '-', "
    "without '..', at most 120 characters"
)
_SLUG = re.compile(rf"{SLUG}\Z")


def is_slug(text: str) -> bool:
    """True for an id that is safe as a folder, a partition key and a part of a web address."""
    return len(text) <= 120 and ".." not in text and _SLUG.match(text) is not None


# What makes two spellings of an id meet in one file on a system that folds case.
def folded(slug: str) -> str:
    """The form under which two ids count as the same."""
    return slug.casefold()


def slug_of(text: str) -> str:
    """The id nearest to a name: what no id may hold becomes a dash; "" where nothing of it can stay."""
    dashed = re.sub(r"[^A-Za-z0-9._-]+", "-", text.strip())
    return re.sub(r"\.\.+", ".", dashed).lstrip("._-").rstrip("-")[:120]
