"""production.yaml, and the input types that it leaves to be inferred."""

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_regress.core.inputs import parse_input_types
from ml_regress.core.production import LARGEST, DriftRules, ProductionSchema, Window
from ml_regress.errors import InvalidInput
from ml_regress.intake import yaml_text
from ml_regress.intake.production import KEYS, duration, production_of, read_production, size, size_words
from ml_regress.intake.production_inferred import infer_inputs, with_inputs

WHOLE = """\
inputs:
  carrier: text
  airport: category(EWR, JFK, LGA)
  temp: number?
key: flight_id
time: time_hour
prediction: said
label: late
answer: text
labels: [ontime, late]
positive_label: late
metric: f1
reference: {from: 2013-01-01, to: 2013-04-01T00:00:00+02:00}
every: 1 day
largest: 500 MB
drift:
  alpha: 0.01
  number: 0.2
  category: 0.3
  missing: 0.4
  metric: 0.1
  fewest: 30
  ignore: [carrier]
  columns: {temp: 0.15}
"""
NOTHING = ProductionSchema(parse_input_types({}), inferred=True)


def test_every_key_of_the_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "production.yaml").write_text(WHOLE)
    assert read_production(tmp_path / "production.yaml") == ProductionSchema(
        inputs=parse_input_types({"carrier": "text", "airport": "category(EWR, JFK, LGA)", "temp": "number?"}),
        key="flight_id",
        time="time_hour",
        prediction="said",
        label="late",
        answer_type="text",
        labels=("ontime", "late"),
        positive_label="late",
        metric="f1",
        reference=Window("2013-01-01", "2013-03-31T22:00:00.000Z"),
        every=timedelta(days=1),
        largest=500_000_000,
        rules=DriftRules(0.01, 0.2, 0.3, 0.4, 0.1, 30, {"temp": 0.15}, ("carrier",)),
    )


def test_the_file_that_the_documentation_shows_is_valid() -> None:
    page = (Path(__file__).parents[2] / "docs" / "production.md").read_text(encoding="utf-8")
    shown = page.split("<!-- production -->\n```yaml\n")[1].split("```")[0]
    found = production_of(yaml_text.loads(shown, "docs/production.md"), "docs/production.md")
    assert set(KEYS) == set(yaml_text.loads(shown, "docs/production.md"))
    assert (found.rules, found.largest) == (DriftRules(columns={"temp": 0.3}, ignored=("carrier",)), 2_000_000_000)


def test_an_empty_file_has_defaults_and_inputs_to_infer() -> None:
    found = production_of({}, "production.yaml")
    assert found == NOTHING
    assert (found.key, found.time, found.prediction, found.label) == (None, None, "prediction", "label")
    assert (found.metric, found.rules, found.reference, found.every) == ("accuracy", DriftRules(), None, None)
    assert found.largest == LARGEST
    assert production_of({"answer": "number"}, "production.yaml").metric == "mae"


def test_a_schema_goes_through_the_store_and_back() -> None:
    given = production_of(yaml_text.loads(WHOLE, "production.yaml"), "production.yaml")
    assert ProductionSchema.from_dict(given.as_dict()) == given


def test_every_fault_is_found_at_once() -> None:
    given = {
        "inputs": {"@a": "number", "score:x": "number", "b": "nonsense", "label": "text"},
        "inptus": "x",
        "key": "prediction",
        "answer": "colour",
        "metric": "goodness",
        "reference": {"from": "yesterday", "till": "2013"},
        "every": "often",
        "largest": "huge",
        "drift": {"alpha": 2, "number": -1, "fewest": 0, "missing": "x", "ignore": "a", "columns": [1], "psi": 1},
    }
    with pytest.raises(InvalidInput) as refused:
        production_of(given, "production.yaml")
    assert {fault.column for fault in refused.value.faults} == {
        *("inputs.b", "inptus", "answer", "metric", "every", "largest", "prediction"),
        *("reference.from", "reference.till"),
        *(f"drift.{key}" for key in ("alpha", "number", "fewest", "missing", "ignore", "columns", "psi")),
    }
    with pytest.raises(InvalidInput) as refused:
        production_of({"inputs": {"@a": "number", "score:x": "number", "label": "text"}}, "production.yaml")
    assert {fault.column for fault in refused.value.faults} == {"inputs.@a", "inputs.score:x", "inputs.label"}


@pytest.mark.parametrize(
    ("given", "column", "words"),
    [
        ({"inputs": {"a": "number"}, "drift": {"columns": {"b": 0.1}}}, "drift.columns.b", "is none of the inputs"),
        ({"inputs": {"a": "number"}, "drift": {"ignore": ["b"]}}, "drift.ignore", "is none of the inputs"),
        ({"reference": {"from": "2013-04-01", "to": "2013-04-01"}}, "reference.to", "must be after from"),
        ({"reference": "2013"}, "reference", "must be a mapping"),
        ({"drift": "strict"}, "drift", "must be a mapping"),
        ({"key": "@id"}, "key", "must not begin with"),
        ({"label": "prediction"}, "label", "must be another column than prediction"),
        ({"metric": "f1"}, "metric", "needs `positive_label`"),
        ({"metric": "mae"}, "metric", "compares numbers"),
        ({"answer": "integer", "labels": ["a"]}, "labels", "answers are integer"),
    ],
)
def test_what_does_not_fit_together_is_refused(given: dict[str, object], column: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as refused:
        production_of(given, "production.yaml")
    assert [fault.column for fault in refused.value.faults] == [column]


def test_a_size_of_a_score_or_an_answer_may_be_set() -> None:
    rules = {"columns": {"@prediction": 0.3, "score:late": 0.2}, "ignore": ["@label"]}
    found = production_of({"inputs": {"a": "number"}, "drift": rules}, "production.yaml")
    assert found.rules.columns == {"@prediction": 0.3, "score:late": 0.2}
    assert found.rules.ignored == ("@label",)


def test_spans_and_sizes_are_read_as_a_person_writes_them() -> None:
    assert duration("6 hours") == timedelta(hours=6)
    assert duration("week") == timedelta(weeks=1)
    assert duration("1.5 days") == timedelta(hours=36)
    assert [size(text) for text in ("2 GB", "500mb", "1 GiB", "1.5 kB")] == [2 * 10**9, 5 * 10**8, 2**30, 1500]
    assert size("1.001 kB") == 1001
    for text in ("9" * 400 + " GB", "10000000 TB"):
        with pytest.raises(ValueError, match="must be a size"):
            size(text)
    assert [size_words(count) for count in (2 * 10**9, 500_000_000, 1500, 12)] == [
        "2 GB",
        "500 MB",
        "1.5 kB",
        "12 bytes",
    ]
    for wrong in ("", "5", "0 days", "1 month", "1 second", "-1 day", "9e99 weeks", "99999999999999 weeks"):
        with pytest.raises(ValueError, match="must be"):
            duration(wrong)
    for wrong in ("", "5", "0 GB", "-1 GB", "1 pint"):
        with pytest.raises(ValueError, match="must be"):
            size(wrong)


# -- inferred --------------------------------------------------------------------------------------


def inferred(schema: ProductionSchema, path: Path) -> dict[str, str]:
    return infer_inputs(schema, path).inputs.as_dict()


def test_types_are_inferred_by_strict_rules_from_texts(tmp_path: Path) -> None:
    cells = {
        "number": ["1", "2.5", ""],
        "whole": ["1", "2", "3"],
        "small": ["1e-05", "-2E+10", "0.5"],
        "code": ["007", "12", "13"],
        "long": ["12345678901234567", "1", "2"],
        "plus": ["+49", "+50", "1"],
        "article": ["1E5", "2E6", "3"],
        "flag": ["true", "False", ""],
        "bits": ["0", "1", "1"],
        "day": ["2013-01-01", "", "2013-12-31"],
        "mostly": ["1", "2", "x"],
        "word": ["a", "b", "a"],
        "blank": ["", "", ""],
        "comma": ["1,5", "2,5", "1"],
    }
    pd.DataFrame(cells).to_csv(tmp_path / "x.csv", index=False)
    text = ("code", "long", "plus", "article", "mostly", "word", "blank", "comma")
    kinds = {
        "number": "number",
        "whole": "number",
        "small": "number",
        "flag": "boolean",
        "bits": "number",
        "day": "date",
    }
    expected = {name: f"{'text' if name in text else kinds[name]}?" for name in cells}
    assert inferred(NOTHING, tmp_path / "x.csv") == expected


def test_the_types_of_parquet_are_those_of_its_columns(tmp_path: Path) -> None:
    table = pa.table(
        {
            "int": pa.array([1, None], pa.int16()),
            "float": pa.array([1.0, 2.0], pa.float32()),
            "flag": [True, None],
            "text": ["1", "a"],
            "levels": pa.array(["a", "b"]).dictionary_encode(),
            "day": pa.array([date(2013, 1, 1), None], pa.date32()),
            "midnight": pd.to_datetime(["2013-01-01", "2013-01-02"]),
            "moment": pd.to_datetime(["2013-01-01 05:00", "2013-01-02 00:00"]),
            "empty": pa.nulls(2),
        }
    )
    pq.write_table(table, tmp_path / "x.parquet")
    assert inferred(NOTHING, tmp_path / "x.parquet") == {
        "int": "number?",
        "float": "number?",
        "flag": "boolean?",
        "text": "text?",
        "levels": "text?",
        "day": "date?",
        "midnight": "date?",
        "moment": "text?",
        "empty": "text?",
    }


def test_key_time_answers_and_scores_are_no_inputs(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,at,said,late,score:a,@odd,prediction,n\n1,2013-01-01,a,b,0.5,1,c,2\n")
    schema = ProductionSchema(
        parse_input_types({}), key="id", time="at", prediction="said", label="late", inferred=True
    )
    assert inferred(schema, tmp_path / "x.csv") == {"prediction": "text?", "n": "number?"}
    frozen = parse_input_types({"id": "text?", "n": "number?", "late": "text?"})
    assert with_inputs(schema, frozen).inputs.as_dict() == {"n": "number?"}


def test_the_numbers_of_rows_that_pandas_keeps_are_no_input(tmp_path: Path) -> None:
    pd.DataFrame({"n": [1.0, 2.0]}, index=[7, 3]).to_parquet(tmp_path / "x.parquet")
    assert "__index_level_0__" in pq.read_schema(tmp_path / "x.parquet").names
    assert inferred(NOTHING, tmp_path / "x.parquet") == {"n": "number?"}


def test_what_has_no_input_or_no_row_cannot_be_inferred_from(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("label\na\n")
    with pytest.raises(InvalidInput, match="has no column that could be an input"):
        infer_inputs(NOTHING, tmp_path / "x.csv")
    (tmp_path / "x.csv").write_text("n\n")
    with pytest.raises(InvalidInput, match="holds no rows"):
        infer_inputs(NOTHING, tmp_path / "x.csv")


def test_a_large_file_is_looked_at_in_its_head_only(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("n,t\n" + "1,a\n" * 150_000 + "2.5,b\n")
    assert inferred(NOTHING, tmp_path / "x.csv") == {"n": "number?", "t": "text?"}
