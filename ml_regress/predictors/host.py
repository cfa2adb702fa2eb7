"""Predicting in a process of its own: a model may hang, crash or print, and only its cells suffer."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import TracebackType

import pandas as pd

from ml_regress.core.candidate import Candidate
from ml_regress.errors import CannotOpen, NotPermitted, PredictionFailed, Unavailable
from ml_regress.predictors.batch import Answered, Batch, Opened, Refused
from ml_regress.predictors.predictor import Policy
from ml_regress.predictors.process import Child, ChildGoneError

START_LIMIT = 120.0

__all__ = ["Batch", "PredictorHost"]


class PredictorHost:
    """One child process that opens candidates and predicts; for one thread at a time.

    `opened` counts openings, `predicted` the rows that were answered. The child starts with
    `start()`, which returns at once, or with the first prediction; it ends with the block.

        with PredictorHost() as host:
            batch = host.predict(candidate, frame, policy)
    """

    def __init__(self) -> None:
        self.opened = 0
        self.predicted = 0
        self._child: Child | None = None

    def __enter__(self) -> "PredictorHost":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The child's process id, None where none runs."""
        return self._child.pid if self._child is not None and self._child.is_alive() else None

    def start(self, formats: Iterable[str] = ()) -> None:
        """Starts the child where none runs; its imports go on beside what the caller does next.

        `formats` are those of the candidates to come: skops alone takes seconds to import.
        """
        self._running(formats)

    def close(self) -> None:
        """Ends the child and whatever a model started in it."""
        if self._child is not None:
            self._child.end()
            self._child = None

    def predict(self, candidate: Candidate, frame: pd.DataFrame, policy: Policy) -> Batch:
        """The predictions of one frame.

        Raises CannotOpen, NotPermitted, or PredictionFailed with the reason.
        """
        (result,) = self.predict_many(candidate, [frame], policy)
        if isinstance(result, PredictionFailed):
            raise result
        return result

    def predict_many(
        self, candidate: Candidate, frames: Sequence[pd.DataFrame], policy: Policy
    ) -> list[Batch | PredictionFailed]:
        """The predictions of each frame, from one opening: a batch, or the error of that frame.

        Frames whose columns agree are predicted in one call. The time limit covers all of it.
        Raises CannotOpen or NotPermitted where the candidate does not open, and PredictionFailed
        where its process ends, or its time is over, before it is open.
        """
        own = candidate.manifest.time_limit
        limit = policy.time_limit if own is None else own
        results: dict[int, Batch | PredictionFailed] = {}
        opened = self.opened
        try:
            self._exchange(candidate, frames, replace(policy, time_limit=limit), results)
        except ChildGoneError as gone:
            is_open = self.opened > opened
            error = PredictionFailed(f"{gone} while it {'predicted' if is_open else 'was opened'}")
            if not is_open:
                raise error from None
            for position in range(len(frames)):
                results.setdefault(position, error)
        except (CannotOpen, NotPermitted):
            raise
        except BaseException:
            self.close()  # an answer that nobody waits for must not be taken for the next one's
            raise
        self.predicted += sum(len(result.answers) for result in results.values() if isinstance(result, Batch))
        return [results[position] for position in range(len(frames))]

    def _exchange(
        self,
        candidate: Candidate,
        frames: Sequence[pd.DataFrame],
        policy: Policy,
        results: dict[int, Batch | PredictionFailed],
    ) -> None:
        """Sends one request and fills `results` with its replies by the position of their frame."""
        child = self._await_ready((candidate, list(frames), policy))
        deadline = time.monotonic() + policy.time_limit
        is_open = False
        while not is_open or len(results) < len(frames):
            reply = child.receive(deadline, f"exceeded its time limit of {policy.time_limit:g} s")
            if isinstance(reply, Refused):
                raise reply.error
            if isinstance(reply, Opened):
                is_open = True
                self.opened += 1
            elif isinstance(reply, Answered):
                results[reply.position] = reply.batch

    def _await_ready(self, request: object) -> Child:
        """The child that has the request and has imported what this takes; the time limit begins then."""
        reason = ""
        for _ in range(2):  # one that died idle, of what an earlier model left behind, is no fault of this one
            child = self._running()
            try:
                child.send(request)
                child.receive(time.monotonic() + START_LIMIT, f"was not ready after {START_LIMIT:g} s")
                return child
            except ChildGoneError as gone:
                reason = str(gone)
        raise Unavailable(f"the process for models did not start: it {reason}; its log says more")

    def _running(self, formats: Iterable[str] = ()) -> Child:
        if self._child is None or not self._child.is_alive():
            self.close()
            self._child = Child(dict.fromkeys(formats))
        return self._child
