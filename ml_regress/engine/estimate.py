"""What is due will cost: how many predictions, and about how long, from what was measured before."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from ml_regress.engine.workspace import Workspace
from ml_regress.store.due import Cell

# Where nothing was measured yet: starting the libraries, and opening one small model.
START_SECONDS = 3.0
UNKNOWN_SECONDS = 1.0


@dataclass(frozen=True)
class Estimate:
    """`seconds` is a guess from earlier measurements; None where there were none."""

    cells: int
    candidates: int
    predictions: int
    benchmark_rows: int
    seconds: float

    @property
    def words(self) -> str:
        rows = f" and {self.benchmark_rows} benchmark rows" if self.benchmark_rows else ""
        return (
            f"{self.cells} cells of {self.candidates} candidates: {self.predictions} predictions{rows}, "
            f"about {max(1, round(self.seconds))} s"
        )


def estimate(workspace: Workspace, cells: Iterable[Cell], again: int = 0) -> Estimate:
    """The predictions that these due cells still need, and the time they will take.

    `again` are so many further draws of each.
    """
    store, wanted = workspace.store, set(cells)
    candidates = {candidate.id: candidate for candidate in store.candidates.all()}
    dimension = {entry.id: entry for entry in store.problems.measured()}
    due = [cell for cell in wanted if cell[0] in candidates and cell[1] in dimension]
    problems = {problem for _, problem in due if dimension[problem].kind == "problem"}
    suites = store.problems.suites((problem, dimension[problem].suite) for problem in problems)
    rows = store.problems.benchmark_rows()
    predictions = benchmark_rows = opened = 0
    by_candidate: dict[str, list[str]] = {}
    for candidate, problem in due:
        by_candidate.setdefault(candidate, []).append(problem)
    for name, problems_due in by_candidate.items():
        if candidates[name].recorded:
            continue  # there is nothing to predict
        excused = candidates[name].manifest.not_applicable
        mine = [problem for problem in problems_due if problem not in excused]
        patterns = [pattern for problem in mine if problem in suites for pattern in suites[problem].patterns]
        digests = {pattern.input_digest for pattern in patterns}
        missing = len(digests - store.evaluations.predictions(name, digests).keys())
        missing += again * len({pattern.input_digest for pattern in patterns if pattern.inputs is not None})
        fresh = sum(rows.get(problem, 0) for problem in mine)
        predictions, benchmark_rows = predictions + missing, benchmark_rows + fresh
        opened += 1 if missing or fresh else 0
    return Estimate(len(due), len(by_candidate), predictions, benchmark_rows, (1 + again) * _seconds(workspace, opened))


def _seconds(workspace: Workspace, opened: int) -> float:
    if not opened:
        return UNKNOWN_SECONDS
    past = {
        (item.candidate, item.evaluated_at): item.seconds
        for item in workspace.store.evaluations.latest()
        if item.counts.get("opened")
    }
    each = median(past.values()) if past else UNKNOWN_SECONDS
    return START_SECONDS + opened * each
