"""Batches and what their checks found as Dagster metadata: numbers as numbers, tables as Markdown, reasons as text."""

from collections.abc import Sequence

import dagster as dg

from ml_regress.core.batch import QUARANTINED, Batch
from ml_regress.core.drift_result import DRIFT, NO_DRIFT, DriftReport
from ml_regress.core.outlier_result import CAUSES, OutlierReport
from ml_regress.defs.metadata import Metadata, text_list, text_table
from ml_regress.report.drift_markdown import drift_markdown, pictures_markdown
from ml_regress.report.drift_words import (
    apart_words,
    column_words,
    domain_words,
    metric_words,
    report_words,
    tests_made,
)
from ml_regress.report.page_links import batch_link, production_link
from ml_regress.settings import Settings

SHOWN = 50
WORST = 5
STRANGEST = 5
CLUSTERS = 10


def batch_metadata(batch: Batch, settings: Settings) -> Metadata:
    """A batch as the store knows it; a quarantined one says why."""
    found: Metadata = {
        "state": batch.state,
        "rows": batch.rows,
        "predicted": batch.predicted,
        "labelled": batch.labelled,
        "window": f"{batch.starts} to {batch.ends}",
        "source": batch.source,
        "received_at": batch.received_at,
        "candidate": batch.candidate or "nobody was in production",
    }
    if batch.reasons:
        found["reasons"] = dg.MetadataValue.md(text_list(batch.reasons))
    if batch.notes:
        found["notes"] = dg.MetadataValue.md(text_list(batch.notes))
    if batch.released_by:
        found["released"] = f"by {batch.released_by} at {batch.released_at}: {batch.released_why}"
    return found | {
        "page": dg.MetadataValue.url(batch_link(settings, batch.id)),
        "digest": batch.digest,
        "updated_at": batch.updated_at or batch.received_at,
    }


def drift_metadata(report: DriftReport, settings: Settings) -> Metadata:
    """What the check of a batch found; numbers that the UI plots over the batches stand under their names."""
    found: Metadata = {
        "state": report.state,
        "verdict": " ".join(filter(None, (report_words(report), apart_words(report)))),
    }
    if report.reason:
        found["reason"] = report.reason
    if report.drifting:
        tests = tests_made(report)
        found["worst"] = dg.MetadataValue.md(text_list(column_words(each, tests) for each in report.drifting[:WORST]))
    if not report.reason:
        found["columns"] = dg.MetadataValue.md(drift_markdown(report))
    pictures = pictures_markdown(report)
    if pictures:
        found["pictures"] = dg.MetadataValue.md(pictures)
    if report.reason and report.notes:  # else they stand above the table
        found["notes"] = dg.MetadataValue.md(text_list(report.notes))
    return found | _numbers(report) | _where(report, settings)


def _numbers(report: DriftReport) -> Metadata:
    """Numbers only where there are some: 0 columns that drift says nothing where none was compared."""
    found: Metadata = {"rows": report.rows[1], "rows_of_reference": report.rows[0]}
    compared = [each for each in report.all_columns if each.state in (DRIFT, NO_DRIFT)]
    found["columns_compared"] = len(compared)
    if compared:
        found["columns_drifting"] = len(report.drifting)
    if report.domain is not None:
        found["domain"] = domain_words(report.domain)
        values = {"domain_auc": report.domain.auc, "domain_bound": report.domain.bound}
        found |= {name: float(value) for name, value in values.items() if value is not None}
    if report.metric is not None:
        found["metric"] = metric_words(report.metric)
        values = {"metric_value": report.metric.current, "metric_of_reference": report.metric.reference}
        found |= {name: float(value) for name, value in values.items() if value is not None}
    return found


def _where(report: DriftReport, settings: Settings) -> Metadata:
    """Where a person reads on, and what the numbers belong to."""
    texts = {"reference": report.reference, "candidate": report.candidate, "checked_at": report.checked_at}
    return {
        "page": dg.MetadataValue.url(batch_link(settings, report.batch)),
        "over_time": dg.MetadataValue.url(production_link(settings)),
        **{name: text for name, text in texts.items() if text},
        "question": report.question,
    }


def outliers_metadata(report: OutlierReport, settings: Settings) -> Metadata:
    """The strange rows of a batch by cause, what was proposed, and which kinds of rows no pattern is near."""
    found: Metadata = {"state": "not looked at" if report.reason else "looked at", "rows": report.rows}
    if report.reason:
        found["reason"] = report.reason
    else:
        found |= {f"strange_{cause.replace(' ', '_')}": count for cause, count in (report.counts or {}).items()}
        found |= {
            "proposals": len(report.proposed),
            "clusters": len(report.clusters),
            "clusters_without_pattern": len(report.uncovered),
        }
    if report.clusters:
        found["rows_without_pattern"] = sum(each.rows for each in report.uncovered)
    if report.strange:
        found["strangest"] = dg.MetadataValue.md(_strange_table(report))
    if report.clusters:
        found["coverage"] = dg.MetadataValue.md(_cluster_table(report))
    if report.proposed:
        found["proposed"] = dg.MetadataValue.md(_capped(report.proposed))
    if report.notes:
        found["notes"] = dg.MetadataValue.md(text_list(report.notes))
    found["page"] = dg.MetadataValue.url(batch_link(settings, report.batch))
    if report.checked_at:
        found["checked_at"] = report.checked_at
    return found | {"question": report.question}


def _strange_table(report: OutlierReport) -> str:
    """The strangest of each cause, for scores of different causes are not to be compared; rows count from 1."""
    shown = [
        each
        for cause in CAUSES
        for each in sorted((it for it in report.strange if it.cause == cause), key=lambda it: -it.score)[:STRANGEST]
    ]
    rows = [(each.row + 1, each.cause, f"{each.score:.3g}", each.why) for each in shown]
    left_out = len(report.strange) - len(shown)
    return text_table(("row", "cause", "score", "why"), rows) + (f"\n\n… and {left_out} more rows" if left_out else "")


def _cluster_table(report: OutlierReport) -> str:
    """Clusters without a pattern first, the largest of them first."""
    ordered = sorted(report.clusters, key=lambda each: (each.covered, -each.rows))[:CLUSTERS]
    rows = [
        (
            each.number,
            each.rows,
            "yes" if each.covered else "no",
            "none has these inputs" if each.pattern is None else f"{each.pattern} ({each.problem})",
            "" if each.distance is None else f"{each.distance:.3g}",
        )
        for each in ordered
    ]
    header = ("cluster", "rows", "covered", "nearest pattern", "distance (1 is near)")
    return text_table(header, rows) + _more(len(report.clusters), CLUSTERS, "clusters")


def _capped(lines: Sequence[str], limit: int = SHOWN) -> str:
    more = [f"… and {len(lines) - limit} more"] if len(lines) > limit else []
    return text_list([*lines[:limit], *more])


def _more(count: int, limit: int, noun: str) -> str:
    return f"\n\n… and {count - limit} more {noun}" if count > limit else ""


def schema_kept_result(batches: Sequence[Batch]) -> tuple[bool, Metadata]:
    """Whether no batch is quarantined, and those that are with their reasons."""
    quarantined = [batch for batch in batches if batch.state == QUARANTINED]
    rows = [(batch.id, batch.source, "; ".join(batch.reasons)) for batch in quarantined[:SHOWN]]
    table = text_table(("batch", "source", "why"), rows) + _more(len(quarantined), SHOWN, "batches")
    found: Metadata = {
        "batches": len(batches),
        "quarantined": len(quarantined),
        "why": dg.MetadataValue.md(table if quarantined else "none"),
    }
    if quarantined:
        found["what_to_do"] = (
            "correct the file, which is then read again, or release the batch as it is: "
            "ml-regress batches release ID --by NAME --why WORDS"
        )
    return not quarantined, found


def no_drift_result(reports: Sequence[DriftReport]) -> tuple[bool, Metadata]:
    """Whether no batch of a run drifts, and what was said of each. What could not be compared has not passed."""
    drifting = [report for report in reports if report.state == DRIFT]
    failed = [report for report in reports if report.reason]
    ordered = sorted(reports, key=lambda each: (each.state != DRIFT, not each.reason))
    rows = [(each.batch, each.state, report_words(each)) for each in ordered[:SHOWN]]
    found: Metadata = {
        "checked": len(reports),
        "drifting": len(drifting),
        "not_compared": len(failed),
        "batches": dg.MetadataValue.md(
            text_table(("batch", "state", "what"), rows) + _more(len(ordered), SHOWN, "batches") if rows else "none"
        ),
    }
    return not drifting and not failed, found
