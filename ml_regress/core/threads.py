"""Threads of OpenMP, which scikit-learn's trees and clusters use."""

from contextlib import AbstractContextManager
from typing import Any


def one_thread() -> AbstractContextManager[Any]:
    """A block whose fits and scores take one thread each.

    Such threads wait by turning: for many small fits, on a machine with other work, two take ten times as long as one.
    """
    # The pool of threads is only there to be limited once these are imported.
    import sklearn.cluster  # noqa: PLC0415
    import sklearn.ensemble  # noqa: F401, PLC0415
    from threadpoolctl import threadpool_limits  # noqa: PLC0415  as above

    limited: AbstractContextManager[Any] = threadpool_limits(limits=1, user_api="openmp")
    return limited
