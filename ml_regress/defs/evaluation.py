"""The cells of the matrix: one run measures a rectangle of them."""

import warnings
from collections.abc import Sequence

import dagster as dg

from ml_regress import schemas
from ml_regress.core.evaluation import Evaluation
from ml_regress.defs import names
from ml_regress.defs.claims import instance_id
from ml_regress.defs.column_schema import column_schema
from ml_regress.defs.metadata import counts_metadata, evaluation_metadata
from ml_regress.defs.partitions import cell_key, cells_of, matrix_partitions
from ml_regress.defs.resources import WorkspaceResource
from ml_regress.engine.claims import claim_by_hand
from ml_regress.engine.evaluate import Counts, evaluate
from ml_regress.engine.workspace import Workspace
from ml_regress.settings import Settings

Cell = tuple[str, str]


with warnings.catch_warnings():
    # `backfill_policy` is beta; test_upstream.py pins what we lean on.
    warnings.simplefilter("ignore", dg.BetaWarning)

    @dg.asset(
        name=names.EVALUATION,
        partitions_def=matrix_partitions,
        deps=[names.PATTERNS, names.CANDIDATES],
        backfill_policy=dg.BackfillPolicy.single_run(),
        output_required=False,
        group_name=names.MATRIX_GROUP,
        owners=names.OWNERS,
        metadata={"dagster/column_schema": column_schema(schemas.CELLS)},
        kinds={"python", "scikitlearn"},
        description="Every candidate measured on every problem and benchmark: one cell a partition. "
        "A run opens each candidate once, predicts only what nobody predicted yet, and commits a candidate at a time.",
    )
    def evaluation(context: dg.AssetExecutionContext, workspace: WorkspaceResource):  # type: ignore[no-untyped-def]
        cells = cells_of(context.partition_keys)
        if not cells:
            raise dg.Failure("nothing was measured: the range of this run holds no cell any more, its keys are gone")
        opened, total = workspace.open(), Counts()
        digests = candidate_digests(opened)
        known, unknown = _split(opened, cells)
        claim, asked = claim_of(context.run, instance_id(context.instance))
        for result in evaluate(opened, known, claim=claim, run=context.run.run_id, asked=asked):
            for item in result.evaluations:
                yield materialization(item, opened.settings, digests[item.candidate])
            total += result.counts
            context.instance.add_run_tags(context.run.run_id, count_tags(total))
            for candidate, problem in result.elsewhere:
                context.log.warning(f"{candidate}|{problem} is measured by another run, which reports it")
        yield dg.AssetObservation(names.EVALUATION, metadata={**counts_metadata(total), "cells": len(known)})
        if unknown:
            shown = ", ".join(f"{candidate}|{problem}" for candidate, problem in unknown)
            raise dg.Failure(f"no part of the matrix (archived, closed or never registered): {shown}")


def claim_of(run: dg.DagsterRun, instance: str) -> tuple[str, bool]:
    """The claim of a run on its cells, and whether a person asked for it.

    A run of the reconciling sensor has its claim in a tag; a copy of one (a re-execution) and
    anything started by hand holds its cells under its own id.
    """
    claim = run.tags.get(names.CLAIM_TAG)
    if claim is None or run.parent_run_id is not None:
        return claim_by_hand(instance, run.run_id), True
    return claim, False


def candidate_digests(workspace: Workspace) -> dict[str, str]:
    """The digest of every active candidate."""
    return {candidate.id: candidate.digest for candidate in workspace.store.candidates.all()}


def materialization(item: Evaluation, settings: Settings, candidate_digest: str) -> dg.AssetMaterialization:
    """The event of a measured cell."""
    return dg.AssetMaterialization(
        names.EVALUATION,
        partition=cell_key(item.candidate, item.problem),
        metadata=evaluation_metadata(item, settings, candidate_digest),
    )


def count_tags(counts: Counts) -> dict[str, str]:
    """Counts as tags of the run: seen in the list of runs, and there for as long as the run is."""
    return {f"{names.COUNT_TAG}{name}": str(value) for name, value in counts_metadata(counts).items()}


def _split(workspace: Workspace, cells: Sequence[Cell]) -> tuple[list[Cell], list[Cell]]:
    """The cells that the matrix has, and those that it has not."""
    candidates = {candidate.id for candidate in workspace.store.candidates.all()}
    problems = {entry.id for entry in workspace.store.problems.measured()}
    known = [cell for cell in cells if cell[0] in candidates and cell[1] in problems]
    return known, [cell for cell in cells if cell not in set(known)]
