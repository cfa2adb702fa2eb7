"""Rows that are stranger than nearly all of a reference: found first where planted, rare where nothing is strange."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from ml_regress.core.features import Features
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.outliers import FEATURE, FEWEST_ROWS, LIMIT, MEASURES, NEIGHBOURS, Usual, outliers, why

TYPES = parse_input_types(
    {"temp": "number", "felt": "number", "wind": "number?", "hour": "integer", "carrier": "category(AA, B6, UA, ZZ)"}
)


def weather(count: int, seed: int = 0) -> pd.DataFrame:
    """`felt` follows `temp`; carrier ZZ never occurs."""
    random = np.random.default_rng(seed)
    temp = random.normal(50, 10, count)
    wind = np.where(random.random(count) < 0.05, np.nan, random.gamma(2, 5, count))
    return pd.DataFrame(
        {
            "temp": temp,
            "felt": temp + random.normal(0, 1, count),
            "wind": wind,
            "hour": random.integers(0, 24, count),
            "carrier": random.choice(np.array(["AA", "B6", "UA"], dtype=object), count, p=[0.6, 0.3, 0.1]),
        }
    )


def known(reference: pd.DataFrame) -> tuple[Features, Usual]:
    features = Features.fit(TYPES, reference)
    return features, Usual.fit(features.points(reference))


@pytest.fixture(scope="module")
def fitted() -> tuple[Features, Usual]:
    return known(weather(4000))


def planted(**changes: Any) -> tuple[pd.DataFrame, int]:
    """A clean batch in which the row in the middle was changed."""
    frame, place = weather(1000, seed=7), 500
    for name, value in changes.items():
        frame.loc[place, name] = value
    return frame, place


@pytest.mark.parametrize(
    "changes",
    [
        {"temp": 1e6},
        {"hour": 900},
        {"temp": 75.0, "felt": 25.0},  # each is usual, together they are impossible
        {"carrier": "ZZ"},
    ],
)
def test_a_planted_outlier_comes_first(fitted: tuple[Features, Usual], changes: dict[str, Any]) -> None:
    features, usual = fitted
    frame, place = planted(**changes)
    found = outliers(usual, features.points(frame))
    assert found[0] == place
    assert usual.scores(features.points(frame)).score[place] > 0.999


def test_the_measure_that_sees_it_is_named(fitted: tuple[Features, Usual]) -> None:
    features, usual = fitted
    impossible, place = planted(temp=75.0, felt=25.0)
    assert usual.scores(features.points(impossible)).measure[place] == NEIGHBOURS
    new, place = planted(carrier="ZZ")
    assert usual.scores(features.points(new)).measure[place] == FEATURE
    assert set(usual.scores(features.points(new)).measure) == set(MEASURES)


def test_why_names_the_inputs_that_are_farthest_from_usual(fitted: tuple[Features, Usual]) -> None:
    features, _ = fitted
    frame, place = planted(hour=104)
    assert why(features, frame, place).split("; ")[0] == "hour 104 (reference 0 to 23)"
    frame, place = planted(carrier="ZZ", wind=500.0)
    told = why(features, frame, place)
    assert "carrier 'ZZ' (not in the reference)" in told
    assert "wind 500 (reference " in told
    assert "hour" not in told
    frame, place = planted(temp=60.0, felt=40.0, wind=8.0, hour=12, carrier="AA")
    assert why(features, frame, place).startswith("each input is usual, their combination is not: ")


@pytest.mark.parametrize(("above", "share"), [(LIMIT, 0.005), (0.99, 0.01)])
def test_the_share_of_clean_rows_above_a_score_is_what_the_score_says(above: float, share: float) -> None:
    features, usual = known(weather(20_000))
    count = 20_000
    scores = usual.scores(features.points(weather(count, seed=5))).score
    # The held-out rows vary as well, so both sides of the comparison do.
    low, high = binom.ppf([0.0005, 0.9995], count, share)
    spread = np.sqrt(1 + count / 10_000)
    assert count * share - (count * share - low) * spread <= (scores > above).sum()
    assert (scores > above).sum() <= count * share + (high - count * share) * spread
    assert scores.min() >= 0
    assert scores.max() <= 1


@pytest.mark.parametrize("rows", [FEWEST_ROWS, 300])
def test_few_reference_rows_do_not_make_clean_rows_strange(rows: int) -> None:
    above = 0
    for seed in range(2):
        features, usual = known(weather(rows, seed=100 + seed))
        above += len(outliers(usual, features.points(weather(1000, seed=seed))))
    # What a few rows know of the tail is rough: it may be off by a factor of 4, not of 40.
    assert above <= 0.02 * 2000


def test_a_huge_value_is_an_outlier_of_a_small_reference_too() -> None:
    features, usual = known(weather(60))
    frame, place = planted(temp=1e6)
    assert outliers(usual, features.points(frame))[0] == place


def test_the_same_points_give_the_same_scores_in_any_pieces(fitted: tuple[Features, Usual]) -> None:
    features, usual = fitted
    points = features.points(weather(400, seed=3))
    scores = usual.scores(points)
    pieces = np.concatenate([usual.scores(points[start : start + 90]).score for start in range(0, 400, 90)])
    assert np.allclose(scores.score, pieces, rtol=0, atol=1e-6)
    again = Usual.fit(features.points(weather(4000))).scores(points)
    assert np.array_equal(again.score, scores.score)
    assert again.measure == scores.measure


def test_wide_points_are_judged_in_pieces() -> None:
    random = np.random.default_rng(0)
    usual = Usual.fit(random.normal(size=(60, 20_000)).astype(np.float32))
    points = random.normal(size=(450, 20_000)).astype(np.float32)
    points[420] += 3
    assert outliers(usual, points)[0] == 420


def test_a_reference_whose_rows_are_all_the_same_makes_any_other_row_strange() -> None:
    points = np.zeros((80, 3), dtype=np.float32)
    usual = Usual.fit(points)
    assert len(outliers(usual, points)) == 0
    other = np.zeros((10, 3), dtype=np.float32)
    other[4, 1] = 1.0
    assert outliers(usual, other).tolist() == [4]


def test_a_batch_without_rows_has_no_outliers(fitted: tuple[Features, Usual]) -> None:
    features, usual = fitted
    nothing = features.points(weather(1).iloc[:0])
    assert len(outliers(usual, nothing)) == 0
    assert usual.scores(nothing).measure == []


def test_too_few_reference_rows_are_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match="the reference has 49 rows; what is usual takes at least 50"):
        Usual.fit(np.zeros((49, 3), dtype=np.float32))
