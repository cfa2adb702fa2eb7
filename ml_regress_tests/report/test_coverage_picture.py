"""Kinds of rows beside patterns: told apart by shape, and true for kinds that no pattern can be near to."""

import re

from ml_regress.core.inputs import parse_input_types
from ml_regress.report.coverage_picture import (
    coverage_drawing,
    coverage_words,
    nearness_words,
    shown_inputs,
    uncovered_first,
)
from ml_regress.report.evidence import DASH
from ml_regress_tests.report.made_drift import EVIL, a_cluster


def test_uncovered_kinds_stand_first_the_largest_of_them_on_top():
    clusters = [a_cluster(1, 0.4, 900), a_cluster(2, 1.5, 10), a_cluster(3, None, 50), a_cluster(4, 1.0, 5)]
    assert [each.number for each in uncovered_first(clusters)] == [3, 2, 1, 4]


def test_how_near_is_said_for_near_far_and_none():
    assert nearness_words(a_cluster(1, 0.4)) == "near: 0.4 of the limit"
    assert nearness_words(a_cluster(1, 2.5)) == "too far: 2.5 times the limit"
    assert nearness_words(a_cluster(1, None)) == "no pattern has these inputs"


def test_the_sentence_counts_kinds_and_rows():
    clusters = [a_cluster(1, 0.4, 500), a_cluster(2, 2.5, 300), a_cluster(3, None, 100)]
    assert coverage_words(clusters) == "2 of 3 kinds of rows have no pattern near: 400 of 900 rows."
    assert coverage_words(clusters[:2]) == "1 of 2 kinds of rows has no pattern near: 300 of 800 rows."
    assert coverage_words(clusters[:1]) == "Each kind of rows has a pattern near it."
    assert coverage_words([]) == ""


def test_shape_and_colour_tell_covered_from_uncovered():
    svg = str(coverage_drawing([a_cluster(1, 0.4), a_cluster(2, 2.5), a_cluster(3, None)], "kinds").svg())
    assert len(re.findall("<circle", svg)) == 1
    assert len(re.findall("<polygon", svg)) == 2
    assert "kind 2: 500 rows; too far: 2.5 times the limit" in svg
    assert "xlink" not in svg


def test_every_kind_lies_within_the_picture_and_larger_ones_are_larger():
    clusters = [a_cluster(number, 0.5, 10**number, x=1e9 * number, y=-1e-9 * number) for number in range(1, 6)]
    svg = str(coverage_drawing(clusters, "kinds").svg())
    discs = [tuple(map(float, found)) for found in re.findall(r'cx="(.*?)" cy="(.*?)" r="(.*?)"', svg)]
    assert len(discs) == 5
    assert all(r <= x <= 460 - r and r <= y <= 300 - r for x, y, r in discs)
    assert [r for _, _, r in discs] == sorted((r for _, _, r in discs), reverse=True)


def test_kinds_at_one_place_or_nowhere_are_drawn_all_the_same():
    assert "<circle" in coverage_drawing([a_cluster(1, x=0.0, y=0.0)], "kinds").svg()
    assert "no kinds of rows are known" in coverage_drawing([], "kinds").svg()
    assert "no kinds of rows are known" in coverage_drawing([a_cluster(1, x=float("nan"))], "kinds").svg()


def test_texts_in_the_picture_are_escaped():
    assert "<script" not in coverage_drawing([a_cluster(1)], EVIL).svg()


def test_a_row_of_many_inputs_says_how_many_are_left_out():
    shown = shown_inputs({f"c{place}": place for place in range(11)})
    assert len(shown.inputs) == 8
    assert shown.left_out == "and 3 more inputs"
    assert shown_inputs({"a": 1, "b": None}).inputs == (("a", "1"), ("b", DASH))


def test_pixels_become_a_picture_where_the_types_are_known():
    types = parse_input_types({"ink": "image(2, 2, p{row}{column}, 0..16)", "size": "number"})
    inputs = {**{f"p{row}{column}": 8.0 for row in range(2) for column in range(2)}, "size": 3.0}
    shown = shown_inputs(inputs, types)
    assert [name for name, _ in shown.pictures] == ["ink"]
    assert shown.inputs == (("size", "3"),)
