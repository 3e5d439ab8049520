"""Content-addressed files in a folder, each written whole or not at all.

```text
ROOT/sha256/ab/abcdef...   a blob, named by its hash, never changed
ROOT/incoming/             unfinished writes, on the same file system, so that a rename ends them
```

A file is hashed before it is shown the first time in this process, and again when its inode, size
or time have changed since.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import re
import tempfile
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

from server.errors import AssetCorrupt
from server.storage.blobs import Blob, BlobMissing, BlobReader, StoredBlob
from server.storage.faults import corrupt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["BlobFolder"]

_COPY_BYTES = 1 << 20
_NAME = re.compile(r"[0-9a-f]{64}")
_MOST_REMEMBERED = 100_000

_Look = tuple[int, int, int]


class BlobFolder:
    """The blobs of one folder. Its methods block, the cheap ones for no longer than a `stat`."""

    def __init__(self, root: Path, *, incoming_max_age_s: float = 0.0) -> None:
        """Open a folder, and make it if there is none.

        `incoming_max_age_s` is the age from which unfinished writes are removed: 0 for a folder
        that nobody else writes to now, the longest write for one that others share.
        """
        self._blobs = root / "sha256"
        self._incoming = root / "incoming"
        for folder in (self._blobs, self._incoming):
            folder.mkdir(parents=True, exist_ok=True)
        self._remove_unfinished(incoming_max_age_s)
        self._sound: dict[str, _Look] = {}

    @property
    def place(self) -> Path:
        """A folder on the file system that the blobs are on."""
        return self._blobs

    def new_file(self) -> tuple[BinaryIO, Path]:
        """Begin a file that `keep` may take."""
        handle, name = tempfile.mkstemp(dir=self._incoming)
        return os.fdopen(handle, "wb"), self._incoming / name

    def copy(self, source: Path) -> tuple[Path, Blob]:
        """Copy a file to one that `keep` may take."""
        digest = hashlib.sha256()
        file, path = self.new_file()
        try:
            with source.open("rb") as original, file:
                while piece := original.read(_COPY_BYTES):
                    digest.update(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
                return path, Blob(sha256=digest.hexdigest(), size_bytes=file.tell())
        except OSError:
            path.unlink(missing_ok=True)
            raise

    def keep(self, file: Path, blob: Blob) -> None:
        """Give a complete file its place. Bytes first, then the name, then the folder's entry."""
        target = self._path(blob.sha256)
        try:
            self.check(blob.sha256)
        except (BlobMissing, AssetCorrupt, OSError):  # These bytes are better.
            if not target.parent.exists():
                target.parent.mkdir(exist_ok=True)
                _sync_folder(self._blobs)
            file.replace(target)
            _sync_folder(target.parent)
        else:
            os.utime(target)  # A sweeper that has seen it unused shall see that it is used.
            file.unlink(missing_ok=True)
        self._remember(blob.sha256, _look(target))

    def size(self, sha256: str) -> int:
        """Return a blob's size in bytes.

        Raises:
            BlobMissing: There is none with this hash.
        """
        return self._stat(sha256).st_size

    def is_sound(self, sha256: str) -> bool:
        """Tell whether a blob needs no `check`.

        Raises:
            BlobMissing: There is none with this hash.
        """
        stat = self._stat(sha256)
        return self._sound.get(sha256) == (stat.st_ino, stat.st_size, stat.st_mtime_ns)

    def check(self, sha256: str) -> Path:
        """Return a blob's file after making sure of its bytes; takes as long as hashing them.

        Raises:
            BlobMissing: There is none with this hash.
            AssetCorrupt: The bytes have another hash.
        """
        path = self._path(sha256)
        if self.is_sound(sha256):
            return path
        try:
            with path.open("rb") as file:
                look = _look(path)
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError as exc:
            raise self._missing(sha256, exc) from exc
        if found != sha256:
            raise corrupt(sha256)
        self._remember(sha256, look)
        return path

    @contextlib.contextmanager
    def mapped(self, sha256: str) -> Iterator[BlobReader]:
        """Show a blob's bytes.

        Raises:
            BlobMissing: There is none with this hash.
        """
        try:
            file = self._path(sha256).open("rb")
        except FileNotFoundError as exc:
            raise self._missing(sha256, exc) from exc
        with file:
            if os.fstat(file.fileno()).st_size == 0:  # Nothing cannot be mapped.
                yield BlobReader(memoryview(b""))
                return
            with (
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
                memoryview(mapped) as view,
            ):
                yield BlobReader(view)

    def list(self) -> list[StoredBlob]:
        """Return every blob."""
        found = []
        for folder in self._blobs.iterdir():
            for path in folder.iterdir():
                with contextlib.suppress(FileNotFoundError):
                    stat = path.stat()
                    if _NAME.fullmatch(path.name):
                        blob = Blob(sha256=path.name, size_bytes=stat.st_size)
                        at = datetime.fromtimestamp(stat.st_mtime, UTC)
                        found.append(StoredBlob(blob=blob, stored_at=at))
        return found

    def delete(self, sha256: str) -> None:
        """Remove a blob, if it is there. Who has it open reads on."""
        self._path(sha256).unlink(missing_ok=True)
        self._sound.pop(sha256, None)

    def stored_at(self, sha256: str) -> datetime:
        """Return when a blob was stored last.

        Raises:
            BlobMissing: There is none with this hash.
        """
        return datetime.fromtimestamp(self._stat(sha256).st_mtime, UTC)

    def _path(self, sha256: str) -> Path:
        return self._blobs / sha256[:2] / sha256

    def _stat(self, sha256: str) -> os.stat_result:
        try:
            return self._path(sha256).stat()
        except FileNotFoundError as exc:
            raise self._missing(sha256, exc) from exc

    def _missing(self, sha256: str, error: OSError) -> Exception:
        """Tell a blob that is missing from a share that is not mounted now."""
        return BlobMissing(sha256) if self._blobs.exists() else error

    def _remember(self, sha256: str, look: _Look) -> None:
        if len(self._sound) >= _MOST_REMEMBERED:
            self._sound.clear()
        self._sound[sha256] = look

    def _remove_unfinished(self, max_age_s: float) -> None:
        for path in self._incoming.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime >= max_age_s:
                    path.unlink()


def _look(path: Path) -> _Look:
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows has no handle of a folder; NTFS journals the rename.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
