"""The arrows of imports: who may know whom. A module that breaks one is named with the import it should not have."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import ml_regress

PACKAGE = Path(ml_regress.__file__).parent
TESTS = Path(__file__).parent
ROOT = PACKAGE.parent

# A layer is a folder of the package or a module beside them. Each may import itself, `errors` and these.
ARROWS: dict[str, set[str]] = {
    "errors": set(),
    "core": set(),
    "schemas": {"core"},
    "predictors": {"core"},
    "intake": {"core", "schemas", "predictors"},
    "settings": {"intake"},
    "store": {"core", "schemas"},
    "engine": {"core", "schemas", "store", "predictors", "intake", "report", "settings"},
    "report": {"core", "schemas", "store", "settings"},
    "progress": {"core", "store", "engine", "report", "settings"},
    "child": set(),
    "supervise": {"settings"},
    "up": {"settings", "engine", "progress", "supervise", "child"},
    "cli": {"core", "schemas", "intake", "store", "engine", "report", "settings", "up"},
    "rating": {"core", "engine", "settings"},
    "contract": {"core", "predictors", "intake", "engine", "settings"},
    "defs": {"core", "schemas", "store", "engine", "report", "settings", "progress"},
    "definitions": {"defs"},
    "pytest_plugin": {"engine", "report", "settings"},
}
# What the core may import from outside: nothing that reads files, speaks to a database or runs a pipeline.
CORE_LIBRARIES = {"numpy", "pandas", "scipy", "sklearn", "threadpoolctl"}  # the last one limits the threads of sklearn
KNOW_DAGSTER = {"defs", "definitions"}
KNOW_CLICK = {"cli"}
KNOW_SQLALCHEMY = {"store", "defs/column_schema.py"}  # that module shows the types of the store's tables
READ_ENVIRONMENT = {
    "settings.py",  # for everybody
    "supervise.py",  # hands it on to the processes it starts
    "predictors/process.py",  # hands it on to the process that opens models
    "defs/daemon.py",  # is such a process: `up` tells it whether runs were left behind
}
LONGEST = 300
LONGER_WITH_REASON = {
    "store/tables.py": "the whole schema stands in one place",
    "store/migrations/versions/0001_initial.py": "a migration states the whole schema as it was",
}


@dataclass(frozen=True)
class Import:
    """One imported module and where it stands."""

    path: str
    line: int
    module: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} imports {self.module}"


def _modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "examples" not in path.relative_to(PACKAGE).parts)


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _layer(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def _imports(path: Path) -> Iterator[Import]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(_name(path), node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{_name(path)}:{node.lineno} imports relatively: write the whole name"
            module = str(node.module)
            if module == "ml_regress":  # `from ml_regress import schemas` names modules
                for alias in node.names:
                    yield Import(_name(path), node.lineno, f"ml_regress.{alias.name}")
            else:
                yield Import(_name(path), node.lineno, module)


def _listed(faults: list[str]) -> str:
    return "\n  ".join(["these break an arrow of the layers (docs/design.md):", *faults])


def test_every_module_belongs_to_a_layer_that_is_listed() -> None:
    found = {_layer(path) for path in _modules()} - {"__init__"}
    assert found == set(ARROWS)


def test_each_layer_imports_only_the_layers_below_it() -> None:
    faults = []
    for path in _modules():
        layer = _layer(path)
        if layer == "__init__":
            continue
        allowed = ARROWS[layer] | {layer, "errors"}
        for found in _imports(path):
            parts = found.module.split(".")
            if parts[0] == "ml_regress" and len(parts) > 1 and parts[1] not in allowed:
                faults.append(f"{found}, but {layer} may know only {', '.join(sorted(allowed))}")
    assert not faults, _listed(faults)


def test_the_arrows_lead_round_in_no_circle() -> None:
    below: dict[str, set[str]] = {}

    def reach(layer: str, above: tuple[str, ...]) -> set[str]:
        assert layer not in above, " -> ".join((*above, layer))
        if layer not in below:
            below[layer] = ARROWS[layer].union(*(reach(other, (*above, layer)) for other in ARROWS[layer]))
        return below[layer]

    for layer in ARROWS:
        reach(layer, ())


def test_the_core_imports_nothing_but_the_standard_library_and_numbers() -> None:
    allowed = CORE_LIBRARIES | set(sys.stdlib_module_names) | {"ml_regress"}
    faults = [
        str(found)
        for path in _modules()
        if _layer(path) == "core"
        for found in _imports(path)
        if found.module.split(".")[0] not in allowed
    ]
    assert not faults, _listed(faults)


@pytest.mark.parametrize(
    ("library", "layers"),
    [("dagster", KNOW_DAGSTER), ("click", KNOW_CLICK), ("sqlalchemy", KNOW_SQLALCHEMY), ("alembic", KNOW_SQLALCHEMY)],
)
def test_a_framework_is_known_by_one_layer_alone(library: str, layers: set[str]) -> None:
    faults = [
        f"{found}, which only {', '.join(sorted(layers))} may"
        for path in _modules()
        if not {_layer(path), _name(path)} & layers
        for found in _imports(path)
        if found.module.split(".")[0].startswith(library)
    ]
    assert not faults, _listed(faults)


def test_the_environment_is_read_in_the_settings_and_handed_on_to_children_only() -> None:
    readers = set()
    for path in _modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv", "os.environb"):
                readers.add(_name(path))
    assert readers == READ_ENVIRONMENT


def test_modules_stay_short() -> None:
    lengths = {_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in _modules()}
    long = {name: lines for name, lines in lengths.items() if lines > LONGEST and name not in LONGER_WITH_REASON}
    assert not long, f"longer than {LONGEST} lines: {long}; split by topic, or list it with its reason"
    assert set(LONGER_WITH_REASON) <= set(lengths), "a module that is listed as long is gone"


def test_modules_are_named_after_what_they_hold() -> None:
    vague = {"utils", "util", "helpers", "common", "misc", "constants"}
    assert not [_name(path) for path in _modules() if path.stem in vague]


def test_no_test_replaces_parts_of_the_program() -> None:
    forbidden = ("unittest.mock", "mock")
    faults = []
    for path in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            faults += [f"{path.relative_to(ROOT)}:{name}" for name in names if name in forbidden]
    assert not faults, "use a throw-away store and the small candidates of scenario.py"
