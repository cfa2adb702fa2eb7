"""What Dagster knows of this package, as a literal."""

import dagster as dg
import yaml

from ml_regress.definitions import defs
from ml_regress.defs.partitions import cell_key
from ml_regress.supervise import instance_file


def test_the_names_of_everything_are_these() -> None:
    dg.Definitions.validate_loadable(defs)
    repository = defs.get_repository_def()
    assert {key.to_user_string() for key in repository.asset_graph.get_all_asset_keys()} == {
        "problems", "benchmarks", "patterns", "candidates", "evaluation", "verdicts", "scoreboard", "report",
        "batches", "drift", "outliers",
    }  # fmt: skip
    assert {key.to_user_string() for key in repository.asset_graph.asset_check_keys} == {
        "problems:schemas_valid", "scoreboard:matrix_complete", "scoreboard:newest_meets_requirements",
        "scoreboard:production_meets_requirements", "batches:schema_kept", "batches:batches_arrive", "drift:no_drift",
    }  # fmt: skip
    assert {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")} == {
        "measure", "refresh", "audit", "promote", "roll_back", "check_batches", "watch_production",
    }  # fmt: skip
    assert {sensor.name for sensor in repository.sensor_defs} == {
        "problems_sensor", "candidates_sensor", "evaluation_sensor", "verdicts_sensor", "scoreboard_sensor",
        "batches_sensor",
    }  # fmt: skip
    assert {schedule.name for schedule in repository.schedule_defs} == {
        "audit_schedule", "refresh_schedule", "production_schedule",
    }  # fmt: skip


def test_every_sensor_and_schedule_runs_from_the_start() -> None:
    # A new user would watch an empty matrix otherwise.
    repository = defs.get_repository_def()
    assert all(sensor.default_status is dg.DefaultSensorStatus.RUNNING for sensor in repository.sensor_defs)
    assert all(schedule.default_status is dg.DefaultScheduleStatus.RUNNING for schedule in repository.schedule_defs)


def test_every_asset_says_what_it_is() -> None:
    graph = defs.get_repository_def().asset_graph
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.group_name in ("registry", "matrix", "production"), key
        assert node.owners == ["team:ml-regress"], key
        assert node.kinds, key
    for name in (
        "problems",
        "benchmarks",
        "patterns",
        "candidates",
        "evaluation",
        "verdicts",
        "batches",
        "drift",
        "outliers",
    ):
        schema = graph.get(dg.AssetKey(name)).metadata["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchema | dg.TableSchemaMetadataValue), name


def test_everything_that_runs_or_looks_says_what_it_is_for() -> None:
    repository = defs.get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    for each in (*jobs, *repository.sensor_defs, *repository.schedule_defs):
        assert each.description, each.name
    for key in repository.asset_graph.asset_check_keys:
        assert repository.asset_graph.get_check_spec(key).description, key


def test_no_check_stops_anything(instance: dg.DagsterInstance) -> None:
    # They inform. What may ship is decided by the engine, when production is moved.
    graph = defs.get_repository_def().asset_graph
    assert not any(graph.get_check_spec(key).blocking for key in graph.asset_check_keys)


def test_a_pattern_or_a_candidate_maps_to_exactly_its_cells(instance: dg.DagsterInstance) -> None:
    # No partition mapping is written by hand; this is what the default one has to do.
    instance.add_dynamic_partitions("candidate", ["v1", "v2"])
    instance.add_dynamic_partitions("problem", ["p", "q"])
    graph = defs.get_repository_def().asset_graph
    evaluation = graph.get(dg.AssetKey("evaluation"))
    cells = {cell_key(candidate, problem) for candidate in ("v1", "v2") for problem in ("p", "q")}
    for parent, dimension, key in (("patterns", 1, "p"), ("candidates", 0, "v2")):
        upstream = graph.get(dg.AssetKey(parent))
        mapping = graph.get_partition_mapping(evaluation.key, upstream.key)
        assert upstream.partitions_def is not None and evaluation.partitions_def is not None
        with dg._core.definitions.partitions.context.partition_loading_context(dynamic_partitions_store=instance):
            found = mapping.get_downstream_partitions_for_partitions(
                upstream.partitions_def.subset_with_partition_keys([key]),
                upstream.partitions_def,
                evaluation.partitions_def,
            )
        assert set(found.get_partition_keys()) == {cell for cell in cells if cell.split("|")[dimension] == key}


def test_the_daily_look_at_production_is_in_the_morning() -> None:
    (schedule,) = [each for each in defs.get_repository_def().schedule_defs if each.name == "production_schedule"]
    assert (schedule.cron_schedule, schedule.job_name) == ("10 6 * * *", "watch_production")


def test_every_sensor_has_a_worker_of_its_own() -> None:
    # One that reads a large batch must not hold up the measuring of a candidate.
    workers = yaml.safe_load(instance_file().read_text())["sensors"]["num_workers"]
    assert workers >= len(list(defs.get_repository_def().sensor_defs))


def test_drift_and_outliers_may_be_made_for_a_range_of_batches_in_one_run() -> None:
    graph = defs.get_repository_def().asset_graph
    for name in ("drift", "outliers"):
        node = graph.get(dg.AssetKey(name))
        assert node.backfill_policy == dg.BackfillPolicy.single_run(), name
        assert node.parent_keys == {dg.AssetKey("batches")}, name


def test_a_pandera_schema_and_a_stored_table_become_columns() -> None:
    graph = defs.get_repository_def().asset_graph
    patterns = graph.get(dg.AssetKey("patterns")).metadata["dagster/column_schema"]
    polarity = next(column for column in patterns.columns if column.name == "polarity")
    assert polarity.constraints.other == ["must be one of positive, negative"]
    assert not polarity.constraints.nullable
    candidates = graph.get(dg.AssetKey("candidates")).metadata["dagster/column_schema"]
    assert {"id", "sha256", "created_at"} <= {column.name for column in candidates.columns}
