"""What every home for bytes promises."""

from __future__ import annotations

import asyncio
import hashlib
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.storage import Blob, BlobMissing, open_blobs

if TYPE_CHECKING:
    from pathlib import Path

    from server.settings import Settings
    from server.storage import Blobs

NOBODY = "0" * 64
LARGE = random.Random(0).randbytes(11 << 20)  # noqa: S311 - only bytes; more than two parts of an upload


def hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def read(blobs: Blobs, sha256: str) -> bytes:
    async with blobs.open(sha256) as reader:
        return reader.read(reader.size_bytes)


async def stored(blobs: Blobs) -> set[Blob]:
    return {one.blob async for one in blobs.list()}


@pytest.mark.parametrize("data", [b"", b"a few", LARGE], ids=["nothing", "few", "large"])
async def test_what_comes_out_is_what_went_in(blobs: Blobs, tmp_path: Path, data: bytes) -> None:
    """By every way in and every way out, and after a restart."""
    path = tmp_path / "file"
    path.write_bytes(data)
    blob = Blob(sha256=hash_of(data), size_bytes=len(data))
    assert await blobs.put(data) == blob
    assert await blobs.put_file(path) == blob
    async with blobs.writer() as writer:
        for start in range(0, len(data), 1 << 20):
            writer.write(data[start : start + (1 << 20)])
        assert await writer.commit() == blob
    assert await read(blobs, blob.sha256) == data
    assert await blobs.describe(blob.sha256) == blob
    async with blobs.local_copy(blob.sha256) as copy:
        assert copy.read_bytes() == data
    assert path.read_bytes() == data


async def test_another_process_reads_what_this_one_stored(home: Settings) -> None:
    first = await open_blobs(home)
    blob = await first.put(LARGE)
    assert await read(await open_blobs(home), blob.sha256) == LARGE


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    offset=st.integers(min_value=0, max_value=30),
    size=st.integers(min_value=0, max_value=30),
)
async def test_a_view_is_a_slice(home: Settings, offset: int, size: int) -> None:
    data = bytes(range(20))
    blobs = await opened_once(home)
    async with blobs.open((await blobs.put(data)).sha256) as reader:
        view = reader.view(offset, size)
        assert bytes(view) == data[offset : offset + size]
        view.release()


_OPENED: dict[Settings, Blobs] = {}


async def opened_once(home: Settings) -> Blobs:
    if home not in _OPENED:
        _OPENED[home] = await open_blobs(home)
    return _OPENED[home]


async def test_what_is_not_committed_is_never_there(blobs: Blobs) -> None:
    before = await stored(blobs)
    async with blobs.writer() as writer:
        writer.write(b"half of it")
        sha256 = writer.sha256
    assert not await blobs.exists(sha256)
    assert await stored(blobs) == before


async def test_what_nobody_stored_is_missing(blobs: Blobs) -> None:
    assert not await blobs.exists(NOBODY)
    with pytest.raises(BlobMissing):
        await blobs.describe(NOBODY)
    with pytest.raises(BlobMissing):
        async with blobs.open(NOBODY):
            pass
    with pytest.raises(BlobMissing):
        async with blobs.local_copy(NOBODY):
            pass


async def test_the_same_bytes_at_the_same_time_are_one_blob(blobs: Blobs) -> None:
    made = await asyncio.gather(*(blobs.put(LARGE) for _ in range(4)))
    assert {blob.sha256 for blob in made} == {hash_of(LARGE)}
    assert made[0] in await stored(blobs)
    assert await read(blobs, made[0].sha256) == LARGE


async def test_the_list_has_every_blob_with_the_time_it_was_stored(blobs: Blobs) -> None:
    began = datetime.now(UTC) - timedelta(seconds=2)  # S3 tells whole seconds.
    made = {await blobs.put(bytes([number])) for number in range(120)}  # More than one page of 50.
    found = [one async for one in blobs.list()]
    assert {one.blob for one in found} == made
    assert all(began <= one.stored_at <= datetime.now(UTC) for one in found)


async def test_deleting_removes_one_blob_from_everywhere(blobs: Blobs, home: Settings) -> None:
    gone, kept = await blobs.put(b"gone"), await blobs.put(b"kept")
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert await blobs.delete(gone.sha256, unless_stored_since=later)
    assert await blobs.delete(gone.sha256, unless_stored_since=later)  # Another node was quicker.
    assert not await blobs.exists(gone.sha256)
    assert await stored(blobs) == {kept}
    with pytest.raises(BlobMissing):
        await read(blobs, gone.sha256)
    assert not await (await open_blobs(home)).exists(gone.sha256)


async def test_what_was_stored_since_is_not_deleted(blobs: Blobs) -> None:
    """A sweeper that found a blob unused must not take it from a job that stores it now."""
    blob = await blobs.put(b"wanted again")
    earlier = datetime.now(UTC) - timedelta(minutes=1)
    assert not await blobs.delete(blob.sha256, unless_stored_since=earlier)
    assert await read(blobs, blob.sha256) == b"wanted again"


async def test_work_has_a_folder_that_is_gone_afterwards(blobs: Blobs) -> None:
    with blobs.scratch() as folder:
        (folder / "work").write_bytes(b"in progress")
        assert list(folder.iterdir()) == [folder / "work"]
    assert not folder.exists()
    assert blobs.free_bytes > 0
