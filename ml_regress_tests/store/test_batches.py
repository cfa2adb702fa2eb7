"""Batches in the store: what may change about them, and what never does."""

from dataclasses import replace
from typing import Any

import pytest

from ml_regress.core.batch import Batch
from ml_regress.core.inputs import parse_input_types
from ml_regress.core.production import DriftRules, ProductionSchema, Window
from ml_regress.errors import Conflict, InvalidInput, NotFound
from ml_regress.store import Store
from ml_regress_tests.scenario import scalar


def batch_of(name: str, starts: str = "2013-01-01T00:00:00.000Z", **changes: Any) -> Batch:
    given: dict[str, Any] = {
        "state": "accepted",
        "digest": f"rows of {name}",
        "schema": "s",
        "rows": 3,
        "starts": starts,
        "ends": starts,
        "source": f"batches/{name}.csv",
        "received_at": "2026-01-01T00:00:00.000Z",
        "notes": ("a note",),
    }
    return Batch(name, **{**given, **changes})


def schema_of(**changes: Any) -> ProductionSchema:
    return ProductionSchema(parse_input_types({"n": "number", "c": "category(a, b)"}), **changes)


def audit(store: Store, verb: str) -> int:
    return int(scalar(store, "SELECT count(*) FROM audit WHERE verb = :verb", verb=verb))


def test_batches_stand_by_their_time_and_then_by_id(store: Store) -> None:
    for name, starts in (("b", "2013-02"), ("A", "2013-02"), ("c", "2013-01"), ("B2", "2013-02")):
        store.batches.accept(batch_of(name, f"{starts}-01T00:00:00.000Z"))
    assert [batch.id for batch in store.batches.all()] == ["c", "A", "B2", "b"]


def test_a_batch_is_read_as_it_was_stored(store: Store) -> None:
    given = batch_of("a", reasons=("column 'x': é", "two"), candidate="one", predicted=2, labelled=1)
    stored = store.batches.quarantine(given)
    assert stored.updated_at
    assert replace(stored, updated_at="") == replace(given, state="quarantined")
    assert store.batches.get("a") == stored == store.batches.find("A")
    with pytest.raises(NotFound, match="no batch 'b'"):
        store.batches.get("b")
    with pytest.raises(NotFound, match="do you mean 'a'"):
        store.batches.get("A")
    assert store.batches.find("b") is None


def test_an_accepted_batch_never_gives_way(store: Store) -> None:
    store.batches.accept(batch_of("a"))
    for other in (batch_of("a", digest="other"), batch_of("A")):
        for instead_of in (None, "rows of a"):
            with pytest.raises(Conflict):
                store.batches.accept(other, instead_of=instead_of)
    assert [(batch.id, batch.digest) for batch in store.batches.all()] == [("a", "rows of a")]
    assert audit(store, "accept batch") == 1


def test_a_quarantined_batch_is_corrected_once(store: Store) -> None:
    store.batches.quarantine(batch_of("a", reasons=("broken",)))
    with pytest.raises(Conflict, match="came a moment ago"):
        store.batches.accept(batch_of("a", digest="other"))
    store.batches.accept(batch_of("a", digest="other"), instead_of="rows of a")
    found = store.batches.get("a")
    assert (found.state, found.digest, found.reasons) == ("accepted", "other", ())
    assert audit(store, "quarantine batch") == audit(store, "accept batch") == 1


def test_a_person_releases_a_quarantined_batch_with_a_reason(store: Store) -> None:
    store.batches.quarantine(batch_of("a", reasons=("broken",)))
    assert not store.batches.get("a").usable
    for person, why in (("", "why"), ("Ada", "  ")):
        with pytest.raises(InvalidInput, match="must be a text that is not empty"):
            store.batches.release("a", person=person, why=why)
    released = store.batches.release("a", person="Ada", why="known gap")
    assert released == store.batches.get("a")
    assert released.usable
    assert (released.state, released.released_by, released.released_why) == ("released", "Ada", "known gap")
    assert released.released_at
    assert released.reasons == ("broken",)
    assert scalar(store, "SELECT actor FROM audit WHERE verb = 'release batch'") == "Ada"
    with pytest.raises(Conflict, match="only a quarantined batch"):
        store.batches.release("a", person="Ada", why="again")
    with pytest.raises(NotFound):
        store.batches.release("b", person="Ada", why="why")


def test_joined_rows_replace_those_they_were_joined_to_and_no_others(store: Store) -> None:
    stored = store.batches.accept(batch_of("a"))
    joined = store.batches.update(replace(stored, digest="two", labelled=2), before="rows of a")
    assert (store.batches.get("a"), joined.labelled) == (joined, 2)
    with pytest.raises(Conflict, match="changed while its rows were joined"):
        store.batches.update(replace(stored, digest="three"), before="rows of a")
    assert store.batches.get("a").digest == "two"


def test_a_release_meanwhile_survives_a_join(store: Store) -> None:
    stored = store.batches.quarantine(batch_of("a"))
    store.batches.release("a", person="Ada", why="fine")
    store.batches.update(replace(stored, digest="two"), before="rows of a")
    found = store.batches.get("a")
    assert (found.state, found.released_by, found.digest) == ("released", "Ada", "two")


def test_the_version_changes_with_every_batch_join_release_and_schema(store: Store) -> None:
    seen = [store.batches.version()]

    def changed() -> None:
        version = store.batches.version()
        assert version not in seen
        assert version == store.batches.version()
        seen.append(version)

    stored = store.batches.quarantine(batch_of("a"))
    changed()
    store.batches.release("a", person="Ada", why="fine")
    changed()
    store.batches.update(replace(stored, digest="two"), before="rows of a")
    changed()
    store.batches.freeze_schema(schema_of(), "production.yaml")
    changed()


def test_the_last_schema_is_in_force_and_the_older_ones_stay(store: Store) -> None:
    assert store.batches.schema_in_force() is None
    assert store.batches.schema_origin() == ""
    first = schema_of(inferred=True)
    second = schema_of(
        key="id",
        labels=("a", "b"),
        reference=Window("2013-01-01", None),
        rules=DriftRules(columns={"n": 0.2}, ignored=("c",)),
    )
    assert store.batches.freeze_schema(first, "inferred")
    assert not store.batches.freeze_schema(first, "inferred")
    assert store.batches.freeze_schema(second, "production.yaml")
    assert store.batches.schema_in_force() == second
    assert store.batches.schema_origin() == "production.yaml"
    assert store.batches.inferred_schema() == first
    assert store.batches.schema(first.digest) == first
    assert store.batches.freeze_schema(first, "inferred")
    assert store.batches.schema_in_force() == first
    with pytest.raises(NotFound):
        store.batches.schema("unknown")


def test_a_first_schema_gives_way_to_one_that_came_before_it(store: Store) -> None:
    assert store.batches.freeze_schema(schema_of(), "inferred", first=True)
    assert not store.batches.freeze_schema(schema_of(), "inferred", first=True)
    with pytest.raises(Conflict, match="another production schema came into force"):
        store.batches.freeze_schema(schema_of(key="id"), "inferred", first=True)
    assert store.batches.schema_in_force() == schema_of()


def test_rules_may_change_without_another_digest_and_the_newest_are_found(store: Store) -> None:
    strict = schema_of(rules=DriftRules(alpha=0.001))
    store.batches.freeze_schema(schema_of(), "production.yaml")
    store.batches.freeze_schema(strict, "production.yaml")
    assert strict.digest == schema_of().digest
    assert store.batches.schema(strict.digest) == strict
