"""`ml-regress batches`: what came in, and what a person decides about it."""

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from ml_regress.core.production import ProductionSchema
from ml_regress.intake import yaml_text
from ml_regress.intake.production import production_of
from ml_regress_tests.models import ConstantModel
from ml_regress_tests.scenario import write_candidate, write_workspace
from ml_regress_tests.test_cli import done, refused, said_as_json

SCHEMA = "inputs: {n: number, c: 'category(a, b)?'}\nkey: id\ndrift: {number: 0.2, ignore: [c]}\nlargest: 1 MB\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = write_workspace(tmp_path / "workspace")
    (made / "production.yaml").write_text(SCHEMA)
    return made


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_batch_comes_in_is_released_and_gets_its_labels(folder: Path, tmp_path: Path) -> None:
    assert "no batches yet" in done(folder, "batches", "list")
    path = write(tmp_path / "2013-04.csv", "id,n,c\n1,1,a\n2,x,b\n")
    assert "batch 2013-04 quarantined: 2 rows" in done(folder, "batches", "import", path)
    assert "quarantined" in done(folder, "batches", "list")
    shown = done(folder, "batches", "show", "2013-04")
    assert "  - column 'n': 1 of 2 rows must be a finite number, such as row 2: 'x'" in shown
    said = done(folder, "batches", "release", "2013-04", "--by", "Ada", "--why", "known gap")
    assert said == "2013-04 is released by Ada; it is checked next\n"
    labels = write(tmp_path / "2013-04.labels.csv", "id,label\n1,yes\n")
    assert said_as_json(folder, "batches", "import", labels) == {
        "said": "1 new labels joined to batch 2013-04",
        "notes": [],
    }
    found = said_as_json(folder, "batches", "show", "2013-04")
    assert (found["state"], found["released_why"], found["labelled"]) == ("released", "known gap", 1)
    listed = said_as_json(folder, "batches", "list", "--state", "released")
    assert ([batch["id"] for batch in listed["batches"]], listed["refusals"]) == (["2013-04"], [])
    assert said_as_json(folder, "batches", "list", "--state", "accepted")["batches"] == []


def test_what_cannot_be_done_is_refused_with_its_reason(folder: Path, tmp_path: Path) -> None:
    assert "holds no rows" in refused(folder, "batches", "import", write(tmp_path / "a.csv", "id,n,c\n"))
    done(folder, "batches", "import", write(tmp_path / "a.csv", "id,n,c\n1,1,a\n"))
    assert "only a quarantined batch" in refused(folder, "batches", "release", "a", "--by", "Ada", "--why", "why")
    assert "no batch 'b'; there are a" in refused(folder, "batches", "show", "b")
    assert "inputs" in refused(folder, "batches", "schema", "--infer-again")


def test_the_schema_is_printed_ready_for_its_file(folder: Path) -> None:
    printed = done(folder, "batches", "schema")
    assert printed.startswith("# production.yaml\n")
    again = production_of(yaml_text.loads(printed, "printed"), "printed")
    assert again == production_of(yaml_text.loads(SCHEMA, "given"), "given")
    as_json = said_as_json(folder, "batches", "schema")
    assert as_json["digest"] == again.digest
    assert as_json["origin"] == "production.yaml"


def test_a_long_span_is_printed_as_it_is_read(folder: Path) -> None:
    (folder / "production.yaml").write_text(SCHEMA + "every: 1000 weeks\n")
    printed = done(folder, "batches", "schema")
    assert production_of(yaml_text.loads(printed, "printed"), "printed").every == timedelta(weeks=1000)


def test_an_inferred_schema_is_printed_and_inferred_again_on_a_person_s_word(tmp_path: Path) -> None:
    folder = write_workspace(tmp_path / "workspace")
    assert "there is no production schema yet" in refused(folder, "batches", "schema")
    (folder / "reference").mkdir()
    (folder / "batches").mkdir()
    pd.DataFrame({"temp, outside": [1.0], "label": ["a"]}).to_parquet(folder / "reference" / "q1.parquet")
    write_candidate(folder, "first", ConstantModel("a"), trained_on="reference/q1.parquet")
    done(folder, "import", folder / "candidates" / "first")
    printed = done(folder, "batches", "schema")
    assert printed.startswith("# inferred from the reference reference/q1.parquet\n")
    stated: ProductionSchema = production_of(yaml_text.loads(printed, "printed"), "printed")
    assert stated.inputs.as_dict() == {"temp, outside": "number?"}
    pd.DataFrame({"other": [1.0], "label": ["a"]}).to_parquet(folder / "reference" / "q1.parquet")
    assert "temp, outside" in done(folder, "batches", "schema")
    assert "other" in done(folder, "batches", "schema", "--infer-again")
    assert "other" in done(folder, "batches", "schema")
