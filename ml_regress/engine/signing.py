"""The sign-off report of a candidate, written from one state of the store."""

from pathlib import Path

from ml_regress.engine.judge import judge
from ml_regress.engine.workspace import Workspace
from ml_regress.report.compared import gather_compared
from ml_regress.report.gate import gate_view
from ml_regress.report.gather import gather
from ml_regress.report.sign_off_page import write_sign_off


def write_sign_off_of(workspace: Workspace, candidate: str, folder: Path) -> Path:
    """Writes it into the folder; raises NotFound for a candidate that is not active, Unavailable."""
    store, name = workspace.store, workspace.settings.name
    with store.database.read():
        evidence = gather(store, name, beside=[candidate])
        found = judge(workspace, candidate)
        baseline = evidence.production
        alone = baseline is None or baseline == candidate
        compared = None if alone else gather_compared(store, name, str(baseline), candidate)
        view = gate_view(store, name, found.facts, found.verdict, found.approval)
        told = {each.problem: view.told(each) for each in found.verdict.problems}
        return write_sign_off(evidence, candidate, found.approval, compared, told, folder=folder)
