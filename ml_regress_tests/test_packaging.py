"""What is shipped: dependencies, pinned versions, files at the top, and nothing of one machine."""

import ast
import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Needed without an import of ours: started as a module, loaded by a URL, or by Dagster's own settings.
NOT_IMPORTED = {"dagster-webserver", "dagster-postgres", "psycopg2-binary"}
LOADED_BY_PYTEST = {"pytest"}  # a module that only pytest imports needs nobody to install it
TEST_TOOLS = {"build", "mypy", "pandas-stubs", "pytest-xdist", "ruff", "types-psutil", "types-pyyaml"}
TOP_LEVEL = (
    "pyproject.toml",
    "constraints.txt",
    "workspace.yaml",
    "dagster.yaml",
    "Makefile",
    ".ci/run",
    ".gitignore",
    "LICENSE",
    "README.md",
    "CONTEXT.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/adr",
    "examples/digits",
    "examples/flights",
    "examples/occupancy",
    "benchmarks",
)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _names(requirements: list[str]) -> set[str]:
    return {_normal(re.split(r"[^A-Za-z0-9._-]", text, maxsplit=1)[0]) for text in requirements}


def _imported(folder: Path) -> set[str]:
    """Distributions that the modules of a folder import."""
    tops = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                tops |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                tops.add(str(node.module).split(".")[0])
    foreign = tops - set(sys.stdlib_module_names) - {"ml_regress", "ml_regress_tests"}
    distributions = importlib.metadata.packages_distributions()
    local = {path.stem for path in ROOT.rglob("examples/**/*.py")}
    return {_normal(distributions[name][0]) for name in foreign - local}


def test_each_dependency_is_used_and_each_import_is_a_dependency() -> None:
    declared = _names(PROJECT["dependencies"])
    assert declared - NOT_IMPORTED == _imported(ROOT / "ml_regress") - LOADED_BY_PYTEST
    assert declared >= NOT_IMPORTED


def test_the_tests_import_only_what_their_extra_installs() -> None:
    extra = _names(PROJECT["optional-dependencies"]["test"])
    imported = _imported(ROOT / "ml_regress_tests")
    assert imported <= _names(PROJECT["dependencies"]) | extra
    assert extra - imported <= TEST_TOOLS


def test_constraints_pin_every_dependency_by_name_and_version_alone() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+", line), line
    pinned = {_normal(line.split("==")[0]) for line in lines}
    assert len(pinned) == len(lines)
    wanted = _names([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]])
    assert not wanted - pinned
    assert "ml-regress" not in pinned


@pytest.mark.parametrize("name", TOP_LEVEL)
def test_the_top_level_file_is_there(name: str) -> None:
    assert (ROOT / name).exists()


def test_the_newest_entry_of_the_changelog_is_this_version() -> None:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert newest is not None
    assert newest[1] == PROJECT["version"]


def test_what_the_wheel_takes_from_outside_the_package_is_there() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    for source in tool["hatch"]["build"]["targets"]["wheel"]["force-include"]:
        assert (ROOT / source).exists(), source


def _committed() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("no git checkout: what is committed is not known")
    listed = subprocess.run(
        [git, "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_registry_or_a_folder_of_one_machine() -> None:
    forbidden = re.compile(
        rb"(?<![\w.])/(?:work|root|home|Users)/\w|/tmp/w\b|index-url|find-links|"
        rb"https?://[^\s\"')>]*(?:pypi|registry|artifactory|mirror|/simple)",
    )
    faults = []
    for path in _committed():
        if path == Path(__file__) or path.suffix in (".skops", ".parquet", ".png"):
            continue
        for number, line in enumerate(path.read_bytes().splitlines(), start=1):
            found = forbidden.search(line)
            if found:
                faults.append(f"{path.relative_to(ROOT)}:{number}: {found[0].decode(errors='replace')}")
    assert not faults


# -- make ----------------------------------------------------------------------------------------


def _make(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    return subprocess.run([make, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_make_alone_lists_every_target() -> None:
    said = _make(ROOT)
    assert said.returncode == 0
    listed = re.findall(r"^make (\S+)", said.stdout, re.M)
    assert listed == ["help", "up", "test", "quick", "bench", "lint", "types", "clean"]


@pytest.mark.parametrize("python", ["false", "no-such-python"])
def test_a_python_that_will_not_do_is_named_in_one_line(tmp_path: Path, python: str) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    said = _make(tmp_path, "up", f"PYTHON={python}")
    assert said.returncode != 0
    assert len(said.stderr.splitlines()) == 1
    assert f"{python} is no Python 3.11 or newer" in said.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_python_without_venv_is_named_in_one_line(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    poor = tmp_path / "poor-python"
    poor.write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\nexit 0\n')
    poor.chmod(0o755)
    said = _make(tmp_path, "up", f"PYTHON={poor}")
    assert said.returncode != 0
    assert len(said.stderr.splitlines()) == 1
    assert "python3-venv" in said.stderr
