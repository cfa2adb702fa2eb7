"""The process in which candidates are opened: `python -m ml_regress.predictors.child FD FORMAT...`.

It reads requests from the connection FD until that ends, and never outlives its parent: also where
a model keeps it busy, and along with the processes that a model started.
"""

import contextlib
import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection

from ml_regress.errors import NotFound
from ml_regress.predictors.batch import Begun, Reply, serve
from ml_regress.predictors.formats import format_named

PARENT_POLL = 0.5
# The parent kills at the limit itself. This is for a parent that was killed while a model holds
# the interpreter's lock, so that no thread of ours gets a turn.
GRACE = 5.0


def main(descriptor: int, formats: Sequence[str] = ()) -> None:
    """Serves until the connection ends; imports for the formats first, as nobody waits yet."""
    parent = os.getppid()
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    os.set_inheritable(descriptor, False)
    connection = Connection(descriptor)
    for name in formats:
        preload(name)
    try:
        while True:
            jobs, frames, passes = connection.recv()
            for candidate, policy in jobs:
                preload(candidate.manifest.format)
                connection.send(Begun(time.monotonic()))
                for reply in timed(serve(candidate, frames, policy, passes), policy.time_limit + GRACE):
                    connection.send(reply)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        _end()  # without waiting for threads that a model left behind


def timed(replies: Iterator[Reply], seconds: float) -> Iterator[Reply]:
    """The replies, made in so many seconds, else this process ends; what the receiver takes does not count."""
    left = seconds
    while True:
        started = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, max(left, 0.001))
        reply = next(replies, None)
        signal.setitimer(signal.ITIMER_REAL, 0)
        if reply is None:
            return
        left -= time.monotonic() - started
        yield reply


def preload(format_name: str) -> None:
    """Imports what a format needs, so that no candidate pays for it with its time limit."""
    with contextlib.suppress(NotFound, ImportError):  # opening will say so, of the candidate that it concerns
        for name in format_named(format_name).imports:
            importlib.import_module(name)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_POLL)
    _end()


def _end() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)  # the group is ours alone: a model's own processes go too
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
