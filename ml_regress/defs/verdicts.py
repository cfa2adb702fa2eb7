"""Verdicts: an asset that lives in the store and is reported by a sensor, one partition a candidate."""

from collections.abc import Sequence

import dagster as dg

from ml_regress.core.approval import Approval, approval_of
from ml_regress.core.digest import digest_of
from ml_regress.core.verdict import PASS, VERDICTS, ProblemVerdict, Verdict, evidence_of
from ml_regress.defs import names
from ml_regress.defs.column_schema import stored_schema
from ml_regress.defs.metadata import Metadata, report_link, text_list, text_table
from ml_regress.defs.partitions import candidates_partitions
from ml_regress.engine.workspace import Workspace
from ml_regress.errors import shortened
from ml_regress.report.facts import Facts, gather_facts
from ml_regress.settings import Settings
from ml_regress.store import tables

SHOWN = 50
WHY_LIMIT = 300
HEADER = ("problem", "verdict", "passed", "why")

verdicts = dg.AssetSpec(
    names.VERDICTS,
    description="What each candidate solved, what it broke and what stands against it: the requirements of all "
    "problems held against what was measured, with the decision of a person on it.",
    group_name=names.MATRIX_GROUP,
    owners=names.OWNERS,
    kinds={"table"},
    metadata={"dagster/column_schema": stored_schema(tables.verdicts)},
    partitions_def=candidates_partitions,
    deps=[names.EVALUATION],
)


def verdict_facts(workspace: Workspace) -> dict[str, dict[str, Metadata]]:
    """The metadata of every active candidate's verdict as it stands, by asset and partition."""
    store = workspace.store
    with store.database.read():
        facts, sign_offs = gather_facts(store), store.decisions.sign_offs()
    return {
        names.VERDICTS: {
            candidate: verdict_metadata(
                facts, candidate, approval_of(sign_offs, facts.verdict(candidate)), workspace.settings
            )
            for candidate in facts.candidates
        }
    }


def verdict_metadata(facts: Facts, candidate: str, approval: Approval, settings: Settings) -> Metadata:
    """One candidate's verdict: words, numbers that the UI plots over candidates, and why."""
    verdict = facts.verdict(candidate)
    found: Metadata = {
        "verdict": verdict.verdict,
        "approval": approval.words,
        "problems": dg.MetadataValue.md(problems_table(verdict.problems)),
    }
    if verdict.missing:
        found["missing"] = dg.MetadataValue.md(text_list(verdict.missing))
    found |= {f"problems_{name}": count for name, count in verdict.counts().items()}
    found |= {
        "solved": len(verdict.solved),
        "passes": sum(each.passes for each in verdict.problems),
        "answered": sum(each.answered for each in verdict.problems),
    }
    return (
        found
        | _flips_metadata(facts, candidate)
        | {
            "production": verdict.production or "nobody",
            "report": report_link(settings),
            "evidence_digest": digest_of(evidence_of(verdict)),
            "candidate_digest": verdict.candidate_digest,
        }
    )


def _flips_metadata(facts: Facts, candidate: str) -> Metadata:
    """What moved against production; no number where nothing is compared, for 0 would say that nothing broke."""
    if facts.production in (None, candidate):
        return {}
    cells = [facts.cells[candidate, problem.id].flips for problem in facts.problems]
    compared = [flips for flips in cells if flips is not None]
    found: Metadata = {"problems_not_compared": len(cells) - len(compared)}
    if compared:
        found |= {
            "fixes": sum(len(flips.fixes) for flips in compared),
            "regressions": sum(len(flips.regressions) for flips in compared),
        }
    return found


def problems_table(problems: Sequence[ProblemVerdict], limit: int = SHOWN) -> str:
    """Verdicts on problems as a Markdown table, what decides first; says what it leaves out."""
    if not problems:
        return "none"
    ordered = sorted(problems, key=lambda each: (VERDICTS.index(each.counted), each.waiver is None))
    rows = [
        (f"{each.title} ({each.problem})", each.words, f"{each.passes}/{each.answered}", _why(each))
        for each in ordered[:limit]
    ]
    more = f"\n\n… and {len(ordered) - limit} more" if len(ordered) > limit else ""
    return text_table(HEADER, rows) + more


def _why(problem: ProblemVerdict) -> str:
    said = [waiver.words for waiver in (*([problem.waiver] if problem.waiver else []), *problem.waived)]
    said += ["solved: production does not meet it"] if problem.solved else []
    return shortened("; ".join([*problem.reasons, *said]), WHY_LIMIT)


def requirements_result(verdict: Verdict | None, absent: str) -> tuple[bool, Metadata]:
    """Whether a candidate meets all requirements, and which it does not; `absent` says why there is no verdict.

    What cannot be said is not met, and a check that has nothing to check has not passed.
    """
    if verdict is None:
        return False, {"verdict": f"nothing was checked: {absent}"}
    open_ones = [each for each in verdict.problems if each.counted != PASS]
    waived = [each for each in verdict.problems if each.counted == PASS and (each.waiver or each.waived)]
    found: Metadata = {
        "candidate": verdict.candidate,
        "verdict": verdict.verdict,
        "not_met": dg.MetadataValue.md(problems_table(open_ones)),
    }
    if waived:
        found["waived"] = dg.MetadataValue.md(problems_table(waived))
    if verdict.missing:
        found["missing"] = dg.MetadataValue.md(text_list(verdict.missing))
    return verdict.verdict == PASS, found | {f"problems_{name}": count for name, count in verdict.counts().items()}
