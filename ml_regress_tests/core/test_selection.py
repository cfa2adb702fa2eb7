"""Choosing rows: representatives of every kind of failure, and the right rows next to them."""

from typing import Any

import numpy as np
import pytest

from ml_regress.core.inputs import parse_input_types
from ml_regress.core.selection import LARGEST_SIDE, Answered, choose, features, nearest, representatives

PLANE = parse_input_types({"x": "number", "y": "number"})


def crowd(centre: tuple[float, float], count: int, seed: int = 0) -> list[dict[str, Any]]:
    spread = np.random.default_rng(seed).normal(0, 0.1, (count, 2))
    return [{"x": centre[0] + x, "y": centre[1] + y} for x, y in spread.tolist()]


def answered(failures: list[dict[str, Any]], rights: list[dict[str, Any]], **given: Any) -> Answered:
    """Failures expected a and answered b, right rows expected b unless said otherwise."""
    count = len(failures)
    said: dict[str, Any] = {
        "expected": ["a"] * count + ["b"] * len(rights),
        "predicted": ["b"] * (count + len(rights)),
        "right": np.array([False] * count + [True] * len(rights)),
        **given,
    }
    return Answered(PLANE, [*failures, *rights], **said)


def test_every_cluster_of_failures_is_represented_however_rare_it_is() -> None:
    failures = [*crowd((0, 0), 400), *crowd((9, 0), 6), *crowd((0, 9), 3)]
    chosen = choose(answered(failures, crowd((5, 5), 50)), 12).positives
    assert len(chosen) == 8
    assert {0 if i < 400 else 1 if i < 406 else 2 for i in chosen} == {0, 1, 2}
    assert {0} == {0 if i < 400 else 1 for i in range(8)}, "the first ones would all be of one kind"


def test_what_was_taken_for_what_tells_failures_apart_where_their_inputs_do_not() -> None:
    failures = crowd((0, 0), 300)
    confused = ["b"] * 290 + ["c"] * 5 + ["d"] * 5
    rows = answered(failures, [], predicted=confused)
    assert {confused[i] for i in choose(rows, 12).positives} == {"b", "c", "d"}


def test_two_thirds_are_failures_where_there_are_enough_of_both() -> None:
    choice = choose(answered(crowd((0, 0), 40), crowd((1, 1), 40)), 15)
    assert (len(choice.positives), len(choice.negatives)) == (10, 5)
    assert len({row for row, _ in choice.negatives}) == 5


@pytest.mark.parametrize(
    ("wrong", "right", "expected"), [(3, 40, (3, 9)), (40, 2, (10, 2)), (4, 3, (4, 3)), (9, 0, (9, 0))]
)
def test_where_one_side_has_too_few_the_other_has_more(wrong: int, right: int, expected: tuple[int, int]) -> None:
    choice = choose(answered(crowd((0, 0), wrong), crowd((1, 1), right, seed=1)), 12)
    assert (len(choice.positives), len(choice.negatives)) == expected


def test_negatives_are_the_nearest_right_rows_and_are_spread_over_the_positives() -> None:
    failures = [{"x": 0.0, "y": 0.0}, {"x": 50.0, "y": 0.0}]
    rights = [{"x": x + d, "y": 1.0} for x in (0.0, 50.0) for d in (0.0, 5.0, 10.0)]
    choice = choose(answered(failures, rights), 10)
    assert dict(choice.negatives[:2][::-1]) == {2: 0, 5: 1}
    assert all(abs(failures[p]["x"] - rights[n - 2]["x"]) <= 10 for n, p in choice.negatives)


def test_a_right_row_that_is_what_the_failure_was_taken_for_is_preferred() -> None:
    failures, rights = crowd((0, 0), 1), [{"x": 0.0, "y": 0.1}, {"x": 0.0, "y": 3.0}, *crowd((9, 9), 20)]
    rows = answered(failures, rights, expected=["a", "a", "b", *["a"] * 20], predicted=["b", "a", "b", *["a"] * 20])
    assert choose(rows, 10).negatives[:2] == ((2, 0), (1, 0))


def test_among_numbers_a_prediction_is_taken_for_what_lies_within_the_tolerance() -> None:
    expected, predicted = [1.0, 1.0, 5.05], [5.0, 1.0, 5.05]
    rows = answered(crowd((0, 0), 1), crowd((1, 1), 2), expected=expected, predicted=predicted, tolerance=0.1)
    assert choose(rows, 10).negatives[0] == (2, 0)


def test_a_prediction_that_is_no_answer_is_a_failure_like_others() -> None:
    rows = answered(crowd((0, 0), 20), crowd((1, 1), 5), predicted=[None] * 20 + ["b"] * 5)
    assert len(choose(rows, 12).positives) == 8
    numbers = {"expected": [1.0] * 25, "predicted": [None] * 10 + [7.0] * 10 + [1.0] * 5, "tolerance": 0.5}
    assert {i < 10 for i in choose(answered(crowd((0, 0), 20), crowd((1, 1), 5), **numbers), 12).positives} == {
        True,
        False,
    }


def test_each_input_weighs_the_same_and_an_image_as_one() -> None:
    types = parse_input_types(
        {"picture": "image(4, 4, p{index})", "big": "number", "kind": "category(a, b)", "same": "number"}
    )
    draw = np.random.default_rng(0)
    pixels = types.images[0].columns
    rows = [
        {**dict(zip(pixels, draw.random(16).tolist(), strict=True)), "big": 1e9 * n, "kind": "ab"[n % 2], "same": 1.0}
        for n in range(60)
    ]
    points = features(types, rows)
    blocks = (points[:, :16], points[:, 16:18], points[:, 18:])
    assert [round(float(block.var(axis=0).sum()), 6) for block in blocks] == [1.0, 1.0, 1.0]


def test_missing_values_of_every_type_have_a_place_of_their_own() -> None:
    types = parse_input_types(
        {"n": "number?", "i": "integer?", "b": "boolean?", "d": "date?", "c": "category(x, y)?", "t": "text?"}
    )
    full = {"n": 1.5, "i": 3, "b": True, "d": "2026-06-01", "c": "x", "t": "money back"}
    rows = [full, dict.fromkeys(full), {**full, "d": "2026-06-02", "t": "money please"}, {**full, "n": 2.5, "b": False}]
    points = features(types, rows)
    assert np.isfinite(points).all()
    assert len(np.unique(points, axis=0)) == 4


def test_texts_are_near_where_they_share_runs_of_characters() -> None:
    types = parse_input_types({"letter": "text"})
    texts = ["please refund my money", "refund me my money please", "the parcel is late", "my parcel came too late"]
    points = features(types, [{"letter": text} for text in texts])
    assert [int(nearest(points, point)[1]) for point in points] == [1, 0, 3, 2]


def test_inputs_that_never_vary_leave_points_that_are_all_the_same() -> None:
    points = features(PLANE, [{"x": 1.0, "y": 2.0}] * 4)
    assert (points == points[0]).all()
    assert sorted(representatives(points, 3)) == [0, 1, 2]


def test_an_odd_value_does_not_drown_what_others_say() -> None:
    rows = [*crowd((0, 0), 50), *crowd((3, 0), 50), {"x": 1e12, "y": 0.0}]
    points = features(PLANE, rows)
    assert abs(points[:50, 0].mean() - points[50:100, 0].mean()) > 0.5


def test_more_rows_than_can_be_looked_at_are_sampled_the_same_way_each_time() -> None:
    rights = [{"x": float(i), "y": 0.0} for i in range(LARGEST_SIDE + 500)]
    rows = answered(crowd((0, 0), 3), rights)
    first = choose(rows, 10)
    assert choose(rows, 10) == first
    assert len(first.negatives) == 7
