"""Ratings in the store, on both databases."""

from typing import Any

import pytest

from ml_regress.core.pattern import Pattern
from ml_regress.core.rating import Rating
from ml_regress.errors import NotFound
from ml_regress.store import Store
from ml_regress_tests.scenario import muffin_pattern, registered, scalar


@pytest.fixture
def rated(store: Store) -> Store:
    """A store with two candidates."""
    for name in ("first", "second"):
        store.candidates.register(registered(name))
    return store


def rating(candidate: str = "first", **changes: Any) -> Rating:
    given: dict[str, Any] = {"thumb": "down", **changes}
    return Rating({"ears": 2.0, "crumbs": None, "said": "wüff"}, "muffin", candidate, **given)


def test_a_rating_comes_back_as_it_was_given_with_number_and_time(rated: Store) -> None:
    given = rating(words="that is my dog", person="Ada", key="ticket 7")
    kept = rated.ratings.add(given)
    assert (kept.number, kept.words, kept.person, kept.key) == (1, "that is my dog", "Ada", "ticket 7")
    assert kept.at.endswith("Z")
    assert rated.ratings.all() == [kept]
    assert list(rated.ratings.all()[0].inputs) == ["ears", "crumbs", "said"]


@pytest.mark.parametrize("answer", ["muffin", 3, 0.25, True, "", "3"])
def test_a_prediction_is_kept_raw(rated: Store, answer: Any) -> None:
    rated.ratings.add(Rating({"a": 1.0}, answer, "first", stars=3))
    (kept,) = rated.ratings.all()
    assert (kept.prediction, type(kept.prediction)) == (answer, type(answer))


def test_the_newest_come_first_and_can_be_limited(rated: Store) -> None:
    for place in range(12):
        rated.ratings.add(rating(words=str(place)))
    assert [each.words for each in rated.ratings.all(limit=3)] == ["11", "10", "9"]


def test_low_ones_are_a_thumb_down_or_at_most_two_stars(rated: Store) -> None:
    for stars in (1, 2, 3, 4, 5):
        rated.ratings.add(rating(thumb=None, stars=stars))
    for thumb in ("up", "down"):
        rated.ratings.add(rating(thumb=thumb))
    low = rated.ratings.all(low=True)
    assert [each.shown for each in low] == ["thumb down", "2 of 5 stars", "1 of 5 stars"]
    assert all(each.low for each in low)
    assert not any(each.low for each in rated.ratings.all() if each not in low)


def test_ratings_of_one_candidate_are_listed(rated: Store) -> None:
    rated.ratings.add_all([rating("first"), rating("second"), rating("second", thumb="up")])
    assert [each.candidate for each in rated.ratings.all(candidate="second")] == ["second", "second"]
    assert [each.thumb for each in rated.ratings.all(candidate="second", low=True)] == ["down"]


def test_the_digest_of_the_inputs_is_that_of_a_pattern_that_asks_the_same(rated: Store) -> None:
    asked: Pattern = muffin_pattern("a")
    rated.ratings.add(Rating(dict(reversed(dict(asked.inputs or {}).items())), "muffin", "first", thumb="up"))
    assert scalar(rated, "SELECT input_digest FROM ratings") == asked.input_digest


def test_each_rating_stands_in_the_audit_log(rated: Store) -> None:
    rated.ratings.add(rating(person="Ada"))
    rated.ratings.add(rating(thumb=None, stars=4), actor="python")
    query = (
        "SELECT actor || ': ' || subject || ', ' || detail FROM audit WHERE verb = 'rate' ORDER BY number {} LIMIT 1"
    )
    assert scalar(rated, query.format("ASC")) == "Ada: first, rating 1: thumb down"
    assert scalar(rated, query.format("DESC")) == "python: first, rating 2: 4 of 5 stars"


@pytest.mark.parametrize(
    ("wrong", "said"), [({"candidate": "third"}, "no candidate 'third'"), ({"batch": "2013-04"}, "no batch '2013-04'")]
)
def test_all_are_kept_or_none(rated: Store, wrong: dict[str, str], said: str) -> None:
    with pytest.raises(NotFound, match=said):
        rated.ratings.add_all([rating(), rating(**wrong)])
    assert rated.ratings.all() == []
    assert scalar(rated, "SELECT COUNT(*) FROM audit WHERE verb = 'rate'") == 0


def test_the_version_grows_with_every_rating(rated: Store) -> None:
    versions = [rated.ratings.version()]
    for _ in range(3):
        rated.ratings.add(rating())
        versions.append(rated.ratings.version())
    assert versions == sorted(set(versions))
