"""HANS: 30 problems of 1,000 patterns and four recorded candidates, from files to committed outcomes.

Own: each problem is imported and frozen, each table of predictions checked and registered, every cell
scored and committed. Limit, by hand: pandas reads the same files and joins them by key, and one
transaction writes the same rows of patterns, suites, predictions, evaluations and outcomes into tables of the
same columns and keys.
"""

import hashlib
import json
import runpy
import sqlite3
import tempfile
import tracemalloc
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pandas as pd
import yaml
from measure import compare

from ml_regress.engine import registry
from ml_regress.engine.evaluate import evaluate
from ml_regress.engine.workspace import Workspace
from ml_regress.settings import Settings

BOUND, MEMORY_BOUND = 4.0, 2.0
TABLES = """
CREATE TABLE pattern(problem TEXT, id TEXT, inputs TEXT, expected TEXT, expectation TEXT, output TEXT, tolerance TEXT,
  polarity TEXT, origin TEXT, status TEXT, canary INTEGER, twin TEXT, parent TEXT, selected_on TEXT, note TEXT,
  imported_digest TEXT, PRIMARY KEY(problem, id)) WITHOUT ROWID;
CREATE TABLE suite(problem TEXT, digest TEXT, content TEXT, PRIMARY KEY(problem, digest));
CREATE TABLE prediction(candidate TEXT, digest TEXT, draw INTEGER, answer TEXT, outputs TEXT, error TEXT,
  environment TEXT, made_at TEXT, PRIMARY KEY(candidate, digest, draw)) WITHOUT ROWID;
CREATE TABLE evaluation(number INTEGER PRIMARY KEY, candidate TEXT, problem TEXT, suite TEXT, passes INTEGER,
  answered INTEGER, rate FLOAT);
CREATE TABLE outcome(evaluation INTEGER, pattern TEXT, outcome TEXT, reason TEXT, PRIMARY KEY(evaluation, pattern))
  WITHOUT ROWID;
"""


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def by_hand(folder: Path, target: Path) -> None:
    """The same rows, without a check."""
    frames, suites = [], []
    for path in sorted((folder / "problems").glob("*.csv")):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False).assign(problem=path.stem)
        frame["digest"] = [sha(f'{{"pattern":"{name}","problem":"{path.stem}"}}') for name in frame["pattern_id"]]
        content = json.dumps(frame.to_dict("list"))
        frames.append(frame)
        suites.append((path.stem, sha(content), content))
    patterns = pd.concat(frames, ignore_index=True)
    made, cells, outcomes = [], [], []
    for number, path in enumerate(sorted((folder / "candidates").glob("*/candidate.yaml"))):
        manifest = yaml.safe_load(path.read_text())
        columns = {given: name for name, given in manifest["columns"].items()}
        table = pd.read_csv(path.parent / manifest["artefact"], dtype=str).rename(columns=columns)
        joined = patterns.merge(table, on="pattern_id", validate="one_to_one")
        meant = joined["predicted"].replace(manifest["answer_map"])
        joined["outcome"] = (meant == joined["expected"]).map({True: "passed", False: "failed"})
        name = path.parent.name
        made += [
            (name, digest, 0, json.dumps(answer), None, None, "env", "2026-06-01")
            for digest, answer in zip(joined["digest"], joined["predicted"], strict=True)
        ]
        for place, (problem, rows) in enumerate(joined.groupby("problem", sort=False)):
            key, passes = number * len(frames) + place, int((rows["outcome"] == "passed").sum())
            cells.append((key, name, problem, "suite", passes, len(rows), passes / len(rows)))
            outcomes += [(key, *row, None) for row in zip(rows["pattern_id"], rows["outcome"], strict=True)]
    rest = ("import", "active", 0, None, None, "", "", "digest")
    rows = [
        (problem, name, None, expected, "equals", "answer", None, polarity, *rest)
        for problem, name, expected, polarity in zip(
            *(patterns[each] for each in ("problem", "pattern_id", "expected", "polarity")), strict=True
        )
    ]
    db = sqlite3.connect(target)
    db.execute("PRAGMA journal_mode=WAL")
    db.executescript(TABLES)
    with db:
        db.executemany("INSERT INTO pattern VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", rows)
        db.executemany("INSERT INTO suite VALUES (?,?,?)", suites)
        db.executemany("INSERT INTO prediction VALUES (?,?,?,?,?,?,?,?)", made)
        db.executemany("INSERT INTO evaluation VALUES (?,?,?,?,?,?,?)", cells)
        db.executemany("INSERT INTO outcome VALUES (?,?,?,?)", outcomes)
    db.close()


def measured(folder: Path, home: Path) -> None:
    """From the files of a workspace to its matrix, in a new store."""
    workspace = Workspace.open(Settings.load(folder, {"ML_REGRESS_HOME": str(home)}))
    for path in sorted((folder / "problems").glob("*.yaml")):
        registry.import_problem(workspace, path)
    for path in sorted((folder / "candidates").iterdir()):
        registry.import_candidate(workspace, path)
    for _ in evaluate(workspace, [due.cell for due in workspace.store.due.all()], claim="bench"):
        pass
    counts = workspace.store.evaluations.counts()
    assert (counts.ok, counts.due) == (120, 0), counts
    workspace.store.close()


def peak(action: Callable[[], object]) -> int:
    """The most memory that an action held at once, in bytes."""
    tracemalloc.start()
    action()
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def main() -> None:
    made = Path(tempfile.mkdtemp())
    example = Path(__file__).parents[1] / "examples" / "hans" / "build.py"
    folder, numbers = made / "hans", count()
    runpy.run_path(str(example))["build"](folder)

    def own() -> Callable[[], object]:
        home = made / f"home-{next(numbers)}"
        return lambda: measured(folder, home)

    def limit() -> Callable[[], object]:
        target = made / f"limit-{next(numbers)}.db"
        return lambda: by_hand(folder, target)

    limit()()
    compare("hans_sqlite", own, limit, bound=BOUND, runs=3)
    mine, theirs = peak(own()), peak(limit())
    ratio = mine / theirs
    said = f"bound={MEMORY_BOUND:g} {'ok' if ratio <= MEMORY_BOUND else 'short'}"
    print(f"hans_memory own={mine / 1e6:.0f}MB limit={theirs / 1e6:.0f}MB ratio={ratio:.2f} {said}")


if __name__ == "__main__":
    main()
