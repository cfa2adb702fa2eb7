"""Drift: the columns of a batch, in Parquet, against the stored profile of the reference. Two threads each.

drift_100k_20, drift_1m_20, drift_100k_500
    the least of several runs, each in a process of its own, own and limit in turn. The limit is written by hand below,
    with numpy alone: a sorted copy of every column, exact Kolmogorov-Smirnov, Wasserstein and PSI; chi-square,
    Jensen-Shannon and PSI of levels from the codes that Parquet holds; p of each
..._mb      the most memory that any of the runs took above what it had after its imports, beside the size of the batch
..._profile, ..._domain
            what is done once a reference, and the classifier of all columns together (5,000 rows a side): times only
"""

import json
import pickle
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from measure import report
from scipy import special

from ml_regress.core.domain import domain_drift
from ml_regress.core.drift import judged
from ml_regress.core.drift_result import ColumnDrift
from ml_regress.core.production import DriftRules
from ml_regress.engine.profiles import compare_kept, reference_profile
from ml_regress.engine.workspace import Workspace
from ml_regress.intake.kept import Kept
from ml_regress.settings import Settings

SIZES = {"drift_100k_20": (100_000, 12, 8), "drift_1m_20": (1_000_000, 12, 8), "drift_100k_500": (100_000, 500, 0)}
BOUND, MEMORY_BOUND, RUNS, THREADS, DOMAIN_ROWS = 1.5, 3.0, 7, 2, 5000
DIGEST = "reference"
LEVELS = (5, 8, 12, 25, 50, 100, 150, 200)
FAMILIES: tuple[Callable[[np.random.Generator, int, float], np.ndarray], ...] = (
    lambda rng, rows, shift: rng.normal(shift, 1, rows),
    lambda rng, rows, shift: rng.lognormal(shift, 1, rows),
    lambda rng, rows, shift: rng.standard_t(2, rows) + shift,
    lambda rng, rows, shift: rng.standard_cauchy(rows) + shift,
    lambda rng, rows, shift: rng.poisson(3 * (1 + shift), rows),
    lambda rng, rows, shift: rng.poisson(50 * (1 + shift), rows),
    lambda rng, rows, shift: rng.exponential(1 + shift, rows),
    lambda rng, rows, shift: rng.uniform(shift, 1 + shift, rows),
    lambda rng, rows, shift: np.where(rng.random(rows) < 0.6, 0.0, rng.lognormal(shift, 1, rows)),
)


def write_rows(path: Path, rows: int, numbers: int, levels: int, *, seed: int, drift: float) -> None:
    """Numbers of several families, every tenth with gaps, and texts of 5 to 200 levels; half of them drift."""
    rng = np.random.default_rng(seed)
    columns: dict[str, pa.Array] = {}
    for at in range(numbers):
        values = FAMILIES[at % len(FAMILIES)](rng, rows, drift * (at % 2))
        columns[f"n{at}"] = pa.array(values, mask=rng.random(rows) < 0.05 if at % 10 == 9 else None)
    for at in range(levels):
        weights = 1 / np.arange(1, LEVELS[at] + 1) ** (1 + drift * (at % 2))
        codes = rng.choice(LEVELS[at], rows, p=weights / weights.sum())
        names = pa.array([f"level {level}" for level in range(LEVELS[at])])
        gaps = rng.random(rows) < 0.05 if at % 3 == 0 else None
        columns[f"c{at}"] = pa.DictionaryArray.from_arrays(pa.array(codes, mask=gaps), names).cast(pa.string())
    pq.write_table(pa.table(columns), path, row_group_size=131_072, compression="zstd")


# The limit, by hand


def limit_profile(folder: Path) -> None:
    made: dict[str, Any] = {}
    file = pq.ParquetFile(folder / "reference.parquet")
    for field in file.schema_arrow:
        column = file.read([field.name]).column(0)
        if pa.types.is_string(field.type):
            counts = column.drop_null().value_counts()
            levels, times = counts.field("values").to_pylist(), counts.field("counts").to_pylist()
            made[field.name] = dict(zip(levels, times, strict=True))
            continue
        values = np.sort(column.drop_null().to_numpy().astype(np.float64))
        np.save(folder / f"{field.name}.npy", values)
        count = len(values)
        edges = np.unique(values[(count * np.arange(1, 10) - 1) // 10])
        step = max(32, count // 16384)
        points = values[step - 1 :: step].copy()
        upto = np.searchsorted(values, points, "right")
        made[field.name] = (edges, np.diff(np.searchsorted(values, edges, "right"), prepend=0, append=count) / count,
                            step, points, upto / count)  # fmt: skip
    (folder / "limit.pickle").write_bytes(pickle.dumps(made))


def limit(folder: Path) -> dict[str, tuple[float, float, float, float]]:
    """(statistic, size, PSI, p) of every column; the size of levels is Jensen-Shannon."""
    profile = pickle.loads((folder / "limit.pickle").read_bytes())  # noqa: S301  this script wrote it
    path, local = folder / "current.parquet", threading.local()
    metadata = pq.read_metadata(path)
    texts = [name for name, entry in profile.items() if isinstance(entry, dict)]

    def column(name: str) -> tuple[str, tuple[float, float, float, float]]:
        if not hasattr(local, "file"):
            local.file = pq.ParquetFile(path, metadata=metadata, memory_map=True, read_dictionary=texts)
        read, entry = local.file.read([name], use_threads=False).column(0), profile[name]
        if isinstance(entry, dict):
            return name, limit_levels(entry, read)
        reference = np.load(folder / f"{name}.npy", mmap_mode="r").view(np.ndarray)
        return name, limit_numbers(reference, entry, read.to_numpy(), read.null_count)

    with ThreadPoolExecutor(THREADS) as pool:
        return dict(pool.map(column, profile))


def limit_levels(entry: dict[str, int], read: pa.ChunkedArray) -> tuple[float, float, float, float]:
    chunk = read.unify_dictionaries().combine_chunks()
    names = chunk.dictionary.to_pylist()
    codes = chunk.indices.fill_null(len(names)).to_numpy()
    current = dict(zip(names, np.bincount(codes, minlength=len(names) + 1).tolist(), strict=False))
    keys = entry.keys() | {name for name, count in current.items() if count}
    a, b = (np.array([side.get(key, 0) for key in keys], dtype=float) for side in (entry, current))
    pooled = (a + b) / (a.sum() + b.sum())
    statistic = sum(float(((side - side.sum() * pooled) ** 2 / (side.sum() * pooled)).sum()) for side in (a, b))
    p, q = a / a.sum(), b / b.sum()
    middle = (p + q) / 2
    divergence = sum(float((side[side > 0] * np.log2(side[side > 0] / middle[side > 0])).sum()) / 2 for side in (p, q))
    return statistic, divergence**0.5, limit_psi(p, q), float(special.chdtrc(len(a) - 1, statistic))


def limit_numbers(r: np.ndarray, entry: Any, values: np.ndarray, gaps: int) -> tuple[float, float, float, float]:
    edges, share, step, points, upto = entry
    c = np.sort(values)[: len(values) - gaps]
    n, m = len(r), len(c)
    here = np.searchsorted(c, points, "right") / m
    best = float(np.abs(upto - here).max(initial=0.0))
    before, now = np.concatenate([[0.0], upto, [1.0]]), np.concatenate([[0.0], here, [1.0]])
    could = np.maximum(before[1:] - now[:-1], now[1:] - before[:-1])
    for block in np.argsort(-could):
        if could[block] <= best:
            break
        at = r[block * step : (block + 1) * step]
        for side in ("left", "right"):
            apart = np.abs(np.searchsorted(r, at, side) / n - np.searchsorted(c, at, side) / m)
            best = max(best, float(apart.max(initial=0.0)))
    counted = np.diff(np.searchsorted(c, edges, "right"), prepend=0, append=m) / m
    p = float(special.kolmogorov((n * m / (n + m)) ** 0.5 * best))
    return best, limit_distance(r, c), limit_psi(share, counted), p


def limit_psi(p: np.ndarray, q: np.ndarray) -> float:
    p, q = np.maximum(p, 1e-4), np.maximum(q, 1e-4)
    return float(((q - p) * np.log(q / p)).sum())


def limit_distance(r: np.ndarray, c: np.ndarray, piece: int = 1 << 14) -> float:
    if len(r) == len(c):
        return sum(
            float(np.abs(r[at : at + piece] - c[at : at + piece]).sum()) for at in range(0, len(r), piece)
        ) / len(r)
    few, many = (r, c) if len(r) < len(c) else (c, r)
    n, m, total = len(few), len(many), 0.0
    for at in range(0, m, piece):
        part = many[at : at + piece]
        start = np.arange(at, at + len(part), dtype=float) * n
        low = np.floor(start / m)
        split, low = np.minimum((low + 1) * m - start, n), low.astype(np.int64)
        near, far = np.abs(part - few.take(low)), np.abs(part - few.take(np.minimum(low + 1, n - 1)))
        total += float(np.dot(near - far, split)) + float(far.sum()) * n
    return total / (n * m)


# This package's way


def opened(folder: Path) -> Workspace:
    (folder / "ml_regress.yaml").write_text("name: drift\n")
    return Workspace.open(Settings.load(folder, {}))


def columns_of(kept: Kept) -> list[tuple[str, str]]:
    return [(name, kept.kind(name)) for name in kept.names]


def own(workspace: Workspace, folder: Path) -> tuple[ColumnDrift, ...]:
    kept, rules = Kept(folder / "current.parquet"), DriftRules()
    columns = columns_of(kept)
    profile = reference_profile(workspace, DIGEST, kept, columns)  # it is stored: nothing is read of `kept`
    return judged(compare_kept(profile, kept, columns, rules, THREADS), rules)


def own_profile(workspace: Workspace, folder: Path) -> None:
    reference = Kept(folder / "reference.parquet")
    reference_profile(workspace, DIGEST, reference, columns_of(reference))


def own_domain(folder: Path) -> None:
    rng, frames = np.random.default_rng(0), []
    for name in ("reference", "current"):
        kept = Kept(folder / f"{name}.parquet")
        frames.append(kept.frame(kept.names, np.sort(rng.choice(kept.rows, DOMAIN_ROWS, replace=False))))
    domain_drift(frames[0], frames[1], DriftRules())


def agree(found: tuple[ColumnDrift, ...], expected: dict[str, tuple[float, float, float, float]]) -> None:
    """Both ways found the same, so that their times can be compared."""
    for each in found:
        statistic, size, _, p = expected[each.column]
        assert each.values is not None
        assert np.isclose(each.values.statistic, statistic, rtol=1e-9)
        assert np.isclose(each.values.p, p, rtol=1e-6, atol=1e-12)
        if each.kind == "category":
            assert each.js is not None
            assert np.isclose(each.js, size, rtol=1e-9)


# Processes


def child(action: str, folder: Path) -> None:
    """One measurement, as a line of JSON: seconds, and megabytes above what there was before it."""
    workspace = opened(folder)
    actions: dict[str, Callable[[], object]] = {
        "own": lambda: own(workspace, folder),
        "limit": lambda: limit(folder),
        "profile": lambda: own_profile(workspace, folder),
        "domain": lambda: own_domain(folder),
        "check": lambda: agree(own(workspace, folder), limit(folder)),
    }
    before = psutil.Process().memory_info().rss
    start = time.perf_counter()
    actions[action]()
    seconds = time.perf_counter() - start
    print(json.dumps([seconds, (peak_memory() - before) / 1e6]))
    workspace.store.close()


def peak_memory() -> int:
    """The most bytes that this process had in memory. The system's own figure (ru_maxrss) counts its parent's, too."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:  # not Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def measured(action: str, folder: Path) -> tuple[float, float]:
    done = subprocess.run([sys.executable, __file__, action, str(folder)], check=True, capture_output=True, text=True)
    seconds, megabytes = json.loads(done.stdout.splitlines()[-1])
    return seconds, megabytes


def measure_size(name: str, rows: int, numbers: int, levels: int) -> None:
    with tempfile.TemporaryDirectory(prefix="drift") as made:
        folder = Path(made)
        for side, seed, drift in (("reference", 1, 0.0), ("current", 2, 0.05)):
            write_rows(folder / f"{side}.parquet", rows, numbers, levels, seed=seed, drift=drift)
        limit_profile(folder)
        profile, _ = measured("profile", folder)
        measured("check", folder)
        limits, owns, peaks = [], [], []
        for _ in range(RUNS):
            limits.append(measured("limit", folder)[0])
            seconds, megabytes = measured("own", folder)
            owns.append(seconds)
            peaks.append(megabytes)
        report(name, min(owns), min(limits), BOUND)
        report(f"{name}_mb", max(peaks), pq.read_table(folder / "current.parquet").nbytes / 1e6, MEMORY_BOUND)
        print(f"{name}_profile {profile:.3f} s once a reference", flush=True)
        print(f"{name}_domain {measured('domain', folder)[0]:.3f} s", flush=True)


def main() -> None:
    if len(sys.argv) == 3:
        child(sys.argv[1], Path(sys.argv[2]))
        return
    for name, (rows, numbers, levels) in SIZES.items():
        measure_size(name, rows, numbers, levels)


if __name__ == "__main__":
    main()
