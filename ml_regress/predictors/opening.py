"""Opening a candidate: its bytes are the registered ones, its format is permitted, it can predict."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_regress.core.answers import storable
from ml_regress.core.candidate import Candidate
from ml_regress.errors import CannotOpen, NotFound, NotPermitted, shortened
from ml_regress.predictors import versions
from ml_regress.predictors.artefacts import Artefact
from ml_regress.predictors.formats import Format, format_named
from ml_regress.predictors.model import ModelPredictor
from ml_regress.predictors.noticed import distinct, noticed
from ml_regress.predictors.predictor import Policy, Predictor

REASON_LENGTH = 500


def open_predictor(candidate: Candidate, policy: Policy) -> Predictor:
    """The candidate's predictor.

    Raises NotPermitted for what only the operator may allow, and CannotOpen, naming saved and
    running versions, for an artefact that is gone, was changed or does not open. It opens in this
    process, without a time limit: PredictorHost is the way in for models that nobody watches.
    """
    manifest = candidate.manifest
    try:
        form = format_named(manifest.format)
    except NotFound as error:
        raise CannotOpen(str(error)) from error
    if form.runs_code and manifest.format not in policy.allow_formats:
        raise NotPermitted(
            f"the format {manifest.format} is not allowed here: {form.danger}. Where you trust everyone who can "
            f"write candidates, add {manifest.format} to allow_formats in ml_regress.yaml"
        )
    with noticed() as texts:
        model = _open_model(candidate, form, policy)
    if not callable(getattr(model, "predict", None)):
        raise CannotOpen(f"opened a {type(model).__name__}, which has no predict: save the model itself")
    said = distinct(iter([*versions.differences(saved_versions(candidate)), *texts]))
    return ModelPredictor(model, manifest.features, tuple(said))


def _open_model(candidate: Candidate, form: Format, policy: Policy) -> Any:
    folder, name = Path(candidate.path), candidate.manifest.artefact
    try:
        if form.whole_folder:
            _compare(candidate, "folder", form.digest(folder, name)[0])
            return form.open(Artefact(folder, name), policy)
        with (folder / name).open("rb") as file:
            _compare(candidate, f"artefact {name}", hashlib.file_digest(file, "sha256").hexdigest())
            file.seek(0)  # the same open file: what was read for the digest is what is opened
            return form.open(Artefact(folder, name, file), policy)
    except (CannotOpen, NotPermitted):
        raise
    except FileNotFoundError as error:
        if not form.whole_folder and error.filename == str(folder / name):
            raise CannotOpen(f"the artefact {name} is no longer in the candidate's folder; put it back") from None
        raise _not_opened(candidate, error) from error
    except (Exception, SystemExit) as error:  # a pickle may raise anything
        raise _not_opened(candidate, error) from error


def _compare(candidate: Candidate, what: str, found: str) -> None:
    if found != candidate.sha256:
        raise CannotOpen(
            f"the {what} was changed after its registration: registered is sha256 {candidate.sha256}, found is "
            f"{found}; put the registered content back, or give the new one a new id"
        )


def _not_opened(candidate: Candidate, error: BaseException) -> CannotOpen:
    reason = storable(shortened(f"{type(error).__name__}: {error}", REASON_LENGTH))
    described = versions.described(saved_versions(candidate))
    return CannotOpen(f"could not open: {described}: {reason}" if described else f"could not open: {reason}")


def saved_versions(candidate: Candidate) -> Mapping[str, str]:
    """What the candidate was saved with: its manifest's word, before its registration's (read from the artefact)."""
    return {**candidate.libraries, **candidate.manifest.libraries}
