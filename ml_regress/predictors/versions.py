"""Library versions: what an artefact was saved with, and what runs here."""

import functools
import hashlib
import importlib.metadata
import platform
from collections.abc import Mapping
from pathlib import Path

LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "skops", "joblib")


@functools.cache
def running(library: str) -> str:
    """The installed version of a library (or of Python itself), "" where it is not installed."""
    if library.casefold() == "python":
        return platform.python_version()
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return ""


def described(saved: Mapping[str, str]) -> str:
    """Saved and running versions: "saved with scikit-learn 1.2.2, running 1.9.1"; "" where nothing is known."""
    if not saved:
        return ""
    return "; ".join(differences(saved)) or "saved with " + ", ".join(f"{name} {saved[name]}" for name in saved)


def differences(saved: Mapping[str, str]) -> list[str]:
    """One text for each library that an artefact was saved with and that runs here in another version."""
    found = []
    for library, version in saved.items():
        here = running(library)
        if version and version != here:
            found.append(
                f"saved with {library} {version}, " + (f"running {here}" if here else "which is not installed")
            )
    return found


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
