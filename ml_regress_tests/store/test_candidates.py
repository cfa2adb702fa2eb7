"""Candidates are immutable, stand in order, and production moves by promotion alone."""

from dataclasses import replace

import pytest

from ml_regress.errors import Conflict, NotFound
from ml_regress.store import Store
from ml_regress_tests.scenario import import_muffins, muffin_pattern, registered, scalar
from ml_regress_tests.store.made import cells, commit, evaluation


def test_registering_again_changes_nothing(store: Store) -> None:
    candidate = registered("model-1", features=("a", "b"), defaults={"a": 1.5}, libraries={"numpy": "2"})
    assert store.candidates.register(candidate) == "registered"
    assert store.candidates.register(candidate) == "unchanged"
    stored = store.candidates.get("model-1")
    assert replace(stored, registered_at="") == candidate
    assert scalar(store, "SELECT count(*) FROM audit") == 1


def test_other_content_under_the_same_id_is_refused(store: Store) -> None:
    candidate = registered("model-1")
    store.candidates.register(candidate)
    for other in (replace(candidate, sha256="x"), registered("model-1", defaults={"a": 1})):
        with pytest.raises(Conflict, match=r"candidates/model-1.*give the new one an id of its own"):
            store.candidates.register(other)
    with pytest.raises(Conflict, match="differs from the candidate 'model-1' only by case"):
        store.candidates.register(registered("Model-1"))
    assert store.candidates.get("model-1").digest == candidate.digest


def test_notes_may_be_corrected(store: Store) -> None:
    store.candidates.register(registered("model-1"))
    corrected = registered("model-1", "2026-05-01T00:00:00+00:00", note="trained on May")
    assert store.candidates.register(corrected) == "updated"
    assert store.candidates.register(replace(corrected, libraries={"numpy": "2"})) == "updated"
    assert replace(store.candidates.get("model-1"), registered_at="") == replace(corrected, libraries={"numpy": "2"})


def test_a_cell_that_becomes_applicable_is_due_and_older_history_stays(store: Store) -> None:
    import_muffins(store, [muffin_pattern("a")])
    store.candidates.register(registered("model-1"))
    commit(store, "model-1", evaluation(store, "model-1"))
    import_muffins(store, [muffin_pattern("a", "chihuahua")])
    commit(store, "model-1", evaluation(store, "model-1"))
    assert cells(store) == []
    store.candidates.register(registered("model-1", not_applicable={"muffin": "no ears"}))
    assert cells(store) == [("model-1", "muffin")]
    assert scalar(store, "SELECT count(*) FROM evaluations") == 1
    commit(store, "model-1", evaluation(store, "model-1", state="not applicable", reason="no ears"))
    store.candidates.register(registered("model-1", not_applicable={"muffin": "it has no ears"}))
    assert cells(store) == []
    store.candidates.register(registered("model-1"))
    assert cells(store) == [("model-1", "muffin")]


def test_candidates_stand_in_the_order_of_time_whatever_their_zone(store: Store) -> None:
    store.candidates.register(registered("late", "2026-06-01T23:30:00-02:00"))
    store.candidates.register(registered("early", "2026-06-02T01:00:00+02:00"))
    store.candidates.register(registered("z-first-of-two", "2026-06-02T00:00:00Z"))
    store.candidates.register(registered("a-second-of-two", "2026-06-02T00:00:00.000+00:00"))
    expected = ["early", "z-first-of-two", "a-second-of-two", "late"]
    assert [candidate.id for candidate in store.candidates.all()] == expected
    store.candidates.archive("early", actor="me")
    assert [candidate.id for candidate in store.candidates.all()] == expected[1:]
    assert [candidate.id for candidate in store.candidates.all(archived=True)] == expected


def test_production_is_adopted_once_and_is_not_archived(store: Store) -> None:
    assert store.candidates.production() is None
    assert not store.candidates.adopt_production("model-1", actor="operator", reason="it served")
    store.candidates.register(registered("model-1"))
    store.candidates.register(registered("model-2"))
    assert store.candidates.adopt_production("model-1", actor="operator", reason="it served")
    assert not store.candidates.adopt_production("model-2", actor="operator", reason="so did this")
    assert store.candidates.production() == "model-1"
    with pytest.raises(Conflict, match="promote another candidate first"):
        store.candidates.archive("model-1", actor="me")


def test_an_archived_candidate_is_not_adopted(store: Store) -> None:
    store.candidates.register(registered("model-1"))
    store.candidates.archive("model-1", actor="me")
    assert not store.candidates.adopt_production("model-1", actor="operator", reason="it served")


def test_an_unknown_candidate_is_not_found(store: Store) -> None:
    for ask in (
        lambda: store.candidates.get("nobody"),
        lambda: store.candidates.archive("nobody", actor="me"),
        lambda: store.candidates.unarchive("nobody", actor="me"),
    ):
        with pytest.raises(NotFound, match="no candidate 'nobody'"):
            ask()
