"""Example workspaces with their batches taken in, for tests of the production side."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ml_regress.engine import registry
from ml_regress.engine.arrivals import look_at_batches
from ml_regress.engine.setup import make_workspace
from ml_regress.engine.workspace import Workspace
from ml_regress.settings import Settings
from ml_regress_tests.scenario import age


@contextmanager
def example_workspace(folder: Path, name: str) -> Iterator[Workspace]:
    """An example with its problems, candidates and batches (and their labels) in the store; nothing is measured."""
    made = make_workspace(folder, name)
    for path in made.rglob("*"):
        if path.is_file():
            age(path)
    workspace = Workspace.open(Settings.load(made, {}))
    try:
        registry.look_at_problems(workspace)
        registry.look_at_candidates(workspace, registry.look_at_candidates(workspace, {}))
        looks: dict[str, str] = {}
        for _ in range(3):  # labels wait for their batches
            looks = look_at_batches(workspace, looks)
        yield workspace
    finally:
        workspace.store.close()
