"""The child process of a host: started, spoken to, killed and reaped."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from multiprocessing import Pipe
from typing import Any

DEATH_POLL = 0.25
END_LIMIT = 5.0


class ChildGoneError(Exception):
    """The child has ended or was killed, and this is why, in words that follow "it"."""


class Child:
    """One process that runs predictors/child.py; it is spawned, never forked.

    It imports at once what the `formats` need.
    """

    def __init__(self, formats: Iterable[str] = ()) -> None:
        ours, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", "ml_regress.predictors.child", str(theirs.fileno()), *formats],
                stdin=subprocess.DEVNULL,
                stdout=2,  # what a model prints is no output of ours
                pass_fds=(theirs.fileno(),),
                env={**os.environ, "PYTHONPATH": os.pathsep.join(_import_path())},
                start_new_session=True,  # Ctrl-C is the parent's to handle, and the group is the child's alone
            )
        self._connection = ours

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_alive(self) -> bool:
        return not self._connection.closed and self._process.poll() is None

    def send(self, request: Any) -> None:
        """Sends a request; raises ChildGoneError."""
        try:
            self._connection.send(request)
        except (BrokenPipeError, ConnectionResetError):
            raise ChildGoneError(self._reap()) from None

    def receive(self, deadline: float, late: str) -> Any:
        """The next reply; raises ChildGoneError with `late` at the deadline (of time.monotonic)."""
        try:
            # In steps: a process that the model started may hold the connection open after the child's death.
            while not self._connection.poll(max(0.0, min(DEATH_POLL, deadline - time.monotonic()))):
                if self._process.poll() is not None and not self._connection.poll(0):
                    raise EOFError
                if time.monotonic() >= deadline:
                    self.end()
                    raise ChildGoneError(late)
            return self._connection.recv()
        except (EOFError, ConnectionResetError):
            raise ChildGoneError(self._reap()) from None
        except ChildGoneError:
            raise
        except Exception:  # noqa: BLE001  what a model put into the pipe may raise anything when it is read
            self.end()
            raise ChildGoneError("wrote into the connection of its process what is no reply") from None

    def end(self) -> None:
        """Kills the child with all that a model started in it, and waits for its end."""
        self._connection.close()
        # Also after the child's own death: the group may live on.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _reap(self) -> str:
        """How the child ended, in words."""
        try:
            code = self._process.wait(END_LIMIT)
        except subprocess.TimeoutExpired:
            self.end()
            return "closed the connection of its process"
        self.end()
        if code >= 0:
            return f"ended its process with exit code {code}"
        try:
            return f"ended its process by signal {signal.Signals(-code).name}"
        except ValueError:
            return f"ended its process by signal {-code}"


def _import_path() -> list[str]:
    """Where this process imports from, so that a model's own classes are found in the child."""
    return list(dict.fromkeys(os.path.abspath(place) for place in sys.path))
