"""The example workspace `digits`: its files are whole, consistent, and made by its script."""

import csv
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
import yaml
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, f1_score

from ml_regress.core.candidate import Manifest
from ml_regress.core.problem import Problem
from ml_regress.intake.benchmarks import benchmark_frame, read_benchmark
from ml_regress.intake.candidates import read_candidate
from ml_regress.intake.problems import ProblemFile, read_problem
from ml_regress.intake.sightings import look

DIGITS = Path(__file__).parents[1] / "examples" / "digits"
PIXELS = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]
PROBLEMS = sorted(path.stem for path in (DIGITS / "problems").glob("*.yaml"))
CANDIDATES = sorted(path.name for path in (DIGITS / "candidates").iterdir())
TRAINING, PRODUCTION, HELD_OUT = range(0, 776), range(776, 1287), range(1287, 1797)


@cache
def problem_file(problem: str) -> ProblemFile:
    return read_problem(DIGITS / "problems" / f"{problem}.yaml")


@cache
def pattern_table(problem: str) -> pd.DataFrame:
    return pd.read_csv(DIGITS / "problems" / f"{problem}.csv", keep_default_na=False)


@cache
def digits() -> Any:
    return load_digits()


@cache
def estimator(candidate: str, folder: Path = DIGITS) -> Any:
    return skops.io.load(folder / "candidates" / candidate / "model.skops")


def answers_of(candidate: str, images: pd.DataFrame, folder: Path = DIGITS) -> np.ndarray:
    return np.asarray(estimator(candidate, folder).predict(images[PIXELS].astype(float)))


def test_there_are_eight_problems_six_candidates_and_small_files() -> None:
    assert len(PROBLEMS) == 8
    assert len(CANDIDATES) == 6
    artefacts = [path.stat().st_size for path in DIGITS.glob("candidates/*/model.skops")]
    assert len(artefacts) == 6
    assert max(artefacts) < 400_000
    settings = yaml.safe_load((DIGITS / "ml_regress.yaml").read_text("utf-8"))
    assert settings == {"name": "digits", "production": "2026-07-more-data"}
    assert settings["production"] in CANDIDATES


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_problem_has_10_to_15_patterns_of_both_polarities_and_origins(problem: str) -> None:
    patterns = problem_file(problem).patterns
    assert 10 <= len(patterns) <= 15
    for polarity in ("positive", "negative"):
        assert sum(pattern.polarity == polarity for pattern in patterns) >= 4
    assert {pattern.origin for pattern in patterns} == {"production", "contrived"}
    assert sum(pattern.canary for pattern in patterns) == 2
    assert len({pattern.input_digest for pattern in patterns}) == len(patterns)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_all_but_two_patterns_have_to_pass(problem: str) -> None:
    read = problem_file(problem)
    requirement = read.problem.requirement
    assert requirement.at_least == len(read.patterns) - 2
    assert requirement.canaries
    assert requirement.max_regressions == 0


@cache
def manifests() -> dict[str, Manifest]:
    return {name: read_candidate(DIGITS / "candidates" / name).manifest for name in CANDIDATES}


def newest_candidate(problem: Problem) -> str:
    return max(name for name in CANDIDATES if manifests()[name].created_at[:10] <= problem.reported_at)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_positive_patterns_that_the_newest_candidate_failed_name_it_and_no_other_does(problem: str) -> None:
    newest = newest_candidate(problem_file(problem).problem)
    table = pattern_table(problem).set_index("pattern_id")
    failed = answers_of(newest, table) != table["expected"]
    chosen = table["selected_on"] != ""
    assert set(table.loc[chosen, "selected_on"]) == {newest}
    assert (table.loc[chosen, "polarity"] == "positive").all()
    production = (table["polarity"] == "positive") & (table["origin"] == "production")
    assert (chosen[production] == failed[production]).all()
    # A varied image is marked for its own failure; a copy of a marked image keeps the mark.
    for pattern in table.index[chosen & ~production]:
        assert failed[pattern] or chosen[table.loc[pattern, "parent"]]


@pytest.mark.parametrize("problem", PROBLEMS)
def test_twins_name_each_other_across_the_polarities_and_copies_name_their_image(problem: str) -> None:
    table = pattern_table(problem).set_index("pattern_id")
    twins = table["twin"][table["twin"] != ""]
    assert len(twins) >= 4
    for pattern, twin in twins.items():
        assert twins[twin] == pattern
        assert {table.loc[pattern, "polarity"], table.loc[twin, "polarity"]} == {"positive", "negative"}
    copies = table[table["origin"] == "contrived"]
    assert (copies["parent"] != "").all()
    assert all(name.startswith(parent + "-") for name, parent in copies["parent"].items())


@pytest.mark.parametrize("problem", PROBLEMS)
def test_patterns_come_from_the_production_stream_and_from_no_other_part(problem: str) -> None:
    data = digits()
    known = {data.data[number].astype(int).tobytes() for part in (TRAINING, HELD_OUT) for number in part}
    table = pattern_table(problem)
    for row, image in zip(table.itertuples(), table[PIXELS].to_numpy(int), strict=True):
        number = int(row.pattern_id.split("-")[1])
        assert number in PRODUCTION
        assert row.expected == data.target[number]
        assert (image.tobytes() == data.data[number].astype(int).tobytes()) == (row.origin == "production")
        assert image.tobytes() not in known


def test_the_parts_share_no_image_and_the_benchmark_is_the_held_out_part() -> None:
    data = digits()
    parts = [{data.data[number].tobytes() for number in part} for part in (TRAINING, PRODUCTION, HELD_OUT)]
    assert sum(len(part) for part in parts) == len(parts[0] | parts[1] | parts[2]) == 1797
    read = read_benchmark(DIGITS / "benchmarks" / "held-out.yaml")
    inputs, target = benchmark_frame(read.benchmark, read.data)
    assert (inputs[PIXELS].to_numpy() == data.data[list(HELD_OUT)]).all()
    assert list(target) == data.target[list(HELD_OUT)].tolist()


def test_candidates_are_whole_and_need_no_trust_beyond_the_default() -> None:
    parents = {}
    for name in CANDIDATES:
        folder = DIGITS / "candidates" / name
        sighting = look(folder)  # a checkout writes a folder's files in any order
        assert sighting.whole or sighting.settled_needed, sighting.reason
        manifest = manifests()[name]
        assert manifest.created_at.startswith(name[:7])
        assert manifest.changed
        assert manifest.metrics["train_accuracy"] > 0.9
        parents[name] = manifest.parent
        assert skops.io.get_untrusted_types(file=folder / "model.skops") == []
    assert [name for name, parent in parents.items() if parent is None] == ["2026-06-logistic"]
    assert all(parent in CANDIDATES and parent < name for name, parent in parents.items() if parent is not None)


def test_every_expected_number_is_right() -> None:
    tables = {problem: pattern_table(problem) for problem in PROBLEMS}
    held_out = pd.read_parquet(DIGITS / "benchmarks" / "held-out.parquet").rename(columns={"digit": "expected"})
    metrics = {problem: problem_file(problem).problem.metric for problem in PROBLEMS}
    assert sorted(metrics.values()) == ["accuracy", "f1", *["pass_rate"] * 6]
    rows = list(csv.DictReader((DIGITS / "expected.csv").read_text("utf-8").splitlines()))
    named = {(row["candidate"], row["problem"]) for row in rows}
    assert named == {(candidate, problem) for candidate in CANDIDATES for problem in [*PROBLEMS, "held-out"]}
    assert len(rows) == len(named)
    for row in rows:
        table = tables.get(row["problem"], held_out)
        answers = answers_of(row["candidate"], table)
        truth = table["expected"].to_numpy()
        assert (int(row["passes"]), int(row["patterns"])) == (int((answers == truth).sum()), len(table)), row
        metric = metrics.get(row["problem"], "accuracy")
        value = f1_score(truth == 8, answers == 8) if metric == "f1" else accuracy_score(truth, answers)
        assert row["metric"] == metric
        assert float(row["value"]) == pytest.approx(value, abs=1e-6)


def test_the_table_in_the_readme_holds_the_expected_numbers() -> None:
    readme = (DIGITS / "README.md").read_text("utf-8")
    table = pd.read_csv(DIGITS / "expected.csv", dtype=str)
    for problem, rows in table.groupby("problem"):
        cells = [f"{row.passes}/{row.patterns}" for row in rows.sort_values("candidate").itertuples()]
        assert f"| {problem} | {' | '.join(cells)} |" in readme


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_problem_is_watched_exactly_where_production_meets_its_requirement(problem: str) -> None:
    read = problem_file(problem)
    table = pattern_table(problem)
    passed = answers_of("2026-07-more-data", table) == table["expected"]
    requirement = read.problem.requirement
    met = passed.sum() >= requirement.at_least and passed[table["canary"] == "true"].all()
    assert (read.problem.state == "watched") == met


def test_the_batches_are_thirteen_contiguous_blocks_of_the_whole_data_set() -> None:
    blocks = [pd.read_parquet(path) for path in sorted((DIGITS / "batches").glob("*.parquet"))]
    assert len(blocks) == 13
    whole = pd.concat(blocks, ignore_index=True)
    assert whole["number"].tolist() == [f"{number:04d}" for number in range(1797)]
    assert (whole[PIXELS].to_numpy() == digits().data).all() and (whole["digit"] == digits().target).all()
    assert {len(block) for block in blocks} == {138, 139}


def test_a_candidate_names_the_very_images_that_it_was_trained_on() -> None:
    for name, manifest in manifests().items():
        table = pd.read_parquet(DIGITS / str(manifest.trained_on))
        wanted = 256 if name == "2026-06-logistic" else 776
        assert (table[PIXELS].to_numpy() == digits().data[:wanted]).all()
        assert str(wanted) in manifest.data["train"]


@pytest.mark.slow
def test_building_again_gives_the_same_files_and_the_same_answers(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", str(DIGITS / "build.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    built = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    parts = ("problems", "benchmarks", "candidates", "reference", "batches")
    kept = {path.relative_to(DIGITS) for part in parts for path in (DIGITS / part).rglob("*") if path.is_file()}
    assert set(built) == kept | {Path("ml_regress.yaml"), Path("production.yaml"), Path("expected.csv")}
    # Artefacts hold floats that may differ in the last bit on another processor: their answers count.
    for path in built:
        if path.suffix in (".yaml", ".csv") and path.name != "candidate.yaml":
            assert (tmp_path / path).read_bytes() == (DIGITS / path).read_bytes(), path
        if path.name == "candidate.yaml":
            ours, theirs = (yaml.safe_load((folder / path).read_text("utf-8")) for folder in (DIGITS, tmp_path))
            assert {**ours, "libraries": None} == {**theirs, "libraries": None}
    images = pd.DataFrame(digits().data, columns=PIXELS)
    for candidate in CANDIDATES:
        assert (answers_of(candidate, images) == answers_of(candidate, images, tmp_path)).all()
