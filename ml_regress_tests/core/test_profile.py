import numpy as np
import pytest

from ml_regress.core.profile import mean_of, profile_levels, profile_numbers, sorted_finite, spread_of


def test_nan_and_infinity_count_as_missing() -> None:
    values, missing = sorted_finite(np.array([3.0, np.nan, -np.inf, 1.0, np.inf, np.nan]))
    assert values.tolist() == [1.0, 3.0]
    assert missing == 4
    assert sorted_finite(np.array([np.inf, np.nan]))[1] == 2
    assert sorted_finite(np.array([-np.inf]))[1] == 1
    assert sorted_finite(np.array([], dtype=np.float64))[1] == 0


def test_a_profile_leaves_the_values_it_was_made_of_as_they_are() -> None:
    values = np.array([3.0, 1.0, 2.0])
    profile_numbers("x", values)
    assert values.tolist() == [3.0, 1.0, 2.0]


def test_bins_are_the_deciles_with_open_ends() -> None:
    profile = profile_numbers("x", np.arange(1000))
    assert profile.edges.tolist() == [99, 199, 299, 399, 499, 599, 699, 799, 899]
    assert profile.shares == pytest.approx([0.1] * 10)


def test_bins_of_tied_values_are_merged_and_what_is_smaller_than_the_ties_has_its_own() -> None:
    profile = profile_numbers("x", np.array([0.0] * 90 + list(range(1, 11))))
    assert (np.diff(profile.edges) > 0).all()
    assert profile.edges[0] < 0
    assert profile.shares.tolist() == [0.0, 0.9, 0.1]


def test_moments_are_those_of_numpy() -> None:
    values = np.random.default_rng(0).normal(3, 2, 5000)
    profile = profile_numbers("x", values)
    assert (profile.mean, profile.spread) == (pytest.approx(values.mean()), pytest.approx(values.std(ddof=0)))


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e307])
def test_moments_of_huge_and_tiny_values_are_numbers(scale: float) -> None:
    values = np.sort(np.arange(-5.0, 11.0) * scale)
    assert mean_of(values) == pytest.approx(2.5 * scale, rel=1e-12)
    assert spread_of(values) == pytest.approx(np.arange(16).std() * scale, rel=1e-12)


def test_equal_values_have_no_spread_at_all() -> None:
    assert (mean_of(np.full(7, 0.1)), spread_of(np.full(7, 0.1))) == (0.1, 0.0)
    assert profile_numbers("x", np.full(7, 0.1)).constant
    assert not profile_numbers("x", np.array([1e-9, 2e-9])).constant
    # 0.1 + 0.2 is another float than 0.3, and still one value.
    assert profile_numbers("x", np.array([0.1 + 0.2, 0.3] * 10)).constant


def test_what_is_drawn_has_finite_edges_and_holds_every_value() -> None:
    profile = profile_numbers("x", np.random.default_rng(0).standard_cauchy(10_000))
    assert len(profile.drawn) == len(profile.drawn_shares) + 1 <= 21
    assert profile.drawn_shares.sum() == pytest.approx(1)
    assert profile.drawn[-1] - profile.drawn[0] < 100


def test_whole_numbers_are_drawn_a_bin_each() -> None:
    profile = profile_numbers("x", np.array([0, 1, 1, 2, 5] * 10))
    assert profile.drawn.tolist() == [-1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5]
    assert profile.drawn_shares.tolist() == [0, 0.2, 0.4, 0.2, 0, 0, 0.2, 0]


def test_an_empty_column_has_a_profile_too() -> None:
    profile = profile_numbers("x", np.full(4, np.nan))
    assert (profile.count, profile.missing, profile.mean) == (0, 4, 0.0)
    assert profile_levels("x", {}, 3).count == 0


def test_levels_come_largest_first() -> None:
    profile = profile_levels("x", {"b": 2, "a": 2, "c": 9, "none": 0}, 1)
    assert profile.levels == ("c", "a", "b")
    assert (profile.count, profile.distinct, profile.missing) == (13, 3, 1)


def test_a_profile_does_not_keep_a_million_names_of_rows() -> None:
    profile = profile_levels("id", {f"id{number}": 1 for number in range(50_000)}, 0)
    assert profile.identifier
    assert profile.distinct == 50_000
    assert len(profile.levels) == 1000
