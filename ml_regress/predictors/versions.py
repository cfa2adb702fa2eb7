"""Library versions: what an artefact was saved with, and what runs here."""

import functools
import hashlib
import importlib.metadata
import platform
from collections.abc import Mapping
from pathlib import Path

LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "skops", "joblib")


def running(library: str) -> str:
    """The installed version of a library, "" where it is not installed."""
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return ""


def described(saved: Mapping[str, str]) -> str:
    """Saved and running versions in words, such as "saved with scikit-learn 1.2.2, running 1.9.1"."""
    version = saved.get("scikit-learn", "")
    here = running("scikit-learn")
    if not version:
        return f"running scikit-learn {here}"
    if version == here:
        return f"saved with scikit-learn {version}"
    return f"saved with scikit-learn {version}, running {here}"


def differs(saved: Mapping[str, str]) -> bool:
    """True where the artefact was saved with another scikit-learn than runs here."""
    version = saved.get("scikit-learn", "")
    return bool(version) and version != running("scikit-learn")


@functools.cache
def _environment() -> tuple[tuple[str, str], ...]:
    versions = ((library, running(library)) for library in LIBRARIES)
    return (
        ("python", platform.python_version()),
        ("platform", platform.platform()),
        ("machine", hashlib.sha256(f"{_processor()} {platform.machine()}".encode()).hexdigest()[:12]),
        *((library, version) for library, version in versions if version),
    )


def environment() -> dict[str, str]:
    """Where a prediction was made: Python, platform, a fingerprint of the processor, versions."""
    return dict(_environment())


def _processor() -> str:
    """The processor's model: two models of processors may give other last digits of a number."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()
