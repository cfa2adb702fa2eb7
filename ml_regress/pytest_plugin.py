"""A plugin of pytest: each pattern of a candidate as a test, `pytest --ml-regress-candidate ID`.

pytest imports this module in every run of everybody who has the package, so it imports nothing of it until it is asked.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ml_regress.report.pattern_results import PatternResult

ROOT = "ml_regress"
SEPARATOR = "::"
_results = pytest.StashKey[list["PatternResult"]]()
_selected = pytest.StashKey[list[str]]()


class NotPassing(Exception):
    """A pattern that did not pass, in words."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("ml-regress", "regression tests for models")
    group.addoption("--ml-regress-candidate", metavar="ID", help="Make a test of each pattern, by this candidate.")
    group.addoption(
        "--ml-regress-workspace",
        metavar="DIR",
        help="The workspace's folder; otherwise ML_REGRESS_WORKSPACE, or the one around the present folder.",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{ROOT}: a pattern of a candidate (--ml-regress-candidate)")


@pytest.hookimpl(tryfirst=True)  # before workers are started
def pytest_sessionstart(session: pytest.Session) -> None:
    candidate, folder = (session.config.getoption(f"ml_regress_{name}") for name in ("candidate", "workspace"))
    if candidate is not None:
        session.stash[_results] = _read(candidate, folder)
    elif folder is not None:
        raise pytest.UsageError("--ml-regress-workspace needs --ml-regress-candidate ID")


def _read(candidate: str, folder: str | None) -> "list[PatternResult]":
    from ml_regress.engine.workspace import Workspace
    from ml_regress.errors import MlRegressError
    from ml_regress.report.pattern_results import pattern_results
    from ml_regress.settings import Settings

    try:
        workspace = Workspace.open(Settings.load(None if folder is None else Path(folder)))
        try:
            return pattern_results(workspace.store, candidate)
        finally:
            workspace.store.close()
    except MlRegressError as error:
        raise pytest.UsageError(f"--ml-regress-candidate {candidate}: {error}") from None


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Take the patterns that are named as arguments out of them: they are no files, which pytest would look for."""
    if _results not in session.stash:
        return
    named = {each: _node_named(session.config, each) for each in session.config.args}
    session.stash[_selected] = [name for name in named.values() if name is not None]
    session.config.args = [each for each, name in named.items() if name is None]


def _node_named(config: pytest.Config, argument: str) -> str | None:
    """The pattern, problem or candidate that an argument names, as pytest prints it: from the present folder."""
    path, *names = argument.split(SEPARATOR)
    at_root = path == ROOT or os.path.abspath(config.invocation_params.dir / path) == str(config.rootpath / ROOT)
    return SEPARATOR.join([ROOT, *names]) if names and at_root else None


@pytest.hookimpl(tryfirst=True)  # before -k, -m and --lf choose among all
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    if _results not in session.stash:
        return
    root = _Root.from_parent(session, name=ROOT, nodeid=ROOT)
    found = [item for item in session.genitems(root) if isinstance(item, pytest.Item)]
    wanted = session.stash[_selected]
    for name in wanted:
        if not any(_is_within(item.nodeid, name) for item in found):
            raise pytest.UsageError(f"not found: {name}")
    items.extend(item for item in found if not wanted or any(_is_within(item.nodeid, name) for name in wanted))


def _is_within(nodeid: str, name: str) -> bool:
    return nodeid == name or nodeid.startswith(name + SEPARATOR)


class _Root(pytest.Collector):
    """All patterns of a candidate, which are in no file."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.add_marker(ROOT)

    def collect(self) -> "Iterator[CandidateNode]":
        yield CandidateNode.from_parent(self, name=self.config.getoption("ml_regress_candidate"))


class CandidateNode(pytest.Collector):
    """The problems that a candidate was asked."""

    def collect(self) -> "Iterator[ProblemNode]":
        for problem in dict.fromkeys(result.problem for result in self.session.stash[_results]):
            yield ProblemNode.from_parent(self, name=problem)


class ProblemNode(pytest.Collector):
    """The patterns of a problem."""

    def collect(self) -> "Iterator[PatternItem]":
        for result in self.session.stash[_results]:
            if result.problem == self.name:
                yield PatternItem.from_parent(self, name=result.pattern, result=result)


class PatternItem(pytest.Item):
    """A pattern: it passes or fails as it did when it was measured."""

    def __init__(self, *, result: "PatternResult", **keywords: Any) -> None:
        super().__init__(**keywords)
        self.result = result

    def runtest(self) -> None:
        if self.result.passed:
            return
        if self.result.waiver is not None:
            pytest.xfail(self.result.waiver.words)
        raise NotPassing(self.result.text)  # also where --runxfail turned the line before off

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The words alone: where in this module they were raised helps nobody."""
        return str(excinfo.value) if isinstance(excinfo.value, NotPassing) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.result.problem}/{self.name}"
