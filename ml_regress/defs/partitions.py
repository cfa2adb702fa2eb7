"""The matrix as Dagster partitions: candidate x problem (a benchmark sits in the problem dimension); and batches."""

from collections.abc import Iterable, Sequence

import dagster as dg

CANDIDATE = "candidate"
PROBLEM = "problem"
BATCH = "batch"

candidates_partitions = dg.DynamicPartitionsDefinition(name=CANDIDATE)
problems_partitions = dg.DynamicPartitionsDefinition(name=PROBLEM)
batches_partitions = dg.DynamicPartitionsDefinition(name=BATCH)
KeyRequest = dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest
matrix_partitions = dg.MultiPartitionsDefinition({CANDIDATE: candidates_partitions, PROBLEM: problems_partitions})


def cell_key(candidate: str, problem: str) -> dg.MultiPartitionKey:
    """The partition key of a cell."""
    return dg.MultiPartitionKey({CANDIDATE: candidate, PROBLEM: problem})


def cells_of(keys: Iterable[str]) -> list[tuple[str, str]]:
    """(candidate, problem) of each partition key of the matrix."""
    cells = []
    for key in keys:
        # Slugs hold no '|', so the printed form of a key splits in one way only.
        dimensions = key.keys_by_dimension if isinstance(key, dg.MultiPartitionKey) else None
        cells.append((dimensions[CANDIDATE], dimensions[PROBLEM]) if dimensions else _split(key))
    return cells


def _split(key: str) -> tuple[str, str]:
    candidate, _, problem = key.partition("|")
    return candidate, problem


def reconciled(name: str, wanted: Sequence[str], current: Sequence[str]) -> tuple[list[str], list[KeyRequest]]:
    """The keys of a dimension after the requests that make them equal to `wanted`, and the requests.

    Keys keep their places: ranges are positional, and only new keys go to the end.
    """
    requests: list[KeyRequest] = []
    added = [key for key in wanted if key not in set(current)]
    removed = [key for key in current if key not in set(wanted)]
    if removed:
        requests.append(dg.DeleteDynamicPartitionsRequest(name, removed))
    if added:
        requests.append(dg.AddDynamicPartitionsRequest(name, added))
    return [key for key in current if key not in set(removed)] + added, requests
