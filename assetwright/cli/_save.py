"""A job's assets as files in a folder."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assetwright.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assetwright import Client
    from assetwright.enums import AssetRole
    from assetwright.records import Asset

__all__ = ["SavedFile", "Saver", "place"]

_UNSAFE = re.compile(r"[^A-Za-z0-9._ -]")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFile:
    """A file that was written."""

    path: str
    role: AssetRole
    size_bytes: int
    sha256: str


class Saver:
    """Writes assets to files: each once, under its own name, and none over another's.

    Args:
        client: Where the bytes are.
        tell: Called with words for people before each download.
    """

    def __init__(self, client: Client, *, tell: Callable[[str], None]) -> None:
        self._client = client
        self._tell = tell
        self._saved: dict[str, SavedFile] = {}
        self._taken: set[str] = set()

    async def save(self, asset: Asset, folder: Path) -> SavedFile:
        """Download an asset into a folder, which is made; say where it is if that was done before.

        Raises:
            AssetwrightError: The download failed.
            OSError: The file cannot be written.
        """
        if asset.asset_id not in self._saved:
            self._tell(f"Saving {asset.name}")
            self._saved[asset.asset_id] = await self._download(asset, folder)
        return self._saved[asset.asset_id]

    async def _download(self, asset: Asset, folder: Path) -> SavedFile:
        path = self._free(place(asset, folder))
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        await self._client.download(asset, path)
        return SavedFile(
            path=str(path), role=asset.role, size_bytes=asset.size_bytes, sha256=asset.sha256
        )

    def _free(self, wanted: Path) -> Path:
        """Return the path, numbered if another asset's has the same: safe names can coincide."""
        path, number = wanted, 1
        # Some file systems do not tell cases apart.
        while str(path).casefold() in self._taken:
            number += 1
            path = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
        self._taken.add(str(path).casefold())
        return path


def place(asset: Asset, folder: Path) -> Path:
    """Return where an asset goes: inside the folder, whatever its name says.

    Raises:
        IntegrityError: A link in the folder leads out of it.
    """
    parts = [part for part in re.split(r"[/\\]", asset.name) if part not in ("", ".", "..")]
    safe = [_UNSAFE.sub("_", part) for part in parts] or [_UNSAFE.sub("_", asset.asset_id)]
    path = folder.joinpath(*safe)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise IntegrityError(f"{path} leads out of {folder}.", metadata={"name": asset.name})
    return path
