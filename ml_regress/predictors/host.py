"""Predicting in a process of its own: a model may hang, crash or print, and only its cells suffer."""

import time
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from types import TracebackType

import pandas as pd

from ml_regress.core.candidate import Candidate
from ml_regress.errors import CannotOpen, NotPermitted, PredictionFailed, Unavailable
from ml_regress.predictors.batch import Answered, Batch, Begun, Opened, Refused
from ml_regress.predictors.predictor import Policy
from ml_regress.predictors.process import Child, ChildGoneError

START_LIMIT = 120.0

__all__ = ["Batch", "EndedError", "PredictorHost", "Served"]


class EndedError(PredictionFailed):
    """The candidate's process ended before this was answered."""


@dataclass(frozen=True)
class Served:
    """What one opening of a candidate gave: the result of each frame, or why it was not opened."""

    results: list[Batch | PredictionFailed]
    refused: CannotOpen | NotPermitted | PredictionFailed | None = None


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

        Raises CannotOpen or NotPermitted where the candidate does not open, and PredictionFailed
        where its process ends, or its time is over, before it is open.
        """
        (served,) = self.predict_each([candidate], frames, policy)
        if served.refused is not None:
            raise served.refused
        return served.results

    def predict_each(
        self,
        candidates: Sequence[Candidate],
        frames: Sequence[pd.DataFrame],
        policy: Policy,
        passes: Sequence[int] | None = None,
    ) -> Generator[Served]:
        """What each candidate answers to the same frames, in order: the child goes on while the caller works.

        Frames whose columns agree are predicted in one call, where `passes` does not set them apart: the
        pass of each frame, which come one after the other. The time limit covers all that one candidate
        does in a pass. One that ends the process takes no other with it.
        """
        turns = Counter(passes or [0] * len(frames))
        own = [_limited(policy, candidate) for candidate in candidates]
        # The child ends itself after the time of all passes; each has its own limit here.
        whole = [replace(each, time_limit=each.time_limit * max(1, len(turns))) for each in own]
        jobs = list(zip(candidates, whole, strict=True))
        begun: Begun | None = None
        left = len(jobs)
        try:
            for number, limited in enumerate(own):
                if begun is None:  # nobody works on it: it is the first one, or the process ended
                    begun = self._hand_over((jobs[number:], list(frames), passes))
                served, alive = self._served(begun, limited.time_limit, list(turns.values()))
                left -= 1
                yield served
                begun = self._next_begun() if alive and left else None
        finally:
            if left:
                self.close()  # an answer that nobody waits for must not be taken for the next one's

    def _served(self, begun: Begun, limit: float, passes: Sequence[int]) -> tuple[Served, bool]:
        """What the candidate gives that the child works on, and whether the child lives on.

        `passes` are the frames of each pass, and `limit` the seconds that one may take.
        """
        frames, since = sum(passes), begun.at
        ends = set(accumulate(passes))
        assert self._child is not None  # noqa: S101  it has begun
        results: dict[int, Batch | PredictionFailed] = {}
        is_open = False
        try:
            while not is_open or len(results) < frames:
                reply = self._child.receive(since + limit, f"exceeded its time limit of {limit:g} s")
                if isinstance(reply, Refused):
                    return Served([], reply.error), True
                if isinstance(reply, Opened):
                    is_open = True
                    self.opened += 1
                elif isinstance(reply, Answered):
                    results[reply.position] = reply.batch
                    if len(results) in ends:  # passes come one after the other
                        since = time.monotonic()
        except ChildGoneError as gone:
            error = EndedError(f"{gone} while it {'predicted' if is_open else 'was opened'}")
            if not is_open:
                return Served([], error), False
            return self._counted([results.get(position, error) for position in range(frames)]), False
        return self._counted([results[position] for position in range(frames)]), True

    def _counted(self, results: list[Batch | PredictionFailed]) -> Served:
        self.predicted += sum(len(result.answers) for result in results if isinstance(result, Batch))
        return Served(results)

    def _hand_over(self, request: object) -> Begun:
        """Send a request; returns when the child has imported what its first candidate takes."""
        reason = ""
        for _ in range(2):  # one that died idle, of what an earlier model left behind, is no fault of this one
            child = self._running()
            try:
                child.send(request)
                return self._receive_begun(child)
            except ChildGoneError as gone:
                reason = str(gone)
        raise Unavailable(f"the process for models did not start: it {reason}; its log says more")

    def _next_begun(self) -> Begun | None:
        """The child's word that it works on the next candidate; None where it ended idle."""
        assert self._child is not None  # noqa: S101  it has served one
        try:
            # It may have waited for us to take an answer: that is no time of the candidate's. A model that
            # hangs is ended by the child's own alarm too.
            return replace(self._receive_begun(self._child), at=time.monotonic())
        except ChildGoneError:
            return None

    def _receive_begun(self, child: Child) -> Begun:
        begun = child.receive(time.monotonic() + START_LIMIT, f"was not ready after {START_LIMIT:g} s")
        assert isinstance(begun, Begun)  # noqa: S101  the child says so of each candidate
        return begun

    def _running(self, formats: Iterable[str] = ()) -> Child:
        if self._child is None or not self._child.is_alive():
            self.close()
            self._child = Child(dict.fromkeys(formats))
        return self._child


def _limited(policy: Policy, candidate: Candidate) -> Policy:
    """The policy with the candidate's own time limit, where it has one."""
    own = candidate.manifest.time_limit
    return policy if own is None else replace(policy, time_limit=own)
