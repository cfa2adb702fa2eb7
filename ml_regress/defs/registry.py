"""Problems, benchmarks, patterns and candidates: assets that live outside and are reported by sensors."""

import io
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow.parquet as pq

from ml_regress import schemas
from ml_regress.core.digest import digest_of_text
from ml_regress.core.pattern import Suite
from ml_regress.core.problem import Problem
from ml_regress.defs import names
from ml_regress.defs.column_schema import column_schema, stored_schema
from ml_regress.defs.metadata import (
    Metadata,
    benchmark_metadata,
    benchmarks_metadata,
    candidate_metadata,
    problem_metadata,
    problems_metadata,
)
from ml_regress.defs.partitions import candidates_partitions, problems_partitions
from ml_regress.engine.workspace import Workspace
from ml_regress.report.markdown import patterns_markdown
from ml_regress.store import tables


def _spec(name: str, description: str, kinds: set[str], schema: dg.TableSchema, **more: Any) -> dg.AssetSpec:
    return dg.AssetSpec(
        name,
        description=description,
        group_name=names.REGISTRY_GROUP,
        owners=names.OWNERS,
        kinds=kinds,
        metadata={"dagster/column_schema": schema},
        **more,
    )


problems = _spec(
    names.PROBLEMS,
    "The identified weaknesses: files in problems/ and what testers write with SQL. Invalid ones keep their last "
    "valid suite and are listed in the check.",
    {"yaml", "table"},
    stored_schema(tables.problems),
)
benchmarks = _spec(
    names.BENCHMARKS,
    "Validation sets with a target column, measured on every candidate: the overall metrics on the same data.",
    {"parquet"},
    stored_schema(tables.benchmarks),
)
patterns = _spec(
    names.PATTERNS,
    "The tests of each problem: inputs and an expectation. A benchmark sits in the same dimension with its rows.",
    {"csv", "table"},
    column_schema(schemas.STORED_PATTERNS),
    partitions_def=problems_partitions,
    deps=[names.PROBLEMS, names.BENCHMARKS],
)
candidates = _spec(
    names.CANDIDATES,
    "The registered model artefacts: folders in candidates/ with a manifest. They never change.",
    {"scikitlearn"},
    stored_schema(tables.candidates),
    partitions_def=candidates_partitions,
)
specs = [problems, benchmarks, patterns, candidates]

# What was reported last, by partition ("" for an asset without partitions).
Reported = dict[str, dict[str, str]]
Facts = Mapping[str, Metadata]


def registry_facts(workspace: Workspace) -> dict[str, dict[str, Metadata]]:
    """The metadata of problems, benchmarks and patterns as they stand, by asset and partition."""
    store, settings = workspace.store, workspace.settings
    measured = {entry.id: entry for entry in store.problems.measured()}
    listed, rows = store.problems.all(), {}
    suites = store.problems.suites((item.id, measured[item.id].suite) for item in listed if item.id in measured)
    counts = {name: len(suite.patterns) for name, suite in suites.items()}
    by_problem: dict[str, Metadata] = {}
    for problem in listed:
        if problem.id in suites:
            by_problem[problem.id] = _problem_facts(workspace, problem, suites[problem.id])
    for benchmark in store.problems.benchmarks():
        rows[benchmark.id] = _row_count(store.problems.benchmark_data(benchmark.id))
        suite = measured[benchmark.id].suite
        by_problem[benchmark.id] = benchmark_metadata(benchmark, suite, rows[benchmark.id], settings)
    return {
        names.PROBLEMS: {"": problems_metadata(listed, counts, settings)},
        names.BENCHMARKS: {"": benchmarks_metadata(store.problems.benchmarks(), rows, settings)},
        names.PATTERNS: by_problem,
    }


def _problem_facts(workspace: Workspace, problem: Problem, suite: Suite) -> Metadata:
    stored = workspace.store.problems.patterns(problem.id)
    table = patterns_markdown(shown_patterns(suite, stored), problem)
    return problem_metadata(problem, suite.digest, table, Counter(stored["status"]), workspace.settings)


def shown_patterns(suite: Suite, stored: pd.DataFrame) -> pd.DataFrame:
    """The frozen patterns of a suite beside what is written about them now (origin and note)."""
    about = stored.set_index("id")[["origin", "note"]]
    frozen = pd.DataFrame(
        [
            (item.id, item.inputs, item.expectation.words, item.polarity, item.canary, item.twin)
            for item in suite.patterns
        ],
        columns=["pattern", "inputs", "expectation", "polarity", "canary", "twin"],
    )
    return frozen.join(about, on="pattern")


def _row_count(data: bytes) -> int:
    return int(pq.ParquetFile(io.BytesIO(data)).metadata.num_rows)


def candidate_facts(workspace: Workspace) -> dict[str, dict[str, Metadata]]:
    """The metadata of every active candidate, by asset and partition."""
    production = workspace.store.candidates.production()
    found = {
        candidate.id: candidate_metadata(candidate, production, workspace.settings)
        for candidate in workspace.store.candidates.all()
    }
    return {names.CANDIDATES: found}


def changed_events(
    facts: Mapping[str, Facts], reported: Mapping[str, Mapping[str, str]]
) -> tuple[list[dg.AssetMaterialization], Reported]:
    """Materializations of what differs from what was reported, and what is reported then.

    Derived from states, not from changes: whatever a crash lost is reported at the next look.
    """
    events, now_reported = [], {}
    for asset, by_partition in facts.items():
        before = reported.get(asset, {})
        digests = {partition: digest_of_metadata(metadata) for partition, metadata in by_partition.items()}
        now_reported[asset] = digests
        events += [
            dg.AssetMaterialization(asset, partition=partition or None, metadata=by_partition[partition])
            for partition, digest in digests.items()
            if before.get(partition) != digest
        ]
    return events, now_reported


def digest_of_metadata(metadata: Metadata) -> str:
    """A short name of what metadata says."""
    plain = {key: value.value if isinstance(value, dg.MetadataValue) else value for key, value in metadata.items()}
    return digest_of_text(json.dumps(plain, sort_keys=True, default=str))[:16]


def reported_of(cursor: str | None) -> dict[str, Any]:
    """What a sensor's cursor says: what was reported by asset; empty for a cursor that is none of ours."""
    try:
        content = json.loads(cursor or "{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def cursor_of(reported: Mapping[str, Any]) -> str:
    return json.dumps(reported, sort_keys=True)
