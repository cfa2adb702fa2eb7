"""HANS through the whole product: what was published about it comes out of it, to the last digit."""

import gzip
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from ml_regress.core.comparison import BETTER, WORSE
from ml_regress.core.history import FIX, REGRESSION
from ml_regress.core.verdict import FAIL, INCOMPLETE
from ml_regress.engine import registry
from ml_regress.engine.judge import judge
from ml_regress.engine.workspace import Workspace
from ml_regress.predictors.host import PredictorHost
from ml_regress.report.compared import gather_compared
from ml_regress.report.evidence import MINUS, Evidence
from ml_regress.report.gather import gather
from ml_regress.report.pages import report_html, write_report
from ml_regress.settings import Settings
from ml_regress_tests.scenario import measure_due, take_in

EXAMPLE = Path(__file__).parents[1] / "examples" / "hans"
CANDIDATES = ["spinn", "decomp_attn", "esim", "bert"]


@pytest.fixture(scope="module")
def hans(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """The example, built from its data, taken in and measured."""
    folder = tmp_path_factory.mktemp("hans") / "workspace"
    runpy.run_path(str(EXAMPLE / "build.py"))["build"](folder)
    workspace = Workspace.open(Settings.load(folder, {}))
    take_in(workspace)
    assert workspace.store.sources.refusals() == []
    with PredictorHost() as host:
        counts = measure_due(workspace, host)
        assert (counts.opened, counts.predicted, counts.scored) == (0, 0, 120_000)
        assert host.pid is None  # a recorded candidate needs no process
    yield workspace
    workspace.store.close()


@pytest.fixture(scope="module")
def evidence(hans: Workspace) -> Evidence:
    return gather(hans.store, "hans")


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    return pd.read_csv(EXAMPLE / "data" / "accuracy_by_subcase.csv")


def test_every_published_accuracy_is_found(evidence: Evidence, published: pd.DataFrame) -> None:
    title = {problem.title.partition(": ")[2]: problem for problem in evidence.problems}
    assert set(title) == set(published["subcase"])  # titles keep the slash that an id cannot hold
    for row in published.to_dict("records"):
        for candidate in CANDIDATES:
            cell = evidence.cell(candidate, title[row["subcase"]].id)
            assert (cell.answered, cell.errors) == (1000, 0)
            assert cell.passes == round(1000 * row[f"ok_{candidate}"]), (candidate, row["subcase"])


def test_slashes_become_ids_that_stay_apart(evidence: Evidence) -> None:
    ids = {problem.id: problem.title for problem in evidence.problems}
    assert len(ids) == 30
    assert ids["sn_NP-S"] == "subsequence: sn_NP/S"
    assert ids["sn_NP-Z"] == "subsequence: sn_NP/Z"
    assert ids["ln_subject-object_swap"] == "lexical_overlap: ln_subject/object_swap"


def test_between_two_candidates_every_flip_is_found(evidence: Evidence) -> None:
    """ESIM is production: the counts are those of a join by pairID over the published files."""
    assert evidence.production == "esim"
    counts = [evidence.production_counts["bert", problem.id] for problem in evidence.problems]
    assert [sum(each) for each in zip(*counts, strict=True)] == [1939, 504]
    assert evidence.production_counts["bert", "le_conjunction"] == (1, 233)
    flips = evidence.production_flips
    mine = flips[(flips["candidate"] == "bert") & (flips["problem"] == "le_conjunction")]
    assert mine["flip"].value_counts().to_dict() == {REGRESSION: 233, FIX: 1}


def test_the_page_about_it_tells_the_numbers_that_are_measured(evidence: Evidence) -> None:
    page = (EXAMPLE.parents[1] / "docs" / "language.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^\| ([\w/]+|all pairs) \| (\d[^|]*\|[^|]*\|[^|]*\|[^|]*) \|$", page, re.M))
    titles = {problem.title.partition(": ")[2]: problem.id for problem in evidence.problems}
    passes = {
        name: [evidence.cell(candidate, titles[name]).passes for candidate in CANDIDATES]
        for name in shown
        if name in titles
    }
    assert len(passes) == 5
    assert passes == {name: [int(cell) for cell in shown[name].split("|")] for name in passes}
    means = [
        sum(evidence.cell(candidate, problem.id).passes or 0 for problem in evidence.problems) / 30_000
        for candidate in CANDIDATES
    ]
    assert [f"{mean:.3f}" for mean in means] == [cell.strip() for cell in shown["all pairs"].split("|")]


def test_the_flips_are_those_of_a_join_made_without_the_product(evidence: Evidence) -> None:
    with gzip.open(EXAMPLE / "data" / "predictions.csv.gz", "rt") as file:
        rows = pd.read_csv(file)
    right = {name: (rows[name] == "entailment") == (rows["gold"] == "entailment") for name in CANDIDATES}
    for candidate in ("spinn", "decomp_attn", "bert"):
        fixed = set(rows["pairID"][right[candidate] & ~right["esim"]])
        broken = set(rows["pairID"][~right[candidate] & right["esim"]])
        found = evidence.production_flips
        found = found[found["candidate"] == candidate]
        assert set(found["pattern"][found["flip"] == FIX]) == fixed
        assert set(found["pattern"][found["flip"] == REGRESSION]) == broken


def test_bert_is_better_overall_and_fails_for_what_it_breaks(hans: Workspace) -> None:
    found = gather_compared(hans.store, "hans", "esim", "bert")
    assert found.comparison.finding == BETTER
    assert found.comparison.counted.table == (14_500, 504, 1_939, 13_057)
    by_problem = {each.problem: each for each in found.comparison.problems}
    assert by_problem["le_conjunction"].finding == WORSE
    assert by_problem["le_conjunction"].counted.table == (764, 233, 1, 2)
    assert by_problem["cn_embedded_under_if"].finding == BETTER
    assert found.comparison.compatibility.negative == 504 / 30_000
    verdict = judge(hans, "bert").verdict
    assert verdict.verdict == FAIL
    named = next(reason for reason in verdict.reasons if "(le_conjunction)" in reason)
    assert named.startswith("lexical_overlap: le_conjunction (le_conjunction): 233 regressions against esim (ex8002, ")
    assert named.endswith("; at most 5 regressions")
    failing = {each.problem for each in verdict.problems if each.verdict == FAIL}
    assert failing == {name for name, each in by_problem.items() if each.counted.regressions > 5}


def test_the_same_holds_the_other_way_round(hans: Workspace) -> None:
    forth = gather_compared(hans.store, "hans", "esim", "bert").comparison
    back = gather_compared(hans.store, "hans", "bert", "esim").comparison
    assert (back.counted.fixes, back.counted.regressions) == (forth.counted.regressions, forth.counted.fixes)
    assert back.test == forth.test
    assert back.finding == WORSE


def test_the_candidate_in_production_is_incomplete_because_nothing_is_asked_of_it_alone(hans: Workspace) -> None:
    verdict = judge(hans, "esim").verdict
    assert verdict.verdict == INCOMPLETE
    assert "the candidate is production itself" in verdict.reasons[0]


def test_looking_again_reads_nothing_anew_and_makes_nothing_due(hans: Workspace) -> None:
    registry.look_at_problems(hans)
    registry.look_at_candidates(hans, {})
    assert hans.store.due.audit() == 0
    folder = hans.settings.workspace / "candidates" / "spinn"
    assert registry.import_candidate(hans, folder).said == "unchanged"
    assert hans.store.due.count() == 0


def test_the_report_of_thirty_thousand_patterns_stays_readable(evidence: Evidence, tmp_path: Path) -> None:
    page = write_report(evidence, tmp_path)
    text = page.read_text(encoding="utf-8")
    assert page.stat().st_size < 25_000_000
    for problem in evidence.problems:
        assert problem.title in text
        assert evidence.cell("bert", problem.id).words in text


def test_the_summary_names_the_largest_moves_and_counts_the_others(evidence: Evidence) -> None:
    page = report_html(evidence)
    assert f"lexical_overlap: le_conjunction {MINUS}233, constituent: ce_embedded_under_since {MINUS}69" in page
    assert "and 10 more problems</div>" in page
