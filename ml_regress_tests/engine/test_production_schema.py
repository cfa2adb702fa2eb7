"""The production schema in force: stated, or inferred once and then frozen."""

from pathlib import Path

import pandas as pd
import pytest

from ml_regress.core.production import ProductionSchema
from ml_regress.engine.arrivals import import_batch
from ml_regress.engine.production_schema import infer_again, production_schema, reference_file
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import InvalidInput, NotFound
from ml_regress_tests.scenario import registered, scalar


@pytest.fixture
def file(workspace: Workspace) -> Path:
    return workspace.settings.workspace / "production.yaml"


def trained(workspace: Workspace, name: str, month: int, frame: pd.DataFrame | None = None) -> Path:
    """A candidate that names the table it was trained on."""
    path = workspace.settings.workspace / "reference" / f"{name}.parquet"
    path.parent.mkdir(exist_ok=True)
    if frame is not None:
        frame.to_parquet(path)
    created = f"2026-{month:02}-01T00:00:00+00:00"
    workspace.store.candidates.register(registered(name, created, trained_on=f"reference/{name}.parquet"))
    return path


def in_force(workspace: Workspace) -> ProductionSchema:
    found = production_schema(workspace)
    assert found is not None
    return found


def inputs(workspace: Workspace) -> dict[str, str]:
    return in_force(workspace).inputs.as_dict()


def schemas(workspace: Workspace) -> int:
    return int(scalar(workspace.store, "SELECT count(*) FROM production_schemas"))


def refusals(workspace: Workspace) -> dict[str, tuple[str, str]]:
    return {entry.source: (entry.kind, entry.message) for entry in workspace.store.sources.refusals()}


def test_a_workspace_that_says_nothing_of_production_has_no_schema(workspace: Workspace) -> None:
    trained(workspace, "one", 1, pd.DataFrame({"n": [1.0]}))
    assert production_schema(workspace) is None
    assert schemas(workspace) == 0


def test_a_stated_schema_is_in_force_and_follows_its_file(workspace: Workspace, file: Path) -> None:
    file.write_text("inputs: {n: number}\n")
    assert inputs(workspace) == {"n": "number"}
    for _ in range(3):
        production_schema(workspace)
    assert schemas(workspace) == 1
    file.write_text("inputs: {n: number, c: text}\nkey: id\n")
    assert inputs(workspace) == {"n": "number", "c": "text"}
    assert (schemas(workspace), in_force(workspace).key) == (2, "id")
    assert workspace.store.batches.schema_origin() == "production.yaml"


def test_a_faulty_file_is_refused_and_the_last_valid_schema_stays(workspace: Workspace, file: Path) -> None:
    file.write_text("inputs: {n: nonsense}\n")
    assert production_schema(workspace) is None
    file.write_text("inputs: {n: number}\n")
    assert inputs(workspace) == {"n": "number"}
    assert refusals(workspace) == {}
    file.write_text("inputs: {n: number, m: nonsense}\nevery: often\n")
    assert inputs(workspace) == {"n": "number"}
    kind, message = refusals(workspace)["production.yaml"]
    assert kind == "production"
    assert "inputs.m" in message
    assert "every" in message
    file.unlink()
    assert inputs(workspace) == {"n": "number"}
    assert refusals(workspace) == {}


def test_a_faulty_file_without_an_older_schema_refuses_batches_with_its_faults(
    workspace: Workspace, file: Path
) -> None:
    file.write_text("inputs: {n: nonsense}\n")
    batch = workspace.settings.workspace / "a.csv"
    batch.write_text("n\n1\n")
    with pytest.raises(InvalidInput, match="nonsense"):
        import_batch(workspace, batch)
    assert (workspace.store.batches.all(), schemas(workspace)) == ([], 0)


def test_inputs_that_are_left_out_are_inferred_from_the_reference_and_frozen(workspace: Workspace, file: Path) -> None:
    frame = pd.DataFrame({"id": ["1"], "n": [1.0], "late": ["no"], "prediction": ["no"]})
    path = trained(workspace, "one", 1, frame)
    file.write_text("key: id\nlabel: late\n")
    found = in_force(workspace)
    assert (found.inputs.as_dict(), found.inferred) == ({"n": "number?"}, True)
    assert workspace.store.batches.schema_origin() == "inferred from the reference reference/one.parquet"
    frame.assign(more=1.0).to_parquet(path)
    file.write_text("key: id\nlabel: late\nevery: 1 day\n")
    found = in_force(workspace)
    assert found.inputs.as_dict() == {"n": "number?"}
    assert found.every is not None
    again = infer_again(workspace, actor="Ada")
    assert again == in_force(workspace)
    assert inputs(workspace) == {"n": "number?", "more": "number?"}
    newest = "SELECT actor FROM audit WHERE verb = 'freeze schema' ORDER BY number DESC LIMIT 1"
    assert scalar(workspace.store, newest) == "Ada"


def test_batches_alone_are_enough_to_infer_from_the_reference(workspace: Workspace) -> None:
    trained(workspace, "one", 1, pd.DataFrame({"n": [1.0], "label": ["a"]}))
    (workspace.settings.workspace / "batches").mkdir()
    assert inputs(workspace) == {"n": "number?"}


def test_the_reference_is_that_of_production_else_of_the_newest(workspace: Workspace) -> None:
    assert reference_file(workspace) is None
    first = trained(workspace, "one", 1)
    second = trained(workspace, "two", 2)
    workspace.store.candidates.register(registered("three", "2026-03-01T00:00:00+00:00"))
    assert reference_file(workspace) == second
    workspace.store.candidates.adopt_production("one", actor="test", reason="test")
    assert reference_file(workspace) == first


def test_a_reference_that_is_away_is_refused_until_it_is_back(workspace: Workspace, file: Path) -> None:
    path = trained(workspace, "one", 1)
    file.write_text("label: late\n")
    assert production_schema(workspace) is None
    ((kind, message),) = refusals(workspace).values()
    assert kind == "production"
    assert "cannot be inferred from the reference" in message
    batch = workspace.settings.workspace / "a.csv"
    batch.write_text("x\n1\n")
    with pytest.raises(InvalidInput, match="there is no such file"):  # and nothing is inferred from the batch instead
        import_batch(workspace, batch)
    pd.DataFrame({"n": [1.0]}).to_parquet(path)
    assert inputs(workspace) == {"n": "number?"}
    assert refusals(workspace) == {}


def test_inputs_that_are_no_longer_stated_stay_as_they_were(workspace: Workspace, file: Path) -> None:
    file.write_text("inputs: {n: number, id: text}\n")
    assert inputs(workspace) == {"n": "number", "id": "text"}
    file.write_text("key: id\n")
    assert inputs(workspace) == {"n": "number"}
    assert in_force(workspace).key == "id"


def test_nothing_is_inferred_again_where_inputs_are_stated_or_no_reference_is_known(
    workspace: Workspace, file: Path
) -> None:
    with pytest.raises(NotFound, match="trained_on"):
        infer_again(workspace, actor="Ada")
    trained(workspace, "one", 1, pd.DataFrame({"n": [1.0]}))
    file.write_text("inputs: {n: number}\n")
    with pytest.raises(InvalidInput, match="nothing to infer"):
        infer_again(workspace, actor="Ada")
    assert schemas(workspace) == 0
