"""Claims of commands: who holds cells outside Dagster, and whether that process still lives."""

import os
import socket

import psutil

from ml_regress.engine.reconcile import RUNNING, STOPPED

PREFIX = "command"


def command_claim() -> str:
    """The name under which this process holds cells: machine, process and its start."""
    process = psutil.Process()
    return f"{PREFIX}:{socket.gethostname()}:{os.getpid()}:{process.create_time():.2f}"


def command_state(claim: str) -> str | None:
    """Running or stopped, for the claim of a command of this machine; None where this machine cannot tell.

    A command that ended, also by a kill, was stopped by a person and counts no crash.
    """
    if not claim.startswith(f"{PREFIX}:"):
        return None
    _, host, pid, started = claim.split(":")
    if host != socket.gethostname():
        return None
    try:
        return RUNNING if f"{psutil.Process(int(pid)).create_time():.2f}" == started else STOPPED
    except psutil.NoSuchProcess:
        return STOPPED
