"""What a workspace says of its production: the columns of its batches, and from when on a column has drifted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ml_regress.core.digest import digest_of
from ml_regress.core.inputs import InputTypes, parse_input_types

# Columns of a kept batch beside its inputs and its scores (`score:<class>`); no input may begin with this sign.
RESERVED = "@"
KEY, TIME, PREDICTION, LABEL = "@key", "@time", "@prediction", "@label"
LARGEST = 2 * 1024**3


@dataclass(frozen=True)
class DriftRules:
    """From when on a column has drifted: significant at `alpha` after Benjamini-Hochberg, and beyond a practical size.

    Sizes: `number` is the Wasserstein distance in standard deviations of the reference, `category` the bias-corrected
    V of Cramer, `missing` the change of the share of missing values, `metric` that of a metric between 0 and 1 (for
    an error its relative change). `columns` gives a column a size of its own. A side with fewer than `fewest` values
    is not enough data. `ignored` columns are not compared.
    """

    alpha: float = 0.05
    number: float = 0.1
    category: float = 0.1
    missing: float = 0.05
    metric: float = 0.05
    fewest: int = 20
    columns: Mapping[str, float] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()

    def size_of(self, column: str, kind: str) -> float:
        """The practical size of a column, whose kind is "number" or "category"."""
        return self.columns.get(column, self.number if kind == "number" else self.category)

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "columns": dict(self.columns), "ignored": list(self.ignored)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "DriftRules":
        return cls(**{**data, "ignored": tuple(data["ignored"])})


@dataclass(frozen=True)
class Window:
    """Batches whose time begins in [start, end): ISO dates or times, None for an open end."""

    start: str | None = None
    end: str | None = None

    @property
    def words(self) -> str:
        if self.start and self.end:
            return f"batches from {self.start} to before {self.end}"
        if self.start:
            return f"batches from {self.start} on"
        return f"batches before {self.end}" if self.end else "all batches"


@dataclass(frozen=True)
class ProductionSchema:
    """What `production.yaml` says, its input types stated or inferred from the reference and then frozen.

    `key` is the column that names a row, by which later labels and predictions are joined; `time` the column of its
    time. `answer_type`, `labels`, `positive_label` and `metric` are as on a problem. `reference` is a window of
    batches; None means the data that the candidate in production was trained on. `every` is how often a batch is
    expected, None for never. `largest` is the most bytes that a batch's files may have.
    """

    inputs: InputTypes
    key: str | None = None
    time: str | None = None
    prediction: str = "prediction"
    label: str = "label"
    answer_type: str = "text"
    labels: tuple[Any, ...] = ()
    positive_label: Any = None
    metric: str = "accuracy"
    reference: Window | None = None
    every: timedelta | None = None
    rules: DriftRules = field(default_factory=DriftRules)
    largest: int = LARGEST
    inferred: bool = False

    @property
    def digest(self) -> str:
        """Names what the values of a kept batch mean; rules, reference and limits may change without another one."""
        return digest_of(
            {
                "inputs": [[name, declaration] for name, declaration in self.inputs.declared],
                "key": self.key,
                "time": self.time,
                "prediction": self.prediction,
                "label": self.label,
                "answer_type": self.answer_type,
            }
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            **{name: getattr(self, name) for name in ("key", "time", "prediction", "label", "answer_type", "metric")},
            "inputs": [[name, declaration] for name, declaration in self.inputs.declared],
            "labels": list(self.labels),
            "positive_label": self.positive_label,
            "reference": None if self.reference is None else [self.reference.start, self.reference.end],
            "every": None if self.every is None else self.every.total_seconds(),
            "rules": self.rules.as_dict(),
            "largest": self.largest,
            "inferred": self.inferred,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "ProductionSchema":
        window, every = data["reference"], data["every"]
        return cls(
            **{
                **data,
                "inputs": parse_input_types(dict(data["inputs"])),
                "labels": tuple(data["labels"]),
                "reference": None if window is None else Window(*window),
                "every": None if every is None else timedelta(seconds=every),
                "rules": DriftRules.from_dict(data["rules"]),
            }
        )
