"""Drop: from a candidate's folder dropped into the watched folder to its ten finished cells.

Own: a real `ml-regress up` with web server, daemon and sensors; the time until the last of the ten
cells is committed. The limit is the aim of 20 s. Dagster starts a process for a run, and most of the
time goes into its imports.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import joblib
from digits_matrix import fitted, questions
from measure import report

from ml_regress.engine.workspace import Workspace
from ml_regress.settings import Settings

AIM_SECONDS, RUNS, PROBLEMS, PATTERNS = 20.0, 3, 10, 12
PORTS = {"ML_REGRESS_UI_PORT": "3940", "ML_REGRESS_REPORT_PORT": "3941"}


def write(folder: Path) -> None:
    """A workspace of ten digits problems without a candidate."""
    (folder / "problems").mkdir(parents=True)
    (folder / "candidates").mkdir()
    (folder / "ml_regress.yaml").write_text("name: drop\nallow_formats: [joblib]\n")
    asked = questions(PROBLEMS, PATTERNS)
    pixels = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]
    for start in range(0, len(asked.problems), PATTERNS):
        name = asked.problems[start]
        (folder / "problems" / f"{name}.yaml").write_text(
            f"id: {name}\ntitle: {name}\nanswer: integer\ninputs:\n"
            "  image: image(8, 8, pixel_{row}_{column}, 0..16)\n"
        )
        lines = [",".join(["pattern_id", *pixels, "expected"])]
        for at in range(start, start + PATTERNS):
            lines.append(",".join([asked.patterns[at], *map(str, asked.images[at]), str(asked.expected[at])]))
        (folder / "problems" / f"{name}.csv").write_text("\n".join(lines) + "\n")


def drop(folder: Path, name: str, model: object) -> None:
    """A whole candidate, renamed into place at once."""
    made = folder / f".{name}"
    made.mkdir()
    joblib.dump(model, made / "model.joblib")
    (made / "candidate.yaml").write_text("created_at: 2026-06-01T00:00:00Z\n")
    made.rename(folder / "candidates" / name)


def wait(condition: Callable[[], bool], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("nothing was measured; see .ml_regress/logs in the workspace")
        time.sleep(0.2)


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="ml-regress-drop-")) / "workspace"
    write(folder)
    command = [sys.executable, "-c", "from ml_regress.cli import main; main()", "up", "--workspace", str(folder)]
    process = subprocess.Popen(command, env={**os.environ, **PORTS}, stdout=subprocess.DEVNULL)
    try:
        made = Workspace.open(Settings.load(folder, {}))
        model, times = fitted(0), []
        for number in range(RUNS + 1):
            start = time.perf_counter()
            drop(folder, f"c{number}", model)
            wait(lambda wanted=PROBLEMS * (number + 1): made.store.evaluations.counts().ok == wanted)  # type: ignore[misc]
            if number:  # the first one waits for the start of everything
                times.append(time.perf_counter() - start)
            time.sleep(30)  # the report of this one is written before the next one comes
        report("drop_to_cells", median(times), AIM_SECONDS, 1.0)
        made.store.close()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        shutil.rmtree(folder.parent, ignore_errors=True)


if __name__ == "__main__":
    main()
