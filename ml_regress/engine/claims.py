"""Names of claims: who holds cells, and whether a command that does so still lives.

A claim tells who made it, so that of several Dagster instances on one store each judges its own:
`evaluate:INSTANCE:...` and `run:INSTANCE:RUN` are runs, `command:HOST:PID:START` is a command.
"""

import os
import socket
import uuid
from pathlib import Path

import psutil

from ml_regress.engine.reconcile import RUNNING, STOPPED

COMMAND, PLANNED, BY_HAND = "command", "evaluate", "run"


def planned_claim(instance: str) -> str:
    """A new name for cells that a run of this instance will measure; no two looks make the same.

    So of two looks that see the same cells due, only one comes to hold them.
    """
    return f"{PLANNED}:{instance}:{uuid.uuid4().hex}"


def claim_by_hand(instance: str, run: str) -> str:
    """The name under which a run that a person started holds cells."""
    return f"{BY_HAND}:{instance}:{run}"


def instance_of(claim: str) -> str | None:
    """The instance that made a claim; None for a command's."""
    kind, _, rest = claim.partition(":")
    return rest.partition(":")[0] if kind in (PLANNED, BY_HAND) else None


def run_of(claim: str) -> str | None:
    """The run that holds a claim by hand; None for any other."""
    kind, _, rest = claim.partition(":")
    return rest.partition(":")[2] if kind == BY_HAND else None


def is_command(claim: str) -> bool:
    return claim.startswith(f"{COMMAND}:")


def command_claim() -> str:
    """The name under which this process holds cells: machine, process and its start."""
    return f"{COMMAND}:{socket.gethostname()}:{os.getpid()}:{_start(os.getpid())}"


def command_state(claim: str) -> str | None:
    """Running or stopped, for the claim of a command of this machine; None where this machine cannot tell.

    A command that ended, also by a kill, was stopped by a person and counts no crash.
    """
    if not is_command(claim):
        return None
    _, host, pid, started = claim.split(":")
    if host != socket.gethostname():
        return None
    try:
        return RUNNING if _start(int(pid)) == started else STOPPED
    except psutil.NoSuchProcess:
        return STOPPED


def _start(pid: int) -> str:
    """When a process began, in a unit that does not move with the clock where the system has one."""
    try:
        # What psutil says is counted from the boot, whose time changes whenever the clock is set.
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[19]
    except OSError:
        return f"{psutil.Process(pid).create_time():.2f}"
