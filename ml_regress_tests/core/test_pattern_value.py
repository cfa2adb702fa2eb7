"""The value of a pattern is said by what it separates."""

import pytest

from ml_regress.core.pattern_value import PatternValue


@pytest.mark.parametrize(
    ("passed", "failed", "pairs", "words"),
    [
        (0, 0, 0, "no candidate answered"),
        (1, 0, 0, "one candidate only"),
        (0, 1, 0, "one candidate only"),
        (3, 0, 0, "everybody passes"),
        (0, 2, 0, "everybody fails"),
        (1, 1, 1, "separates 1 pair of candidates"),
        (4, 3, 12, "separates 12 pairs of candidates"),
    ],
)
def test_the_words_follow_from_the_counts(passed: int, failed: int, pairs: int, words: str) -> None:
    value = PatternValue(passed, failed)
    assert (value.pairs, value.words, value.idle) == (pairs, words, pairs == 0)
