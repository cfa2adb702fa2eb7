"""Builds the example workspace `digits` from scikit-learn's load_digits, the same on every run.

    python examples/digits/build.py [OUT]

OUT is this folder where it is not given. Candidates are trained, the patterns of each problem are
chosen, and expected.csv is computed from the written files with scikit-learn alone.
"""

import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skops.io
import yaml

sys.path.append(str(Path(__file__).parents[1]))
from images import BLOCKS, HELD_OUT, PIXELS, PRODUCTION, TRAINING, Digits, frame, load
from selection import FIELDS, REPORTS, choose, problem_file, question
from sklearn.metrics import accuracy_score, f1_score
from training import PRODUCTION_CANDIDATE, RECIPES, train
from writing import write_candidate, write_yaml

BENCHMARK = "held-out"


def write_candidates(out: Path, digits: Digits) -> dict[str, Any]:
    """Train and save every candidate; the estimators by id."""
    estimators = {}
    for recipe in RECIPES:
        estimators[recipe.id], metrics = train(recipe, digits)
        parent = {} if recipe.parent is None else {"parent": recipe.parent}
        about = {"created_at": recipe.created_at, "changed": recipe.changed, **parent, "data": {"train": recipe.data}}
        trained_on = f"reference/images-0-{recipe.numbers[-1]}.parquet"
        write_table(out / trained_on, numbered(digits, recipe.numbers))
        about |= {"trained_on": trained_on, "metrics": metrics}
        write_candidate(out, recipe.id, estimators[recipe.id], about)
    return estimators


def write_problems(out: Path, digits: Digits, estimators: dict[str, Any]) -> None:
    """Choose and write the patterns of every problem."""
    columns = [FIELDS[0], *PIXELS, *FIELDS[1:]]
    for report in REPORTS:
        rows = choose(report, digits, estimators[report.newest_candidate])
        write_yaml(out / "problems" / f"{report.id}.yaml", problem_file(report, len(rows)))
        with (out / "problems" / f"{report.id}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def write_benchmark(out: Path, digits: Digits) -> None:
    """The held-out images, which nothing was trained or chosen on."""
    write_yaml(
        out / "benchmarks" / f"{BENCHMARK}.yaml",
        {
            "id": BENCHMARK,
            "title": "Held-out digits",
            "description": f"{len(HELD_OUT)} images that no candidate was trained on and no pattern comes from.",
            "owner": "reading-team",
            "state": "open",
            **question(),
            "metrics": ["accuracy"],
            "target": "digit",
            "data": f"{BENCHMARK}.parquet",
        },
    )
    table = pd.DataFrame(digits.images[list(HELD_OUT)], columns=PIXELS)
    table["digit"] = digits.labels[list(HELD_OUT)]
    write_table(out / "benchmarks" / f"{BENCHMARK}.parquet", table)


def numbered(digits: Digits, numbers: range) -> pd.DataFrame:
    """Images with their number and the digit they show, as a camera would send them and a person would type them in."""
    table = pd.DataFrame(digits.images[list(numbers)], columns=PIXELS)
    table.insert(0, "number", [f"{number:04d}" for number in numbers])
    table["digit"] = digits.labels[list(numbers)]
    return table


def write_table(path: Path, table: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path, index=False, compression="zstd")


def write_batches(out: Path, digits: Digits) -> None:
    """The whole data set as thirteen batches, a week each; what a batch may hold is stated."""
    write_yaml(out / "production.yaml", {**question(), "key": "number", "label": "digit"})
    for name, numbers in BLOCKS.items():
        write_table(out / "batches" / f"{name}.parquet", numbered(digits, numbers))


def check_disjoint(out: Path, digits: Digits) -> None:
    """No pattern, varied ones included, is an image of the training part or the benchmark."""
    known = {digits.images[number].tobytes() for part in (TRAINING, HELD_OUT) for number in part}
    for report in REPORTS:
        table = pd.read_csv(out / "problems" / f"{report.id}.csv")
        for pattern_id, image in zip(table["pattern_id"], table[PIXELS].to_numpy(np.int64), strict=True):
            if int(pattern_id.split("-")[1]) not in PRODUCTION or image.tobytes() in known:
                raise ValueError(f"{report.id}: {pattern_id} is an image of the training part or the benchmark")


def expected(out: Path) -> list[dict[str, Any]]:
    """Right answers of every candidate on every problem and the benchmark, from the files alone."""
    tables = {report.id: pd.read_csv(out / "problems" / f"{report.id}.csv") for report in REPORTS}
    held_out = pd.read_parquet(out / "benchmarks" / f"{BENCHMARK}.parquet").rename(columns={"digit": "expected"})
    files = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (out / "problems").glob("*.yaml")}
    rows = []
    for recipe in RECIPES:
        candidate = skops.io.load(out / "candidates" / recipe.id / "model.skops")
        for problem, table in {**tables, BENCHMARK: held_out}.items():
            truth = table["expected"].to_numpy()
            answers = candidate.predict(frame(table[PIXELS].to_numpy()))
            passes = int((answers == truth).sum())
            metric = "accuracy" if problem == BENCHMARK else files[problem]["metric"]
            value = accuracy_score(truth, answers)
            if metric == "f1":
                label = files[problem]["positive_label"]
                value = f1_score(truth == label, answers == label)
            row = (recipe.id, problem, passes, len(table), metric, f"{value:.6f}")
            rows.append(dict(zip(("candidate", "problem", "passes", "patterns", "metric", "value"), row, strict=True)))
    return rows


def build(out: Path) -> None:
    """Write the whole workspace into a folder."""
    digits = load()
    write_yaml(out / "ml_regress.yaml", {"name": "digits", "production": PRODUCTION_CANDIDATE})
    estimators = write_candidates(out, digits)
    write_problems(out, digits, estimators)
    write_benchmark(out, digits)
    write_batches(out, digits)
    check_disjoint(out, digits)
    pd.DataFrame(expected(out)).to_csv(out / "expected.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    build(target)
    table = pd.read_csv(target / "expected.csv")
    cells = table["passes"].astype(str) + "/" + table["patterns"].astype(str)
    print(table.assign(cell=cells).pivot(index="problem", columns="candidate", values="cell").to_string())
