"""Everything Dagster knows of ml_regress."""

import dagster as dg

from ml_regress.defs import checks, evaluation, jobs, production, promotion, registry, schedules, sensors, verdicts
from ml_regress.defs.resources import WorkspaceResource

defs = dg.Definitions(
    assets=[*registry.specs, evaluation.evaluation, verdicts.verdicts, production.scoreboard, production.report],
    asset_checks=[checks.schemas_valid],
    jobs=[jobs.measure_job, jobs.refresh_job, jobs.audit_job, promotion.promote_job, promotion.roll_back_job],
    sensors=[
        sensors.problems_sensor,
        sensors.candidates_sensor,
        sensors.evaluation_sensor,
        sensors.verdicts_sensor,
        sensors.scoreboard_sensor,
    ],
    schedules=[schedules.audit_schedule, schedules.refresh_schedule],
    resources={"workspace": WorkspaceResource()},
    executor=dg.in_process_executor,
)
