"""What was last read of each file, and what was refused."""

from ml_regress.store import Store
from ml_regress_tests.scenario import scalar


def test_a_source_is_remembered_by_kind(store: Store) -> None:
    store.sources.read("problems/a.yaml", "problems", "1")
    store.sources.read("problems/a.yaml", "problems", "2")
    store.sources.read("candidates/a", "candidates", "3")
    assert store.sources.signatures("problems") == {"problems/a.yaml": "2"}


def test_a_refusal_stands_until_the_source_is_read_again_or_gone(store: Store) -> None:
    for source in ("b", "a"):
        store.sources.read(source, "problems", "1", "row 1: no")
    assert [(refusal.source, refusal.message) for refusal in store.sources.refusals()] == [
        ("a", "row 1: no"),
        ("b", "row 1: no"),
    ]
    store.sources.read("a", "problems", "2")
    store.sources.forget(["b"])
    store.sources.forget([])
    assert store.sources.refusals() == []
    assert store.sources.signatures("problems") == {"a": "2"}


def test_the_same_refusal_is_noted_once(store: Store) -> None:
    for signature in ("1", "2"):
        store.sources.read("a", "problems", signature, "row 1: no")
    store.sources.read("a", "problems", "3", "row 2: no")
    assert scalar(store, "SELECT count(*) FROM audit WHERE verb = 'refuse'") == 2
