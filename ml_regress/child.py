"""A process of `ml-regress up`: it runs a module as `python -m` does, and never outlives its parent.

    python -m ml_regress.child [--wait SOCKET PRELOADED] MODULE ARGUMENTS...

With --wait the preloaded module is imported at once, but the other runs only when something listens
on the socket: the web server and the daemon import while the code server that they need still loads.
"""

import ctypes
import importlib
import os
import runpy
import signal
import socket
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
POLL = 0.1
PATIENCE = 120.0


def die_with_parent() -> None:
    """Ends this process when its parent ends, however that ends."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)
        return
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def listening(path: str) -> bool:
    """True where a server accepts connections on a Unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(path)
        except OSError:
            return False
    return True


def main(arguments: list[str]) -> None:
    die_with_parent()
    if arguments[0] == "--wait":
        _, path, preloaded, module, *rest = arguments
        importlib.import_module(preloaded)
        deadline = time.monotonic() + PATIENCE
        while not listening(path) and time.monotonic() < deadline:
            time.sleep(POLL)
    else:
        module, *rest = arguments
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
