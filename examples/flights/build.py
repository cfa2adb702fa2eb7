"""Builds the example workspace `flights` from flights.parquet, the same on every run.

    python examples/flights/build.py [OUT]

OUT is this folder where it is not given. Candidates are trained on January to March, every month becomes a batch with
the answers of the candidate in production and with labels that came later; expected.csv is computed from the written
files with scipy and scikit-learn alone.
"""

import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from scipy.stats import ks_2samp, wasserstein_distance

sys.path.append(str(Path(__file__).parents[1]))
from flights import DECLARED, INPUTS, LATE, MONTHS, ON_TIME, load, month, name, training
from selection import FIELDS, REPORTS, choose, problem_file
from training import PRODUCTION_CANDIDATE, RECIPES, lateness, train
from writing import write_candidate, write_yaml

REFERENCE = "reference/2013-q1.parquet"
MEASURED = ("temp", "hour", "distance")


def write_table(table: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path, index=False, compression="zstd")


def write_candidates(out: Path, flights: pd.DataFrame) -> dict[str, Any]:
    """Train and save every candidate, with the table that it was trained on; the estimators by id."""
    known = training(flights)
    write_table(known[["flight_id", "time_hour", *INPUTS, "late"]], out / REFERENCE)
    estimators = {}
    for recipe in RECIPES:
        estimators[recipe.id], metrics = train(recipe, known)
        parent = {} if recipe.parent is None else {"parent": recipe.parent}
        data = {"train": f"{len(known)} flights of January to March 2013"}
        about = {"created_at": recipe.created_at, "changed": recipe.changed, **parent, "data": data}
        write_candidate(out, recipe.id, estimators[recipe.id], {**about, "trained_on": REFERENCE, "metrics": metrics})
    return estimators


def write_problems(out: Path, flights: pd.DataFrame, estimators: dict[str, Any]) -> None:
    """Choose and write the patterns of every problem."""
    for report in REPORTS:
        rows = choose(report, flights, estimators[report.newest_candidate])
        write_yaml(out / "problems" / f"{report.id}.yaml", problem_file(report, len(rows)))
        with (out / "problems" / f"{report.id}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [FIELDS[0], *INPUTS, *FIELDS[1:]], restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def write_batches(out: Path, flights: pd.DataFrame, serving: Any) -> None:
    """A batch a month, as the candidate in production answered it; who was late is known later, by key."""
    for number in MONTHS:
        flown = month(flights, number)
        answered = flown[["flight_id", "time_hour", *INPUTS]].assign(
            prediction=serving.predict(flown[INPUTS]), **{f"score:{LATE}": lateness(serving, flown).round(6)}
        )
        write_table(answered, out / "batches" / f"{name(number)}.parquet")
        labels = flown.loc[flown["late"].notna(), ["flight_id", "late"]]
        labels.to_csv(out / "batches" / f"{name(number)}.labels.csv", index=False, lineterminator="\n")


def write_settings(out: Path) -> None:
    write_yaml(
        out / "ml_regress.yaml",
        # scikit-learn's encoder keeps the type of its levels, which skops does not trust by itself.
        {"name": "flights", "production": PRODUCTION_CANDIDATE, "trusted_types": ["numpy.dtype"]},
    )
    write_yaml(
        out / "production.yaml",
        {
            "inputs": DECLARED,
            "key": "flight_id",
            "time": "time_hour",
            "label": "late",
            "answer": "text",
            "labels": [ON_TIME, LATE],
            "positive_label": LATE,
            "metric": "accuracy",
        },
    )


def expected(out: Path) -> list[dict[str, Any]]:
    """What a check has to find, month by month: distances from the reference, shares and means."""
    reference = pd.read_parquet(out / REFERENCE)
    manifest = yaml.safe_load((out / "candidates" / PRODUCTION_CANDIDATE / "candidate.yaml").read_text("utf-8"))
    if manifest["trained_on"] != REFERENCE:
        raise ValueError("the candidate in production was trained on something else")
    rows = []
    for number in MONTHS:
        batch = pd.read_parquet(out / "batches" / f"{name(number)}.parquet")
        labels = pd.read_csv(out / "batches" / f"{name(number)}.labels.csv")
        row: dict[str, Any] = {"batch": name(number), "rows": len(batch), "labelled": len(labels)}
        for column in MEASURED:
            before, now = reference[column].dropna().to_numpy(float), batch[column].dropna().to_numpy(float)
            row[f"{column}_ks"] = f"{ks_2samp(before, now).statistic:.6f}"
            row[f"{column}_w1"] = f"{wasserstein_distance(before, now) / np.std(before):.6f}"
        row["late_share"] = f"{(labels['late'] == LATE).mean():.6f}"
        row["answered_late"] = f"{(batch['prediction'] == LATE).mean():.6f}"
        row["mean_score"] = f"{batch[f'score:{LATE}'].mean():.6f}"
        joined = batch.merge(labels, on="flight_id")
        row["accuracy"] = f"{(joined['prediction'] == joined['late']).mean():.6f}"
        rows.append(row)
    return rows


def build(out: Path) -> None:
    """Write the whole workspace into a folder."""
    flights = load()
    write_settings(out)
    estimators = write_candidates(out, flights)
    write_problems(out, flights, estimators)
    write_batches(out, flights, estimators[PRODUCTION_CANDIDATE])
    pd.DataFrame(expected(out)).to_csv(out / "expected.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    build(target)
    print(pd.read_csv(target / "expected.csv").to_string(index=False))
