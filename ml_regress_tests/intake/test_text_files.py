"""Encodings: a byte order mark or UTF-8 decide, or what is stated; never a replacement character."""

from pathlib import Path

import pytest

from ml_regress_tests.intake.ways import patterns_of, refusal_of

SHEET = "pattern_id\tx\texpected\n1\tcafé ☕\tyes\n"
LINES = '{"pattern_id": "1", "x": "café ☕", "expected": "yes"}\n'
WESTERN = b"pattern_id,x,expected\n1,caf\xe9,a\n"


@pytest.mark.parametrize(("name", "content"), [("t.csv", SHEET), ("t.jsonl", LINES)])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-8"])
def test_a_byte_order_mark_decides(tmp_path: Path, encoding: str, name: str, content: str) -> None:
    found, notes = patterns_of(tmp_path, ("\ufeff" + content).encode(encoding), name)
    assert found == {"1": "café ☕"}
    assert (f"is read as {encoding.upper()}, as its byte order mark says" in notes) == (encoding != "utf-8")


def test_bytes_that_are_not_utf_8_are_refused_with_two_readings(tmp_path: Path) -> None:
    said = refusal_of(tmp_path, WESTERN)
    assert "t.csv, row 1: byte 0xe9 in line 2 is not UTF-8" in said
    assert "'café' in latin-1 and 'cafÚ' in cp850" in said
    assert "table: {encoding: latin-1}" in said
    assert "'prix€' in cp1252" in refusal_of(tmp_path, b"pattern_id,x,expected\n1,prix\x80,a\n")
    assert "(it is in the header)" in refusal_of(tmp_path, b"id,caf\xe9\n1,a\n")
    lines = b'{"x": "a"}\n\n{"x": "caf\xe9"}\n'
    assert "row 2: byte 0xe9 in line 3" in refusal_of(tmp_path, lines, "t.jsonl")


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_row_of_a_wrong_byte_counts_records_under_every_delimiter(tmp_path: Path, mark: str) -> None:
    table = 'pattern_id,x,expected\r\n1,"a\r\n""b"",\r\n",a\r\n\r\n2,5" wide,a\r\n3,'.replace(",", mark)
    assert "row 3: byte 0xe9 in line 7" in refusal_of(tmp_path, table.encode() + b"\xe9" + f"{mark}a\r\n".encode())


@pytest.mark.parametrize(("encoding", "word"), [("latin-1", "café"), ("cp850", "cafÚ"), ("cp1252", "café")])
def test_a_stated_encoding_is_used(tmp_path: Path, encoding: str, word: str) -> None:
    assert patterns_of(tmp_path, WESTERN, encoding=encoding)[0] == {"1": word}
    lines = '{"pattern_id": "1", "x": "café", "expected": "a"}\n'.encode("latin-1")
    assert patterns_of(tmp_path, lines, "t.jsonl", encoding=encoding)[0] == {"1": word}


def test_wide_text_without_a_mark_is_read_where_its_order_is_stated(tmp_path: Path) -> None:
    plain = SHEET.replace(" ☕", "")
    for order in ("utf-16-le", "utf-16-be"):
        said = refusal_of(tmp_path, plain.encode(order))
        assert f"looks like UTF-16 without its byte order mark; say `table: {{encoding: {order}}}`" in said
        assert patterns_of(tmp_path, plain.encode(order), encoding=order)[0] == {"1": "café"}
    assert "state utf-16-le or utf-16-be" in refusal_of(tmp_path, plain.encode("utf-16-le"), encoding="utf-16")


def test_a_stated_encoding_that_the_bytes_contradict_is_refused(tmp_path: Path) -> None:
    assert "which `table:` states" in refusal_of(tmp_path, WESTERN, encoding="utf-8")
    assert "which `table:` states" in refusal_of(tmp_path, b"pattern_id,x,expected\n1,\x81,a\n", encoding="cp1252")
    marked = ("\ufeff" + SHEET).encode("utf-16-le")
    assert "whose byte order mark says utf-16-le" in refusal_of(tmp_path, marked, encoding="latin-1")
    assert "which its byte order mark says" in refusal_of(tmp_path, b"\xff\xfea\x00\x00\xd8a\x00")


def test_a_stated_encoding_that_the_bytes_outgrew_is_used_and_said(tmp_path: Path) -> None:
    found, notes = patterns_of(tmp_path, "pattern_id,x,expected\n1,café,a\n", encoding="latin-1")
    assert found == {"1": "cafÃ©"}
    assert "though it is sound UTF-8 too: '1,cafÃ©,a' would be '1,café,a'" in notes
