"""How the example workspaces are written: the same files, byte for byte, on every run."""

import datetime
import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sklearn
import skops.io
import yaml

ONE_LINE = ("labels", "metrics", "requirement")


def write_yaml(path: Path, content: Mapping[str, Any]) -> None:
    """YAML in the order given, with dates written plainly and short collections on one line."""
    text = ""
    for key, value in content.items():
        plain = datetime.date.fromisoformat(value) if key == "reported_at" else value
        flow = None if key in ONE_LINE else False
        text += yaml.safe_dump({key: plain}, sort_keys=False, width=200, default_flow_style=flow)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def write_candidate(out: Path, candidate: str, estimator: Any, about: Mapping[str, Any]) -> None:
    """The folder of a candidate; `about` are keys of its manifest, of which `created_at` comes first."""
    folder = out / "candidates" / candidate
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.skops").write_bytes(artefact(estimator))
    first = {"created_at": about["created_at"], "format": "skops", "artefact": "model.skops"}
    libraries = {"libraries": {"scikit-learn": sklearn.__version__}}
    # Last, because a manifest says that its folder is whole.
    write_yaml(folder / "candidate.yaml", {**first, **about, **libraries})


def artefact(estimator: Any) -> bytes:
    """The skops file of an estimator, the same bytes for the same estimator.

    skops names objects by their address in memory and stamps its files with the time: both are
    replaced, so that building twice gives artefacts of one digest.
    """
    written = zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator)))
    schema = written.read("schema.json").decode()
    addresses = list(dict.fromkeys(re.findall(r'"__id__": (\d+)', schema)))
    number_of = {address: str(number) for number, address in enumerate(addresses, start=1)}

    def renamed(text: str) -> str:
        return re.sub(r"\d{6,}", lambda found: number_of.get(found[0], found[0]), text)

    content = {renamed(name): written.read(name) for name in written.namelist() if name != "schema.json"}
    content["schema.json"] = json.dumps(json.loads(renamed(schema)), separators=(",", ":")).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as tidy:
        for name in sorted(content):
            tidy.writestr(zipfile.ZipInfo(name), content[name], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
