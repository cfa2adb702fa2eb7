"""Artefacts of skops: a zip of a schema and arrays, whose types are checked before they are made."""

import json
import zipfile
from pathlib import Path
from typing import Any

from ml_regress.errors import NotPermitted
from ml_regress.predictors.artefacts import Artefact
from ml_regress.predictors.predictor import Policy

SCHEMA = "schema.json"
# A schema describes parameters; arrays lie beside it. More than this is no schema of a model.
SCHEMA_LIMIT = 256 * 2**20


def open_model(artefact: Artefact, policy: Policy) -> Any:
    """The model in a skops file; raises NotPermitted for types that the operator does not trust."""
    import skops.io  # noqa: PLC0415 - heavy: only who opens one pays for it
    from skops.io.exceptions import UntrustedTypesFoundException  # noqa: PLC0415

    file = artefact.bytes
    try:
        return skops.io.load(file, trusted=list(policy.trusted_types))
    except UntrustedTypesFoundException:
        file.seek(0)
        # Only named to the person: what an artefact asks for is never what it is given.
        wanted = set(skops.io.get_untrusted_types(file=file)) - set(policy.trusted_types)
        raise NotPermitted(
            f"the artefact holds types that are not trusted: {', '.join(sorted(wanted))}; "
            "the operator adds those that may be opened to trusted_types in ml_regress.yaml"
        ) from None


def saved_with(artefact: Path) -> dict[str, str]:
    """The versions of skops and scikit-learn that the schema names."""
    try:
        with zipfile.ZipFile(artefact) as archive:
            if archive.getinfo(SCHEMA).file_size > SCHEMA_LIMIT:
                return {}
            schema = json.loads(archive.read(SCHEMA))
    except (OSError, KeyError, ValueError, RecursionError, NotImplementedError, zipfile.BadZipFile):
        return {}
    found = {}
    if isinstance(schema, dict) and isinstance(schema.get("_skops_version"), str):
        found["skops"] = schema["_skops_version"]
    version = _sklearn_version(schema)
    if version is not None:
        found["scikit-learn"] = version
    return found


def _sklearn_version(schema: Any) -> str | None:
    """The first `_sklearn_version` in the state of an estimator, where every estimator keeps it."""
    pending = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            version = node.get("_sklearn_version")
            if isinstance(version, dict) and isinstance(version.get("content"), str):
                return str(version["content"]).strip('"')
            pending.extend(value for value in node.values() if isinstance(value, (dict, list)))
    return None
