"""The data folder: made with care, and used by one server at a time."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, BinaryIO

from server.settings import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FolderLock"]

_LOCK = "server.lock"


class FolderLock:
    """Holds the data folder until it is closed or the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Take the folder.

        Raises:
            SettingsError: It cannot be used, or another server has it; the message says which.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file: BinaryIO = (folder / _LOCK).open("a+b")
        except OSError as exc:
            raise SettingsError(
                f"ASSETWRIGHT_DATA_DIR: {folder} cannot be used: {exc.strerror}."
            ) from exc
        if not _locked(self._file):
            self._file.seek(0)
            holder = self._file.read(64).decode("ascii", "replace").strip() or "unknown"
            self._file.close()
            raise SettingsError(
                f"ASSETWRIGHT_DATA_DIR: {folder} is in use by another server (process {holder}). "
                "Stop it, or choose another folder."
            )
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n".encode())
        self._file.flush()

    def close(self) -> None:
        """Let go of the folder."""
        self._file.close()


if sys.platform == "win32":
    import msvcrt

    def _locked(file: BinaryIO) -> bool:
        # Far behind the text, so that others can still read who holds it.
        file.seek(1 << 20)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        file.seek(0)
        return True

else:
    import fcntl

    def _locked(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
