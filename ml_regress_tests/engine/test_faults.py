"""Folders that are away, clocks that jump, a full disk, and many at work at once: nothing is lost or done twice."""

import json
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from ml_regress.engine import registry
from ml_regress.engine.claims import command_claim, planned_claim
from ml_regress.engine.evaluate import evaluate
from ml_regress.engine.reconcile import plan
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import Unavailable
from ml_regress.predictors.host import PredictorHost
from ml_regress.report.writing import write_whole
from ml_regress.settings import Settings
from ml_regress_tests.models import ConstantModel
from ml_regress_tests.scenario import (
    age,
    logged,
    measure_due,
    row,
    scalar,
    take_in,
    write_candidate,
    write_problem,
)
from ml_regress_tests.store.made import in_processes

RULE = "it is tried again at every look"


def look(workspace: Workspace) -> None:
    registry.look_at_problems(workspace)
    registry.look_at_candidates(workspace, {})


def refused(workspace: Workspace) -> dict[str, str]:
    return {refusal.source: refusal.message for refusal in workspace.store.sources.refusals()}


def matrix(workspace: Workspace) -> tuple[list[str], list[str]]:
    return (
        [candidate.id for candidate in workspace.store.candidates.all()],
        [entry.id for entry in workspace.store.problems.measured()],
    )


@pytest.fixture
def filled(workspace: Workspace, folder: Path) -> Workspace:
    """Two problems and two candidates, taken in; one more problem is refused."""
    write_problem(folder, "muffin", [row("p1", 1)])
    write_problem(folder, "towel", [row("q1", 2)])
    write_problem(folder, "wrong", [row("r1", 3, "waffle")])
    write_candidate(folder, "a", ConstantModel("muffin"), created_at="2026-06-01T00:00:00Z")
    write_candidate(folder, "b", ConstantModel("muffin"), created_at="2026-07-01T00:00:00Z")
    take_in(workspace)
    return workspace


# -- folders that are away -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["problems", "candidates"])
@pytest.mark.parametrize("how", ["gone", "a file", "a link to itself"])
def test_a_folder_that_is_away_is_refused_until_it_is_back_and_nothing_is_forgotten(
    filled: Workspace, folder: Path, kind: str, how: str
) -> None:
    before, standing, due = matrix(filled), refused(filled), filled.store.due.all()
    signatures = filled.store.sources.signatures(kind)
    (folder / kind).rename(folder / "aside")
    if how == "a file":
        (folder / kind).write_text("")
    elif how == "a link to itself":
        (folder / kind).symlink_to(kind)
    for _ in range(2):
        look(filled)
    said = refused(filled)
    assert set(said) - set(standing) == {f"{kind}/"}
    assert "what came from it stays" in said[f"{kind}/"]
    assert standing.items() <= said.items(), "a refusal stays visible while its folder is away"
    assert (matrix(filled), filled.store.due.all()) == (before, due)
    assert scalar(filled.store, "SELECT count(*) FROM audit WHERE verb = 'refuse' AND subject LIKE '%/'") == 1
    if how != "gone":
        (folder / kind).unlink()
    (folder / "aside").rename(folder / kind)
    look(filled)
    assert refused(filled) == standing
    assert filled.store.sources.signatures(kind) == signatures, "nothing was read again"


def test_a_folder_that_nobody_used_may_be_missing(filled: Workspace, folder: Path) -> None:
    (folder / "benchmarks").rmdir()
    look(filled)
    assert set(refused(filled)) == {"problems/wrong.yaml"}


def test_a_candidate_that_cannot_be_read_is_refused_and_the_others_are_taken(filled: Workspace, folder: Path) -> None:
    (folder / "candidates" / "loop").symlink_to("loop")
    (folder / "candidates" / "notes.txt").write_text("no candidate")
    write_candidate(folder, "z", ConstantModel())
    for _ in range(2):
        look(filled)
    assert "z" in matrix(filled)[0]
    said = refused(filled)["candidates/loop"]
    assert "symbolic links" in said and RULE in said
    assert "candidates/notes.txt" not in refused(filled)
    (folder / "candidates" / "loop").unlink()
    look(filled)
    assert set(refused(filled)) == {"problems/wrong.yaml"}


def test_a_candidate_whose_folder_goes_away_keeps_its_row_and_its_results(
    filled: Workspace, folder: Path, host: PredictorHost
) -> None:
    measure_due(filled, host)
    made = folder / "candidates" / "a"
    made.rename(folder / "aside")
    made.symlink_to("a")
    look(filled)
    assert "candidates/a" in refused(filled)
    assert matrix(filled)[0] == ["a", "b"]
    assert len(filled.store.evaluations.current()) == 4
    made.unlink()
    (folder / "aside").rename(made)
    look(filled)
    assert "candidates/a" not in refused(filled)
    assert filled.store.due.count() == 0


def test_a_problem_file_that_cannot_be_read_is_read_when_it_can(filled: Workspace, folder: Path) -> None:
    path, aside = folder / "problems" / "muffin.yaml", folder / "aside.yaml"
    path.rename(aside)
    path.symlink_to("muffin.yaml")
    write_problem(folder, "new", [row("n1", 4)])
    age(folder / "problems" / "new.yaml")
    look(filled)
    assert RULE in refused(filled)["problems/muffin.yaml"]
    assert matrix(filled)[1] == ["muffin", "new", "towel"]
    path.unlink()
    aside.rename(path)
    look(filled)
    assert set(refused(filled)) == {"problems/wrong.yaml"}


@pytest.fixture
def nobody() -> Iterator[None]:
    """Rights as they are for everybody but root, who may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_without_the_right_to_read_is_read_when_the_right_is_there(
    tmp_path_factory: pytest.TempPathFactory, nobody: None
) -> None:
    import tempfile

    from ml_regress_tests.scenario import write_workspace

    with tempfile.TemporaryDirectory() as name:  # made by nobody, so nobody reaches it
        folder = write_workspace(Path(name).resolve() / "workspace")
        workspace = Workspace.open(Settings.load(folder, {}))
        problem = write_problem(folder, "muffin", [row("p1", 1)])
        age(problem)
        write_candidate(folder, "a", ConstantModel())
        artefact = folder / "candidates" / "a" / "model.joblib"
        closed = (problem, artefact, folder / "benchmarks")
        for path in closed:
            path.chmod(0)
        look(workspace)
        said = refused(workspace)
        assert set(said) == {"problems/muffin.yaml", "candidates/a", "benchmarks/"}
        assert all("Permission denied" in message for message in said.values())
        for path in closed:
            path.chmod(0o700)
        look(workspace)
        assert refused(workspace) == {}
        assert matrix(workspace) == (["a"], ["muffin"])
        workspace.store.close()


# -- clocks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [-1000, 1000])
def test_files_with_times_of_another_clock_are_taken(workspace: Workspace, folder: Path, hours: int) -> None:
    path = write_problem(folder, "muffin", [row("p1", 1)])
    write_candidate(folder, "a", ConstantModel())
    moment = time.time() + hours * 3600
    for each in (path, *(folder / "candidates" / "a").iterdir()):
        os.utime(each, (moment, moment))
    look(workspace)
    assert matrix(workspace) == (["a"], ["muffin"])


# -- a full disk ---------------------------------------------------------------------------------


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """Writes beyond so many bytes fail, as on a disk without space."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_report_that_finds_no_space_leaves_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "report" / "report.html"
    write_whole(page, "before")
    with no_file_longer_than(1000), pytest.raises(Unavailable, match=r"report\.html cannot be written \(.*Make space"):
        write_whole(page, "x" * 100_000)
    assert [each.name for each in page.parent.iterdir()] == ["report.html"]
    assert page.read_text() == "before"
    write_whole(page, "after")
    assert page.read_text() == "after"


def test_a_report_whose_folder_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "report").symlink_to("/dev/full")
    with pytest.raises(Unavailable, match=r"report\.html cannot be written"):
        write_whole(tmp_path / "report" / "report.html", "x")


@contextmanager
def database_says(workspace: Workspace, words: str, *statements: str) -> Iterator[None]:
    """Statements that begin so fail as a database makes them fail that has no space or is away."""

    def fail(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith(statements):
            raise sa.exc.OperationalError(statement, None, OSError(words))

    engine = workspace.store.database.engine
    sa.event.listen(engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        sa.event.remove(engine, "before_cursor_execute", fail)


def test_a_full_disk_counts_no_attempt_and_the_cells_are_measured_when_there_is_space(
    filled: Workspace, host: PredictorHost
) -> None:
    with database_says(filled, "database or disk is full", "INSERT INTO outcomes"):
        for _ in range(4):
            with pytest.raises(Unavailable, match="full"):
                measure_due(filled, host)
    assert {(cell.attempts, cell.claimed_by) for cell in filled.store.due.all()} == {(0, None)}
    assert filled.store.evaluations.current() == {}
    measure_due(filled, host)
    assert filled.store.due.count() == 0
    assert {stored.evaluation.state for stored in filled.store.evaluations.current().values()} == {"ok"}


def test_a_store_that_is_away_makes_no_refusal_of_what_is_sound(workspace: Workspace, folder: Path) -> None:
    age(write_problem(folder, "muffin", [row("p1", 1)]))
    write_candidate(folder, "a", ConstantModel())
    statements = ("INSERT INTO patterns", "INSERT INTO candidates")
    with database_says(workspace, "the server closed the connection", *statements):
        with pytest.raises(Unavailable, match="closed the connection"):
            registry.look_at_problems(workspace)
        with pytest.raises(Unavailable, match="closed the connection"):
            registry.look_at_candidates(workspace, {})
    assert refused(workspace) == {}
    look(workspace)
    assert matrix(workspace) == (["a"], ["muffin"])


# -- many at work --------------------------------------------------------------------------------

CANDIDATES, PROBLEMS, PATTERNS = 4, 5, 3


def work(folder: str, url: str, number: int) -> None:
    """One of several that measure what is due until nothing is: two daemons of a home, one of another, a command."""
    workspace = Workspace.open(Settings.load(Path(folder), {"ML_REGRESS_DATABASE_URL": url}))
    candidates, problems = matrix(workspace)
    home = ("home", "home", "another", "")[number % 4]
    deadline = time.monotonic() + 90
    with PredictorHost() as host:
        while workspace.store.due.count() and time.monotonic() < deadline:
            if home:
                requests = plan(
                    workspace, candidates, problems, states={}, name=lambda: planned_claim(home), limit=1 + number
                )
                work = [(request.key, request.rectangle.cells) for request in requests]
            else:
                work = [(command_claim(), tuple(cell.cell for cell in workspace.store.due.all()[:7]))]
            for claim, cells in work:
                for _ in evaluate(workspace, cells, claim=claim, host=host):
                    pass
            time.sleep(0.01)
    workspace.store.close()


@pytest.mark.slow
def test_two_homes_two_daemons_and_a_command_at_once_predict_every_input_once(
    workspace: Workspace, folder: Path, database_url: str
) -> None:
    for problem in range(PROBLEMS):
        patterns = [row(f"p{number}", 10 * problem + number) for number in range(PATTERNS)]
        write_problem(folder, f"problem-{problem}", patterns)
    logs = [
        write_candidate(folder, f"model-{number}", ConstantModel(), created_at=f"2026-06-0{number + 1}T00:00:00Z")
        for number in range(CANDIDATES)
    ]
    take_in(workspace)
    assert in_processes(work, [(str(folder), database_url, number) for number in range(4)]) == [0] * 4
    assert workspace.store.due.count() == 0
    assert workspace.store.evaluations.counts().ok == CANDIDATES * PROBLEMS
    for log in logs:
        asked = [int(line.split()[1]) for line in logged(log) if line.startswith("predict")]
        assert sum(asked) == PROBLEMS * PATTERNS, f"{log}: {json.dumps(asked)}"
    assert scalar(workspace.store, "SELECT count(*) FROM evaluations") == CANDIDATES * PROBLEMS
