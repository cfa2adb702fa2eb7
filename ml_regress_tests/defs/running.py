"""A real `ml-regress up`: its processes, its terminal, and what Dagster's GraphQL says."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

import ml_regress

ROOT = Path(ml_regress.__file__).parent.parent
START = "from ml_regress.cli.main import main; main()"
RUNS = "{runsOrError {... on Runs {results {runId jobName status tags {key value}}}}}"
CELLS = """query Cells($key: AssetKeyInput!) {assetOrError(assetKey: $key) {... on Asset {
  assetMaterializations {partition runId timestamp metadataEntries {
    label ... on IntMetadataEntry {intValue} ... on FloatMetadataEntry {floatValue} ... on TextMetadataEntry {text}
    ... on MarkdownMetadataEntry {mdStr} ... on UrlMetadataEntry {url}}}}}}"""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


class Running:
    """`ml-regress up` on a workspace folder, with free ports."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.output = folder, folder / "up.log"
        self.ui_port, self.report_port = free_ports(2)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environ = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "ML_REGRESS_UI_PORT": str(self.ui_port),
            "ML_REGRESS_REPORT_PORT": str(self.report_port),
        }
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, "up", "--workspace", str(self.folder)],
                env=environ, stdout=output, stderr=output, start_new_session=True, cwd=self.folder,
            )  # fmt: skip

    def stop(self, number: int = signal.SIGINT) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    @property
    def text(self) -> str:
        return self.output.read_text() if self.output.exists() else ""

    def wait_for(self, condition: Callable[[], Any], seconds: float = 300) -> Any:
        """The first true value of a condition; raises TimeoutError with the terminal's text."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            assert self.process is None or self.process.poll() is None, f"`up` ended: {self.text}"
            time.sleep(0.5)
        raise TimeoutError(f"{self.text}\n{self.logs()}")

    def logs(self) -> str:
        files = sorted((self.folder / ".ml_regress" / "logs").glob("*.log"))
        return "\n".join(f"== {file.name}\n{file.read_text()[-4000:]}" for file in files)

    def wait_ready(self, times: int = 1) -> None:
        """Until `ready:` was printed so many times."""
        self.wait_for(lambda: self.text.count("\nready: ") >= times)

    def graphql(self, query: str, **variables: Any) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ui_port}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310  # our own server
            answer = json.load(reply)
        assert not answer.get("errors"), answer
        return answer["data"]

    def runs(self, job: str = "measure") -> list[dict[str, Any]]:
        """Runs of a job, newest first, with their tags as a mapping."""
        found = self.graphql(RUNS)["runsOrError"]["results"]
        return [
            {**run, "tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in found if run["jobName"] == job
        ]

    def materializations(self, asset: str = "evaluation") -> list[dict[str, Any]]:
        found = self.graphql(CELLS, key={"path": [asset]})["assetOrError"].get("assetMaterializations", [])
        return [{**event, "metadata": _metadata(event["metadataEntries"])} for event in found]

    def processes(self, words: str) -> list[psutil.Process]:
        """Processes of this workspace's tree whose command line holds these words."""
        mine = []
        for process in psutil.process_iter():
            try:
                is_mine = process.environ().get("ML_REGRESS_UP") == str(self.folder / ".ml_regress")
                if is_mine and words in " ".join(process.cmdline()):
                    mine.append(process)
            except psutil.Error:
                continue
        return mine


def _metadata(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {entry["label"]: next((v for k, v in entry.items() if k != "label"), None) for entry in entries}


def counts_of(run: dict[str, Any]) -> dict[str, int]:
    """What a run did, as its tags say."""
    names = ("candidates_opened", "predictions_made", "predictions_reused", "outcomes_scored")
    return {name: int(run["tags"].get(f"ml_regress/{name}", -1)) for name in names}


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """`up`, started; whatever is left of it is killed at the end."""
    made = Running(folder)
    made.start()
    try:
        yield made
    finally:
        if made.process is not None and made.process.poll() is None:
            made.process.kill()
            made.process.wait(10)
        for process in made.processes(""):
            process.kill()
