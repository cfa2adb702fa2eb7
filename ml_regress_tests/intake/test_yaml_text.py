"""YAML in which every scalar stays text."""

from pathlib import Path

import pytest

from ml_regress.errors import InvalidInput
from ml_regress.intake import yaml_text


def refusal(text: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        yaml_text.loads(text, "p.yaml")
    return str(caught.value)


def test_every_scalar_stays_text() -> None:
    found = yaml_text.loads("a: no\nb: 007\nc: [1, 1.50, null, ~]\nd: {e: 2026-06-14}\nf:\n", "p.yaml")
    assert found == {"a": "no", "b": "007", "c": ["1", "1.50", "null", "~"], "d": {"e": "2026-06-14"}, "f": ""}


def test_a_key_that_is_written_twice_is_refused_with_its_line() -> None:
    assert refusal("id: a\nmore:\n  x: 1\n  x: 2\n") == "p.yaml, column 'x': line 4: is written twice; keep one"


def test_broken_yaml_is_refused_with_its_line() -> None:
    assert "p.yaml: line 3: is no YAML" in refusal("id: a\nlabels: [1, 2\ntitle: x\n")
    assert "line 2: is no YAML" in refusal("id: a\ntitle: \x07\n")


def test_a_question_mark_inside_braces_is_explained() -> None:
    assert "line 1: is no YAML" in refusal("inputs: {amount: number?}\n")
    assert "a type with ? or ( ) needs quotes" in refusal("inputs: {amount: number?}\n")


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words\n"])
def test_a_file_that_is_no_mapping_is_refused(text: str) -> None:
    assert "line 1: must be a mapping" in refusal(text)


def test_a_second_document_in_one_file_is_refused() -> None:
    assert "is no YAML" in refusal("id: a\n---\nid: b\n")


def test_an_empty_file_is_an_empty_mapping() -> None:
    assert yaml_text.loads("# nothing yet\n", "p.yaml") == {}


def test_aliases_that_could_grow_without_limit_are_refused() -> None:
    assert "line 1: is used again by an alias" in refusal("a: &a [x, x]\nb: [*a, *a]\n")
    assert "alias" in refusal("a: &a\n  b: *a\n")


def test_a_key_that_is_no_text_is_refused() -> None:
    assert "line 1: a key must be a text" in refusal("[1, 2]: x\n")


def test_nesting_without_end_is_refused() -> None:
    assert "nested too deep" in refusal("a: " + "[" * 5000)


def test_half_a_surrogate_pair_is_refused_with_its_line() -> None:
    assert "line 2: holds a NUL or half a surrogate pair" in refusal('a: b\nc: "\\ud800"\n')


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_bytes(b"\xef\xbb\xbfid: a\n")
    assert yaml_text.load(tmp_path / "p.yaml") == {"id": "a"}


def test_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_bytes("id: a\ntitle: café\n".encode("latin-1"))
    with pytest.raises(InvalidInput, match="byte 0xe9 in line 2 is not UTF-8"):
        yaml_text.load(file)
    file.write_bytes("id: é\n".encode("utf-16"))
    assert yaml_text.load(file) == {"id": "é"}


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none.yaml: there is no such file"):
        yaml_text.load(tmp_path / "none.yaml")
    with pytest.raises(InvalidInput, match="cannot be read"):
        yaml_text.load(tmp_path)
