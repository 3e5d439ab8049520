"""The token, in a file of its own that only its owner can read; never in a saved document."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["VARIABLE", "TokenFile"]

VARIABLE = "ASSETWRIGHT_TOKEN"


class TokenFile:
    """A token on disk.

    Args:
        path: The file; it has mode 0600 from its first byte on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str:
        """Return the token, else the environment's, else an empty text."""
        try:
            text = self._path.read_text(encoding="utf-8").strip()
        except OSError:
            text = ""
        return text or os.environ.get(VARIABLE, "")

    def write(self, token: str) -> None:
        """Keep a token; an empty one removes the file.

        Raises:
            OSError: The folder is not ours.
        """
        if not token:
            self._path.unlink(missing_ok=True)
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(self._path, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(token)
