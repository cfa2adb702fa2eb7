"""Everything Dagster knows of ml_regress."""

import dagster as dg

from ml_regress.defs import checks, evaluation, jobs, production, registry, schedules, sensors
from ml_regress.defs.resources import WorkspaceResource

defs = dg.Definitions(
    assets=[*registry.specs, evaluation.evaluation, production.scoreboard, production.report],
    asset_checks=[checks.schemas_valid, checks.matrix_complete],
    jobs=[jobs.measure_job, jobs.refresh_job, jobs.audit_job],
    sensors=[
        sensors.problems_sensor,
        sensors.candidates_sensor,
        sensors.evaluation_sensor,
        sensors.scoreboard_sensor,
    ],
    schedules=[schedules.audit_schedule, schedules.refresh_schedule],
    resources={"workspace": WorkspaceResource()},
    executor=dg.in_process_executor,
)
