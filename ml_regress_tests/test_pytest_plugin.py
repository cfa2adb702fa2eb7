"""Each pattern of a candidate as a test: with real runs of pytest over a real workspace."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ml_regress.engine import judge
from ml_regress.engine.workspace import Workspace
from ml_regress.predictors.host import PredictorHost
from ml_regress.report import pattern_results  # noqa: F401 - what a run inside this process imports is forgotten after it
from ml_regress.settings import Settings
from ml_regress_tests.models import ConstantModel, FailingModel
from ml_regress_tests.scenario import (
    execute,
    measure_due,
    row,
    take_in,
    write_candidate,
    write_problem,
    write_workspace,
)

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[1]
PATTERN = "ml_regress::all-muffins::muffin::"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which `all-muffins` fails one muffin pattern (a canary), and `fails-below-0` raises an error."""
    folder = write_workspace(tmp_path_factory.mktemp("plugin") / "workspace")
    write_problem(
        folder,
        rows=[row("plain", 1), row("dog.1", 2, "chihuahua", canary=True), row("dog-2", 3, "chihuahua")],
        title="Muffin\x1b or chihuahua",
    )
    write_problem(folder, "towel", [row("below", -1), row("above", 1)])
    write_candidate(folder, "all-muffins", ConstantModel("muffin"))
    write_candidate(folder, "raises", FailingModel("muffin"), not_applicable={"muffin": "It knows no animals."})
    with opened(folder) as workspace, PredictorHost() as host:
        take_in(workspace)
        measure_due(workspace, host)
    return folder


@contextmanager
def opened(folder: Path) -> Iterator[Workspace]:
    workspace = Workspace.open(Settings.load(folder, {}))
    try:
        yield workspace
    finally:
        workspace.store.close()


@pytest.fixture
def tests(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with one ordinary test, where pytest loads no plugin but ours and those that are named."""
    for name in [name for name in os.environ if name.startswith(("ML_REGRESS", "PYTEST_ADDOPTS"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeini("[pytest]\naddopts = -p ml_regress.pytest_plugin --strict-markers -rA\n")
    pytester.makepyfile(test_ordinary="def test_ordinary():\n    assert True\n")
    return pytester


def asked(workspace: Path | None, candidate: str | None = "all-muffins") -> list[str]:
    given = [] if candidate is None else [f"--ml-regress-candidate={candidate}"]
    return given + ([] if workspace is None else [f"--ml-regress-workspace={workspace}"])


def run(
    tests: pytest.Pytester, workspace: Path | None, *options: str, candidate: str | None = "all-muffins"
) -> tuple[int, str]:
    """The exit code and the output of pytest, run inside this process."""
    done = tests.runpytest_inprocess(*asked(workspace, candidate), *options)
    return int(done.ret), f"{done.stdout}\n{done.stderr}"


def run_apart(tests: pytest.Pytester, *options: str) -> tuple[int, str]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "pytest", *options]
    done = subprocess.run(command, cwd=tests.path, capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, done.stdout + done.stderr


def test_each_pattern_is_a_test_beside_ordinary_ones_and_says_why_it_fails(
    tests: pytest.Pytester, folder: Path
) -> None:
    code, said = run(tests, folder)
    assert code == 1
    assert "collected 6 items" in said
    assert "2 failed, 4 passed" in said
    for line in (
        f"PASSED {PATTERN}plain",
        f"FAILED {PATTERN}dog.1",
        f"FAILED {PATTERN}dog-2",
        "PASSED test_ordinary.py",
    ):
        assert line in said
    for words in (
        "Muffin\\x1b or chihuahua (muffin), pattern dog.1: failed",
        "it is a canary: it must pass, whatever the rate",
        "expected: answer equals chihuahua",
        "answered: muffin",
        "  ears = 2",
        "  crumbs = 1",
    ):
        assert words in said
    assert "Traceback" not in said and "runtest" not in said and "\x1b" not in said


def test_junit_holds_the_patterns_under_their_problem(tests: pytest.Pytester, folder: Path) -> None:
    code, _ = run(tests, folder, "--junitxml", "junit.xml")
    root = ElementTree.parse(tests.path / "junit.xml").getroot()  # noqa: S314 - pytest wrote it
    cases = {(case.get("classname"), case.get("name")): case for case in root.iter("testcase")}
    failed = cases["ml_regress.all-muffins.muffin", "dog.1"].find("failure")
    assert code == 1 and len(cases) == 6
    assert failed is not None and "expected: answer equals chihuahua" in str(failed.text)
    assert len(cases["ml_regress.all-muffins.towel", "below"]) == 0


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        (("-m", "ml_regress"), 5),
        (("-m", "not ml_regress"), 1),
        (("-k", "towel"), 2),
        (("-k", "dog"), 2),
        ((f"{PATTERN}plain",), 1),
        (("ml_regress::all-muffins::muffin", "test_ordinary.py"), 4),
    ],
)
def test_patterns_are_chosen_like_other_tests(
    tests: pytest.Pytester, folder: Path, options: tuple[str, ...], chosen: int
) -> None:
    code, said = run(tests, folder, "--collect-only", "-q", *options)
    listed = [line for line in said.splitlines() if "::" in line]
    assert code == 0 and len(listed) == chosen, said


def test_an_argument_that_names_no_pattern_is_wrong_usage(tests: pytest.Pytester, folder: Path) -> None:
    code, said = run(tests, folder, f"{PATTERN}unknown")
    assert (code, f"ERROR: not found: {PATTERN}unknown" in said) == (4, True)


def test_a_pattern_is_named_from_a_folder_below_as_it_is_printed_there(
    tests: pytest.Pytester, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tests.mkdir("below"))
    code, said = run(tests, folder, f"../{PATTERN}plain")
    assert code == 0
    assert f"PASSED ../{PATTERN}plain" in said and "1 passed" in said


@pytest.mark.slow
def test_workers_share_the_patterns(tests: pytest.Pytester, folder: Path) -> None:
    named = [f"{PATTERN}plain", f"{PATTERN}dog.1", "test_ordinary.py"]
    code, said = run_apart(tests, *asked(folder), "-p", "xdist", "-n", "2", *named)
    assert code == 1
    assert "1 failed, 2 passed" in said


def test_what_is_not_applicable_or_an_error_fails_with_its_reason(tests: pytest.Pytester, folder: Path) -> None:
    code, said = run(tests, folder, candidate="raises")
    assert code == 1
    assert "pattern plain: not measured: the candidate declares itself not applicable: It knows no animals." in said
    assert "pattern below: not measured: the cell is in error: ValueError: muffin" in said
    assert "5 failed, 1 passed" in said


def test_what_is_due_fails_and_says_so(tests: pytest.Pytester, tmp_path: Path) -> None:
    folder = write_workspace(tmp_path / "workspace")
    write_problem(folder, rows=[row("plain", 1)])
    write_candidate(folder, "all-muffins", ConstantModel("muffin"))
    with opened(folder) as workspace:
        take_in(workspace)
    code, said = run(tests, folder)
    assert code == 1
    assert "pattern plain: not measured: the cell is due (new candidate" in said
    assert "1 failed, 1 passed" in said


def test_a_waived_failure_is_an_expected_one_with_the_words_of_its_waiver(tests: pytest.Pytester, folder: Path) -> None:
    with opened(folder) as workspace:
        made = judge.waive(
            workspace, "all-muffins", "muffin", "dog-2", person="Ada", reason="a known gap", until="2999-12-31"
        )
        try:
            code, said = run(tests, folder)
            strict = run(tests, folder, "--runxfail")[1]
            execute(workspace.store, f"UPDATE waivers SET until = '2020-01-01' WHERE number = {made.number}")
            expired = run(tests, folder)[1]
        finally:
            workspace.store.decisions.withdraw(made.number, person="Ada")
    assert code == 1
    assert f"XFAIL {PATTERN}dog-2 - waived until 2999-12-31 by Ada: a known gap" in said
    assert "1 failed, 4 passed, 1 xfailed" in said
    assert "2 failed, 4 passed" in strict
    assert "2 failed, 4 passed" in expired


def test_an_unknown_candidate_and_a_missing_workspace_are_wrong_usage(tests: pytest.Pytester, folder: Path) -> None:
    code, said = run(tests, folder, candidate="nobody")
    assert code == 4
    assert "ERROR: --ml-regress-candidate nobody: no active candidate 'nobody' in the store" in said
    code, said = run(tests, None)
    assert code == 4
    assert "no ml_regress.yaml in" in said
    code, said = run(tests, folder, candidate=None)
    assert code == 4
    assert "--ml-regress-workspace needs --ml-regress-candidate ID" in said


@pytest.mark.slow
def test_without_the_option_nothing_of_the_package_is_imported(tests: pytest.Pytester) -> None:
    tests.makepyfile(
        test_ordinary="""
        import sys

        def test_ordinary():
            ours = {name for name in sys.modules if name.startswith("ml_regress")}
            assert ours == {"ml_regress", "ml_regress.pytest_plugin"}
            assert not {"pandas", "sqlalchemy", "dagster", "numpy"} & set(sys.modules)
        """
    )
    code, said = run_apart(tests)
    assert code == 0, said
    assert "1 passed" in said


def test_pytest_finds_the_plugin_where_the_package_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"ml_regress": "ml_regress.pytest_plugin"}
