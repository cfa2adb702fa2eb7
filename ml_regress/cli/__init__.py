"""The command line, `ml-regress`."""

from ml_regress.cli.main import main

__all__ = ["main"]
