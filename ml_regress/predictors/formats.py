"""The formats of artefacts, by the name that a manifest uses. A new format is a line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ml_regress.predictors import joblib_, skops_
from ml_regress.predictors.predictor import Policy


@dataclass(frozen=True)
class Format:
    """`open` gives the model in a file, under a policy; it may raise NotPermitted or anything else.

    `saved_with` reads the library versions that the artefact names, and runs nothing of it.
    `imports` are the modules that opening needs; they are imported before a time limit begins.
    """

    extension: str
    open: Callable[[BinaryIO, Policy], Any]
    saved_with: Callable[[Path], dict[str, str]]
    imports: tuple[str, ...]


FORMATS: Mapping[str, Format] = {
    "skops": Format(".skops", skops_.open_model, skops_.saved_with, ("sklearn", "skops.io")),
    "joblib": Format(".joblib", joblib_.open_model, joblib_.saved_with, ("sklearn", "joblib")),
}


def saved_libraries(format_name: str, artefact: Path) -> dict[str, str]:
    """Versions that an artefact was saved with, as far as it says; empty where it cannot be read."""
    return FORMATS[format_name].saved_with(artefact)
