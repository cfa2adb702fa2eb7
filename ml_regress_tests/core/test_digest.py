import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_regress.core.digest import canonical_json, digest_of, digest_of_bytes, digest_of_text

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


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


contents = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


def _turned(value: object) -> object:
    """The same content, with the keys of every mapping in another order and lists as tuples."""
    if isinstance(value, dict):
        return {key: _turned(item) for key, item in reversed(value.items())}
    return tuple(_turned(item) for item in value) if isinstance(value, list) else value


@given(contents)
def test_no_order_of_keys_and_no_kind_of_sequence_changes_a_digest(value: object) -> None:
    assert digest_of(_turned(value)) == digest_of(value)


@given(contents, contents)
def test_contents_share_a_digest_where_they_are_one_content_and_nowhere_else(one: object, other: object) -> None:
    same = json.loads(canonical_json(one)) == json.loads(canonical_json(other)) and _kinds(one) == _kinds(other)
    assert (digest_of(one) == digest_of(other)) == same


def _kinds(value: object) -> object:
    """The type of every leaf: 1, 1.0 and True are equal in Python, and three contents."""
    if isinstance(value, dict):
        return {key: _kinds(item) for key, item in value.items()}
    return [_kinds(item) for item in value] if isinstance(value, list) else type(value)


@given(contents)
def test_a_content_that_went_through_a_store_keeps_its_digest(value: object) -> None:
    assert digest_of(json.loads(json.dumps(value))) == digest_of(json.loads(canonical_json(value))) == digest_of(value)


@pytest.mark.parametrize(
    ("value", "digest"),
    [
        (
            {"inputs": {"x": 0.1, "y": 1e22, "z": -0.0}},
            "8f8014cc0ad18969e5ab020e3f807c2dc0ac31a409de5ec40919cf3085db55ca",
        ),
        (
            {"é": "naïve ☕", "n": None, "b": [True, 1, 1.0, "1"]},
            "1f02ada5d5c45170f5e528b825344ff556ebf1dcf3682f051ec1aa626a42e4b4",
        ),
        (
            [5e-324, 1.7976931348623157e308, 123456789012345680.0, 2**63],
            "e81df075c4d1c8e3ee419283b30eed5192ec7919d1c860ba73546d96204ef1f4",
        ),
    ],
)
def test_a_digest_is_the_same_on_every_platform(value: object, digest: str) -> None:
    """Written down once: a store that moves to another machine must find its suites again."""
    assert digest_of(value) == digest


@pytest.mark.slow
def test_no_seed_of_hashes_and_no_locale_changes_a_digest() -> None:
    script = (
        "from ml_regress.core.digest import digest_of\n"
        "print(digest_of({'\\xe9': [0.1, '\\xdf'], **{str(n): n / 3 for n in range(50)}}))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "PYTHONUTF8": utf8},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, locale, utf8 in (("0", "C", "0"), ("1", "C.UTF-8", "1"), ("2", "POSIX", "1"))
    }
    assert len(said) == 1
