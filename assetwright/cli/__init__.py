"""The command line. `main` runs one command and returns its exit code."""

from assetwright.cli._main import main

__all__ = ["main"]
