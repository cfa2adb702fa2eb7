"""What a format gives: a predictor, opened under a policy."""

from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd


@dataclass(frozen=True)
class Policy:
    """What the operator allows, from ml_regress.yaml and never from an artefact.

    `allow_formats` are the formats that may be opened although that runs code; `trusted_types` the
    types that a skops artefact may hold beyond those skops trusts itself; `time_limit` is in seconds,
    for opening and predicting together.
    """

    allow_formats: tuple[str, ...] = ()
    trusted_types: tuple[str, ...] = ()
    time_limit: float = 60.0


class Predictor(Protocol):
    """An opened candidate: frame in, predictions out.

    `features` is the order of columns it wants, None where it takes the problem's own. `warnings`
    are the texts of what its artefact had to say when it was opened.
    """

    @property
    def features(self) -> tuple[str, ...] | None: ...

    @property
    def warnings(self) -> tuple[str, ...]: ...

    def predict(self, frame: pd.DataFrame) -> dict[str, list[Any]]:
        """Columns of raw JSON scalars, one item an input, in order.

        `answer` and, where offered, `score:<class>` and other outputs; None is what is missing or not finite.
        """
        ...
