"""Shared by every benchmark: each figure is printed beside its limit, measured in the same run.

    NAME own=SECONDS limit=SECONDS ratio=OWN/LIMIT bound=BOUND ok|short

The limit is written by hand in the same file: the cheapest way to the same rows that we know. The
machine may be noisy, so own and limit are measured in turn, and medians are compared. Names that end in
_mb are megabytes: the peak that Python allocated, beside the data of the same work held at once.
"""

import gc
import time
import tracemalloc
from collections.abc import Callable
from statistics import median


def seconds(action: Callable[[], object]) -> float:
    """How long an action takes, without the garbage of the one before."""
    gc.collect()
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def compare(name: str, own: Callable[[], Callable[[], object]], limit: Callable[[], Callable[[], object]], *,
            bound: float, runs: int = 5) -> None:  # fmt: skip
    """Measure two ways in turn. Each argument prepares one run and returns what is timed."""
    own_times, limit_times = [], []
    for _ in range(runs):
        limit_times.append(seconds(limit()))
        own_times.append(seconds(own()))
    report(name, median(own_times), median(limit_times), bound)


def memory(name: str, own: Callable[[], object], data: Callable[[], object], *, bound: float = 2.0) -> None:
    """The most that an action allocates at a time, beside what its data takes (what `data` returns)."""
    tracemalloc.start()
    held = data()
    size = tracemalloc.get_traced_memory()[0]
    del held
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    own()
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    report(f"{name}_mb", peak / 1e6, size / 1e6, bound)


def report(name: str, own: float, limit: float, bound: float) -> None:
    """One figure beside its limit."""
    ratio = own / limit
    verdict = "ok" if ratio <= bound else "short"
    print(f"{name} own={own:.4f} limit={limit:.4f} ratio={ratio:.2f} bound={bound:g} {verdict}", flush=True)
