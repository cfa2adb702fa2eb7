"""The documentation says what the program does: commands, formats, settings and examples are held against it."""

import ast
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pytest
import sqlalchemy as sa

import ml_regress
from ml_regress import settings
from ml_regress.cli import main, output
from ml_regress.core.expectation import KINDS, NEGATION
from ml_regress.core.inputs import KINDS as INPUT_KINDS
from ml_regress.core.pattern_fields import FIELDS
from ml_regress.core.problem import METRICS, SEVERITIES, STATES
from ml_regress.engine import registry
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import InvalidInput
from ml_regress.intake import benchmarks, candidates, problems, yaml_text
from ml_regress.intake.failures import Reading, read_failures
from ml_regress.intake.reading import TABLE_KEYS
from ml_regress.predictors import Policy, format_names
from ml_regress.predictors.artefacts import Artefact
from ml_regress.predictors.host import PredictorHost
from ml_regress.store import Store
from ml_regress.store.tables import metadata
from ml_regress_tests.scenario import measure_due, write_workspace

ROOT = Path(__file__).parents[1]
PACKAGE = Path(ml_regress.__file__).parent
DOCS = ROOT / "docs"
PAGES = [*(ROOT / name for name in ("README.md", "CONTEXT.md", "CONTRIBUTING.md", "CHANGELOG.md")), *DOCS.rglob("*.md")]
PAGES += (ROOT / "examples").rglob("README.md")
PLACEHOLDERS = {"COMMAND", "..."}


def _page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def _code(text: str) -> Iterator[str]:
    """Code of a page: spans between backticks, and the lines of blocks."""
    fenced = re.compile(r"^```.*?^```", re.M | re.S)
    for block in fenced.findall(text):
        yield from block.splitlines()[1:-1]
    rest = fenced.sub("", text)
    yield from (line.strip() for line in rest.splitlines() if line.startswith("    "))
    yield from (span.replace("\\|", "|") for span in re.findall(r"`([^`\n]+)`", rest))


def _calls(text: str) -> Iterator[list[str]]:
    """The words behind each `ml-regress` in the code of a page."""
    for code in _code(text):
        for part in re.split(r"&&|;|\$\(", code):
            found = re.search(r"(?:^|[ =/])ml-regress(?=\s|$)(.*)", part)
            if found:
                try:
                    yield shlex.split(found[1].rstrip(')"'), comments=True)
                except ValueError:
                    yield found[1].split()


def _options(command: click.Command) -> set[str]:
    return {name for parameter in command.params if isinstance(parameter, click.Option) for name in parameter.opts}


def _commands(command: click.Command = main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _commands(inner, (*path, name))
    else:
        yield " ".join(path), command


def _fault(words: list[str]) -> str | None:
    """What of a call the program does not have."""
    command: click.Command = main
    for word in words:
        if word in ("|", ">", "2>"):
            return None
        if word.startswith("-"):
            if word.split("=")[0] not in _options(command) | {"--help", "-h"}:
                return f"{command.name} has no option {word}"
        elif isinstance(command, click.Group) and word not in PLACEHOLDERS:
            if word not in command.commands:
                return f"{command.name} has no command {word}"
            command = command.commands[word]
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_command_and_option_that_a_page_names_exists(page: Path) -> None:
    faults = [f"{' '.join(words)}: {fault}" for words in _calls(page.read_text()) if (fault := _fault(words))]
    assert not faults


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    local = [link for link in links if not link.startswith(("http://", "https://", "mailto:"))]
    assert not [link for link in local if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {found[1] for code in _code(page.read_text()) if (found := re.match(r"(?:\w+=\S+ )*make ([a-z]+)", code))}
    assert named <= targets


@pytest.mark.parametrize("name", [name for name, _ in _commands()])
def test_every_command_is_documented_with_its_options(name: str) -> None:
    page = _page("cli.md")
    assert f"ml-regress {name}" in page
    command = dict(_commands())[name]
    assert not [option for option in _options(command) if f"`{option}" not in page]


def test_the_documented_options_are_those_of_some_command() -> None:
    known = {option for _, command in _commands() for option in _options(command)} | _options(main) | {"--help", "-h"}
    named = {found[0] for code in _code(_page("cli.md")) for found in re.finditer(r"(?<!\S)--?[a-z][a-z-]*", code)}
    assert named <= known


def test_the_documented_exit_codes_are_those_of_the_program() -> None:
    documented = {int(code) for code in re.findall(r"^\| (\d) \|", _page("cli.md"), re.M)}
    assert documented == {output.DONE, output.REFUSED, output.USAGE, output.WITH_ERRORS}


# -- formats -------------------------------------------------------------------------------------


def _examples(kind: str) -> list[str]:
    found: list[str] = re.findall(rf"<!-- {kind} -->\n```\w+\n(.*?)```", _page("formats.md"), re.S)
    assert found
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_workspace(tmp_path / "workspace")


def test_the_settings_of_the_page_are_loaded_and_are_all_there_are(folder: Path) -> None:
    (text,) = _examples("settings")
    (folder / settings.FILE).write_text(text)
    loaded = settings.Settings.load(folder, {})
    assert (loaded.name, loaded.production, loaded.time_limit) == ("letters", "2026-06-first", 60.0)
    assert tuple(yaml_text.load(folder / settings.FILE)) == settings.KEYS


def test_the_problem_of_the_page_is_read_and_shows_every_key(folder: Path) -> None:
    (text,) = _examples("problem")
    path = folder / "problems" / "letters.yaml"
    path.write_text(text)
    found = problems.read_problem(path)
    assert [pattern.id for pattern in found.patterns] == ["money-back", "rude", "either"]
    given = yaml_text.load(path)
    assert set(given) == set(problems.KEYS)
    assert set(given["requirement"]) == set(problems.REQUIREMENT_KEYS) - {"metric_at_most"}


def test_the_pattern_table_of_the_page_is_read(folder: Path) -> None:
    (text,) = _examples("problem")
    path = folder / "problems" / "letters.yaml"
    path.write_text(text[: text.index("patterns:")])
    path.with_suffix(".csv").write_text(_examples("csv")[0])
    found = problems.read_problem(path)
    assert [pattern.expectation.kind for pattern in found.patterns] == ["equals", "greater_than", "same_as"]


def test_the_table_of_failures_of_the_page_is_read(tmp_path: Path) -> None:
    path = tmp_path / "letters.csv"
    path.write_text(_examples("failures")[0])
    found = read_failures(path, (), Reading())
    assert found.types.as_dict() == {"words": "integer", "amount": "integer?", "text": "text"}
    assert {row.id: row.right for row in found.rows} == {"letter-17": False, "letter-18": True}


def test_the_benchmark_of_the_page_is_read_and_shows_every_key(folder: Path) -> None:
    (text,) = _examples("benchmark")
    path = folder / "benchmarks" / "held-out-letters.yaml"
    path.write_text(text)
    path.with_suffix(".csv").write_text(_examples("csv")[1])
    assert benchmarks.read_benchmark(path).rows == 2
    assert set(yaml_text.load(path)) == set(benchmarks.KEYS)


def test_the_manifest_of_the_page_is_read_and_shows_every_key(folder: Path) -> None:
    (text,) = _examples("candidate")
    made = folder / "candidates" / "2026-06-first"
    made.mkdir()
    (made / "model.skops").write_bytes(b"a model")
    (made / "candidate.yaml").write_text(text)
    found = candidates.read_candidate(made)
    assert found.manifest.not_applicable == {"handwriting": "It reads no images."}
    assert found.manifest.time_limit == 120
    recorded = _written(folder, "recorded candidate", "candidates/recorded/candidate.yaml")
    assert set(yaml_text.load(made / "candidate.yaml")) | set(yaml_text.load(recorded)) == set(candidates.KEYS)


def _written(folder: Path, kind: str, name: str) -> Path:
    """The only example of a kind, as a file of the workspace."""
    (text,) = _examples(kind)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_table_of_the_page_is_read_as_it_states(folder: Path) -> None:
    path = _written(folder, "table", "problems/parcels.yaml")
    path.with_suffix(".csv").write_text(_examples("table rows")[0], encoding="latin-1")
    found = problems.read_problem(path)
    assert [pattern.inputs for pattern in found.patterns] == [
        {"weight": 1.5, "sent": "2026-02-01"},
        {"weight": 12.25, "sent": "2026-02-03"},
    ]
    assert set(yaml_text.load(path)["table"]) == set(TABLE_KEYS)
    path.write_text(path.read_text().split("table:")[0])
    with pytest.raises(InvalidInput) as refused:
        problems.read_problem(path)
    (said,) = _examples("table refused")
    assert str(refused.value).replace(f"{path.parent}/", "") == " ".join(said.split())


@pytest.fixture
def letters(folder: Path) -> Iterator[Workspace]:
    """The problem of the page in a store."""
    path = folder / "problems" / "letters.yaml"
    path.write_text(_examples("problem")[0])
    workspace = Workspace.open(settings.Settings.load(folder, {}))
    registry.import_problem(workspace, path)
    yield workspace
    workspace.store.close()


def _outcomes(workspace: Workspace, candidate: str) -> dict[str, str]:
    with PredictorHost() as host:
        measure_due(workspace, host)
    stored = workspace.store.evaluations.current()[candidate, "refund-or-complaint"]
    found = workspace.store.evaluations.outcomes([stored.number])
    return dict(zip(found["pattern"], found["outcome"], strict=True))


def test_the_python_candidate_of_the_page_answers(folder: Path, letters: Workspace) -> None:
    _written(folder, "python module", "candidates/rules/letters/rules.py")
    _written(folder, "python words", "candidates/rules/letters/words.py")
    made = _written(folder, "python candidate", "candidates/rules/candidate.yaml").parent
    registry.import_candidate(letters, made)
    assert _outcomes(letters, "rules") == {"money-back": "passed", "rude": "passed", "either": "passed"}


def test_the_recorded_candidate_of_the_page_answers(folder: Path, letters: Workspace) -> None:
    _written(folder, "recorded rows", "candidates/old/answers.csv")
    made = _written(folder, "recorded candidate", "candidates/old/candidate.yaml").parent
    taken = registry.import_candidate(letters, made)
    assert taken.said == "registered, 2 predictions recorded"
    assert "left out: remark" in taken.notes[0]
    assert _outcomes(letters, "old") == {"money-back": "passed", "rude": "passed", "either": "error"}


def test_the_format_of_a_team_on_the_page_opens_its_artefact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "letters_format.py").write_text(_examples("team format")[0])
    monkeypatch.syspath_prepend(str(tmp_path))
    form = importlib.import_module("letters_format").LOOKUP
    (tmp_path / "m.lookup.json").write_text('{"hm": "complaint"}')
    with (tmp_path / "m.lookup.json").open("rb") as file:
        model = form.open(Artefact(tmp_path, "m.lookup.json", file), Policy())
    assert model.predict(pd.DataFrame({"text": ["hm", "ho"]})) == ["complaint", "other"]


@pytest.mark.parametrize("name", format_names())
def test_every_format_is_documented(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", _page("formats.md"), re.M)
    assert f"**{name}" in _page("formats.md") or f", {name}.**" in _page("formats.md")


@pytest.mark.parametrize("word", [*FIELDS, *KINDS, NEGATION, *METRICS, *SEVERITIES, *STATES])
def test_every_word_of_the_formats_is_documented(word: str) -> None:
    assert re.search(rf"(?<![\w]){word}", _page("formats.md"))


@pytest.mark.parametrize("kind", INPUT_KINDS)
def test_every_input_type_is_documented(kind: str) -> None:
    assert re.search(rf"^\| `{kind}\b", _page("formats.md"), re.M)


# -- operation -----------------------------------------------------------------------------------


def _first_column(page: str, heading: str) -> set[str]:
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", _page(page), re.M | re.S)
    assert section is not None
    return set(re.findall(r"^\| `(\w+)` \|", section[1], re.M))


def test_the_documented_settings_are_those_of_the_program() -> None:
    assert _first_column("operating.md", "Settings") == set(settings.KEYS)


def test_the_documented_environment_variables_are_those_that_are_read() -> None:
    read = {
        node.value
        for node in ast.walk(ast.parse((PACKAGE / "settings.py").read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"ML_REGRESS_\w+", node.value)
    }
    assert _first_column("operating.md", "Environment variables") == read


def test_every_table_of_the_store_is_named_where_testers_and_developers_look() -> None:
    tables = set(metadata.tables)
    assert not [name for name in tables if f"`{name}`" not in _page("design.md")]
    named = set(re.findall(r"`(\w+)`", _page("design.md").split("## Store")[1].split("Writers wait")[0]))
    assert named & tables == tables


# -- SQL -----------------------------------------------------------------------------------------


def test_the_sql_of_the_page_does_what_the_page_says(store: Store, tmp_path: Path) -> None:
    workspace = Workspace(settings.Settings.load(write_workspace(tmp_path / "workspace"), {}), store)
    insert, update, delete = re.findall(r"```sql\n(.*?)```", _page("sql.md"), re.S)
    _execute(store, insert)
    registry.freeze_changed(workspace)
    assert store.sources.refusals() == []
    (measured,) = store.problems.measured()
    statuses = _statuses(store)
    assert (measured.id, statuses) == ("crumbs", {"many-crumbs": "active", "either": "active"})

    _execute(store, update)
    registry.freeze_changed(workspace)
    assert store.sources.refusals() == []
    (changed,) = store.problems.measured()
    assert (changed.state, store.problems.get("crumbs").severity) == ("watched", "high")
    assert changed.suite != measured.suite

    _execute(store, delete)
    registry.freeze_changed(workspace)
    assert _statuses(store) == {"many-crumbs": "active", "either": "retired"}
    assert store.problems.measured() == []


def _statuses(store: Store) -> dict[str, Any]:
    rows = store.problems.patterns("crumbs")
    return dict(zip(rows["id"], rows["status"], strict=True))


def _execute(store: Store, text: str) -> None:
    engine = sa.create_engine(store.database.url)
    with engine.begin() as connection:
        for statement in text.split(";"):
            if statement.strip():
                connection.exec_driver_sql(statement.replace("%", "%%"))
    engine.dispose()


# -- words ---------------------------------------------------------------------------------------


def _glossary() -> list[tuple[str, str, str]]:
    text = (ROOT / "CONTEXT.md").read_text()
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("| ")]
    return [(word.strip(), meaning.strip(), instead.strip()) for word, meaning, instead in rows[1:]]


def test_each_word_stands_once_and_has_a_meaning() -> None:
    words = [word for row in _glossary() for word in row[0].split(", ")]
    assert len(words) == len(set(words))
    assert all(row[1] for row in _glossary())


@pytest.mark.parametrize(
    "word",
    [
        "Workspace",
        "Problem",
        "Benchmark",
        "Pattern",
        "Canary",
        "Suite",
        "Expectation",
        "Candidate",
        "Predictor",
        "Prediction",
        "Outcome",
        "Cell",
        "Evaluation",
        "Fix",
        "Regression",
        "Production",
        "Requirement",
        "Run",
        "Manifest",
        "Measure",
        "Claim",
        "Due",
        "Refusal",
        "Report",
        "Scoreboard",
    ],
)
def test_the_words_of_the_program_are_in_the_glossary(word: str) -> None:
    assert word in [each for row in _glossary() for each in row[0].split(", ")]


def test_no_class_is_named_by_a_word_that_is_not_used() -> None:
    used = {word.lower() for row in _glossary() for word in row[0].split(", ")}
    instead = {word.strip() for row in _glossary() for word in row[2].split(",") if word.strip()}
    unused = {word for word in instead - used if " " not in word}
    faults = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                parts = {part.lower() for part in re.findall(r"[A-Z][a-z]*", node.name)}
                faults += [f"{path.relative_to(PACKAGE)}: {node.name}" for _ in parts & unused]
    assert not faults


def test_each_decision_has_its_four_parts() -> None:
    pages = sorted((DOCS / "adr").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text()
        assert text.startswith(f"# {page.name[:4]}: "), page.name
        assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Consequences", "Rejected")), page.name
