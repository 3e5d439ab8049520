"""Keep requests and their inputs in a folder, so that a restart forgets none of them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from server.sandbox.records import KeptRequest, UnreadableRecord, decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.sandbox.requests import GatewayRequest

__all__ = ["Keep"]

_log = structlog.get_logger()

_RECORD = ".json"
_INPUT = ".input"
_PART = ".part"


class Keep:
    """One file for each request, and for each input of an unfinished one.

    Files appear whole or not at all, and only their owner may read them: bodies hold prompts. A
    file that cannot be written is logged, and its request goes on in memory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._requests = folder / "requests"
        self._inputs = folder / "inputs"

    def load(self, *, base_url: str) -> list[KeptRequest]:
        """Read every request, oldest first, and remove what a crash left behind. Blocks.

        Args:
            base_url: Under which address the sandbox answers now.
        """
        for folder in (self._requests, self._inputs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for part in folder.glob(f"*{_PART}"):
                part.unlink()
        read = [self._read(path, base_url) for path in sorted(self._requests.iterdir())]
        kept = [one for one in read if one is not None]
        needed = {one.request.id for one in kept if not one.request.status.is_final}
        for path in self._inputs.glob(f"*{_INPUT}"):
            if path.stem.rpartition(".")[0] not in needed:
                path.unlink()
        return sorted(kept, key=lambda one: one.request.created_at)

    async def save(self, request: GatewayRequest) -> None:
        """Write down how a request stands; once it has ended its inputs are removed."""
        await _whole(lambda: self._save(request), name=f"sandbox keep {request.id}")

    async def input(self, request: GatewayRequest, index: int) -> bytes | None:
        """Read an input that was fetched before."""
        try:
            return await asyncio.to_thread(self._input(request, index).read_bytes)
        except OSError:
            return None

    async def save_input(self, request: GatewayRequest, index: int, data: bytes) -> None:
        """Keep an input, since its address may be gone after a restart."""
        path = self._input(request, index)
        await _whole(lambda: _write(path, data), name=f"sandbox keep {request.id}")

    def forget(self, request: GatewayRequest) -> None:
        """Remove a finished request."""
        self._record(request).unlink(missing_ok=True)

    def _save(self, request: GatewayRequest) -> None:
        _write(self._record(request), encode(request))
        if request.status.is_final:
            for index in range(len(request.generation.sources)):
                self._input(request, index).unlink(missing_ok=True)

    def _read(self, path: Path, base_url: str) -> KeptRequest | None:
        kept = None
        if path.suffix == _RECORD and path.is_file():  # A pipe would never end.
            with contextlib.suppress(OSError, UnreadableRecord):
                kept = decode(path.read_bytes(), base_url=base_url, folder=self._folder)
        if kept is not None and kept.request.id == path.stem:
            return kept
        _log.warning("sandbox_record_skipped", file=path.name)
        return None

    def _record(self, request: GatewayRequest) -> Path:
        return self._requests / f"{request.id}{_RECORD}"

    def _input(self, request: GatewayRequest, index: int) -> Path:
        return self._inputs / f"{request.id}.{index}{_INPUT}"


async def _whole(write: Callable[[], None], *, name: str) -> None:
    """Write in a thread; whoever is cancelled waits too, so nothing is written after the end."""
    writing = asyncio.create_task(asyncio.to_thread(write), name=name)
    try:
        await asyncio.shield(writing)
    except OSError as exc:
        _log.warning("sandbox_keep_failed", error=type(exc).__name__)
    except asyncio.CancelledError:
        with contextlib.suppress(OSError):
            await writing
        raise


def _write(path: Path, data: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=_PART)  # For its owner alone.
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
