"""Patterns on their way out and in again: through a table, an export, and every form of file."""

import csv
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_regress.core.expectation import Expectation
from ml_regress.core.ids import is_slug
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.pattern import Pattern
from ml_regress.core.problem import Problem
from ml_regress.intake.problems import ProblemFile, export_csv, parse_patterns, read_problem, table_of_patterns
from ml_regress_tests.intake.ways import FILES, write_table

LABELLED = "id: p\ntitle: T\ninputs: {input: text}\nlabels: [a, b, c]\n"


def read_back(folder: Path, problem: Problem, patterns: tuple[Pattern, ...], form: str) -> ProblemFile:
    """The patterns, written in one form beside a problem file (or into it) and read again."""
    file = folder / ("exported.csv" if form == "export" else f"t.{form}")
    table = table_of_patterns(patterns, problem)
    given: object = file.name
    if form == "inline":
        given = [{name: cell for name, cell in row.items() if cell is not None} for row in table.to_dict("records")]
    elif form == "export":
        export_csv(patterns, problem, file)
    else:
        write_table(file, [(str(name), table[name].tolist()) for name in table.columns])
    declared = {"id": "p", "title": "T", "inputs": problem.inputs.as_dict(), "answer": problem.answer_type}
    (folder / "p.yaml").write_text(yaml.safe_dump({**declared, "patterns": given}, allow_unicode=False))
    return read_problem(folder / "p.yaml")


def text_patterns(*ids: str, notes: tuple[str, ...]) -> tuple[Pattern, ...]:
    pairs = zip(ids, notes, strict=True)
    return tuple(Pattern("p", name, {"input": "x"}, Expectation("equals", "a"), note=note) for name, note in pairs)


def test_text_with_line_breaks_quotes_and_separators_survives_export_and_import(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(LABELLED)
    table = (
        'pattern_id,input,expected\r\n1,"first line\nsecond line",a\r\n'
        '2,"she said ""fine""\r\nand left, smiling",b\r\n3,"=1+1\tdone",c\r\n'
    )
    (tmp_path / "p.csv").write_bytes(table.encode())
    file = read_problem(tmp_path / "p.yaml")
    texts = [pattern.inputs["input"] for pattern in file.patterns if pattern.inputs]
    assert texts == ["first line\nsecond line", 'she said "fine"\r\nand left, smiling', "=1+1\tdone"]
    export_csv(file.patterns, file.problem, tmp_path / "p.csv")
    with (tmp_path / "p.csv").open(newline="") as exported:
        assert not [cell for row in csv.reader(exported) for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert read_problem(tmp_path / "p.yaml").patterns == file.patterns


def test_an_apostrophe_that_nobody_exported_stays(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(LABELLED)
    (tmp_path / "p.csv").write_text("pattern_id,input,expected\n1,'=1+1,a\n")
    assert read_problem(tmp_path / "p.yaml").patterns[0].inputs == {"input": "'=1+1"}


def test_an_export_is_not_taken_for_a_table_with_a_summary(tmp_path: Path) -> None:
    problem = Problem("p", "T", parse_input_types({"input": "text"}))
    patterns = text_patterns("a", "b", "total", notes=("why", "because", ""))
    a, b, total = patterns
    assert read_back(tmp_path, problem, patterns, "export").patterns == (a, total, b)


def test_the_name_of_an_input_may_hold_every_delimiter(tmp_path: Path) -> None:
    problem = Problem("p", "T", parse_input_types({"a;b": "text", "c|d,e": "text"}))
    inputs = {"a;b": "x;y", "c|d,e": "x|y"}
    patterns = (Pattern("p", "1", inputs, Expectation("equals", "f;g;h,i")),)
    for form in ("export", *FILES, "inline"):
        assert read_back(tmp_path, problem, patterns, form).patterns == patterns


PROBLEMS = {
    kind: Problem(
        "p",
        "T",
        parse_input_types(
            {
                "text": "text",
                "note": "text?",
                "=sum": "text",
                "number": "number?",
                "whole": "integer",
                "yes": "boolean?",
                "day": "date",
                "level": "category(-x, @y)?",
            }
        ),
        answer_type=kind,
    )
    for kind in ("text", "integer", "number", "boolean")
}
storable = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["=1+1", "-1", "+x", "@a", "'=1", "''-x", "'", "\t=", "\r", "a\r\nb", '"', "NA", "None", "\ufeff", "[1]", "007"]
)
filled = storable.filter(bool)
finite = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(-(2**63) + 1, 2**63 - 1)
answers = {"text": filled, "integer": whole, "number": finite, "boolean": st.booleans()}
slugs = st.text("abXY019_-", min_size=1, max_size=6).filter(is_slug)


@st.composite
def expectations(draw: st.DrawFn, kind: str) -> Expectation:
    choices = [
        st.builds(Expectation, st.just("equals"), answers[kind], st.booleans()),
        st.builds(Expectation, st.just("one_of"), st.lists(answers[kind], min_size=1, max_size=3).map(tuple)),
        st.builds(Expectation, st.just("contains"), filled),
        st.builds(
            lambda value, tolerance: Expectation("close_to", value, output="score:a", tolerance=tolerance),
            finite,
            st.floats(0, 1e300),
        ),
        st.builds(Expectation, st.just("less_than"), finite, output=st.just("score:a")),
        st.builds(lambda pair: Expectation("between", tuple(sorted(pair)), output="=out"), st.tuples(finite, finite)),
    ]
    return draw(st.one_of(choices))


@st.composite
def some_patterns(draw: st.DrawFn) -> tuple[Problem, tuple[Pattern, ...]]:
    kind = draw(st.sampled_from(sorted(PROBLEMS)))
    names = draw(st.lists(slugs, min_size=1, max_size=4, unique_by=str.casefold))
    inputs = st.fixed_dictionaries(
        {
            "text": storable,
            "note": st.none() | filled,
            "=sum": storable,
            "number": st.none() | finite,
            "whole": whole,
            "yes": st.none() | st.booleans(),
            "day": st.dates().map(lambda day: day.isoformat()),
            "level": st.sampled_from([None, "-x", "@y"]),
        }
    )
    return PROBLEMS[kind], tuple(
        Pattern(
            "p",
            name,
            draw(st.none() | inputs),
            draw(expectations(kind)),
            draw(st.sampled_from(["positive", "negative"])),
            draw(st.sampled_from(["production", "outlier"])),
            draw(st.sampled_from(["proposed", "active", "retired"])),
            draw(st.booleans()),
            twin=draw(st.sampled_from([None, *names[:place], *names[place + 1 :]])),
            parent=draw(st.sampled_from([None, *names[:place]])),
            selected_on=tuple(draw(st.lists(slugs, max_size=2))),
            note=draw(storable),
        )
        for place, name in enumerate(names)
    )


some = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@some
@given(some_patterns())
def test_patterns_survive_their_table_exactly(given_patterns: tuple[Problem, tuple[Pattern, ...]]) -> None:
    problem, patterns = given_patterns
    assert parse_patterns(problem, table_of_patterns(patterns, problem), "t") == patterns


@pytest.mark.parametrize("form", ["export", *FILES, "inline"])
@some
@given(some_patterns())
def test_patterns_survive_every_form_exactly(
    form: str, tmp_path: Path, given_patterns: tuple[Problem, tuple[Pattern, ...]]
) -> None:
    problem, patterns = given_patterns
    assert read_back(tmp_path, problem, patterns, form).patterns == patterns
    if form == "export":
        with (tmp_path / "exported.csv").open(encoding="utf-8", newline="") as exported:
            cells = [cell for row in csv.reader(exported) for cell in row]
        for cell in cells:
            if cell.startswith(("=", "+", "-", "@", "\t", "\r")):
                float(cell)  # a plain number runs nothing
