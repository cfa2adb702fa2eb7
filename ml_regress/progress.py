"""What `ml-regress up` tells in the terminal: a bar or plain lines, refusals once, and `ready:`."""

from collections.abc import Callable
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from ml_regress.core.batch import Batch
from ml_regress.core.digest import digest_of_text
from ml_regress.engine.workspace import Workspace
from ml_regress.report.evidence import Evidence
from ml_regress.report.gather import gather
from ml_regress.report.scoreboard import matrix_text
from ml_regress.report.writing import write_whole
from ml_regress.settings import Settings
from ml_regress.store import Store
from ml_regress.store.database import now

VERSION_FILE = "matrix-version"
# Of a quarantined batch in the terminal.
REASONS = 3


@dataclass(frozen=True)
class View:
    """One look at the store: cells measured of cells, standing refusals and quarantined batches, and the finished
    matrix if it is one."""

    measured: int
    cells: int
    refusals: tuple[str, ...]
    version: str
    reported: bool
    ready: tuple[str, Table] | None


def shown_version(store: Store) -> str:
    """A text that changes whenever what pages show may have changed: the matrix, verdicts and what people decided.

    The day is in it, for waivers expire by the clock.
    """
    parts = (
        store.evaluations.version(),
        store.decisions.version(),
        store.problems.version(),
        [(refusal.source, refusal.message) for refusal in store.sources.refusals()],
        now()[:10],
    )
    return digest_of_text(repr(parts))[:16]


def reported_version(settings: Settings) -> str:
    """The version (shown_version) that the report shows; "" where there is no report."""
    try:
        return (settings.report_folder / VERSION_FILE).read_text()
    except OSError:
        return ""


def write_reported_version(settings: Settings, version: str) -> None:
    """Notes which version the report shows; raises Unavailable."""
    write_whole(settings.report_folder / VERSION_FILE, version)


@dataclass
class Watch:
    """Looks at the store; builds what `ready:` shows once a version, when the UI is `serving`."""

    workspace: Workspace
    serving: Callable[[], bool] = lambda: True
    _said: str = ""
    _quarantined: tuple[str, tuple[str, ...]] = ("", ())

    def look(self) -> View:
        store = self.workspace.store
        # In one state: a candidate that came between two reads would make an unmeasured matrix look ready.
        with store.database.read():
            (done, cells), version = store.evaluations.progress(), shown_version(store)
            reported = reported_version(self.workspace.settings) == version
            # Said once a matrix: a sign-off or a new day makes another report and nothing to be ready again.
            matrix = store.evaluations.version()
            ready = None
            if reported and done == cells and matrix != self._said and self.serving():
                self._said, ready = matrix, self._ready()
        refusals = tuple(f"refused {item.source}: {item.message}" for item in store.sources.refusals())
        return View(done, cells, (*refusals, *self._quarantined_lines()), version, reported, ready)

    def _quarantined_lines(self) -> tuple[str, ...]:
        """A line a quarantined batch; all batches are read only when one changed."""
        version = self.workspace.store.batches.version()
        if self._quarantined[0] != version:
            batches = self.workspace.store.batches.all()
            self._quarantined = (version, tuple(map(quarantined_line, (it for it in batches if not it.usable))))
        return self._quarantined[1]

    def _ready(self) -> tuple[str, Table]:
        evidence = gather(self.workspace.store, self.workspace.settings.name)
        return ready_line(evidence, self.workspace.settings), matrix_text(evidence)


def quarantined_line(batch: Batch) -> str:
    """A quarantined batch with the first of its reasons; the others stand in the UI and behind the command."""
    more = f"; and {len(batch.reasons) - REASONS} more" if len(batch.reasons) > REASONS else ""
    return f"quarantined {batch.source}: {'; '.join(batch.reasons[:REASONS])}{more}"


def ready_line(evidence: Evidence, settings: Settings) -> str:
    """`ready:` with counts and addresses."""
    states = evidence.state_counts()
    counts = ", ".join(f"{states[state]} {state}" for state in ("ok", "error", "not applicable"))
    return (
        f"ready: {_many(len(evidence.candidates), 'candidate')}, {_many(len(evidence.problems), 'problem')}, "
        f"{_many(len(evidence.benchmarks), 'benchmark')}, {_many(sum(states.values()), 'cell')} ({counts}) - "
        f"UI {settings.ui_url} - report {settings.report_url}"
    )


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


@dataclass
class Progress:
    """Shows views: a bar on a terminal, a line whenever a number changes elsewhere."""

    console: Console
    _seen: set[str] = field(default_factory=set)
    _line: str = ""
    _bar: Bar | None = None
    _task: TaskID | None = None

    def show(self, view: View) -> None:
        for refusal in view.refusals:
            if refusal not in self._seen:
                self.console.print(refusal, markup=False, highlight=False, soft_wrap=True)
        self._seen = set(view.refusals)
        if view.ready is not None:
            self.stop()
            line, table = view.ready
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)
            self.console.print(table)
            self._line = ""
        elif view.measured < view.cells or (self._bar is not None and not view.reported):
            self._advance(view)

    def _advance(self, view: View) -> None:
        if not self.console.is_terminal:
            line = f"measured {view.measured} of {view.cells} cells"
            if line != self._line:
                self.console.print(line, highlight=False)
            self._line = line
            return
        if self._bar is None or self._task is None:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Bar(*columns, console=self.console, transient=True)
            self._task = self._bar.add_task("measuring", total=view.cells)
            self._bar.start()
        words = "measuring" if view.measured < view.cells else "writing the report"
        self._bar.update(self._task, completed=view.measured, total=view.cells, description=words)

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._bar = self._task = None
