import pytest

from ml_regress.core.ids import folded, is_slug, slug_of


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


@pytest.mark.parametrize(
    ("name", "slug"),
    [("T/1", "T-1"), ("a b ", "a-b"), ("../etc", "etc"), ("a..b", "a.b"), ("_x", "x"), ("é", ""), ("007", "007")],
)  # fmt: skip
def test_any_name_has_a_nearest_id_or_none(name: str, slug: str) -> None:
    assert slug_of(name) == slug


@pytest.mark.parametrize("name", ["x" * 500, "a/" * 100, "…a…", "a. .b", "-._a", "a.-.b..c", "\n a|b\t"])
def test_what_a_name_becomes_is_an_id(name: str) -> None:
    assert is_slug(slug_of(name))
