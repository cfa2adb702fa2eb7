"""Profiles of references: made once, kept in the archive by digest, and held against every batch."""

import json
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ml_regress.core.compared import Compared
from ml_regress.core.digest import digest_of
from ml_regress.core.drift import compare_levels, compare_numbers, not_compared
from ml_regress.core.drift_result import NUMBER
from ml_regress.core.production import DriftRules
from ml_regress.core.profile import (
    PROFILE_VERSION,
    LevelProfile,
    NumberProfile,
    Profile,
    profile_levels,
    profile_numbers,
)
from ml_regress.engine.workspace import Workspace
from ml_regress.intake.kept import Kept

_ARRAYS = ("values", "coarse", "below", "edges", "shares", "drawn", "drawn_shares")
_ONE_THREAD_BELOW = 20_000  # rows: what a second thread saves is less than what it costs


def reference_profile(
    workspace: Workspace, digest: str, kept: Kept, columns: Sequence[tuple[str, str]]
) -> dict[str, Profile]:
    """The profiles of the columns (name, "number" or "category") of kept rows whose digest is given.

    Made once and then read from the archive; sorted values stay on the disk, mapped into memory. Raises NotFound for
    a column that is not kept, Unavailable where the archive cannot be written.
    """
    archive = workspace.archive
    key = digest_of([digest, PROFILE_VERSION, [list(column) for column in columns]])
    folder = archive.profile(key)
    found = _load(folder)
    if found is None:
        shutil.rmtree(folder, ignore_errors=True)  # there is one that the disk lost a part of, or none
        with archive.staging() as staging:
            written = staging / "profile"
            written.mkdir()
            _write(written, kept, columns)
            archive.keep_profile(written, key)
        found = _load(folder)
    if found is None:
        raise RuntimeError(f"the profile {folder} was just written, but cannot be read")
    return found


def compare_kept(
    profiles: Mapping[str, Profile],
    kept: Kept,
    columns: Sequence[tuple[str, str]],
    rules: DriftRules,
    threads: int = 2,
) -> list[Compared]:
    """Each of the columns (name, kind) of a batch's kept rows against its profile, in their order.

    One column is in memory at a time, and one more for each further thread.
    """

    def compare(column: tuple[str, str]) -> Compared:
        name, kind = column
        profile = profiles.get(name)
        if name in rules.ignored:
            return not_compared(name, kind, "is ignored: `drift.ignore` of production.yaml names it")
        if profile is None or name not in kept.names:
            return not_compared(name, kind, f"the {'reference' if profile is None else 'batch'} has no such column")
        if isinstance(profile, NumberProfile):
            if kept.kind(name) != NUMBER:
                return not_compared(name, kind, "holds numbers in the reference, other values in the batch")
            return compare_numbers(profile, kept.numbers(name), rules.size_of(name, kind))
        levels, missing = kept.levels(name)
        return compare_levels(profile, levels, missing, rules.size_of(name, kind))

    if threads < 2 or kept.rows < _ONE_THREAD_BELOW or len(columns) < 2:
        return [compare(column) for column in columns]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(compare, columns))


def _write(folder: Path, kept: Kept, columns: Sequence[tuple[str, str]]) -> None:
    """All arrays of all columns one after the other in one file, and what they are in another."""
    entries: list[dict[str, Any]] = []
    with (folder / "arrays.f8").open("wb") as file:
        for name, kind in columns:
            if kind == NUMBER:
                entries.append(_write_numbers(file, profile_numbers(name, kept.numbers(name))))
            else:
                profile = profile_levels(name, *kept.levels(name))
                entries.append({**vars(profile), "levels": list(profile.levels), "counts": profile.counts.tolist()})
        total = file.tell()
    (folder / "profile.json").write_text(json.dumps({"bytes": total, "columns": entries}), encoding="utf-8")


def _write_numbers(file: BinaryIO, profile: NumberProfile) -> dict[str, Any]:
    entry = {each.name: getattr(profile, each.name) for each in fields(profile) if each.name not in _ARRAYS}
    lengths = []
    for name in _ARRAYS:
        array = np.ascontiguousarray(getattr(profile, name), dtype="<f8")
        lengths.append(len(array))
        file.write(array.data)
    return {**entry, "lengths": lengths}


def _load(folder: Path) -> dict[str, Profile] | None:
    """The profiles in a folder; None where there is none, or not all of it."""
    path = folder / "arrays.f8"
    try:
        found = json.loads((folder / "profile.json").read_text(encoding="utf-8"))
        if path.stat().st_size != found["bytes"]:
            return None
    except (OSError, ValueError):
        return None
    # An empty file cannot be mapped.
    arrays = np.memmap(path, dtype="<f8", mode="r").view(np.ndarray) if found["bytes"] else np.zeros(0)
    profiles: dict[str, Profile] = {}
    start = 0
    for entry in found["columns"]:
        if "lengths" not in entry:
            levels, counts = tuple(entry.pop("levels")), np.array(entry.pop("counts"), dtype=np.int64)
            profiles[entry["name"]] = LevelProfile(**entry, levels=levels, counts=counts)
            continue
        parts: dict[str, Any] = {}
        for name, length in zip(_ARRAYS, entry.pop("lengths"), strict=True):
            parts[name] = arrays[start : start + length]
            start += length
        profiles[entry["name"]] = NumberProfile(**entry, **parts)
    return profiles
