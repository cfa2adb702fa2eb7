"""Builds the example workspace `hans` from published predictions of four language models.

    python examples/hans/build.py OUT

OUT is made: 30 problems of 1,000 patterns each, without inputs, and four candidates whose predictions
were recorded. data/ says where everything comes from.
"""

import csv
import gzip
import io
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from ml_regress.core.ids import slug_of

HERE = Path(__file__).parent
DATA = HERE / "data"
LABELS = ("entailment", "non-entailment")
# The models know three classes, the questions two.
ANSWER_MAP = {"neutral": "non-entailment", "contradiction": "non-entailment"}
HEURISTICS = {
    "lexical_overlap": "A model that assumes that a premise entails every hypothesis made of its own words",
    "subsequence": "A model that assumes that a premise entails each of its own unbroken parts",
    "constituent": "A model that assumes that a premise entails each complete clause inside it",
}
# By the date of the paper that describes the model; the predictions are those that came with HANS.
CANDIDATES = (
    ("spinn", "2016-03-19", "SPINN: reads along the parse tree (arXiv 1603.06021)"),
    ("decomp_attn", "2016-06-06", "Decomposable attention: aligns words, knows no order (arXiv 1606.01933)"),
    ("esim", "2016-09-20", "ESIM: two LSTMs and alignment between them (arXiv 1609.06038)"),
    ("bert", "2018-10-11", "BERT, fine-tuned on MNLI as the others were trained on it (arXiv 1810.04805)"),
)
AS_PUBLISHED = "spinn"  # this candidate brings the file as its authors gave it out, in another order of rows
FILE = """\
name: hans
production: esim       # the best of 2016
"""


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of a packed CSV file in data/."""
    with gzip.open(DATA / name, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_csv(path: Path, names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.getvalue(), encoding="utf-8", newline="\n")


def write_yaml(path: Path, content: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False, width=200), encoding="utf-8", newline="\n")


def write_problem(out: Path, heuristic: str, subcase: str, gold: str, names: Sequence[str]) -> None:
    """One subcase as a problem: positive where the heuristic misleads, negative where it happens to be right."""
    problem = slug_of(subcase)
    polarity = "positive" if gold == "non-entailment" else "negative"
    wrong = polarity == "positive"
    says = "is wrong here: the answer is non-entailment" if wrong else "is right here, and must stay so"
    write_csv(
        out / "problems" / f"{problem}.csv",
        ("pattern_id", "inputs", "expected", "polarity"),
        ([name, "none", gold, polarity] for name in names),
    )
    write_yaml(
        out / "problems" / f"{problem}.yaml",
        {
            "id": problem,
            "title": f"{heuristic}: {subcase}",
            "description": f"{HEURISTICS[heuristic]} {says}.",
            "inputs": {"premise": "text", "hypothesis": "text"},
            "labels": list(LABELS),
            "requirement": {"max_regressions": "5"},
        },
    )


def write_candidate(out: Path, name: str, created_at: str, changed: str, rows: Sequence[dict[str, str]]) -> None:
    """A table of predictions, and the manifest that says how to read it."""
    folder = out / "candidates" / name
    folder.mkdir(parents=True, exist_ok=True)
    if name == AS_PUBLISHED:
        with gzip.open(DATA / "raw_spinn_preds_heur.txt.gz") as packed, (folder / "predictions.csv").open("wb") as file:
            shutil.copyfileobj(packed, file)
        columns = {"pattern_id": "pairID", "predicted": "gold_label"}
    else:
        write_csv(folder / "predictions.csv", ("pairID", name), ((row["pairID"], row[name]) for row in rows))
        columns = {"pattern_id": "pairID", "predicted": name}
    write_yaml(  # last, because a manifest says that its folder is whole
        folder / "candidate.yaml",
        {
            "created_at": created_at,
            "format": "recorded",
            "artefact": "predictions.csv",
            "changed": changed,
            "data": {"train": "MNLI"},
            "columns": columns,
            "answer_map": ANSWER_MAP,
        },
    )


def build(out: Path) -> Path:
    """The workspace, its settings written last."""
    rows = rows_of("predictions.csv.gz")
    subcases: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        subcases.setdefault((row["heuristic"], row["subcase"], row["gold"]), []).append(row["pairID"])
    for (heuristic, subcase, gold), names in subcases.items():
        write_problem(out, heuristic, subcase, gold, names)
    for name, created_at, changed in CANDIDATES:
        write_candidate(out, name, created_at, changed, rows)
    (out / "ml_regress.yaml").write_text(FILE, encoding="utf-8")
    return out


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(f"made {build(Path(sys.argv[1]))}")
