"""What happens by the clock."""

import dagster as dg

from ml_regress.defs.jobs import audit_job, refresh_job, watch_production_job

audit_schedule = dg.ScheduleDefinition(
    name="audit_schedule",
    job=audit_job,
    cron_schedule="5 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="The hourly audit of all cells against all digests.",
)
refresh_schedule = dg.ScheduleDefinition(
    name="refresh_schedule",
    job=refresh_job,
    cron_schedule="15 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="The scoreboard and the report anew each hour, whatever was missed.",
)
production_schedule = dg.ScheduleDefinition(
    name="production_schedule",
    job=watch_production_job,
    cron_schedule="10 6 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Batches are checked each day, whatever was missed; says where none came.",
)
