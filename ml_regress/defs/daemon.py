"""Dagster's daemon as `ml-regress up` starts it: runs that a killed tree left are released first.

It imports no more than that: the daemon gets the definitions from the code server.
"""

import os

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter
from dagster._daemon.cli import main

RELEASE = "ML_REGRESS_RELEASE_RUNS"
_LEFT = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]


def release_left_runs(instance: dg.DagsterInstance) -> list[str]:
    """Cancels the runs that a killed process left at work: they hold slots and will never end.

    To be called when nothing of this instance runs; returns the ids of the runs. Cells of theirs
    are given back without counting as crashed: it was the machine that stopped, not the candidate.
    """
    left = instance.get_runs(RunsFilter(statuses=_LEFT))
    for run in left:
        instance.report_run_canceled(run, message="Its process ended with the `ml-regress up` that started it.")
    return [run.run_id for run in left]


if __name__ == "__main__":
    if os.environ.get(RELEASE):
        with dg.DagsterInstance.get() as instance:
            release_left_runs(instance)
    main()
