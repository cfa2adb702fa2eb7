"""Checks that inform: what was refused, which cells have no good number yet, who meets the requirements."""

from collections.abc import Sequence

import dagster as dg

from ml_regress.defs import names
from ml_regress.defs.metadata import Metadata, refusals_metadata, text_table
from ml_regress.defs.resources import WorkspaceResource
from ml_regress.defs.verdicts import requirements_result
from ml_regress.engine.workspace import Workspace
from ml_regress.report.evidence import Cell, Evidence
from ml_regress.report.facts import DUE
from ml_regress.store.sources import Refusal

SHOWN = 50
# They are results of the scoreboard itself: one state of the store, read once.
SCOREBOARD_CHECKS = [
    dg.AssetCheckSpec(
        names.MATRIX_COMPLETE,
        asset=names.SCOREBOARD,
        description="Every cell is measured or does not apply; cells that are due or in error are named.",
    ),
    dg.AssetCheckSpec(
        names.NEWEST_MEETS,
        asset=names.SCOREBOARD,
        description="The newest candidate has the verdict pass. Problems that it fails, or of which that cannot be "
        "said, are named with the reasons.",
    ),
    dg.AssetCheckSpec(
        names.PRODUCTION_MEETS,
        asset=names.SCOREBOARD,
        description="The candidate in production has the verdict pass today. Problems that it fails, or of which that "
        "cannot be said, are named with the reasons.",
    ),
]


def schemas_valid_result(refusals: Sequence[Refusal]) -> tuple[bool, Metadata]:
    """Whether nothing is refused, and the refusals."""
    return not refusals, refusals_metadata(refusals)


def schemas_valid_evaluation(workspace: Workspace) -> dg.AssetCheckEvaluation:
    """The result as an event, which a sensor reports without a run."""
    passed, metadata = schemas_valid_result(workspace.store.sources.refusals())
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(names.PROBLEMS), check_name=names.SCHEMAS_VALID, passed=passed, metadata=metadata
    )


@dg.asset_check(
    asset=names.PROBLEMS,
    name=names.SCHEMAS_VALID,
    description="No file and no row that a tester wrote is refused. Each refusal says where and why.",
)
def schemas_valid(workspace: WorkspaceResource) -> dg.AssetCheckResult:
    passed, metadata = schemas_valid_result(workspace.open().store.sources.refusals())
    return dg.AssetCheckResult(passed=passed, metadata=metadata)


def scoreboard_results(evidence: Evidence) -> list[dg.AssetCheckResult]:
    """The results of SCOREBOARD_CHECKS. They inform and stop nothing: promotion judges for itself."""
    newest, production = evidence.newest, evidence.production
    found = {
        names.MATRIX_COMPLETE: matrix_complete_result(evidence),
        names.NEWEST_MEETS: requirements_result(
            None if newest is None else evidence.verdict(newest), "no candidate is registered"
        ),
        names.PRODUCTION_MEETS: requirements_result(
            None if production is None else evidence.verdict(production), "no candidate is in production"
        ),
    }
    return [
        dg.AssetCheckResult(check_name=name, passed=passed, severity=dg.AssetCheckSeverity.WARN, metadata=metadata)
        for name, (passed, metadata) in found.items()
    ]


def matrix_complete_result(evidence: Evidence) -> tuple[bool, Metadata]:
    """Whether every cell has a good number (or does not apply), and the cells that have none.

    The result is one for the whole matrix: with one a cell, a later good cell would hide a bad one.
    """
    cells = [evidence.cell(candidate, item) for candidate in evidence.order for item in evidence.titles]
    missing = [cell for cell in cells if cell.state in (DUE, "error")]
    return not missing, {
        "cells": len(cells),
        "due": sum(cell.state == DUE for cell in missing),
        "error": sum(cell.state != DUE for cell in missing),
        "missing": dg.MetadataValue.md(_missing_table(missing)),
    }


def _missing_table(cells: Sequence[Cell]) -> str:
    if not cells:
        return "none"
    rows = [(cell.candidate, cell.problem, cell.state, cell.reason or "") for cell in cells[:SHOWN]]
    more = f"\n\n… and {len(cells) - SHOWN} more" if len(cells) > SHOWN else ""
    return text_table(("candidate", "problem", "state", "reason"), rows) + more
