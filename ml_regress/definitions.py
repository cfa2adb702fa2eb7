"""Everything Dagster knows of ml_regress."""

import dagster as dg

from ml_regress.defs import (
    arrival,
    batches,
    checks,
    evaluation,
    jobs,
    production,
    promotion,
    registry,
    schedules,
    sensors,
    verdicts,
    watching,
)
from ml_regress.defs.resources import WorkspaceResource

defs = dg.Definitions(
    assets=[
        *registry.specs,
        evaluation.evaluation,
        verdicts.verdicts,
        production.scoreboard,
        production.report,
        batches.batches,
        batches.checks_of_batches,
    ],
    asset_checks=[checks.schemas_valid, batches.schema_kept, arrival.batches_arrive],
    jobs=[
        jobs.measure_job,
        jobs.refresh_job,
        jobs.audit_job,
        jobs.check_batches_job,
        jobs.watch_production_job,
        promotion.promote_job,
        promotion.roll_back_job,
    ],
    sensors=[
        sensors.problems_sensor,
        sensors.candidates_sensor,
        sensors.evaluation_sensor,
        sensors.verdicts_sensor,
        sensors.scoreboard_sensor,
        watching.batches_sensor,
    ],
    schedules=[schedules.audit_schedule, schedules.refresh_schedule, schedules.production_schedule],
    resources={"workspace": WorkspaceResource()},
    executor=dg.in_process_executor,
)
