"""Blobs in a folder: whole or not at all, checked, shared."""

from __future__ import annotations

import errno
import os
import stat
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from server.errors import AssetCorrupt, DiskFull, StorageUnavailable
from server.settings import Settings, SettingsError
from server.storage import open_blobs
from server.storage.faults import told
from tests.storage.conftest import of_share
from tests.storage.test_blobs import read, stored

if TYPE_CHECKING:
    from pathlib import Path


def file_of(root: Path, sha256: str) -> Path:
    return root / "sha256" / sha256[:2] / sha256


def change(path: Path) -> None:
    """Turn one bit over, as a disk may."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


async def test_changed_bytes_are_never_delivered(tmp_path: Path) -> None:
    """Found at the first look after a start, and later when the file's own data says so."""
    home = Settings(data_dir=tmp_path)
    blobs = await open_blobs(home)
    sha256 = (await blobs.put(b"as it was")).sha256
    for opened in (blobs, await open_blobs(home)):
        change(file_of(tmp_path / "blobs", sha256))
        with pytest.raises(AssetCorrupt, match=sha256):
            await read(opened, sha256)
        with pytest.raises(AssetCorrupt):
            async with opened.local_copy(sha256):
                pass
        change(file_of(tmp_path / "blobs", sha256))
        assert await read(opened, sha256) == b"as it was"


async def test_storing_the_bytes_again_heals_a_changed_blob(tmp_path: Path) -> None:
    blobs = await open_blobs(Settings(data_dir=tmp_path))
    sha256 = (await blobs.put(b"as it was")).sha256
    change(file_of(tmp_path / "blobs", sha256))
    await blobs.put(b"as it was")
    assert await read(blobs, sha256) == b"as it was"


async def test_storing_the_bytes_again_counts_as_storing_them_now(tmp_path: Path) -> None:
    blobs = await open_blobs(Settings(data_dir=tmp_path))
    blob = await blobs.put(b"old")
    os.utime(file_of(tmp_path / "blobs", blob.sha256), (0, 0))
    await blobs.put(b"old")
    recently = datetime.now(UTC) - timedelta(minutes=1)
    assert not await blobs.delete(blob.sha256, unless_stored_since=recently)


async def test_two_nodes_share_a_folder(tmp_path: Path) -> None:
    """A node that starts must not take away what another one is writing."""
    share = tmp_path / "share"
    first = await open_blobs(of_share(share, tmp_path / "a"))
    async with first.writer() as writer:
        writer.write(b"begun before ")
        second = await open_blobs(of_share(share, tmp_path / "b"))
        writer.write(b"and ended after")
        blob = await writer.commit()
    assert await read(second, blob.sha256) == b"begun before and ended after"
    assert await stored(second) == {blob}


async def test_what_nobody_can_still_be_writing_is_removed(tmp_path: Path) -> None:
    share = tmp_path / "share"
    await open_blobs(of_share(share, tmp_path / "a"))
    young, old = share / "incoming" / "young", share / "incoming" / "old"
    for path in (young, old):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 90_000,) * 2)
    await open_blobs(of_share(share, tmp_path / "b"))
    assert young.exists()
    assert not old.exists()


async def test_a_write_that_a_crash_cut_off_is_removed_from_ones_own_folder(
    tmp_path: Path,
) -> None:
    await open_blobs(Settings(data_dir=tmp_path))
    for name in ("incoming", "scratch"):
        (tmp_path / "blobs" / name / "half").write_bytes(b"half")
    await open_blobs(Settings(data_dir=tmp_path))
    assert [*(tmp_path / "blobs" / "incoming").iterdir()] == []
    assert [*(tmp_path / "blobs" / "scratch").iterdir()] == []


async def test_a_folder_that_cannot_be_is_named_at_start(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(SettingsError, match=f"ASSETWRIGHT_ASSETS: {file} cannot be used"):
        await open_blobs(of_share(file, tmp_path / "a"))


async def test_a_share_that_is_gone_is_unavailable_for_now(tmp_path: Path) -> None:
    """What is unmounted comes back; the caller is told when to ask again."""
    share = tmp_path / "share"
    blobs = await open_blobs(of_share(share, tmp_path / "a"))
    sha256 = (await blobs.put(b"there")).sha256
    share.rename(tmp_path / "elsewhere")
    for attempt in (blobs.put(b"bytes"), read(blobs, sha256), blobs.exists(sha256)):
        with pytest.raises(StorageUnavailable) as raised:
            await attempt
        assert raised.value.retry_after_s == 5
    (tmp_path / "elsewhere").rename(share)
    await blobs.put(b"bytes")
    assert await read(blobs, sha256) == b"there"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_as_one(number: int) -> None:
    with pytest.raises(DiskFull), told():
        raise OSError(number, os.strerror(number))


async def test_blobs_are_for_their_owner_alone(tmp_path: Path) -> None:
    blobs = await open_blobs(Settings(data_dir=tmp_path))
    sha256 = (await blobs.put(b"private")).sha256
    assert stat.S_IMODE(file_of(tmp_path / "blobs", sha256).stat().st_mode) == 0o600
