"""Settings of one workspace: its folder, the operator's file `ml_regress.yaml`, the environment.

The environment is read here and nowhere else.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ml_regress.errors import InvalidInput, NotFound
from ml_regress.intake import yaml_text

FILE = "ml_regress.yaml"
KEYS = ("name", "production", "allow_formats", "trusted_types", "time_limit")
RENAMED = {"allow_joblib": "is now one of several formats: write `allow_formats: [joblib]`, or leave it out"}
DEFAULT_TIME_LIMIT = 60.0


@dataclass(frozen=True)
class Settings:
    """What an operator chose. `time_limit` is in seconds for opening and predicting one candidate.

    `webhook` is where notifications go, None for nowhere; who knows this address may write there, so it is a secret.
    """

    workspace: Path
    home: Path
    database_url: str
    name: str
    production: str | None = None
    allow_formats: tuple[str, ...] = ()
    trusted_types: tuple[str, ...] = ()
    time_limit: float = DEFAULT_TIME_LIMIT
    ui_port: int = 3000
    report_port: int = 3001
    webhook: str | None = field(default=None, repr=False)

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"

    @property
    def report_folder(self) -> Path:
        return self.home / "report"

    @property
    def ui_url(self) -> str:
        return f"http://127.0.0.1:{self.ui_port}"

    @property
    def report_url(self) -> str:
        return f"http://127.0.0.1:{self.report_port}/report.html"

    @classmethod
    def load(cls, workspace: Path | None = None, environ: Mapping[str, str] = os.environ) -> "Settings":
        """The settings of a workspace folder; searched upwards from here where none is named.

        Raises NotFound where there is no workspace, InvalidInput where its file breaks a rule.
        """
        folder = _find(workspace, environ)
        file = folder / FILE
        given = yaml_text.load(file)
        for key in given:
            if key in RENAMED:
                raise InvalidInput.single(str(file), RENAMED[key], column=key)
            if key not in KEYS:
                raise InvalidInput.single(str(file), f"is no setting; use {', '.join(KEYS)}", column=key)
        home = Path(environ.get("ML_REGRESS_HOME") or folder / ".ml_regress").resolve()
        url = environ.get("ML_REGRESS_DATABASE_URL") or f"sqlite:///{home / 'store.db'}"
        return cls(
            workspace=folder,
            home=home,
            database_url=url,
            name=_text(given, "name", file) or folder.name,
            production=_text(given, "production", file) or None,
            allow_formats=_texts(given, "allow_formats", file),
            trusted_types=_texts(given, "trusted_types", file),
            time_limit=_seconds(given, "time_limit", file),
            ui_port=_port(environ, "ML_REGRESS_UI_PORT", 3000),
            report_port=_port(environ, "ML_REGRESS_REPORT_PORT", 3001),
            webhook=_webhook(environ, "ML_REGRESS_WEBHOOK"),
        )


def _find(workspace: Path | None, environ: Mapping[str, str]) -> Path:
    if workspace is None and environ.get("ML_REGRESS_WORKSPACE"):
        workspace = Path(environ["ML_REGRESS_WORKSPACE"])
    if workspace is not None:
        if not (workspace / FILE).is_file():
            raise NotFound(
                f"{workspace} is no workspace (it has no {FILE}); make one with `ml-regress init {workspace}`"
            )
        return workspace.resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FILE).is_file():
            return folder
    raise NotFound(
        f"no {FILE} in {here} or above it; make a workspace with `ml-regress init DIR`, "
        "or name one with --workspace or ML_REGRESS_WORKSPACE"
    )


def _text(given: Mapping[str, object], key: str, file: Path) -> str:
    value = given.get(key, "")
    if not isinstance(value, str):
        raise InvalidInput.single(str(file), "must be a text", column=key)
    return value


def _texts(given: Mapping[str, object], key: str, file: Path) -> tuple[str, ...]:
    value = given.get(key) or []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidInput.single(str(file), "must be a list of texts", column=key)
    return tuple(value)


def _seconds(given: Mapping[str, object], key: str, file: Path) -> float:
    text = _text(given, key, file)
    try:
        value = float(text) if text else DEFAULT_TIME_LIMIT
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise InvalidInput.single(str(file), "must be a number of seconds above 0", column=key, value=text)
    return value


def _port(environ: Mapping[str, str], key: str, default: int) -> int:
    text = environ.get(key) or str(default)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise InvalidInput.single("environment", "must be a port between 1 and 65535", column=key, value=text)
    return int(text)


def _webhook(environ: Mapping[str, str], key: str) -> str | None:
    """The address; it is a secret, so a refusal does not repeat it."""
    text = environ.get(key) or None
    if text is None:
        return None
    try:
        found = urlsplit(text)
        sound = found.scheme in ("http", "https") and bool(found.hostname) and (found.port or 1) > 0
        sound = sound and "@" not in found.netloc
    except ValueError:
        sound = False
    if not sound or not text.isascii() or not text.isprintable() or " " in text:
        rule = "must be an address such as https://HOST/PATH, http or https, without user name, spaces or other signs"
        raise InvalidInput.single("environment", f"{rule} than ASCII has", column=key)
    return text
