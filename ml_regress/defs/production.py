"""What people read: the scoreboard and the report, both projections of the store."""

import dagster as dg

from ml_regress.defs import names
from ml_regress.defs.checks import SCOREBOARD_CHECKS, scoreboard_results
from ml_regress.defs.metadata import Metadata, report_link
from ml_regress.defs.resources import WorkspaceResource
from ml_regress.progress import shown_version, write_reported_version
from ml_regress.report.evidence import Evidence
from ml_regress.report.gather import gather
from ml_regress.report.markdown import scoreboard_markdown
from ml_regress.report.pages import write_report
from ml_regress.report.pictures import data_uri
from ml_regress.report.scoreboard import picture_left_out, scoreboard_png
from ml_regress.settings import Settings

VERSION = "matrix_version"


@dg.asset(
    name=names.SCOREBOARD,
    deps=[names.EVALUATION],
    group_name=names.MATRIX_GROUP,
    owners=names.OWNERS,
    kinds={"table"},
    check_specs=SCOREBOARD_CHECKS,
    description="The matrix of candidates x problems as a table and a picture, with the numbers behind it.",
)
def scoreboard(workspace: WorkspaceResource) -> dg.MaterializeResult:  # type: ignore[type-arg]  # dagster reads it so
    opened = workspace.open()
    version = shown_version(opened.store)
    evidence = gather(opened.store, opened.settings.name)
    return dg.MaterializeResult(
        metadata={**scoreboard_metadata(evidence, opened.settings), VERSION: version},
        check_results=scoreboard_results(evidence),
    )


@dg.asset(
    name=names.REPORT,
    deps=[names.SCOREBOARD],
    group_name=names.MATRIX_GROUP,
    owners=names.OWNERS,
    kinds={"html", "plotly"},
    description="One self-contained HTML file with the four graphs: overall metrics, each problem over time, "
    "the matrix, and patterns x candidates.",
)
def report(workspace: WorkspaceResource) -> dg.MaterializeResult[None]:
    opened = workspace.open()
    # Read before the evidence: what is committed in between makes another version, and another report.
    version = shown_version(opened.store)
    path = write_report(gather(opened.store, opened.settings.name), opened.settings.report_folder)
    write_reported_version(opened.settings, version)
    size = path.stat().st_size
    return dg.MaterializeResult(
        metadata={"report": report_link(opened.settings), "path": str(path), "size": size, VERSION: version}
    )


def scoreboard_metadata(evidence: Evidence, settings: Settings) -> Metadata:
    """The matrix for the UI: Markdown renders a table and a picture, but no HTML and no Plotly."""
    states = evidence.state_counts()
    found: Metadata = {
        "picture": dg.MetadataValue.md(
            "\n\n".join(filter(None, (f"![matrix]({data_uri(scoreboard_png(evidence))})", picture_left_out(evidence))))
        ),
        "matrix": dg.MetadataValue.md(scoreboard_markdown(evidence)),
        "report": report_link(settings),
        "candidates": len(evidence.candidates),
        "problems": len(evidence.problems),
        "benchmarks": len(evidence.benchmarks),
        "cells": sum(states.values()),
    }
    if evidence.production is not None:
        found["production"] = evidence.production
    return found | {f"cells_{state.replace(' ', '_')}": count for state, count in states.items()}
