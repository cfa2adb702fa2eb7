"""Rows as points: fitted on a reference, applied to any rows, each input with the same weight."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_regress.core.features import Features
from ml_regress.core.inputs import InputTypes, parse_input_types

TYPES = parse_input_types(
    {
        "temp": "number?",
        "hour": "integer?",
        "late": "boolean?",
        "carrier": "category(AA, B6, UA, ZZ)?",
        "note": "text",
        "day": "date",
        "face": "image(2, 2, p{index}, 0..16)",
    }
)


def rows(count: int, seed: int = 0) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    words = ["alpha", "beta", "gamma delta", "Epsilon 5", "zeta"]
    return [
        {
            "temp": None if random.random() < 0.1 else float(random.normal(50, 10)),
            "hour": int(random.integers(0, 24)),
            "late": bool(random.random() < 0.3),
            "carrier": str(random.choice(["AA", "B6", "UA"], p=[0.5, 0.3, 0.2])),
            "note": " ".join(str(random.choice(words)) for _ in range(4)) + f" {place}",
            "day": f"2024-01-{int(random.integers(1, 29)):02d}",
            **{f"p{pixel}": float(random.integers(0, 17)) for pixel in range(4)},
        }
        for place in range(count)
    ]


def fitted(count: int = 500) -> tuple[Features, pd.DataFrame]:
    frame = TYPES.frame(rows(count))
    return Features.fit(TYPES, frame), frame


def of_one(kind: str, values: list[Any]) -> tuple[InputTypes, pd.DataFrame]:
    types = parse_input_types({"x": kind})
    return types, types.frame([{"x": value} for value in values])


def distance(features: Features, types: InputTypes, first: Any, second: Any) -> float:
    points = features.points(types.frame([{"x": first}, {"x": second}]))
    return float(np.linalg.norm(points[0] - points[1]))


def words(features: Features, frame: pd.DataFrame, position: int) -> str:
    return features.deviations(frame, position)[0].words


def test_each_declared_input_has_the_same_variance_and_an_image_counts_as_one() -> None:
    features, frame = fitted()
    points = features.points(frame)
    assert points.dtype == np.float32
    assert points.shape == (500, features.width)
    variances: dict[str, float] = {}
    names = [block.name for block in features.blocks for _ in range(block.width)]
    for name, variance in zip(names, points.var(axis=0), strict=True):
        variances[name] = variances.get(name, 0.0) + float(variance)
    assert variances == pytest.approx(
        dict.fromkeys(("face", *["temp", "hour", "late", "carrier", "note", "day"]), 1.0), rel=1e-3
    )
    assert np.abs(points.mean(axis=0)).max() < 1e-4


def test_other_rows_get_points_by_what_the_reference_said() -> None:
    features, frame = fitted()
    later = TYPES.frame(rows(40, seed=9))
    alone = np.vstack([features.points(later.iloc[[place]]) for place in range(40)])
    assert np.array_equal(features.points(later), alone)
    assert np.array_equal(features.points(frame.iloc[:5]), features.points(frame)[:5])
    again = Features.fit(TYPES, frame)
    assert np.array_equal(again.points(later), features.points(later))
    assert features.points(frame.iloc[:0]).shape == (0, features.width)


def test_many_wide_rows_are_made_in_pieces_and_are_the_same() -> None:
    types = parse_input_types({"face": "image(128, 128, p{index})"})
    values = np.random.default_rng(0).integers(0, 256, (300, 128 * 128)).astype(float)
    features = Features.fit(types, pd.DataFrame(values[:60], columns=list(types.names)))
    frame = pd.DataFrame(values, columns=list(types.names))
    assert features.rows_at_once == 4_000_000 // (128 * 128) < len(frame)
    points = features.points(frame)
    assert np.array_equal(points[250:], features.points(frame.iloc[250:]))
    assert points[1] - points[0] == pytest.approx((values[1] - values[0]) / 255 * features.weights[0], abs=1e-6)


def test_a_huge_number_is_far_and_no_farther_than_a_huger_one() -> None:
    types, frame = of_one("number", np.random.default_rng(0).normal(50, 10, 1000).tolist())
    features = Features.fit(types, frame)
    assert distance(features, types, 50.0, 1e6) == distance(features, types, 50.0, 1e300)
    assert distance(features, types, 50.0, 1e6) > 5 * distance(features, types, 50.0, 70.0)


def test_optional_whole_numbers_and_booleans_with_gaps_are_points() -> None:
    types, frame = of_one("integer?", [1, 2, 3, None] * 20)
    assert Features.fit(types, frame).width == 2
    types, frame = of_one("boolean?", [True, False, None, False] * 20)
    features = Features.fit(types, frame)
    assert len(np.unique(features.points(frame), axis=0)) == 3
    types, frame = of_one("boolean", [True, False] * 20)
    assert Features.fit(types, frame).width == 1


def test_what_was_never_missing_is_strange_where_it_is_missing() -> None:
    types, frame = of_one("number?", np.random.default_rng(0).normal(0, 1, 200).tolist())
    features = Features.fit(types, frame)
    assert distance(features, types, 0.0, None) > distance(features, types, 0.0, 3.0)
    gaps, holed = of_one("number?", [*np.random.default_rng(0).normal(0, 1, 200).tolist(), *[None] * 60])
    known = Features.fit(gaps, holed)
    assert distance(known, gaps, 0.0, None) < distance(features, types, 0.0, None)


def test_a_gap_is_no_news_to_a_reference_of_a_few_rows() -> None:
    types, frame = of_one("number?", np.random.default_rng(0).normal(0, 1, 60).tolist())
    features = Features.fit(types, frame)
    assert distance(features, types, 0.0, None) < distance(features, types, 0.0, 3.0)
    assert words(features, types.frame([{"x": None}]), 0) == "x is missing"


def test_a_column_without_a_value_and_a_constant_one_are_points() -> None:
    types, frame = of_one("number?", [None] * 60)
    features = Features.fit(types, frame)
    assert np.isfinite(features.points(frame)).all()
    assert "always missing" in words(features, types.frame([{"x": 3.0}]), 0)
    types, frame = of_one("number", [5.0] * 60)
    features = Features.fit(types, frame)
    assert (features.points(frame) == 0).all()
    found = features.deviations(types.frame([{"x": 6.0}]), 0)[0]
    assert found.distance == np.inf
    assert found.words == "x 6 (reference always 5)"


def test_the_most_frequent_levels_have_a_column_and_others_share_one() -> None:
    levels = [f"L{place:02d}" for place in range(40) for _ in range(10 if place < 30 else 2)]
    types, frame = of_one(f"category({', '.join(sorted(set(levels)))}, NEW)", levels)
    features = Features.fit(types, frame)
    assert features.width == 32
    assert distance(features, types, "L30", "L39") == 0
    assert distance(features, types, "L00", "L01") > 0
    assert distance(features, types, "L30", "NEW") > 0


def test_a_new_level_is_no_news_where_many_levels_occur_once() -> None:
    texts = [f"T{place % 25}" for place in range(960)] + [f"once {place}" for place in range(40)]
    types, frame = of_one("text", texts)
    features = Features.fit(types, frame)
    assert distance(features, types, "once 39", "never seen") == 0
    assert features.deviations(types.frame([{"x": "never seen"}]), 0)[0].distance < np.inf


def test_texts_of_many_kinds_are_near_where_they_are_written_alike() -> None:
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(["red", "green", "blue", "grey"], 6)) + f" {place}" for place in range(300)]
    types, frame = of_one("text", texts)
    features = Features.fit(types, frame)
    assert features.width == 20
    near = distance(features, types, "red green blue grey red blue 7", "red green blue grey red blue 8")
    far = distance(features, types, "red green blue grey red blue 7", "QQQQ 99999 QQQQ 99999 QQQQ 999")
    assert far > 3 * near


def test_points_are_no_wider_than_allowed_and_pixels_are_never_dropped() -> None:
    declared = {f"c{place}": "text" for place in range(20)}
    random = np.random.default_rng(0)
    data = [{name: f"L{random.integers(0, 25)}" for name in declared} for _ in range(500)]
    types = parse_input_types(declared)
    assert Features.fit(types, types.frame(data), max_width=1000).width == 540
    assert 60 < Features.fit(types, types.frame(data), max_width=100).width <= 100
    image = parse_input_types({"face": "image(20, 20, p{index})"})
    pixels = image.frame([{name: float(random.integers(0, 256)) for name in image.names} for _ in range(60)])
    assert Features.fit(image, pixels, max_width=100).width == 400


def test_flags_of_gaps_give_way_last() -> None:
    declared = {f"n{place}": "number?" for place in range(50)}
    random = np.random.default_rng(0)
    data = [{name: None if random.random() < 0.2 else float(random.normal()) for name in declared} for _ in range(100)]
    types = parse_input_types(declared)
    assert Features.fit(types, types.frame(data)).width == 100
    narrow = Features.fit(types, types.frame(data), max_width=60)
    assert narrow.width == 50
    assert np.isfinite(narrow.points(types.frame(data))).all()


def test_a_value_is_told_in_words_beside_the_reference() -> None:
    features, _ = fitted()
    usual = rows(1, seed=3)[0] | {"temp": 50.0}
    for change, expected in (
        ({"temp": 950.0}, "temp 950 (reference "),
        ({"temp": None, "hour": None}, "hour is missing (never in the reference)"),
        ({"carrier": "ZZ"}, "carrier 'ZZ' (not in the reference)"),
        ({"note": "x" * 900}, "note has 900 characters (reference "),
        ({"day": "2030-05-01"}, "day 2030-05-01 (reference 2024-01-01 to 2024-01-28)"),
    ):
        assert words(features, TYPES.frame([usual | change]), 0).startswith(expected)


def test_the_range_in_words_is_that_of_the_reference() -> None:
    types, frame = of_one("integer", list(range(20, 81)) * 5)
    features = Features.fit(types, frame)
    assert words(features, types.frame([{"x": 104}]), 0) == "x 104 (reference 20 to 80)"
    assert words(features, types.frame([{"x": 50}]), 0) == "x 50 (99% of the reference 20 to 80)"
    types, frame = of_one("boolean", [True, False] * 40)
    assert words(Features.fit(types, frame), frame, 0) == "x true (reference false or true)"


def test_a_reference_without_rows_is_refused() -> None:
    types, frame = of_one("number", [])
    with pytest.raises(ValueError, match="no rows"):
        Features.fit(types, frame)
