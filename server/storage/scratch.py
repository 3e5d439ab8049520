"""Work in progress: folders of this machine that nobody needs after a restart."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Scratch"]


class Scratch:
    """A folder for folders; it belongs to one server and is emptied at start."""

    def __init__(self, root: Path) -> None:
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True, exist_ok=True)
        self._root = root

    @property
    def free_bytes(self) -> int:
        """Free space on its disk."""
        return shutil.disk_usage(self._root).free

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """Lend an empty folder that is removed afterwards."""
        with tempfile.TemporaryDirectory(dir=self._root, ignore_cleanup_errors=True) as folder:
            yield Path(folder)
