"""`ml-regress up`: Dagster for one workspace, from nothing to the finished matrix, until Ctrl-C."""

import fcntl
import functools
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from typing import IO, Any

from rich.console import Console

from ml_regress.errors import Unavailable
from ml_regress.progress import Progress, Watch
from ml_regress.settings import Settings
from ml_regress.supervise import HOST, Tree

LOOK = 1.0
ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
PLACEHOLDER = b"""<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="3"><title>ml_regress</title>
<body style="font-family: sans-serif; margin: 4em"><h1>The report is being made</h1>
<p>It appears here when the first cells are measured. This page looks again every 3 seconds.</p>"""


def up(settings: Settings, *, console: Console) -> int:
    """Runs the workspace until Ctrl-C or SIGTERM; returns the exit code.

    Raises Unavailable where it runs already, a port is taken or a folder cannot be written.
    """
    with _lock(settings), _report_server(settings), _ended_by_signals():
        _refuse_taken_port(HOST, settings.ui_port, "the Dagster UI", "ML_REGRESS_UI_PORT")
        tree = Tree(settings, say=console.print)
        try:
            tree.start()
            console.print(f"starting Dagster for the workspace {settings.name} ({settings.workspace})")
            _attend(settings, tree, console)
        except KeyboardInterrupt:
            console.print("stopping: what is not measured yet is measured at the next `up`")
        finally:
            with _no_signals():
                tree.stop()
    return 0


def _attend(settings: Settings, tree: Tree, console: Console) -> None:
    # The heavy imports come late: the processes above load theirs meanwhile.
    from ml_regress.engine import registry, watching  # noqa: PLC0415
    from ml_regress.engine.workspace import Workspace  # noqa: PLC0415

    workspace = Workspace.open(settings)
    # What lies in the folders is registered before Dagster is up, so that its first look finds it due.
    # Twice: what was written this moment (a copied example) is read when it has settled.
    looks: dict[str, str] = {}
    for pause in (0.0, watching.SETTLE_SECONDS):
        time.sleep(pause)
        registry.look_at_problems(workspace)
        looks = registry.look_at_candidates(workspace, looks)
    watch, progress = Watch(workspace, serving=lambda: _accepts(HOST, settings.ui_port)), Progress(console)
    away = ""
    while True:
        tree.tend()
        away = _look(watch, progress, console, away)
        time.sleep(LOOK)


def _look(watch: Watch, progress: Progress, console: Console, away: str) -> str:
    """Shows what the store says; returns why it cannot be used now ("" where it can), and says so once."""
    try:
        view = watch.look()
    except Unavailable as error:
        if str(error) != away:
            progress.stop()
            console.print(
                f"{error}; `up` goes on, and so does the work when the store is back", markup=False, soft_wrap=True
            )
        return str(error)
    if away:
        console.print("the store is back")
    progress.show(view)
    return ""


@contextmanager
def _lock(settings: Settings) -> Iterator[None]:
    """One `up` a home: a second one would kill the first one's processes as leftovers."""
    path = settings.home / "up.lock"
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    except OSError as error:
        raise Unavailable(
            f"{settings.home} cannot be written ({error.strerror}); make it writable, or name another folder "
            "with ML_REGRESS_HOME"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Unavailable(_already(file, settings)) from None
        file.seek(0)
        file.truncate()
        file.write(f"{settings.ui_url} {settings.report_url}")
        file.flush()
        yield


def _already(file: IO[str], settings: Settings) -> str:
    file.seek(0)
    ui, _, report = file.read().partition(" ")
    return f"`ml-regress up` runs already for {settings.workspace}: UI {ui or settings.ui_url}, report {report}"


def _refuse_taken_port(host: str, port: int, what: str, variable: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Unavailable(_taken(port, what, variable)) from error


def _accepts(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def _taken(port: int, what: str, variable: str) -> str:
    return f"port {port} for {what} is taken; stop what uses it, or choose another: {variable}=PORT ml-regress up"


class ReportHandler(SimpleHTTPRequestHandler):
    """Serves the report's folder, and a page that waits for the report until there is one."""

    def do_GET(self) -> None:
        if self.path.split("?")[0] in ("/", "/index.html"):
            self.path = "/report.html"
        if self.path.split("?")[0] == "/report.html" and not Path(self.directory, "report.html").is_file():
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(PLACEHOLDER)))
            self.end_headers()
            self.wfile.write(PLACEHOLDER)
            return
        super().do_GET()

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")  # the next report has the same address
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it so
        """Requests are nobody's news."""


@contextmanager
def _report_server(settings: Settings) -> Iterator[None]:
    settings.report_folder.mkdir(parents=True, exist_ok=True)
    handler = functools.partial(ReportHandler, directory=str(settings.report_folder))
    try:
        server = ThreadingHTTPServer((HOST, settings.report_port), handler)
    except OSError as error:
        raise Unavailable(_taken(settings.report_port, "the report", "ML_REGRESS_REPORT_PORT")) from error
    threading.Thread(target=server.serve_forever, name="report", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end `up` as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _no_signals() -> Iterator[None]:
    """A second Ctrl-C must not leave processes behind."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
