"""Uploads that are not complete yet: files that grow, and outlive a connection and a restart.

```text
ROOT/ID.part   the bytes that have arrived
ROOT/ID.done   the asset's id, kept so that a lost last answer can be asked for again
```

The caller chooses the id. Both kinds expire.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path
    from types import TracebackType

__all__ = ["Partial", "Partials"]

_SILENCE_S = 20.0  # A request that sends nothing for so long has lost its connection.


class Partial:
    """One upload, held by one request.

    Attributes:
        patience: Stands around the wait for bytes: it ends with TimeoutError when none came for
            20 s, or when another request goes on here.
        released: Set when it is left.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab")
        self._loop = asyncio.get_running_loop()
        self.patience = asyncio.timeout(_SILENCE_S)
        self.released = asyncio.Event()

    def give_up(self) -> None:
        """Make the request that holds it end: its caller has come back on another connection."""
        with contextlib.suppress(RuntimeError):  # It waits for nobody any more; it is ending.
            self.patience.reschedule(0)

    @property
    def path(self) -> Path:
        """Where the bytes are; complete after `flush`."""
        return self._path

    @property
    def offset(self) -> int:
        """How many bytes have arrived."""
        return self._file.tell()

    def write(self, data: bytes) -> None:
        """Append `data`, within `patience`, which begins anew."""
        self._file.write(data)
        self.patience.reschedule(self._loop.time() + _SILENCE_S)

    def cut(self, offset: int) -> None:
        """Forget what lies beyond an offset."""
        self._file.flush()
        self._file.truncate(offset)
        self._file.seek(offset)

    def flush(self) -> None:
        """Hand what was written to the system."""
        self._file.flush()

    def discard(self) -> None:
        """Forget the upload."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def finish(self, asset_id: str) -> None:
        """Forget the bytes, and remember the asset that they have become."""
        done = self._path.with_suffix(".done")
        fresh = done.with_suffix(".new")
        fresh.write_text(asset_id, "utf-8")
        fresh.replace(done)
        self.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self.released.set()


class Partials:
    """The unfinished uploads of a data folder."""

    def __init__(
        self, root: Path, *, now: Callable[[], float], expiry_s: float, max_count: int
    ) -> None:
        self._root = root
        self._now = now
        self._expiry_s = expiry_s
        self._max_count = max_count
        self._held: dict[str, Partial] = {}
        root.mkdir(parents=True, exist_ok=True)
        self.sweep()

    @contextlib.asynccontextmanager
    async def hold(self, upload_id: str) -> AsyncIterator[Partial]:
        """Open an upload for one request, beginning it where there is none.

        A request that holds it is ended first. What has arrived is kept, whatever ends this one.
        """
        while (other := self._held.get(upload_id)) is not None:
            other.give_up()
            await other.released.wait()
        with Partial(self._path(upload_id)) as partial:
            self._held[upload_id] = partial
            try:
                self.sweep()
                yield partial
            finally:
                del self._held[upload_id]

    def offset(self, upload_id: str) -> int | None:
        """Return how many bytes of an upload have arrived; None when nothing is known of it."""
        if (held := self._held.get(upload_id)) is not None:
            return held.offset
        with contextlib.suppress(FileNotFoundError):
            return self._path(upload_id).stat().st_size
        return None

    def asset_id(self, upload_id: str) -> str | None:
        """Return the asset that an upload has become; None when it has not."""
        with contextlib.suppress(FileNotFoundError):
            return self._path(upload_id).with_suffix(".done").read_text("utf-8")
        return None

    async def discard(self, upload_id: str) -> None:
        """Forget an upload; a request that holds it is ended."""
        async with self.hold(upload_id) as partial:
            partial.discard()
            self._path(upload_id).with_suffix(".done").unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what has expired, and the oldest of each kind beyond the number that is kept."""
        horizon = self._now() - self._expiry_s
        for kind in ("*.part", "*.done"):
            files = sorted((path.stat().st_mtime, path) for path in self._root.glob(kind))
            beyond = len(files) - self._max_count
            free = [(changed, path) for changed, path in files if path.stem not in self._held]
            for number, (changed, path) in enumerate(free):
                if changed < horizon or number < beyond:
                    path.unlink()

    def _path(self, upload_id: str) -> Path:
        return self._root / f"{upload_id}.part"
