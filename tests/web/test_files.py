"""Assets as plain files: whole, by range, conditional; and to whom they are given."""

from __future__ import annotations

import asyncio
import http.client
import random
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from assetwright.v1 import asset_pb2, asset_service_pb2
from tests.web.caller import line_to

if TYPE_CHECKING:
    from tests.server.house import House
    from tests.web.caller import Line, Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

DATA = b"glTF" + random.Random(2).randbytes(700_001)  # noqa: S311  # No secret.


async def upload(house: House) -> asset_pb2.Asset:
    header = asset_service_pb2.UploadHeader(name="a chair ü.glb")
    parts = [
        asset_service_pb2.UploadAssetRequest(header=header),
        asset_service_pb2.UploadAssetRequest(data=DATA),
    ]
    return (await house.assets.UploadAsset(iter(parts))).asset


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def asset(house: House) -> asset_pb2.Asset:
    """A stored file."""
    return await upload(house)


async def get(line: Line, asset: asset_pb2.Asset, **headers: str) -> Reply:
    await line.send(line.request("GET", f"/v1/assets/{asset.asset_id}", **headers))
    return await line.answer()


async def test_it_is_the_file_with_its_type_name_and_hash(
    line: Line, asset: asset_pb2.Asset
) -> None:
    reply = await get(line, asset)
    assert (reply.status, reply.body) == (200, DATA)
    assert reply.headers["content-type"] == "model/gltf-binary"
    assert reply.headers["etag"] == f'"{asset.sha256}"'
    assert reply.headers["accept-ranges"] == "bytes"
    assert reply.headers["content-disposition"].endswith("filename*=UTF-8''a%20chair%20%C3%BC.glb")
    assert reply.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("wanted", "begin", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-299999", 10, 300_000),
        ("bytes=700000-", 700_000, len(DATA)),
        ("bytes=-5", len(DATA) - 5, len(DATA)),
        ("bytes=5-99999999", 5, len(DATA)),
        ("bytes=-99999999", 0, len(DATA)),
    ],
)
async def test_a_range_is_those_bytes(
    line: Line, asset: asset_pb2.Asset, wanted: str, begin: int, end: int
) -> None:
    reply = await get(line, asset, range=wanted)
    assert (reply.status, reply.body) == (206, DATA[begin:end])
    assert reply.headers["content-range"] == f"bytes {begin}-{end - 1}/{len(DATA)}"


@pytest.mark.parametrize("wanted", [f"bytes={len(DATA)}-", "bytes=-0"])
async def test_a_range_without_a_byte_is_refused(
    line: Line, asset: asset_pb2.Asset, wanted: str
) -> None:
    reply = await get(line, asset, range=wanted)
    assert reply.status == 416
    assert reply.headers["content-range"] == f"bytes */{len(DATA)}"
    assert b'"POSITION_OUT_OF_RANGE"' in reply.body


@pytest.mark.parametrize("wanted", ["bytes=-", "bytes=0-1,3-4", "items=0-1", "bytes=a-b"])
async def test_what_is_no_single_range_is_as_if_it_were_not_there(
    line: Line, asset: asset_pb2.Asset, wanted: str
) -> None:
    """As RFC 9110 has it; the caller sees 200 and takes the whole."""
    reply = await get(line, asset, range=wanted)
    assert (reply.status, reply.body) == (200, DATA)


async def test_a_part_of_other_bytes_is_never_continued(line: Line, asset: asset_pb2.Asset) -> None:
    same = await get(line, asset, range="bytes=5-9", if_range=f'"{asset.sha256}"')
    assert (same.status, same.body) == (206, DATA[5:10])
    other = await get(line, asset, range="bytes=5-9", if_range='"0000"')
    assert (other.status, other.body) == (200, DATA)


async def test_who_has_it_already_gets_nothing(line: Line, asset: asset_pb2.Asset) -> None:
    reply = await get(line, asset, if_none_match=f'"x", "{asset.sha256}"')
    assert (reply.status, reply.body) == (304, b"")


async def test_head_is_get_without_the_bytes(line: Line, asset: asset_pb2.Asset) -> None:
    await line.send(line.request("HEAD", f"/v1/assets/{asset.asset_id}"))
    reply = await line.answer(headless=True)
    assert (reply.status, reply.headers["content-length"]) == (200, str(len(DATA)))
    assert (await get(line, asset, range="bytes=0-0")).status == 206  # The line is still in step.


async def test_an_asset_that_is_not_there_is_told_as_json(line: Line) -> None:
    reply = await get(line, asset_pb2.Asset(asset_id="ast_none"))
    assert reply.status == 404
    assert b'"ASSET_NOT_FOUND"' in reply.body


async def test_who_leaves_is_sent_no_more(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """A write to a connection that is gone warns, so there would be hundreds of warnings.

    The caller is in a thread: on the server's own loop it could not leave in mid-send.
    """
    big = bytes(64 << 20)
    async with line_to(house.running.http_address) as line:
        await line.send(line.request("PUT", "/v1/uploads/a-big-file", big))
        location = (await line.answer()).headers["location"]
    await asyncio.to_thread(_leave_early, house.running.http_address, location)
    async with line_to(house.running.http_address) as line:
        await line.send(line.request("GET", "/healthz"))
        assert (await line.answer()).status == 200
    assert not [one for one in caplog.records if "socket.send()" in one.message]


def _leave_early(address: str, path: str) -> None:
    connection = http.client.HTTPConnection(address)
    connection.request("GET", path)
    with connection.getresponse() as response:
        assert response.read(1000) == bytes(1000)
    connection.close()
