"""Behaviour of Dagster that we lean on and that it does not promise."""

import warnings
from collections.abc import Iterator

import dagster as dg
import pytest

from ml_regress.defs.partitions import cell_key, matrix_partitions
from ml_regress.defs.sensors import RANGE_END, RANGE_START

seen: list[list[str]] = []


with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.BetaWarning)

    @dg.asset(
        name="cells",
        partitions_def=matrix_partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        output_required=False,
    )
    def ranged_cells(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]
        seen.append(list(context.partition_keys))
        for key in context.partition_keys:
            if key.endswith("crash"):
                raise RuntimeError("the run ended here")
            yield dg.AssetMaterialization("cells", partition=key, metadata={"passes": 3})


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    seen.clear()
    with dg.DagsterInstance.ephemeral() as ephemeral:
        ephemeral.add_dynamic_partitions("candidate", ["v1", "v2", "v3"])
        ephemeral.add_dynamic_partitions("problem", ["b", "a", "crash"])
        yield ephemeral


def run(instance: dg.DagsterInstance, start: str, end: str) -> dg.ExecuteInProcessResult:
    tags = {RANGE_START: start, RANGE_END: end}
    return dg.materialize([ranged_cells], instance=instance, tags=tags, raise_on_error=False)


def test_range_tags_with_a_single_run_policy_give_every_cell_of_a_rectangle(instance: dg.DagsterInstance) -> None:
    # The two tags are written down nowhere as an interface: rectangles stand on them.
    assert run(instance, cell_key("v2", "b"), cell_key("v3", "a")).success
    assert sorted(seen[0]) == ["v2|a", "v2|b", "v3|a", "v3|b"]
    assert instance.get_materialized_partitions(dg.AssetKey("cells")) == {"v2|a", "v2|b", "v3|a", "v3|b"}


def test_a_range_is_read_by_position_not_by_name(instance: dg.DagsterInstance) -> None:
    run(instance, cell_key("v1", "b"), cell_key("v1", "a"))
    assert sorted(seen[0]) == ["v1|a", "v1|b"]


def test_cells_that_were_finished_before_a_crash_stay_materialized(instance: dg.DagsterInstance) -> None:
    # output_required=False lets a generator yield events and no output: what was yielded survives.
    assert not run(instance, cell_key("v1", "b"), cell_key("v1", "crash")).success
    assert instance.get_materialized_partitions(dg.AssetKey("cells")) == {"v1|b", "v1|a"}
    event = instance.get_latest_materialization_event(dg.AssetKey("cells"))
    assert event is not None and event.asset_materialization is not None
    assert event.asset_materialization.metadata["passes"].value == 3


def test_a_second_runless_check_of_a_partition_fails_and_an_unpartitioned_one_works(
    instance: dg.DagsterInstance,
) -> None:
    # Why checks here are unpartitioned: a sensor's tick would fail at the second report.
    for _ in range(2):
        instance.report_runless_asset_event(dg.AssetCheckEvaluation(dg.AssetKey("cells"), "whole", True, metadata={}))
    partitioned = dg.AssetCheckEvaluation(dg.AssetKey("cells"), "part", True, metadata={}, partition="v1|a")
    instance.report_runless_asset_event(partitioned)
    with pytest.raises(Exception, match="UNIQUE constraint failed"):
        instance.report_runless_asset_event(partitioned)
