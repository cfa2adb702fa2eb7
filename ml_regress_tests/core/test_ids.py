import pytest

from ml_regress.core.ids import folded, is_slug


@pytest.mark.parametrize("text", ["a", "007", "1-or-8", "A.b_c-d", "x" * 120])
def test_a_slug_is_an_id(text: str) -> None:
    assert is_slug(text)


@pytest.mark.parametrize(
    "text", ["", " ", "-a", ".a", "_a", "a b", "a/b", "a|b", "a..b", "a\n", "é", "a[b]", "x" * 121, "a:b", "a,b", "a*"]
)
def test_what_could_leave_its_place_is_no_id(text: str) -> None:
    assert not is_slug(text)


def test_ids_that_differ_in_case_are_one_file_on_some_systems() -> None:
    assert folded("Model-A") == folded("model-a")
    assert folded("007") != folded("7")
