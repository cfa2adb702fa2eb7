"""`ml-regress up`: one clear line for what is in its way, and the whole tree for real."""

import io
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from rich.console import Console
from rich.table import Table

from ml_regress.core.batch import Batch
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Unavailable
from ml_regress.progress import Progress, View, Watch
from ml_regress.settings import Settings
from ml_regress.supervise import instance_file
from ml_regress.up import PLACEHOLDER, _lock, _look, _report_server, up
from ml_regress_tests.defs.browser import CHROMIUM, browser
from ml_regress_tests.defs.running import ROOT, Running, counts_of, free_ports, running
from ml_regress_tests.models import ConstantModel, SlowModel
from ml_regress_tests.scenario import logged, row, write_candidate, write_problem, write_workspace

PATTERNS = [row("blueberry", 0.5), row("puppy", 2.0, "chihuahua")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_workspace(tmp_path / "workspace")


def settings_of(folder: Path, **environ: str) -> Settings:
    ui, report = free_ports(2)
    return Settings.load(folder, {"ML_REGRESS_UI_PORT": str(ui), "ML_REGRESS_REPORT_PORT": str(report), **environ})


@pytest.mark.parametrize("variable", ["ML_REGRESS_UI_PORT", "ML_REGRESS_REPORT_PORT"])
def test_a_taken_port_gives_one_line_that_names_it_and_its_variable(folder: Path, variable: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable) as raised:
            up(settings_of(folder, **{variable: str(port)}), console=Console())
    assert f"port {port}" in str(raised.value)
    assert f"{variable}=PORT ml-regress up" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_second_up_says_that_it_runs_already_and_where(folder: Path) -> None:
    first = settings_of(folder)
    with _lock(first), pytest.raises(Unavailable, match="runs already") as raised:
        up(settings_of(folder), console=Console())
    assert first.ui_url in str(raised.value)
    assert first.report_url in str(raised.value)


def test_a_home_that_cannot_be_written_gives_one_line(folder: Path) -> None:
    blocked = folder / "file"
    blocked.write_text("")
    with pytest.raises(Unavailable, match=r"cannot be written .* ML_REGRESS_HOME") as raised:
        up(settings_of(folder, ML_REGRESS_HOME=str(blocked / "home")), console=Console())
    assert "\n" not in str(raised.value)


def test_the_report_page_waits_for_the_report_and_then_is_it(folder: Path) -> None:
    settings = settings_of(folder)
    with _report_server(settings):
        for url in (settings.report_url, settings.report_url.replace("report.html", "")):
            with urllib.request.urlopen(url) as reply:  # noqa: S310  # our own server
                assert reply.read() == PLACEHOLDER
        (settings.report_folder / "report.html").write_text("the report")
        with urllib.request.urlopen(settings.report_url) as reply:  # noqa: S310  # our own server
            assert reply.read() == b"the report"
            assert reply.headers["Cache-Control"] == "no-cache"


def test_the_instance_file_is_found_and_limits_runs() -> None:
    assert "max_concurrent_runs: 2" in instance_file().read_text()


def view(measured: int, *refusals: str, ready: tuple[str, Table] | None = None) -> View:
    return View(measured, 4, refusals, "version", reported=measured == 4, ready=ready)


def test_progress_is_plain_lines_where_there_is_no_terminal_and_a_refusal_is_said_once() -> None:
    console = Console(file=io.StringIO(), width=200)
    progress = Progress(console)
    again = "refused a"
    for each in (view(1), view(1, again), view(2, again), view(4, again), view(4), view(4, again)):
        progress.show(each)
    progress.show(view(4, ready=("ready: all", Table())))
    progress.show(view(3))
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().split("\n")[:6] == [
        "measured 1 of 4 cells",
        "refused a",
        "measured 2 of 4 cells",
        "refused a",
        "ready: all",
        "",
    ]
    assert "measured 3 of 4 cells" in console.file.getvalue()


def test_a_quarantined_batch_is_said_with_its_first_reasons_until_it_is_mended(folder: Path) -> None:
    workspace = Workspace.open(settings_of(folder))
    watch = Watch(workspace)
    assert watch.look().refusals == ()
    reasons = tuple(f"column {name!r} is missing" for name in "abcde")
    given = Batch("may", "quarantined", "d", "s", 9, "2026-05-01", "2026-05-31", "batches/may.csv", "2026-06-01", None)
    workspace.store.batches.quarantine(replace(given, reasons=reasons))
    assert watch.look().refusals == (
        "quarantined batches/may.csv: column 'a' is missing; column 'b' is missing; column 'c' is missing; and 2 more",
    )
    workspace.store.batches.release("may", person="Ada", why="these columns went on purpose")
    assert watch.look().refusals == ()
    workspace.store.close()


def test_a_process_ends_with_its_parent_however_that_ends(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys\n"
        "command = [sys.executable, '-m', 'ml_regress.child', 'http.server', '0', '--bind', '127.0.0.1']\n"
        "child = subprocess.Popen(command)\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", script], env=environ, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        deadline = time.monotonic() + 20
        while not child.net_connections() and time.monotonic() < deadline:
            time.sleep(0.1)
        parent.kill()
    _, alive = psutil.wait_procs([child], timeout=10)
    assert not alive


def test_a_store_that_is_away_is_said_once_and_up_goes_on_when_it_is_back(folder: Path) -> None:
    console = Console(file=io.StringIO(), width=500)
    assert isinstance(console.file, io.StringIO)
    workspace = Workspace.open(settings_of(folder))
    watch, progress, store = Watch(workspace), Progress(console), folder / ".ml_regress" / "store.db"
    aside = store.rename(store.with_name("aside.db"))
    away = ""
    for _ in range(3):
        away = _look(watch, progress, console, away)
    assert "the file is gone" in away
    assert console.file.getvalue().count("the file is gone") == 1
    aside.rename(store)
    assert _look(watch, progress, console, away) == ""
    assert "the store is back" in console.file.getvalue()
    workspace.store.close()


# -- the whole tree ------------------------------------------------------------------------------


def write_problems(folder: Path, count: int) -> None:
    for number in range(count):
        write_problem(folder, f"problem-{number}", [{**each, "crumbs": number} for each in PATTERNS])


def cells_of(up: Running) -> set[str]:
    return {event["partition"] for event in up.materializations()}


@pytest.mark.slow
def test_a_candidate_and_then_a_pattern_make_exactly_their_cells(folder: Path) -> None:
    (folder / "gql.py").write_text("raise ImportError('a file of the user, not the library')")
    write_problems(folder, 10)
    write_candidate(folder, "first", ConstantModel("muffin"))
    with running(folder) as up:
        up.wait_ready()
        assert cells_of(up) == {f"first|problem-{number}" for number in range(10)}
        assert counts_of(up.runs()[0]) == {
            "candidates_opened": 1, "predictions_made": 20, "predictions_reused": 0, "outcomes_scored": 20,
        }  # fmt: skip

        dropped = time.monotonic()
        log = write_candidate(folder, "second", ConstantModel("chihuahua"), created_at="2026-07-01T00:00:00Z")
        new = {f"second|problem-{number}" for number in range(10)}
        up.wait_for(lambda: cells_of(up) >= new)
        print(f"from drop to finished cells, 1 candidate x 10 problems: {time.monotonic() - dropped:.1f} s")
        up.wait_ready(2)
        print(f"from drop to ready: {time.monotonic() - dropped:.1f} s")
        assert len(up.materializations()) == 20  # each cell once
        assert logged(log) == ["open", "predict 20"]
        assert counts_of(up.runs()[0])["candidates_opened"] == 1

        dropped = time.monotonic()
        write_problem(folder, "problem-3", [*({**each, "crumbs": 3} for each in PATTERNS), row("new", 7.0)])
        up.wait_for(lambda: len(up.materializations()) >= 22)
        print(f"from a new pattern to finished cells: {time.monotonic() - dropped:.1f} s")
        up.wait_ready(3)
        newest = sorted(up.materializations(), key=lambda event: int(event["timestamp"]))[-2:]
        assert {event["partition"] for event in newest} == {"first|problem-3", "second|problem-3"}
        assert all(event["metadata"]["answered"] == 3 for event in newest)
        assert len(up.materializations()) == 22
        assert counts_of(up.runs()[0]) == {
            "candidates_opened": 2, "predictions_made": 2, "predictions_reused": 4, "outcomes_scored": 6,
        }  # fmt: skip
        assert len(up.runs()) == 3

        print(f"from Ctrl-C to the end: {ended(up, signal.SIGINT):.1f} s")
        assert up.processes("") == []


def ended(up: Running, number: int) -> float:
    started = time.monotonic()
    assert up.stop(number) == 0
    return time.monotonic() - started


@pytest.mark.slow
def test_what_is_killed_is_finished_and_nothing_is_done_twice(folder: Path) -> None:
    write_problems(folder, 2)
    log = write_candidate(folder, "slow", SlowModel(6.0))
    with running(folder) as up:
        # 1. The run itself: it counts as crashed, and the cells are asked for again.
        up.wait_for(lambda: "predict 4" in logged(log))
        for process in run_processes(up):
            process.kill()
        up.wait_ready()
        assert {run["status"] for run in up.runs()} == {"FAILURE", "SUCCESS"}
        assert logged(log) == ["open", "predict 4"] * 2
        assert len(up.materializations()) == 2

        # 2. The daemon, while a run is at work: the run goes on, and the daemon comes back.
        second = write_candidate(folder, "second", SlowModel(6.0), created_at="2026-07-01T00:00:00Z")
        up.wait_for(lambda: "predict 4" in logged(second))
        for process in up.processes("ml_regress.defs.daemon"):
            process.kill()
        up.wait_ready(2)
        assert "daemon ended and is started again" in up.text
        assert logged(second) == ["open", "predict 4"]
        assert len(up.materializations()) == 4

        # 3. Everything at once: the next `up` finishes it.
        third = write_candidate(folder, "third", SlowModel(6.0), created_at="2026-08-01T00:00:00Z")
        up.wait_for(lambda: "predict 4" in logged(third))
        assert up.process is not None
        everything = up.processes("")
        up.process.kill()
        for process in everything:
            process.kill()
        up.process.wait(10)
        up.start()
        up.wait_ready(3)
        assert [run["status"] for run in up.runs()][:2] == ["SUCCESS", "CANCELED"]
        assert logged(third) == ["open", "predict 4"] * 2
        assert len(up.materializations()) == 6
        assert not [run for run in up.runs() if run["status"] in ("STARTED", "STARTING", "QUEUED")]
        assert logged(log) == ["open", "predict 4"] * 2  # the others were left alone
        assert up.stop(signal.SIGTERM) == 0


def run_processes(up: Running) -> list[psutil.Process]:
    """The run and the process that opened its candidate."""
    return [*up.processes("multiprocessing.spawn"), *up.processes("predictors.child")]


PICTURES = "[...document.images].filter(i => i.src.startsWith('data:image/png') && i.naturalWidth > 0).length"
SHOW = """(() => {
  const link = [...document.querySelectorAll('*')].find(
    e => e.children.length == 0 && e.innerText && e.innerText.includes('[Show Markdown]'));
  if (link) link.click();
  return !!link})()"""


def says(*words: str) -> str:
    return " && ".join(f"document.body.innerText.includes({word!r})" for word in words)


@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium here")
def test_a_person_sees_matrix_cells_pictures_and_the_report(folder: Path) -> None:
    image = {"pixels": "image(2, 2, pixel_{row}_{column}, 0..16)"}
    pixels = {"pixel_0_0": 16, "pixel_0_1": 0, "pixel_1_0": 0, "pixel_1_1": 16}
    rows = [
        {"pattern_id": "diagonal", **pixels, "expected": "muffin"},
        {"pattern_id": "dark", **dict.fromkeys(pixels, 0), "expected": "chihuahua"},
    ]
    write_problem(folder, "spots", rows, inputs=image)
    write_candidate(folder, "first", ConstantModel("muffin"))
    shots = Path(os.environ.get("ML_REGRESS_TEST_SCREENSHOTS", folder / "screenshots"))
    shots.mkdir(parents=True, exist_ok=True)
    with running(folder) as up, browser(folder) as page:
        up.wait_ready()
        ui = f"http://127.0.0.1:{up.ui_port}"

        page.open(f"{ui}/assets/evaluation?view=partitions&partition=first%7Cspots")
        page.wait_for(says("metric_value", "patterns-spots"))
        page.screenshot(shots / "evaluation.png")

        page.open(f"{ui}/assets/scoreboard")
        page.wait_for(says("cells_ok", "1/2", "report.html"))
        # Markdown of more than some hundred characters is behind a link.
        page.wait_for(f"{PICTURES} || {SHOW}")
        assert page.wait_for(PICTURES) == 1
        page.screenshot(shots / "scoreboard.png")

        page.open(f"{ui}/assets/patterns?view=partitions&partition=spots")
        page.wait_for(says("patterns_active"))
        page.wait_for(f"{PICTURES} || {SHOW}")
        assert page.wait_for(PICTURES) == 2
        page.screenshot(shots / "patterns.png")

        page.open(f"{ui}/assets/problems")
        page.wait_for(says("Spots"))
        page.screenshot(shots / "problems.png")

        page.open(f"http://127.0.0.1:{up.report_port}/report.html")
        page.wait_for(says("Spots", "first", "1/2"))
        assert page.wait_for(PICTURES) >= 2
        page.screenshot(shots / "report.png")
