"""Why a cell says what it says: everything that its number depends on."""

from typing import Any

from ml_regress.core.evaluation import Evaluation
from ml_regress.engine.moved import moved, moved_between
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import NotFound


def why(workspace: Workspace, candidate: str, problem: str, *, against: str | None = None) -> dict[str, Any]:
    """Digests, environment, run, outcomes, why the number moved and how to measure the cell again; raises NotFound.

    It moved since the cell's previous measurement, or `against` another candidate.
    """
    store = workspace.store
    known = store.candidates.get(candidate)
    entry = next((item for item in store.problems.measured() if item.id == problem), None)
    if entry is None:
        raise NotFound(f"no problem or benchmark {problem!r} is measured; `ml-regress problems` lists them")
    stored = store.evaluations.current([(candidate, problem)]).get((candidate, problem))
    due = next((cell for cell in store.due.all() if cell.cell == (candidate, problem)), None)
    found: dict[str, Any] = {
        "cell": f"{candidate}|{problem}",
        "state": stored.evaluation.state if stored else "due" if due else "not measured",
        "candidate": {
            "digest": known.digest,
            "artefact_sha256": known.sha256,
            "format": known.manifest.format,
            "created_at": known.manifest.created_at,
            "changed": known.manifest.changed,
            "state": known.state,
        },
        "suite": {"digest": entry.suite, "kind": entry.kind},
        "command": f"ml-regress evaluate {candidate} --problem {problem} --again-errors",
    }
    if due is not None:
        found["due"] = {"reason": due.reason, "attempts": due.attempts, "claimed_by": due.claimed_by}
    if stored is not None:
        found["evaluation"] = _evaluation(stored.evaluation)
        found["environments"] = {name: store.evaluations.environment(name) for name in stored.evaluation.environments}
        change = (
            moved(workspace, candidate, problem)
            if against is None
            else moved_between(workspace, against, candidate, problem)
        )
        if change is not None:
            found["moved"] = change.as_dict()
        outcomes = store.evaluations.outcomes([stored.number])
        found["patterns"] = [
            {name: value for name, value in row.items() if value is not None}
            for row in outcomes[["pattern", "outcome", "reason"]].to_dict("records")
        ]
    return found


def _evaluation(item: Evaluation) -> dict[str, Any]:
    return {
        "reason": item.reason,
        "passes": item.passes,
        "answered": item.answered,
        "errors": item.errors,
        "measures": [
            {
                "name": measure.name,
                "value": measure.value,
                "undefined": measure.reason,
                "interval": None if measure.low is None else [measure.low, measure.high],
            }
            for measure in item.measures
        ],
        "warnings": list(item.warnings),
        "run": item.run,
        "evaluated_at": item.evaluated_at,
        "seconds_of_the_candidate": round(item.seconds, 3),
        "counts_of_the_candidate": dict(item.counts),
    }
