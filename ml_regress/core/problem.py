"""Problems and benchmarks: what stands in the problem dimension of the matrix."""

from dataclasses import dataclass, field
from typing import Any

from ml_regress.core.inputs import InputTypes

SEVERITIES = ("low", "medium", "high", "critical")
STATES = ("open", "watched", "closed")
PROPORTION_METRICS = ("pass_rate", "accuracy", "precision", "recall")
METRICS = (*PROPORTION_METRICS, "f1", "roc_auc", "mae", "rmse")
SCORER = "scorer:"
# What a smaller value of a metric means for the user.
LOWER_IS_BETTER = ("mae", "rmse")


@dataclass(frozen=True)
class Requirement:
    """What a problem asks of a candidate; None asks nothing.

    `at_least` passes (of the suite's patterns), a bound on the metric, all canaries, at most
    `max_regressions` regressions against production. `tolerance` asks nothing: a change of the pass
    rate within it (0 to 1) is not called one when two candidates are compared.
    """

    at_least: int | None = None
    metric_at_least: float | None = None
    metric_at_most: float | None = None
    canaries: bool = True
    max_regressions: int | None = None
    tolerance: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "at_least": self.at_least,
            "metric_at_least": self.metric_at_least,
            "metric_at_most": self.metric_at_most,
            "canaries": self.canaries,
            "max_regressions": self.max_regressions,
            "tolerance": self.tolerance,
        }


@dataclass(frozen=True)
class Problem:
    """An identified weakness, measured by its patterns.

    `answer_type` is one of core.answers.ANSWER_TYPES; `labels` are typed answers, empty where any
    answer is allowed; `metric` is one of METRICS or "scorer:<entry point>"; `reported_at` is an
    ISO date.
    """

    id: str
    title: str
    inputs: InputTypes
    description: str = ""
    owner: str = ""
    severity: str = "medium"
    reported_by: str = ""
    reported_at: str = ""
    state: str = "open"
    answer_type: str = "text"
    labels: tuple[Any, ...] = ()
    positive_label: Any = None
    metric: str = "pass_rate"
    requirement: Requirement = field(default_factory=Requirement)

    def measured_content(self) -> dict[str, Any]:
        """What of a problem makes two of its numbers comparable (the rest may be edited freely)."""
        return {
            "inputs": [[name, declaration] for name, declaration in self.inputs.declared],
            "answer_type": self.answer_type,
            "labels": list(self.labels),
            "positive_label": self.positive_label,
            "metric": self.metric,
        }


@dataclass(frozen=True)
class Benchmark:
    """A validation set with a target column, measured like a problem and giving metrics only.

    `metrics` names METRICS but pass_rate, the first is the headline; `digest` names the data
    together with everything that its numbers depend on.
    """

    id: str
    title: str
    inputs: InputTypes
    target: str
    metrics: tuple[str, ...] = ("accuracy",)
    description: str = ""
    owner: str = ""
    state: str = "open"
    answer_type: str = "text"
    labels: tuple[Any, ...] = ()
    positive_label: Any = None

    def measured_content(self, data_digest: str) -> dict[str, Any]:
        return {
            "data": data_digest,
            "inputs": [[name, declaration] for name, declaration in self.inputs.declared],
            "target": self.target,
            "metrics": list(self.metrics),
            "answer_type": self.answer_type,
            "labels": list(self.labels),
            "positive_label": self.positive_label,
        }
