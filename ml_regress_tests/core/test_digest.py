import pytest

from ml_regress.core.digest import canonical_json, digest_of, digest_of_bytes, digest_of_text


def test_the_order_of_keys_does_not_matter() -> None:
    assert digest_of({"a": 1, "b": [1, 2]}) == digest_of({"b": (1, 2), "a": 1})


def test_the_order_of_items_and_the_type_matter() -> None:
    assert len({digest_of(value) for value in ([1, 2], [2, 1], ["1", "2"], [1, None], [True, 2])}) == 5


def test_equal_numbers_have_one_text() -> None:
    assert canonical_json([-0.0, 0.0, 0.1]) == "[0.0,0.0,0.1]"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": [float("-inf")]}])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        digest_of(value)


def test_a_digest_is_sha256_of_utf8() -> None:
    assert digest_of("é") == digest_of_text('"é"') == digest_of_bytes('"é"'.encode())
    assert digest_of_text("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
