"""The problem that comes with proposals: made of what production says of its batches, when a person accepts one."""

from collections.abc import Mapping, Sequence

from ml_regress.core.inputs import InputTypes, parse_input_types
from ml_regress.core.problem import Problem
from ml_regress.core.production import ProductionSchema
from ml_regress.core.proposal import Proposal
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import InvalidInput
from ml_regress.intake.problems import parse_problem
from ml_regress.store.rows import text_of


def reduced(types: InputTypes, names: Sequence[str] | Mapping[str, object]) -> InputTypes:
    """The declarations whose columns are all among the names: an image is there whole or not at all."""
    there = set(names)
    images = {image.name: set(image.columns) for image in types.images}
    return parse_input_types({name: text for name, text in types.declared if images.get(name, {name}) <= there})


def batch_types(workspace: Workspace, proposal: Proposal) -> InputTypes:
    """The input types of a proposal whose problem is not there yet; raises InvalidInput."""
    return reduced(_schema(workspace, proposal).inputs, proposal.inputs)


def proposed_problem(workspace: Workspace, name: str, proposals: Sequence[Proposal]) -> Problem:
    """The problem of this id that these proposals are the first patterns of; raises InvalidInput."""
    first = proposals[0]
    schema = _schema(workspace, first)
    types = reduced(schema.inputs, first.inputs)
    batches = ", ".join(dict.fromkeys(each.batch for each in proposals if each.batch is not None))
    positive = {} if schema.positive_label is None else {"positive_label": text_of(schema.positive_label)}
    labels = {"labels": [text_of(label) for label in schema.labels]} if schema.labels else {}
    return parse_problem(
        {
            "id": name,
            "title": first.problem_title or name,
            "description": f"Proposed from production ({batches})." if batches else "Proposed from production.",
            "inputs": types.as_dict(),
            "answer": schema.answer_type,
            **labels,
            **positive,
        },
        f"proposed problem {name}",
    )


def _schema(workspace: Workspace, proposal: Proposal) -> ProductionSchema:
    """What the proposal's batch was read under, else what is in force."""
    store = workspace.store
    found = (
        store.batches.schema_in_force()
        if proposal.batch is None
        else store.batches.schema(store.batches.get(proposal.batch).schema)
    )
    if found is None:
        raise InvalidInput.single(
            f"proposal {proposal.id}",
            "its problem is not there yet, and nothing says what its inputs are: write production.yaml, or name a "
            "problem that is there with --problem",
        )
    return found
