"""The pipeline: assets, checks, sensors and schedules. The only package that imports dagster."""
