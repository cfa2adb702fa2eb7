"""Promotion and rollback as jobs with a form: a run that moves production, or is red and says why it did not.

No check and no state of Dagster has a say here. The engine judges from the store, in the transaction that moves
production, so a check that crashed, never ran or belongs to another candidate lets nothing through.
"""

from collections.abc import Callable

import dagster as dg
from pydantic import Field

from ml_regress.defs import names
from ml_regress.defs.metadata import Metadata, text_list
from ml_regress.defs.resources import WorkspaceResource
from ml_regress.engine import judge
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import InvalidInput, MlRegressError
from ml_regress.store.decisions import InProduction

PERSON = "Nobody is asked for a password here: the name is kept as it is given."
# A decision is made once. What was refused is refused again, and a run that crashed is for a person to look at.
ONCE = {"dagster/max_retries": "0"}


class Promotion(dg.Config):
    """The form of the job `promote`."""

    candidate: str = Field(description="The id of the candidate that shall serve users, as `candidates` lists it.")
    person: str = Field(description=f"Who promotes it. {PERSON}")
    reason: str = Field(default="", description="Why, for the history of production. May stay empty.")


class RollBack(dg.Config):
    """The form of the job `roll_back`."""

    person: str = Field(description=f"Who answers for it. {PERSON}")
    reason: str = Field(description="Why: it is kept in the history of production.")
    candidate: str = Field(
        default="", description="A candidate that was in production before; empty means the one before the present."
    )


@dg.op(
    out=dg.Out(dg.Nothing),
    description="Judges the candidate again from the store and moves production to it. Refused without a passing "
    "verdict and a current approval; production stays then, and the run fails with every reason.",
)
def promotion(context: dg.OpExecutionContext, workspace: WorkspaceResource, config: Promotion) -> None:
    opened = workspace.open()

    def move() -> InProduction:
        if not config.candidate.strip():
            raise InvalidInput.single("run configuration", "must be said", column="candidate")
        return judge.promote(opened, config.candidate.strip(), person=config.person, reason=config.reason)

    _decide(context, opened, move)


@dg.op(
    out=dg.Out(dg.Nothing),
    description="Moves production back to a candidate that was in it before. Needs a person who answers for it and a "
    "reason, and no verdict.",
)
def rollback(context: dg.OpExecutionContext, workspace: WorkspaceResource, config: RollBack) -> None:
    opened = workspace.open()
    target = config.candidate.strip() or None
    _decide(context, opened, lambda: judge.roll_back(opened, target, person=config.person, reason=config.reason))


def _decide(context: dg.OpExecutionContext, workspace: Workspace, move: Callable[[], InProduction]) -> None:
    """Moves production and reports it; raises Failure with every reason where it may not be moved."""
    try:
        moved = move()
    except MlRegressError as error:
        refused: Metadata = {"why": dg.MetadataValue.md(text_list(str(error).splitlines()))}
        raise dg.Failure(str(error), refused, allow_retries=False) from error
    metadata = moved_metadata(workspace, moved)
    context.log.info(f"production was {metadata['from']} and is {moved.candidate}: {moved.verb} by {moved.person}")
    context.log_event(dg.AssetObservation(names.CANDIDATES, partition=moved.candidate, metadata=metadata))
    context.instance.add_run_tags(context.run_id, {names.PRODUCTION_TAG: moved.candidate})


def moved_metadata(workspace: Workspace, moved: InProduction) -> Metadata:
    """Who moved production, from where to where, why, and the sign-off that it rests on."""
    older = [each for each in workspace.store.decisions.production_history() if each.number < moved.number]
    found: Metadata = {
        "decision": moved.verb,
        "from": older[0].candidate if older else "nobody",
        "to": moved.candidate,
        "person": moved.person,
        "at": moved.at,
    }
    if moved.reason:
        found["reason"] = moved.reason
    if moved.watched:
        found["watched"] = ", ".join(moved.watched)
    if moved.sign_off is not None:
        signed = workspace.store.decisions.sign_off(moved.sign_off)
        found |= {
            "sign_off": signed.number,
            "signed_by": f"{signed.person} ({signed.role})",
            "evidence_digest": signed.evidence_digest,
        }
    return found


@dg.job(
    name=names.PROMOTE,
    executor_def=dg.in_process_executor,
    # What the launchpad shows at first: a form to fill in.
    config={"ops": {"promotion": {"config": {"candidate": "", "person": "", "reason": ""}}}},
    run_tags=ONCE,
    description="Moves production to a candidate: needs a passing verdict and a current approval, both judged in this "
    "moment. A refusal makes the run fail with every reason, and production stays.",
)
def promote_job() -> None:
    promotion()


@dg.job(
    name=names.ROLL_BACK,
    executor_def=dg.in_process_executor,
    config={"ops": {"rollback": {"config": {"person": "", "reason": "", "candidate": ""}}}},
    run_tags=ONCE,
    description="Moves production back to a candidate that was in it before: needs a person and a reason, no verdict.",
)
def roll_back_job() -> None:
    rollback()
