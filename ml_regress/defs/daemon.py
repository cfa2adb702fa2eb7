"""Dagster's daemon as `ml-regress up` starts it: runs that a killed tree left are released first, and
sensors go on ticking when the clock is set back.

It imports no more than that: the daemon gets the definitions from the code server.
"""

import logging
import os
import threading
import time

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter
from dagster._core.scheduler.instigation import InstigatorType, SensorInstigatorData
from dagster._daemon.cli import main

RELEASE = "ML_REGRESS_RELEASE_RUNS"
# Seconds that a last tick may lie in the future before it counts as a clock that was set back.
SKEW = 5.0
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


def forget_future_ticks(instance: dg.DagsterInstance, now: float) -> list[str]:
    """Lets the sensors tick whose last tick is later than `now` (seconds since 1970); returns their names.

    Dagster asks a sensor again when some seconds have passed since its last tick. When the clock was
    set back by an hour, that is in an hour.
    """
    found = []
    for state in instance.all_instigator_state(instigator_type=InstigatorType.SENSOR):
        data = state.instigator_data
        if not isinstance(data, SensorInstigatorData):
            continue
        if max(data.last_tick_start_timestamp or 0, data.last_tick_timestamp or 0) > now + SKEW:
            again = data._replace(last_tick_start_timestamp=None, last_tick_timestamp=None)
            instance.update_instigator_state(state.with_data(again))
            found.append(state.name)
    return found


def _watch_the_clock() -> None:
    with dg.DagsterInstance.get() as instance:
        while True:
            try:
                forget_future_ticks(instance, time.time())
            except Exception:  # Dagster's own database is busy or away: the next look will do
                logging.getLogger(__name__).exception("could not look at the times of the last ticks")
            time.sleep(SKEW)


if __name__ == "__main__":
    if os.environ.get(RELEASE):
        with dg.DagsterInstance.get() as instance:
            release_left_runs(instance)
    threading.Thread(target=_watch_the_clock, name="clock", daemon=True).start()
    main()
