"""Uploads over plain HTTP: whole, in parts, broken off, taken up again, wrong, expired."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from assetwright.v1 import asset_service_pb2
from server.web.partials import Partials
from tests.server.house import download
from tests.web.caller import line_to

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.house import House
    from tests.web.caller import Line, Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

DATA = b"glTF" + random.Random(1).randbytes(300_000)  # noqa: S311  # No secret.
SHA256 = hashlib.sha256(DATA).hexdigest()


def told(reply: Reply) -> dict[str, Any]:
    """Return the JSON of an answer."""
    assert reply.headers["content-type"] == "application/json"
    answer: dict[str, Any] = json.loads(reply.body)
    return answer


def reason(reply: Reply) -> tuple[int, str]:
    return reply.status, told(reply)["error"]["reason"]


async def put(line: Line, upload_id: str, body: bytes, **headers: str) -> Reply:
    await line.send(line.request("PUT", f"/v1/uploads/{upload_id}", body, **headers))
    return await line.answer()


async def head(line: Line, upload_id: str) -> Reply:
    await line.send(line.request("HEAD", f"/v1/uploads/{upload_id}"))
    return await line.answer(headless=True)


async def test_a_whole_file_becomes_an_asset(house: House, line: Line) -> None:
    reply = await put(line, "whole-file", DATA, upload_name="a%20chair%2Eglb", upload_sha256=SHA256)
    assert reply.status == 201
    asset = told(reply)["asset"]
    assert asset == {
        "asset_id": asset["asset_id"],
        "name": "a chair.glb",
        "media_type": "model/gltf-binary",
        "size_bytes": len(DATA),
        "sha256": SHA256,
    }
    assert reply.headers["location"] == f"/v1/assets/{asset['asset_id']}"
    request = asset_service_pb2.GetAssetRequest(asset_id=asset["asset_id"])
    stored = (await house.assets.GetAsset(request)).asset
    assert await download(house, stored) == DATA


async def test_the_same_bytes_are_stored_once(line: Line) -> None:
    first = await put(line, "once-and-1", DATA)
    second = await put(line, "once-and-2", DATA)
    assert told(first) == told(second)


async def test_parts_meet_and_the_last_one_ends_it(line: Line) -> None:
    total = len(DATA)
    half = total // 2
    first = await put(
        line, "in-two-parts", DATA[:half], content_range=f"bytes 0-{half - 1}/{total}"
    )
    assert (first.status, first.headers["upload-offset"]) == (202, str(half))
    assert told(first) == {"offset": half}
    assert (await head(line, "in-two-parts")).headers["upload-offset"] == str(half)
    second = await put(
        line, "in-two-parts", DATA[half:], content_range=f"bytes {half}-{total - 1}/{total}"
    )
    assert second.status == 201
    assert told(second)["asset"]["sha256"] == SHA256


async def test_a_broken_connection_keeps_what_came(house: House) -> None:
    """The server notices at once, and says where to go on."""
    total = len(DATA)
    async with line_to(house.running.http_address) as line:
        request = line.request(
            "PUT", "/v1/uploads/broken-off", DATA[:100_000], content_length=str(total)
        )
        await line.send(request)
        async with line_to(house.running.http_address) as other:
            while (await head(other, "broken-off")).headers.get("upload-offset") != "100000":
                await asyncio.sleep(0.01)
        line.leave()
    async with line_to(house.running.http_address) as line:
        reply = await put(line, "broken-off", b"", content_range=f"bytes */{total}")
        assert (reply.status, reply.headers["upload-offset"]) == (202, "100000")
        rest = f"bytes 100000-{total - 1}/{total}"
        reply = await put(line, "broken-off", DATA[100_000:], content_range=rest)
        assert (reply.status, told(reply)["asset"]["sha256"]) == (201, SHA256)


async def test_a_second_request_takes_over_from_one_that_lost_its_connection(
    house: House,
) -> None:
    """A caller that comes back need not wait until the server has missed the old connection."""
    address = house.running.http_address
    total = len(DATA)
    async with line_to(address) as lost, line_to(address) as fresh:
        part = f"bytes 0-{total - 1}/{total}"
        head_and_some = lost.request(
            "PUT", "/v1/uploads/taken-over", DATA[:5000], content_range=part,
            content_length=str(total),
        )  # fmt: skip
        await lost.send(head_and_some)
        while (await head(fresh, "taken-over")).headers.get("upload-offset") != "5000":
            await asyncio.sleep(0.01)
        reply = await put(fresh, "taken-over", b"", content_range=f"bytes */{total}")
        assert (reply.status, reply.headers["upload-offset"]) == (202, "5000")
        assert reason(await lost.answer()) == (400, "INVALID_REQUEST")
        rest = f"bytes 5000-{total - 1}/{total}"
        reply = await put(fresh, "taken-over", DATA[5000:], content_range=rest)
        assert told(reply)["asset"]["sha256"] == SHA256


async def test_a_lost_last_answer_can_be_had_again(line: Line) -> None:
    first = await put(line, "asked-again", DATA)
    again = await put(line, "asked-again", DATA)
    assert (again.status, told(again)) == (201, told(first))
    reply = await head(line, "asked-again")
    assert (reply.status, reply.headers["upload-offset"]) == (200, str(len(DATA)))
    assert reply.headers["location"] == first.headers["location"]


async def test_a_wrong_place_is_refused_with_the_right_one(line: Line) -> None:
    total = len(DATA)
    await put(line, "wrong-place", DATA[:10], content_range=f"bytes 0-9/{total}")
    reply = await put(line, "wrong-place", DATA[20:30], content_range=f"bytes 20-29/{total}")
    assert reason(reply) == (416, "POSITION_OUT_OF_RANGE")
    assert reply.headers["upload-offset"] == "10"


async def test_bytes_that_differ_from_their_hash_are_thrown_away(line: Line) -> None:
    reply = await put(line, "wrong-hash", DATA[:-1] + b"!", upload_sha256=SHA256)
    assert reason(reply) == (400, "INVALID_REQUEST")
    assert told(reply)["error"]["violations"][0]["field"] == "Upload-Sha256"
    assert (await head(line, "wrong-hash")).status == 404
    assert (await put(line, "wrong-hash", DATA, upload_sha256=SHA256)).status == 201


@pytest.mark.parametrize(
    ("upload_id", "headers", "field"),
    [
        ("short", {}, "upload_id"),
        ("dots..dots", {}, "upload_id"),
        ("bad-range", {"content_range": "bytes 5-4/10"}, "Content-Range"),
        ("bad-range", {"content_range": "bytes 0-10/10"}, "Content-Range"),
        ("bad-range", {"content_range": "lines 0-1/10"}, "Content-Range"),
        ("bad-hash", {"upload_sha256": "abc"}, "Upload-Sha256"),
        ("bad-length", {"content_range": "bytes 0-7/10"}, "body"),
        ("bad-length", {"content_range": "bytes 0-1/10"}, "body"),
        ("too-large", {"content_range": f"bytes 0-3/{1 << 40}"}, "body"),
    ],
)
async def test_what_is_wrong_is_named(
    line: Line, upload_id: str, headers: dict[str, str], field: str
) -> None:
    reply = await put(line, upload_id, b"four", **headers)
    assert reason(reply) == (400, "INVALID_REQUEST")
    (violation,) = told(reply)["error"]["violations"]
    assert violation["field"] == field
    assert (await head(line, "bad-length")).headers.get("upload-offset") in (None, "0")


async def test_an_empty_upload_is_refused_and_forgotten(line: Line) -> None:
    assert reason(await put(line, "empty-upload", b"")) == (400, "INVALID_REQUEST")
    assert (await head(line, "empty-upload")).status == 404


async def test_an_upload_can_be_forgotten(line: Line) -> None:
    await put(line, "forget-it", DATA[:10], content_range="bytes 0-9/20")
    await line.send(line.request("DELETE", "/v1/uploads/forget-it"))
    assert (await line.answer()).status == 204
    assert (await head(line, "forget-it")).status == 404


async def test_old_uploads_go_and_the_oldest_make_room(tmp_path: Path) -> None:
    """Neither time nor a careless caller fills the disk; what is being written stays."""
    now = time.time()
    for name, age_s in (("expired", 200), ("oldest", 90), ("older", 80), ("newest", 1)):
        path = tmp_path / f"{name}.part"
        path.write_bytes(b"x")
        os.utime(path, (now - age_s, now - age_s))
    partials = Partials(tmp_path, now=lambda: now, expiry_s=100, max_count=3)
    assert partials.offset("expired") is None
    async with partials.hold("oldest"):
        async with partials.hold("one-more"):
            assert partials.offset("older") is None
        assert [partials.offset(name) for name in ("oldest", "newest")] == [1, 1]
