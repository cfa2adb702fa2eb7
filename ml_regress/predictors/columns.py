"""Columns brought to the order that a predictor declares: a position is never trusted."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ml_regress.core.inputs import parse_number
from ml_regress.errors import PredictionFailed

NAMED = 10


def arrange(
    frame: pd.DataFrame, features: Sequence[str] | None, defaults: Mapping[str, Any]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The frame with just the columns of `features` in their order, and the columns left out.

    A column that the frame lacks gets its default. Raises PredictionFailed naming the columns
    that have none.
    """
    if features is None:
        return frame, ()
    missing = [name for name in features if name not in frame.columns and name not in defaults]
    if missing:
        named = ", ".join(missing[:NAMED])
        if len(missing) > NAMED:
            named += f" and {len(missing) - NAMED} more"
        raise PredictionFailed(
            f"needs the columns {named}, which the inputs do not have; give a default in candidate.yaml "
            "or declare the problem not applicable"
        )
    dropped = tuple(name for name in frame.columns if name not in set(features))
    columns = {
        name: frame[name] if name in frame.columns else pd.Series([_value(defaults[name])] * len(frame), frame.index)
        for name in features
    }
    return pd.DataFrame(columns, index=frame.index), dropped


def _value(default: Any) -> Any:
    """A default is read as text, as all YAML is: a number where it is one, `nan` for missing."""
    if not isinstance(default, str):
        return default
    if default.strip().lower() in ("nan", ".nan"):
        return float("nan")
    try:
        return parse_number(default.strip())
    except ValueError:
        return default
