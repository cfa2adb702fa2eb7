"""The process in which candidates are opened: `python -m ml_regress.predictors.child FD FORMAT...`.

It reads requests from the connection FD until that ends, and never outlives its parent: also where
a model keeps it busy, and along with the processes that a model started.
"""

import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection

from ml_regress.predictors.batch import serve
from ml_regress.predictors.formats import FORMATS

READY = "ready"
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
            candidate, frames, policy = connection.recv()
            preload(candidate.manifest.format)
            connection.send(READY)
            signal.setitimer(signal.ITIMER_REAL, policy.time_limit + GRACE)
            for reply in serve(candidate, frames, policy):
                connection.send(reply)
            signal.setitimer(signal.ITIMER_REAL, 0)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        _end()  # without waiting for threads that a model left behind


def preload(format_name: str) -> None:
    """Imports what a format needs, so that no candidate pays for it with its time limit."""
    if format_name in FORMATS:
        for name in FORMATS[format_name].imports:
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
