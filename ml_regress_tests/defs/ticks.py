"""Ticks of sensors as the daemon makes them: what a sensor asks for is done to the instance."""

from collections.abc import Callable
from typing import Any

import dagster as dg

from ml_regress.definitions import defs
from ml_regress.defs import sensors
from ml_regress.defs.resources import WorkspaceResource

Tick = Callable[..., dg.SensorResult]


class Daemon:
    """Keeps the cursors and applies results; runs are executed only when asked."""

    def __init__(self, instance: dg.DagsterInstance, resource: WorkspaceResource) -> None:
        self.instance, self.resource = instance, resource
        self.cursors: dict[str, str | None] = {}

    def tick(self, sensor: dg.SensorDefinition) -> dg.SensorResult:
        context = dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursors.get(sensor.name),
            definitions=defs,
            resources={"workspace": self.resource},
        )
        result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        if result.cursor is not None:
            self.cursors[sensor.name] = result.cursor
        for request in result.dynamic_partitions_requests or []:
            if isinstance(request, dg.AddDynamicPartitionsRequest):
                self.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
            else:
                for key in request.partition_keys:
                    self.instance.delete_dynamic_partition(request.partitions_def_name, key)
        for event in result.asset_events:
            self.instance.report_runless_asset_event(event)
        return result

    def look(self) -> None:
        """What the registry's sensors do."""
        self.tick(sensors.problems_sensor)
        self.tick(sensors.candidates_sensor)

    def requests(self) -> list[dg.RunRequest]:
        return list(self.tick(sensors.evaluation_sensor).run_requests or [])

    def run(self, request: dg.RunRequest | None = None, **tags: Any) -> dg.ExecuteInProcessResult:
        """A run of the job `measure` with the tags of a request."""
        return defs.resolve_job_def("measure").execute_in_process(
            instance=self.instance,
            tags={**(request.tags if request else {}), **tags},
            resources={"workspace": self.resource},
            raise_on_error=False,
        )


def partitions(instance: dg.DagsterInstance, asset: str = "evaluation") -> set[str]:
    return set(instance.get_materialized_partitions(dg.AssetKey(asset)))


def latest(instance: dg.DagsterInstance, asset: str, partition: str | None = None) -> dict[str, Any]:
    """The metadata of the newest materialization, as plain values."""
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=[partition] if partition else None), limit=1
    ).records
    materialization = records[0].asset_materialization
    assert materialization is not None
    return {name: value.value for name, value in materialization.metadata.items()}
