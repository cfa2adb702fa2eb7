"""The processes of `ml-regress up`: a code server, Dagster's web server and its daemon.

One code server serves both others, so the definitions are imported once. Everything started here
carries the marker variable, in its children too: so what a killed tree left behind is found.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import yaml

from ml_regress.settings import Settings

PACKAGE = Path(__file__).resolve().parent
MARKER = "ML_REGRESS_UP"
LOCATION = "ml_regress"
RESTARTS = 5
GRACE = 3.0
HOST = "127.0.0.1"  # the open-source web server has no login
SOCKET_LIMIT = 100  # a Unix socket's path may have about 104 bytes


@dataclass
class Child:
    """One process: how it is started, where its output goes, how often it was restarted."""

    name: str
    arguments: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    given_up: bool = False

    def start(self, environ: Mapping[str, str]) -> None:
        # -P: a file gql.py in the folder where somebody types the command is not the library of that name.
        command = [sys.executable, "-P", "-m", "ml_regress.child", *self.arguments]
        with self.log.open("ab") as output:
            # A session of its own: Ctrl-C reaches only `up`, which then ends the others in order.
            self.process = subprocess.Popen(  # noqa: S603  # our own modules
                command,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def dead(self) -> bool:
        return self.process is not None and self.process.poll() is not None


@dataclass
class Tree:
    """The three processes, restarted when they die. `say` takes one line for a person."""

    settings: Settings
    say: Callable[[str], None]
    children: dict[str, Child] = field(default_factory=dict)

    def __post_init__(self) -> None:
        home, logs = self.settings.dagster_home, self.settings.home / "logs"
        home.mkdir(parents=True, exist_ok=True)
        logs.mkdir(parents=True, exist_ok=True)
        (home / "dagster.yaml").write_text(instance_file().read_text())
        socket = _socket(home)
        workspace_file = home / "workspace.yaml"
        server = {"socket": socket, "host": "localhost", "location_name": LOCATION}
        workspace_file.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}))
        workspace = ["--workspace", str(workspace_file)]
        wait = ["--wait", socket]
        code = ["dagster", "api", "grpc", "--socket", socket, "--module-name", "ml_regress.definitions"]
        code += ["--location-name", LOCATION, "--use-python-environment-entry-point", "--log-level", "warning"]
        # Dagster drops the first entry of sys.path, whatever it is, and adds this folder instead.
        code += ["--working-directory", str(PACKAGE.parent)]
        ui = ["--host", HOST, "--port", str(self.settings.ui_port)]
        web = [*wait, "dagster_webserver.cli", "dagster_webserver", *workspace, *ui]
        daemon = [*wait, "dagster._daemon.cli", "ml_regress.defs.daemon", "run", "--log-level", "warning", *workspace]
        for name, arguments in (("code server", code), ("web server", web), ("daemon", daemon)):
            log = logs / f"{name.replace(' ', '-')}.log"
            if log.exists():
                log.replace(log.with_suffix(".log.1"))
            self.children[name] = Child(name, arguments, log)

    @property
    def environ(self) -> dict[str, str]:
        settings = self.settings
        return {
            **os.environ,
            MARKER: str(settings.home),
            "DAGSTER_HOME": str(settings.dagster_home),
            "ML_REGRESS_WORKSPACE": str(settings.workspace),
            "ML_REGRESS_HOME": str(settings.home),
            "ML_REGRESS_DATABASE_URL": settings.database_url,
            "ML_REGRESS_UI_PORT": str(settings.ui_port),
            "ML_REGRESS_REPORT_PORT": str(settings.report_port),
            # One planned event a run instead of one a cell, and batches where the database has them.
            "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "1",
            "DAGSTER_EVENT_BATCH_SIZE": os.environ.get("DAGSTER_EVENT_BATCH_SIZE", "100"),
            # A sensor reads batches, of gigabytes too; the server's end is not to wait as long for it.
            "DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS": os.environ.get("DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS", "600"),
            "DAGSTER_GRPC_SHUTDOWN_GRACE_PERIOD": os.environ.get("DAGSTER_GRPC_SHUTDOWN_GRACE_PERIOD", "60"),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONSAFEPATH": "1",
        }

    def start(self) -> None:
        """Ends what an earlier tree left, then starts the three; the daemon releases left runs first."""
        kill_marked(self.settings.home)
        for child in self.children.values():
            child.start(self._environ_of(child, release=True))

    def tend(self) -> None:
        """Restarts what died."""
        for child in self.children.values():
            if not child.dead or child.given_up:
                continue
            if child.restarts >= RESTARTS:
                child.given_up = True
                times = RESTARTS + 1
                self.say(f"{child.name} ended {times} times and stays down; see {child.log}, then start `up` again")
                continue
            child.restarts += 1
            self.say(f"{child.name} ended and is started again ({child.restarts} of {RESTARTS}); see {child.log}")
            if child.name == "code server":
                self._restart_all()
                return
            child.start(self.environ)

    def _restart_all(self) -> None:
        # Runs are children of the code server: what is left of them has nobody who reports their end.
        kill_marked(self.settings.home)
        for child in self.children.values():
            if child.process is not None:
                child.process.wait()
            child.start(self._environ_of(child, release=True))

    def _environ_of(self, child: Child, release: bool) -> dict[str, str]:
        return self.environ | ({"ML_REGRESS_RELEASE_RUNS": "1"} if release and child.name == "daemon" else {})

    def stop(self) -> None:
        """Ends everything that was started, runs too: gracefully first, then at once."""
        processes = [child.process for child in self.children.values() if child.process is not None]
        for process in processes:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + GRACE
        for process in processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        kill_marked(self.settings.home)


def instance_file() -> Path:
    """dagster.yaml: packaged in a wheel, at the top of the repository in a checkout."""
    packaged = PACKAGE / "deploy_files" / "dagster.yaml"
    return packaged if packaged.is_file() else PACKAGE.parent / "dagster.yaml"


def marked(home: Path) -> list[psutil.Process]:
    """Processes that some `up` of this home started, and what they started."""
    return [process for process in psutil.process_iter() if process.pid != os.getpid() and _carries(process, home)]


def _carries(process: psutil.Process, home: Path) -> bool:
    try:
        return bool(process.environ().get(MARKER) == str(home))
    except (psutil.Error, OSError):
        return False


def kill_marked(home: Path) -> None:
    """Ends every process that an `up` of this home started."""
    # Twice: a process may have started another between the look and its end.
    for _ in range(2):
        processes = marked(home)
        _kill(processes)
        if not processes:
            return


def _kill(processes: Iterable[psutil.Process]) -> None:
    processes = list(processes)
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=GRACE)


def _socket(home: Path) -> str:
    inside = home / "code.sock"
    fits = len(os.fsencode(inside)) < SOCKET_LIMIT
    path = inside if fits else Path(tempfile.mkdtemp(prefix="ml-regress-")) / "code.sock"
    path.unlink(missing_ok=True)
    return str(path)
