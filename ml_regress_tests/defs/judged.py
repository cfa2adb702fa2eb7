"""A measured matrix of which verdicts differ, without artefacts: for tests of verdicts and promotion in Dagster."""

from datetime import UTC, datetime, timedelta

from ml_regress.core.problem import Requirement
from ml_regress.core.waiver import APPROVE
from ml_regress.engine import judge
from ml_regress.engine.workspace import Workspace
from ml_regress_tests.scenario import (
    commit_outcomes,
    execute,
    import_muffins,
    muffin_pattern,
    muffin_problem,
    registered,
)

PATTERNS = ("p1", "p2", "p3")
GOOD = dict.fromkeys(PATTERNS, "passed")
BAD = {**GOOD, "p1": "failed", "p2": "failed"}
BROKEN = {**GOOD, "p3": "failed"}
TOMORROW = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()


def fill(workspace: Workspace) -> None:
    """Production is `old`, bad at muffins; `worse` solves them and breaks a towel; `good`, the newest, breaks none."""
    store = workspace.store
    for problem in ("muffin", "towel"):
        ask(workspace, problem)
    measured = {"old": (BAD, GOOD), "worse": (GOOD, BROKEN), "good": (GOOD, GOOD)}
    for month, (name, (muffin, towel)) in enumerate(measured.items(), 1):
        store.candidates.register(registered(name, f"2026-0{month}-01T00:00:00+00:00"))
        commit_outcomes(store, name, muffin, "muffin")
        commit_outcomes(store, name, towel, "towel")
    store.candidates.adopt_production("old", actor="test", reason="it served users before")


def ask(workspace: Workspace, problem: str, *, at_least: int = 2, patterns: tuple[str, ...] = PATTERNS) -> None:
    """Import a problem with this requirement and these patterns."""
    asked = Requirement(at_least=at_least, max_regressions=0)
    given = muffin_problem(problem, title=problem.title(), requirement=asked)
    import_muffins(workspace.store, [muffin_pattern(name, problem=problem) for name in patterns], given)


def approve(workspace: Workspace, candidate: str = "good", decision: str = APPROVE, words: str = "seen it all") -> int:
    """A sign-off; its number."""
    return judge.sign(workspace, candidate, person="Ada", role="owner", decision=decision, words=words).number


def forget(workspace: Workspace, candidate: str, problem: str) -> None:
    """Delete an evaluation with its outcomes, as nobody should."""
    where = f"candidate = '{candidate}' AND problem = '{problem}'"
    execute(workspace.store, f"DELETE FROM outcomes WHERE evaluation IN (SELECT number FROM evaluations WHERE {where})")
    execute(workspace.store, f"DELETE FROM evaluations WHERE {where}")
