"""What the cells of a claim ask: suites and benchmarks, read once for all candidates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ml_regress.core.inputs import InputTypes, parse_input_types
from ml_regress.core.pattern import Suite
from ml_regress.core.problem import Benchmark
from ml_regress.engine.workspace import Workspace
from ml_regress.intake.benchmarks import benchmark_frame
from ml_regress.store.due import DueCell
from ml_regress.store.problems import Measured

BENCHMARK = "benchmark"


@dataclass(frozen=True)
class Asked:
    """A frozen suite and its input types: a newer edit never mixes with older patterns."""

    suite: Suite
    types: InputTypes


@dataclass(frozen=True, eq=False)
class AskedBenchmark:
    """A benchmark with its inputs and the expected answers, row by row."""

    benchmark: Benchmark
    inputs: pd.DataFrame
    truth: Sequence[Any]


class Claimed:
    """The suites, benchmarks and environments that the cells of one claim need."""

    def __init__(self, workspace: Workspace, dimension: Mapping[str, Measured], due: Sequence[DueCell]) -> None:
        self._store = workspace.store
        self._dimension = dimension
        self._suites = self._read_suites(cell for cell in due if not self.is_benchmark(cell))
        self._benchmarks: dict[str, AskedBenchmark] = {}
        self._environments: dict[str, Mapping[str, Any]] = {}

    def is_benchmark(self, cell: DueCell) -> bool:
        return self._dimension[cell.problem].kind == BENCHMARK

    def suite(self, cell: DueCell) -> Asked:
        """The suite that a cell of a problem is due on."""
        return self._suites[cell.problem, cell.suite]

    @property
    def input_digests(self) -> set[str]:
        """Everything that the suites ask."""
        return {pattern.input_digest for asked in self._suites.values() for pattern in asked.suite.patterns}

    def benchmark(self, name: str) -> AskedBenchmark:
        """A benchmark, read when it is asked for first."""
        if name not in self._benchmarks:
            (found,) = (each for each in self._store.problems.benchmarks(closed=True) if each.id == name)
            data = self._store.problems.benchmark_data(name)
            self._benchmarks[name] = AskedBenchmark(found, *benchmark_frame(found, data))
        return self._benchmarks[name]

    def environment(self, digest: str) -> Mapping[str, Any]:
        """What the digest of an environment of stored predictions stands for."""
        if digest not in self._environments:
            self._environments[digest] = self._store.evaluations.environment(digest)
        return self._environments[digest]

    def _read_suites(self, due: Iterable[DueCell]) -> dict[tuple[str, str], Asked]:
        # One problem at a time has one current suite, but a cell is measured on the one it is due on.
        wanted = list(dict.fromkeys((cell.problem, cell.suite) for cell in due))
        types: dict[str, InputTypes] = {}
        read: dict[tuple[str, str], Asked] = {}
        while wanted:
            for problem, suite in self._store.problems.suites(wanted).items():
                declared = suite.content["problem"]["inputs"]
                key = repr(declared)  # many problems ask the same kind of question
                if key not in types:
                    types[key] = parse_input_types(dict(declared))
                read[problem, suite.digest] = Asked(suite, types[key])
            left = [pair for pair in wanted if pair not in read]
            if len(left) == len(wanted):
                break
            wanted = left
        return read
