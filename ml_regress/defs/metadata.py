"""Stored facts as Dagster metadata: numbers as numbers, tables as Markdown, reasons as text."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from ml_regress.core.candidate import Candidate
from ml_regress.core.evaluation import Evaluation
from ml_regress.core.problem import Benchmark, Problem
from ml_regress.engine.evaluate import Counts
from ml_regress.report.markdown import markdown_table, markdown_text
from ml_regress.settings import Settings
from ml_regress.store.sources import Refusal

Metadata = dict[str, Any]
CELL_LIMIT = 1000


def text_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table of plain values: no text in it becomes markup."""
    return markdown_table(list(header), [[_cell(value) for value in row] for row in rows])


def text_list(lines: Iterable[str]) -> str:
    """A Markdown list of plain texts: no text in it becomes markup."""
    return "\n".join(f"- {_cell(line)}" for line in lines)


def _cell(value: object) -> str:
    return "" if value is None else markdown_text(str(value), CELL_LIMIT)


def report_link(settings: Settings, anchor: str = "") -> dg.UrlMetadataValue:
    """The report, which `up` serves: browsers do not follow file:// links."""
    return dg.MetadataValue.url(settings.report_url + (f"#{anchor}" if anchor else ""))


def evaluation_metadata(evaluation: Evaluation, settings: Settings, candidate_digest: str) -> Metadata:
    """The numbers of a cell; what has no value says why in `reason`."""
    found: Metadata = {"state": evaluation.state}
    reasons = [evaluation.reason] if evaluation.reason else []
    reasons += [f"{each.name}: {each.reason}" for each in evaluation.measures if each.value is None and each.reason]
    if reasons:
        found["reason"] = "; ".join(reasons)
    if evaluation.passes is not None:
        found["passes"] = evaluation.passes
    found |= {"answered": evaluation.answered, "errors": evaluation.errors}
    if evaluation.passes is not None and evaluation.answered:
        found["rate"] = evaluation.passes / evaluation.answered
    if evaluation.metric is not None:
        found["metric"] = evaluation.metric.name
        numbers = {"value": evaluation.metric.value, "low": evaluation.metric.low, "high": evaluation.metric.high}
        found |= {f"metric_{name}": float(value) for name, value in numbers.items() if value is not None}
    found |= {each.name: float(each.value) for each in evaluation.measures[1:] if each.value is not None}
    if evaluation.warnings:
        found["warnings"] = dg.MetadataValue.md(text_list(evaluation.warnings))
    is_problem = evaluation.passes is not None
    return found | {
        "report": report_link(settings, f"patterns-{evaluation.problem}" if is_problem else "overall"),
        "seconds": round(evaluation.seconds, 3),
        "evaluated_at": evaluation.evaluated_at,
        "suite": evaluation.suite,
        "candidate_digest": candidate_digest,
    }


def counts_metadata(counts: Counts) -> dict[str, int]:
    """What a run did, under the words a person reads."""
    return {
        "candidates_opened": counts.opened,
        "predictions_made": counts.predicted,
        "predictions_reused": counts.reused,
        "outcomes_scored": counts.scored,
        "benchmark_rows_predicted": counts.rows,
    }


def candidate_metadata(candidate: Candidate, production: str | None, settings: Settings) -> Metadata:
    """What the manifest of a candidate says, and what is known of its artefact."""
    manifest = candidate.manifest
    found: Metadata = {
        "created_at": manifest.created_at,
        "registered_at": candidate.registered_at,
        "format": manifest.format,
        "artefact": manifest.artefact,
        "sha256": candidate.sha256,
        "size": dg.MetadataValue.int(candidate.size),
        "digest": candidate.digest,
        "source": candidate.path,
        "is_production": candidate.id == production,
        "report": report_link(settings),
    }
    texts = {"changed": manifest.changed, "parent": manifest.parent, "note": manifest.note}
    found |= {name: text for name, text in texts.items() if text}
    if candidate.libraries:
        found["libraries"] = dg.MetadataValue.md(text_table(("library", "version"), candidate.libraries.items()))
    if manifest.data:
        found["data"] = dg.MetadataValue.md(text_table(("data", "what it is"), manifest.data.items()))
    if manifest.not_applicable:
        table = text_table(("problem", "why it is not measured"), manifest.not_applicable.items())
        found["not_applicable"] = dg.MetadataValue.md(table)
    return found | {f"training {name}": float(value) for name, value in manifest.metrics.items()}


def problems_metadata(problems: Sequence[Problem], counts: Mapping[str, int], settings: Settings) -> Metadata:
    """All problems as a table, with how many active patterns each has."""
    header = ("problem", "title", "state", "severity", "owner", "reported", "metric", "patterns")
    rows = [
        (it.id, it.title, it.state, it.severity, it.owner, it.reported_at, it.metric, counts.get(it.id, 0))
        for it in problems
    ]
    return {
        "problems": dg.MetadataValue.md(text_table(header, rows)),
        "count": len(problems),
        "patterns": sum(counts.get(item.id, 0) for item in problems),
        "report": report_link(settings),
    }


def benchmarks_metadata(benchmarks: Sequence[Benchmark], rows: Mapping[str, int], settings: Settings) -> Metadata:
    """All benchmarks as a table, with how many rows each has."""
    header = ("benchmark", "title", "state", "owner", "target", "metrics", "rows")
    lines = [
        (item.id, item.title, item.state, item.owner, item.target, ", ".join(item.metrics), rows.get(item.id, ""))
        for item in benchmarks
    ]
    return {
        "benchmarks": dg.MetadataValue.md(text_table(header, lines)),
        "count": len(benchmarks),
        "report": report_link(settings),
    }


def problem_metadata(
    problem: Problem, suite: str, table: str, counts: Mapping[str, int], settings: Settings
) -> Metadata:
    """One problem and its patterns; `table` is Markdown, `counts` are patterns by status."""
    found: Metadata = {
        "kind": "problem",
        "title": problem.title,
        "description": problem.description,
        "state": problem.state,
        "severity": problem.severity,
        "owner": problem.owner,
        "metric": problem.metric,
        "suite": suite,
        "patterns": dg.MetadataValue.md(table),
        "report": report_link(settings, f"patterns-{problem.id}"),
    }
    return {name: value for name, value in found.items() if value != ""} | {
        f"patterns_{status}": count for status, count in counts.items()
    }


def benchmark_metadata(benchmark: Benchmark, suite: str, rows: int, settings: Settings) -> Metadata:
    """One benchmark: it has rows where a problem has patterns."""
    found: Metadata = {
        "kind": "benchmark",
        "title": benchmark.title,
        "description": benchmark.description,
        "state": benchmark.state,
        "owner": benchmark.owner,
        "target": benchmark.target,
        "metrics": ", ".join(benchmark.metrics),
        "rows": rows,
        "suite": suite,
        "report": report_link(settings),
    }
    return {name: value for name, value in found.items() if value != ""}


def refusals_metadata(refusals: Sequence[Refusal]) -> Metadata:
    """What was refused, as it stands: each with its rule, row and column."""
    rows = [(item.source, item.kind, item.message, item.at) for item in refusals]
    return {
        "refused": len(refusals),
        "refusals": dg.MetadataValue.md(text_table(("source", "kind", "why", "at"), rows) if rows else "none"),
    }
