"""Keys of the matrix."""

import dagster as dg

from ml_regress.defs.partitions import CANDIDATE, cell_key, cells_of, matrix_partitions, reconciled


def test_a_cell_key_goes_to_its_cell_and_back() -> None:
    key = cell_key("v1.2", "one-or-eight")
    assert key == "v1.2|one-or-eight"
    assert cells_of([key, "v2|one-or-eight"]) == [("v1.2", "one-or-eight"), ("v2", "one-or-eight")]


def test_new_keys_go_to_the_end_and_others_keep_their_places() -> None:
    keys, requests = reconciled(CANDIDATE, wanted=["a", "new", "c"], current=["c", "gone", "a"])
    assert keys == ["c", "a", "new"]
    assert requests == [
        dg.DeleteDynamicPartitionsRequest(CANDIDATE, ["gone"]),
        dg.AddDynamicPartitionsRequest(CANDIDATE, ["new"]),
    ]


def test_keys_that_agree_ask_for_nothing() -> None:
    assert reconciled(CANDIDATE, wanted=["b", "a"], current=["a", "b"]) == (["a", "b"], [])


def test_the_matrix_is_the_product_of_its_two_dimensions() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("candidate", ["v1", "v2"])
        instance.add_dynamic_partitions("problem", ["p", "q"])
        keys = matrix_partitions.get_partition_keys(dynamic_partitions_store=instance)
    assert sorted(cells_of(keys)) == [("v1", "p"), ("v1", "q"), ("v2", "p"), ("v2", "q")]
