"""Builds the example workspace `occupancy` from occupancy.csv, the same on every run.

    python examples/occupancy/build.py [OUT]

OUT is this folder where it is not given. Every day of the series becomes a batch. There is no candidate in it: what a
room's sensors read is watched against its first days.
"""

import csv
import sys
from itertools import groupby
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
from writing import write_yaml

SOURCE = Path(__file__).parent / "occupancy.csv"
# What the columns of the source are; it calls them V1 to V4.
NAMES = {"V1": "temperature", "V2": "humidity", "V3": "light", "V4": "co2"}


def build(out: Path) -> None:
    """Write the whole workspace into a folder."""
    write_yaml(out / "ml_regress.yaml", {"name": "occupancy"})
    inputs = dict.fromkeys(NAMES.values(), "number")
    window = {"from": "2015-02-04", "to": "2015-02-07"}
    write_yaml(out / "production.yaml", {"inputs": inputs, "time": "time", "reference": window})
    with SOURCE.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    (out / "batches").mkdir(parents=True, exist_ok=True)
    for day, some in groupby(rows, key=lambda row: row["time"][:10]):
        with (out / "batches" / f"{day}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["time", *NAMES.values()])
            writer.writerows([row["time"].replace(" ", "T") + "Z", *(row[name] for name in NAMES)] for row in some)


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
