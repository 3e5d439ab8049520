"""Blobs in a bucket, over real HTTP: checked, cached within a bound, honest when it is away."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

import obstore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import S3Store

from server.errors import AssetCorrupt, StorageUnavailable
from server.settings import Settings, SettingsError
from server.storage import Blob, BlobMissing, open_blobs
from server.storage.cache import BlobCache
from server.storage.folder import BlobFolder
from server.storage.remote import RemoteBlobs
from tests.bucket import checking_keys, make_bucket, s3_server
from tests.storage.conftest import of_bucket
from tests.storage.test_blobs import hash_of, read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Objects:
    """What is in a bucket, without the code that is tested."""

    def __init__(self, bucket: str) -> None:
        endpoint, _, name = bucket.rpartition("/")
        self._store = S3Store(
            name,
            prefix="of/all",
            endpoint=endpoint,
            access_key_id="another",
            secret_access_key="key",
            region="us-east-1",
            client_options={"allow_http": True},
        )

    async def get(self, sha256: str) -> bytes:
        found = await obstore.get_async(self._store, self._path(sha256))
        return bytes(await found.bytes_async())

    async def put(self, sha256: str, data: bytes) -> None:
        await obstore.put_async(self._store, self._path(sha256), data)

    async def delete(self, sha256: str) -> None:
        await obstore.delete_async(self._store, self._path(sha256))

    def _path(self, sha256: str) -> str:
        return f"sha256/{sha256[:2]}/{sha256}"


def cached(data_dir: Path) -> set[str]:
    return {path.name for path in (data_dir / "blobs" / "cache" / "sha256").glob("*/*")}


async def test_the_bytes_are_in_the_bucket_by_their_hash(bucket: str, tmp_path: Path) -> None:
    sha256 = (await (await open_blobs(of_bucket(bucket, tmp_path))).put(b"bytes")).sha256
    assert await Objects(bucket).get(sha256) == b"bytes"


async def test_a_node_reads_what_another_one_stored(bucket: str, tmp_path: Path) -> None:
    first = await open_blobs(of_bucket(bucket, tmp_path / "a"))
    second = await open_blobs(of_bucket(bucket, tmp_path / "b"))
    blob = await first.put(b"for all")
    assert cached(tmp_path / "b") == set()
    assert await read(second, blob.sha256) == b"for all"
    assert cached(tmp_path / "b") == {blob.sha256}


async def test_changed_bytes_in_the_bucket_are_never_delivered_and_healed_by_storing(
    bucket: str, tmp_path: Path
) -> None:
    await (await open_blobs(of_bucket(bucket, tmp_path / "a"))).put(b"as it was")
    sha256 = hash_of(b"as it was")
    await Objects(bucket).put(sha256, b"as it is!")
    blobs = await open_blobs(of_bucket(bucket, tmp_path / "b"))
    with pytest.raises(AssetCorrupt, match=sha256):
        await read(blobs, sha256)
    assert cached(tmp_path / "b") == set()
    await blobs.put(b"as it was")
    assert await Objects(bucket).get(sha256) == b"as it was"


async def test_a_changed_copy_is_fetched_anew(bucket: str, tmp_path: Path) -> None:
    """The bucket has the truth; the copy beside us is only a copy."""
    blobs = await open_blobs(of_bucket(bucket, tmp_path))
    sha256 = (await blobs.put(b"as it was")).sha256
    copy = tmp_path / "blobs" / "cache" / "sha256" / sha256[:2] / sha256
    copy.write_bytes(b"as it is!")
    assert await read(blobs, sha256) == b"as it was"
    copy.unlink()
    assert await read(blobs, sha256) == b"as it was"


async def test_a_bucket_that_is_away_is_unavailable_but_copies_are_read(tmp_path: Path) -> None:
    """Reads of what is here go on; the rest says when to ask again, and works then."""
    with s3_server(tmp_path) as s3:
        port = int(s3.rpartition(":")[2])
        make_bucket(f"{s3}/bucket")
        blobs = await open_blobs(of_bucket(f"{s3}/bucket", tmp_path / "a"))
        blob = await blobs.put(b"here")
        other = hash_of(b"there")
        await Objects(f"{s3}/bucket").put(other, b"there")
        impatient = impatiently(blobs)
    assert await read(blobs, blob.sha256) == b"here"
    with pytest.raises(StorageUnavailable) as raised:
        await read(impatient, other)
    assert raised.value.retry_after_s == 5
    assert "secret" not in str(raised.value)
    with s3_server(tmp_path, port=port) as s3:
        make_bucket(f"{s3}/bucket")
        await Objects(f"{s3}/bucket").put(other, b"there")
        assert await read(impatient, other) == b"there"


def impatiently(blobs: object) -> RemoteBlobs:
    """Return the same home, giving up at once."""
    assert isinstance(blobs, RemoteBlobs)
    store = S3Store(
        **blobs._store.config,
        prefix=blobs._store.prefix,
        client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )
    return RemoteBlobs(store=store, patient=store, cache=blobs._cache, scratch=blobs._scratch)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ASSETWRIGHT_ASSETS": "s3://no-such-bucket"}, "does not exist: check ASSETWRIGHT_ASSETS"),
        ({"AWS_ALLOW_HTTP": "0"}, "AWS_ENDPOINT must be an https address"),
    ],
)
async def test_what_cannot_work_is_told_at_start(
    bucket: str, tmp_path: Path, changes: dict[str, str], says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        await open_blobs(of_bucket(bucket, tmp_path, **changes))


async def test_a_key_that_is_refused_is_told_at_start_without_quoting_it(
    s3: str, bucket: str, tmp_path: Path
) -> None:
    with (
        checking_keys(s3),
        pytest.raises(SettingsError, match="refuses this server: check AWS_ACCESS") as raised,
    ):
        await open_blobs(of_bucket(bucket, tmp_path))
    assert "id-of-the-key" not in str(raised.value)


@pytest.mark.parametrize("value", ["gs://bucket", "s3://", "http://bucket/a"])
def test_an_address_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="ASSETWRIGHT_ASSETS"):
        Settings.from_environment({"ASSETWRIGHT_ASSETS": value})


async def test_copies_stay_within_their_bound_and_the_oldest_go_first(
    bucket: str, tmp_path: Path
) -> None:
    settings = of_bucket(bucket, tmp_path, ASSETWRIGHT_ASSET_CACHE_BYTES="300")
    blobs = await open_blobs(settings)
    made = [(await blobs.put(bytes([number]) * 100)).sha256 for number in range(3)]
    assert await read(blobs, made[0]) == bytes(100)  # Used last now.
    fourth = (await blobs.put(b"4" * 100)).sha256
    assert cached(tmp_path) == {made[0], made[2], fourth}
    assert await read(blobs, made[1]) == b"\1" * 100
    assert cached(tmp_path) == {made[0], made[1], fourth}


async def test_what_is_being_read_is_not_taken_away(bucket: str, tmp_path: Path) -> None:
    settings = of_bucket(bucket, tmp_path, ASSETWRIGHT_ASSET_CACHE_BYTES="150")
    blobs = await open_blobs(settings)
    first = (await blobs.put(b"1" * 100)).sha256
    async with blobs.local_copy(first) as path:
        second = (await blobs.put(b"2" * 100)).sha256
        assert path.read_bytes() == b"1" * 100
    assert cached(tmp_path) == {second}
    large = (await blobs.put(b"3" * 1000)).sha256  # More than the bound: here while it is in use.
    async with blobs.local_copy(large) as path:
        assert path.read_bytes() == b"3" * 1000
    assert cached(tmp_path) == set()


async def test_many_who_ask_at_once_cost_one_fetch(bucket: str, tmp_path: Path) -> None:
    await (await open_blobs(of_bucket(bucket, tmp_path / "a"))).put(b"popular")
    blobs = await open_blobs(of_bucket(bucket, tmp_path / "b"))
    assert isinstance(blobs, RemoteBlobs)
    fetched = 0
    receive = blobs._receive

    async def counted(*arguments: object) -> object:
        nonlocal fetched
        fetched += 1
        return await receive(*arguments)

    blobs._receive = counted
    got = await asyncio.gather(*(read(blobs, hash_of(b"popular")) for _ in range(20)))
    assert set(got) == {b"popular"}
    assert fetched == 1


async def test_an_object_that_somebody_deleted_is_missing(bucket: str, tmp_path: Path) -> None:
    sha256 = (await (await open_blobs(of_bucket(bucket, tmp_path / "a"))).put(b"lost")).sha256
    await Objects(bucket).delete(sha256)
    with pytest.raises(BlobMissing):
        await read(await open_blobs(of_bucket(bucket, tmp_path / "b")), sha256)


@given(
    sizes=st.lists(st.integers(min_value=0, max_value=40), max_size=12),
    bound=st.integers(min_value=1, max_value=100),
)
def test_a_cache_that_nobody_reads_never_exceeds_its_bound(
    tmp_path_factory: pytest.TempPathFactory, sizes: Sequence[int], bound: int
) -> None:
    """And it forgets no more than it must: what went is no smaller than what is missing."""
    root = tmp_path_factory.mktemp("cache")
    cache = BlobCache(BlobFolder(root), max_bytes=bound)
    for number, size in enumerate(sizes):
        data = bytes([number]) * size
        file, path = cache.folder.new_file()
        file.write(data)
        file.close()
        sha256 = hashlib.sha256(data).hexdigest()
        with cache.in_use(sha256):
            cache.make_room(size)
            cache.add(path, Blob(sha256=sha256, size_bytes=size))
        on_disk = sum(one.blob.size_bytes for one in cache.folder.list())
        assert cache.size_bytes == on_disk <= bound
    reopened = BlobCache(BlobFolder(root), max_bytes=bound)
    assert reopened.size_bytes == cache.size_bytes
