"""A sample of many rows: always the same one."""

import numpy as np


def sample_of(rows: int, most: int, seed: int = 0) -> np.ndarray:
    """Positions of at most `most` of so many rows, none twice, ascending."""
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
