"""Opening a candidate: its bytes are the registered ones, its format is permitted, it can predict."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_regress.core.candidate import Candidate
from ml_regress.errors import CannotOpen, NotPermitted, shortened
from ml_regress.predictors import versions
from ml_regress.predictors.formats import FORMATS, saved_libraries
from ml_regress.predictors.noticed import noticed
from ml_regress.predictors.predictor import Policy, Predictor
from ml_regress.predictors.sklearn_ import SklearnPredictor

REASON_LENGTH = 500


def open_predictor(candidate: Candidate, policy: Policy) -> Predictor:
    """The candidate's predictor.

    Raises NotPermitted for what only the operator may allow, and CannotOpen, naming saved and
    running versions, for an artefact that is gone, was changed or does not open. It opens in this
    process, without a time limit: PredictorHost is the way in for models that nobody watches.
    """
    manifest = candidate.manifest
    if manifest.format not in FORMATS:
        raise CannotOpen(f"has the unknown format {manifest.format!r}; known are {', '.join(FORMATS)}")
    artefact = Path(candidate.path) / manifest.artefact
    with noticed() as texts:
        model = _open_model(candidate, artefact, policy)
    if not callable(getattr(model, "predict", None)):
        raise CannotOpen(f"opened a {type(model).__name__}, which has no predict: save the model itself")
    return SklearnPredictor(model, manifest.features, tuple(texts))


def _open_model(candidate: Candidate, artefact: Path, policy: Policy) -> Any:
    try:
        with artefact.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != candidate.sha256:
                raise CannotOpen(
                    f"the artefact {artefact.name} was changed after its registration: registered is sha256 "
                    f"{candidate.sha256}, found is {found}; put the registered file back, or give the new one "
                    "a new id"
                )
            file.seek(0)  # the same open file: what was read for the digest is what is opened
            return FORMATS[candidate.manifest.format].open(file, policy)
    except (CannotOpen, NotPermitted):
        raise
    except FileNotFoundError as error:
        if error.filename == str(artefact):
            raise CannotOpen(
                f"the artefact {artefact.name} is no longer in the candidate's folder; put it back"
            ) from None
        raise _not_opened(candidate, artefact, error) from error
    except (Exception, SystemExit) as error:  # a pickle may raise anything
        raise _not_opened(candidate, artefact, error) from error


def _not_opened(candidate: Candidate, artefact: Path, error: BaseException) -> CannotOpen:
    reason = shortened(f"{type(error).__name__}: {error}", REASON_LENGTH)
    return CannotOpen(f"could not open: {versions.described(saved_versions(candidate))}: {reason}")


def saved_versions(candidate: Candidate) -> Mapping[str, str]:
    """What the candidate was saved with: its manifest's word, else its registration's, else its artefact's."""
    known = {**candidate.libraries, **candidate.manifest.libraries}
    if "scikit-learn" in known:
        return known
    return {**saved_libraries(candidate.manifest.format, Path(candidate.path) / candidate.manifest.artefact), **known}
