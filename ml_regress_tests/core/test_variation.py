"""Contrived neighbours: one input at a time, named, typed, in an order that depends on content and seed alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from ml_regress.core.inputs import parse_input_types
from ml_regress.core.variation import Variation, variations
from ml_regress.core.variation_image import image_variants
from ml_regress.core.variation_text import text_variants

ALL = 1000


def vary(types: Mapping[str, str], rows: Sequence[Mapping[str, Any]], **options: Any) -> list[Variation]:
    """The neighbours of the first row, all there are unless told otherwise."""
    given = {"count": ALL, **options}
    return variations(parse_input_types(types), rows[0], rows, **given)


def values(found: Sequence[Variation], name: str) -> dict[str, Any]:
    return {each.words: each.inputs[name] for each in found}


# -- numbers -------------------------------------------------------------------------------------


def test_a_number_moves_by_one_and_five_percent_and_by_parts_of_its_spread() -> None:
    found = vary({"temp": "number"}, [{"temp": 40.0}, {"temp": 50.0}])  # the standard deviation is 5
    assert values(found, "temp") == {
        "temp + 0.4 (1 %)": 40.4,
        "temp - 0.4 (1 %)": 39.6,
        "temp + 2 (5 %)": 42.0,
        "temp - 2 (5 %)": 38.0,
        "temp + 0.5 (a tenth of its spread)": 40.5,
        "temp - 0.5 (a tenth of its spread)": 39.5,
        "temp + 2.5 (half of its spread)": 42.5,
        "temp - 2.5 (half of its spread)": 37.5,
    }


def test_neighbours_have_distinct_inputs_that_no_pattern_has() -> None:
    rows = [{"temp": 20.0}, {"temp": 24.0}, {"temp": 20.2}]
    found = vary({"temp": "number"}, rows)
    moved = [each.inputs["temp"] for each in found]
    assert len(moved) == len(set(moved))
    assert not {20.0, 24.0, 20.2} & set(moved)
    assert {19.8, 21.0, 19.0} <= set(moved)


def test_a_step_is_exact_in_decimal_digits() -> None:
    found = vary({"temp": "number"}, [{"temp": 21.02}])
    assert values(found, "temp") == {
        "temp + 0.21 (1 %)": 21.23,
        "temp - 0.21 (1 %)": 20.81,
        "temp + 1.1 (5 %)": 22.12,
        "temp - 1.1 (5 %)": 19.92,
    }


def test_half_of_a_spread_must_be_answered_by_a_person_and_a_tenth_need_not() -> None:
    found = vary({"temp": "number"}, [{"temp": 2.0}, {"temp": 8.0}])  # a spread of 3
    kept = {round(abs(each.inputs["temp"] - 2.0), 9): each.keeps_answer for each in found}
    assert kept == {0.02: True, 0.1: True, 0.3: True, 1.5: False}


def test_a_small_percentage_of_a_large_number_is_a_large_nudge_where_it_exceeds_half_the_spread() -> None:
    found = vary({"year": "number"}, [{"year": 2000.0}, {"year": 2002.0}])
    by_words = {each.words: each.keeps_answer for each in found}
    assert by_words["year + 20 (1 %)"] is False
    assert by_words["year + 0.1 (a tenth of its spread)"] is True


def test_a_whole_number_stays_whole_and_moves_by_at_least_one() -> None:
    found = vary({"hour": "integer"}, [{"hour": 8}, {"hour": 14}])  # a spread of 3
    assert {each.inputs["hour"] for each in found} == {7, 9, 6, 10}
    assert all(type(each.inputs["hour"]) is int for each in found)
    by_value = {each.inputs["hour"]: each.keeps_answer for each in found}
    assert by_value == {7: True, 9: True, 6: False, 10: False}
    assert any("at least 1" in each.words for each in found)


def test_a_zero_has_whole_neighbours() -> None:
    assert {each.inputs["hour"] for each in vary({"hour": "integer"}, [{"hour": 0}, {"hour": -1}])} == {1}
    assert {each.inputs["hour"] for each in vary({"hour": "integer"}, [{"hour": 0}, {"hour": -4}])} == {-1, 1}


def test_no_number_goes_below_zero_where_no_pattern_is_there() -> None:
    amounts = vary({"rain": "number"}, [{"rain": 0.5}, {"rain": 100.0}])
    assert all(each.inputs["rain"] >= 0 for each in amounts)
    temperatures = vary({"temp": "number"}, [{"temp": 0.5}, {"temp": -100.0}])
    assert any(each.inputs["temp"] < 0 for each in temperatures)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("number", 1.7e308), ("number", 5e-324), ("number", -1.7e308), ("integer", 2**63 - 1), ("integer", -(2**63) + 1)],
)
def test_no_number_leaves_its_type(kind: str, value: float) -> None:
    for each in vary({"size": kind}, [{"size": value}, {"size": type(value)(0)}]):
        assert np.isfinite(each.inputs["size"])
        assert kind == "number" or abs(each.inputs["size"]) <= 2**63 - 1


# -- levels, dates, missing values ---------------------------------------------------------------


def test_a_category_takes_each_other_declared_level_and_a_person_must_say_the_answer() -> None:
    found = vary({"origin": "category(EWR, JFK, LGA)"}, [{"origin": "JFK"}])
    assert values(found, "origin") == {"origin JFK became EWR": "EWR", "origin JFK became LGA": "LGA"}
    assert not any(each.keeps_answer for each in found)


def test_a_boolean_is_turned() -> None:
    assert values(vary({"late": "boolean"}, [{"late": True}]), "late") == {"late true became false": False}


def test_a_text_of_few_levels_takes_the_others_and_a_sentence_does_not() -> None:
    levels = vary(
        {"origin": "text", "n": "number"},
        [{"origin": name, "n": float(i)} for i, name in enumerate(["EWR", "JFK"] * 2)],
    )
    assert [each.inputs["origin"] for each in levels if each.kind == "level"] == ["JFK"]
    sentences = vary({"said": "text"}, [{"said": name} for name in ("a b", "c d", "e f", "g h")])
    assert not [each for each in sentences if each.kind == "level"]


def test_a_slip_in_a_level_is_one_of_case_or_spacing() -> None:
    """What a typo makes of a carrier's code is no carrier, and has no answer."""
    rows = [{"carrier": name, "n": float(i)} for i, name in enumerate(("EV", "UA", "DL", "EV"))]
    found = vary({"carrier": "text", "n": "number"}, rows, only=("carrier",))
    assert {each.kind for each in found} == {"level", "case", "spacing"}
    assert {each.inputs["carrier"] for each in found} == {"UA", "DL", "ev", "Ev", " EV", "EV "}
    alone = vary({"carrier": "text"}, [{"carrier": "EV"}, {"carrier": "UA"}])
    assert "typo" in {each.kind for each in alone}


def test_a_date_moves_by_a_day_and_a_week_within_the_calendar() -> None:
    found = vary({"day": "date"}, [{"day": "2024-02-29"}])
    assert values(found, "day") == {
        "day + 1 day": "2024-03-01",
        "day - 1 day": "2024-02-28",
        "day + 1 week": "2024-03-07",
        "day - 1 week": "2024-02-22",
    }
    assert {each.inputs["day"] for each in vary({"day": "date"}, [{"day": "9999-12-31"}])} == {
        "9999-12-30",
        "9999-12-24",
    }


def test_only_an_optional_input_is_left_out() -> None:
    found = vary({"a": "boolean?", "b": "boolean"}, [{"a": True, "b": True}])
    assert [(each.name, each.words) for each in found if each.kind == "missing"] == [("a", "a left out")]
    (left_out,) = (each for each in found if each.kind == "missing")
    assert left_out.inputs == {"a": None, "b": True}
    assert not left_out.keeps_answer


def test_what_is_missing_has_no_neighbours() -> None:
    assert vary({"a": "number?"}, [{"a": None}, {"a": 3.0}]) == []


# -- which come first ----------------------------------------------------------------------------

MIXED = {
    "temp": "number",
    "hour": "integer",
    "origin": "category(EWR, JFK, LGA)?",
    "day": "date",
    "subject": "text",
    "late": "boolean",
}
ROWS = [
    {
        "temp": 21.0 + i,
        "hour": 8 + 5 * i,
        "origin": "EWR",
        "day": "2013-01-31",
        "subject": f"Hello, {i} worlds",
        "late": i > 1,
    }
    for i in range(5)
]


def test_one_input_is_varied_at_a_time() -> None:
    for each in vary(MIXED, ROWS):
        assert [name for name in MIXED if each.inputs[name] != ROWS[0][name]] == [each.name]
        assert list(each.inputs) == list(MIXED)


def test_few_neighbours_show_many_kinds_and_inputs() -> None:
    found = vary(MIXED, ROWS, count=9)
    kinds = {each.kind for each in found}
    assert kinds == {"nudge", "large nudge", "level", "date", "missing", "typo", "case", "spacing", "punctuation"}
    assert {each.name for each in vary(MIXED, ROWS, count=18)} == set(MIXED)


def test_a_kind_is_spread_over_the_inputs_that_have_it() -> None:
    rows = [{"a": 1.0, "b": 5.0, "c": 9.0}, {"a": 3.0, "b": 9.0, "c": 20.0}]
    found = vary({"a": "number", "b": "number", "c": "number"}, rows, count=6)
    assert Counter(each.name for each in found) == {"a": 2, "b": 2, "c": 2}


def test_the_order_of_a_dict_changes_nothing_and_a_seed_does() -> None:
    def said(rows: Sequence[Mapping[str, Any]], types: Mapping[str, str] = MIXED, seed: int = 0) -> list[str]:
        return [each.words for each in vary(types, rows, count=12, seed=seed)]

    turned = [dict(reversed(row.items())) for row in ROWS]
    assert said(turned, dict(reversed(MIXED.items()))) == said(ROWS)
    assert said([ROWS[0], *reversed(ROWS)]) == said([ROWS[0], *ROWS])
    assert said(ROWS, seed=1) != said(ROWS)


def test_global_randomness_is_not_touched() -> None:
    before = np.random.get_state()[1].copy()
    vary(MIXED, ROWS)
    assert (np.random.get_state()[1] == before).all()


def test_only_named_inputs_are_varied_and_a_wrong_name_is_refused() -> None:
    assert {each.name for each in vary(MIXED, ROWS, only=("temp", "late"))} == {"temp", "late"}
    with pytest.raises(ValueError, match="use temp, hour, origin, day, subject, late"):
        vary(MIXED, ROWS, only=("tmp",))


# -- texts ---------------------------------------------------------------------------------------


def texts(text: str, most: int = 100) -> dict[str, str]:
    return {each.words: each.text for each in text_variants(text, np.random.default_rng(0), most)}


def test_typos_name_the_letters_by_their_place() -> None:
    found = texts("cat")
    assert found["letters 1 and 2 swapped"] == "act"
    assert found["letters 2 and 3 swapped"] == "cta"
    assert found["letter 1 ('c') dropped"] == "at"
    assert found["letter 3 ('t') doubled"] == "catt"
    near = next(text for words, text in found.items() if words.startswith("letter 2: 'a' became"))
    assert near == "cst"  # the only neighbour of a in its row


def test_case_spacing_and_punctuation_are_varied() -> None:
    found = texts("Don't go, please!")
    assert found["all in upper case"] == "DON'T GO, PLEASE!"
    assert found["all in lower case"] == "don't go, please!"
    assert found["each word with a capital"] == "Don't Go, Please!"
    assert found["the space at 6 doubled"] == "Don't  go, please!"
    assert found["a space before it"] == " Don't go, please!"
    assert found["a space behind it"] == "Don't go, please! "
    assert found["no spaces around punctuation"] == "Don't go,please!"
    assert found["'!' at the end dropped"] == "Don't go, please"
    assert found["commas, colons, brackets and quotes dropped"] == "Don't go please!"
    assert texts("go")["a full stop added"] == "go."


@pytest.mark.parametrize("text", ["", " ", "7", "...", "a", "東京タワー", "naïve café", "ß", "x" * 5000, "a\nb"])
def test_no_variant_of_a_text_is_the_text_and_any_text_can_be_varied(text: str) -> None:
    found = texts(text, most=3)
    assert text not in found.values()
    assert len(found) < 30


def test_a_required_text_is_never_turned_into_another_type_of_missing() -> None:
    for each in vary({"said": "text?"}, [{"said": "a"}]):
        assert each.inputs["said"] is None or each.inputs["said"]


# -- images --------------------------------------------------------------------------------------

# A vertical stroke of 5 x 5 pixels.
STROKE = np.zeros((5, 5))
STROKE[1:4, 2] = 16.0
IMAGE = parse_input_types({"digit": "image(5, 5, p{index}, 0..16)"})


def pictures(pixels: np.ndarray = STROKE, types: Any = IMAGE) -> dict[tuple[str, str], np.ndarray]:
    found = image_variants(types.images[0], pixels, np.random.default_rng(0))
    return {(each.kind, each.form): each.pixels for each in found}


def test_a_picture_is_shifted_by_one_pixel_and_filled_with_its_ground() -> None:
    found = pictures(STROKE + 0)
    corner = STROKE.copy()
    corner[0, 0] = 8.0
    moved = pictures(corner)
    assert np.array_equal(found["shift", "right"], np.roll(STROKE, 1, axis=1))
    assert np.array_equal(found["shift", "left"], np.roll(STROKE, -1, axis=1))
    assert np.array_equal(found["shift", "down"], np.roll(STROKE, 1, axis=0))
    assert np.array_equal(found["shift", "up"], np.roll(STROKE, -1, axis=0))
    assert np.array_equal(moved["shift", "up"], np.roll(STROKE, -1, axis=0))  # the corner is pushed out
    assert moved["shift", "down"][1, 0] == 8.0


def test_strokes_of_a_small_picture_become_thicker_and_thinner_by_half_a_pixel() -> None:
    assert pictures()["thickness", "thicker"].sum() == 16.0 * (3 + 8) / 2  # half way from 3 x 1 pixels to 4 x 2
    blob = np.zeros((5, 5))
    blob[1:4, 1:4] = 16.0
    assert pictures(blob)["thickness", "thinner"].sum() == 16.0 * (9 + 4) / 2  # half way from 3 x 3 to 2 x 2


def test_strokes_of_a_larger_picture_become_thicker_and_thinner_by_a_pixel() -> None:
    types = parse_input_types({"digit": "image(20, 20, p{index})"})
    square = np.zeros((20, 20))
    square[8:12, 8:12] = 255.0
    found = pictures(square, types)
    assert found["thickness", "thicker"].sum() == 255.0 * (16 + 4 * 4)  # a row more on each side
    assert found["thickness", "thinner"].sum() == 255.0 * 4
    line = np.zeros((20, 20))
    line[8:12, 9] = 255.0
    assert ("thickness", "thinner") not in pictures(line, types)  # nothing would be left of it


def test_pictures_become_lighter_and_darker_within_their_range() -> None:
    grey = STROKE / 2
    found = pictures(grey)
    assert found["brightness", "lighter"].max() == 10.0
    assert found["brightness", "darker"].max() == 6.0
    assert ("brightness", "lighter") not in pictures()  # it is as light as can be


def test_noise_and_turning_are_small_and_stay_in_range_and_whole() -> None:
    digit = np.zeros((8, 8))
    digit[1:7, 3:5] = 16.0
    found = pictures(digit, parse_input_types({"digit": "image(8, 8, p{index}, 0..16)"}))
    for form in (("noise", "noise"), ("rotation", "left"), ("rotation", "right")):
        assert found[form].min() >= 0
        assert found[form].max() <= 16
        assert np.array_equal(found[form], np.round(found[form]))
    assert 0 < np.abs(found["noise", "noise"] - digit).mean() < 1.6
    assert np.array_equal(found["rotation", "left"], np.fliplr(found["rotation", "right"]))  # the digit is symmetric
    assert np.abs(found["rotation", "left"].sum() - digit.sum()) < 0.15 * digit.sum()


def test_pixels_that_are_no_whole_numbers_are_kept_to_a_few_digits() -> None:
    types = parse_input_types({"digit": "image(5, 5, p{index}, 0..1)"})
    noisy = pictures(STROKE / 16 * 0.7, types)["noise", "noise"]
    assert np.array_equal(noisy, np.round(noisy, 4))


def test_an_image_is_one_input_whose_pixels_move_together() -> None:
    row = dict(zip(IMAGE.names, STROKE.ravel().tolist(), strict=True))
    found = variations(IMAGE, row, [row], count=6, only=("digit",))
    assert {each.kind for each in found} == {"shift", "noise", "thickness", "brightness", "rotation"}
    assert all(each.name == "digit" and each.keeps_answer for each in found)
    assert all(type(value) is float for each in found for value in each.inputs.values())
    with pytest.raises(ValueError, match="use digit"):
        variations(IMAGE, row, [row], count=6, only=("p0",))


def test_a_picture_with_a_hole_is_left_alone() -> None:
    types = parse_input_types({"digit": "image(2, 2, p{index})?", "late": "boolean"})
    row = {"p0": None, "p1": 3.0, "p2": 0.0, "p3": 1.0, "late": True}
    assert [each.name for each in variations(types, row, [row], count=9)] == ["late"]


def test_a_large_picture_is_varied() -> None:
    types = parse_input_types({"photo": "image(64, 64, p{index})"})
    pixels = np.random.default_rng(1).integers(0, 256, 64 * 64).astype(float).tolist()
    row = dict(zip(types.names, pixels, strict=True))
    assert len(variations(types, row, [row], count=12)) >= 11
