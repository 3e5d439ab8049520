"""Bytes arrive whole or not at all, however the connection breaks."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import grpc
import pytest
from scripted_server import SILENCE, UNAVAILABLE, Refusal, described

from assetwright import _parse
from assetwright.errors import IntegrityError, InvalidRequest, OutOfRange, ServerUnavailable
from assetwright.retry import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from scripted_server import ScriptedServer

    from assetwright import Client

    Connect = Callable[..., Awaitable[Client]]

DATA = bytes(range(256)) * 4
ASSET = _parse.asset(described(DATA))


@pytest.mark.parametrize("break_", [[], [UNAVAILABLE], [SILENCE]])
async def test_a_broken_download_goes_on_where_it_stopped(
    break_: list[object], script: ScriptedServer, connect: Connect, tmp_path: Path
) -> None:
    script.downloads = [[DATA[:100], DATA[100:300], *break_], [DATA[300:]]]
    client = await connect()
    path = await client.download(ASSET, tmp_path / "chair.glb")
    assert path.read_bytes() == DATA
    assert [request.offset for request in script.requests] == [0, 300]
    assert os.listdir(tmp_path) == ["chair.glb"]  # noqa: PTH208


async def test_a_break_behind_the_last_byte_is_none(
    script: ScriptedServer, connect: Connect
) -> None:
    script.downloads = [[DATA, UNAVAILABLE]]
    client = await connect()
    assert await client.read(ASSET) == DATA
    assert len(script.requests) == 1


async def test_a_part_that_was_left_is_continued(
    script: ScriptedServer, connect: Connect, tmp_path: Path
) -> None:
    (tmp_path / "chair.glb.part").write_bytes(DATA[:200])
    script.downloads = [[DATA[200:]]]
    client = await connect()
    assert (await client.download(ASSET, tmp_path / "chair.glb")).read_bytes() == DATA
    assert script.requests[0].offset == 200


@pytest.mark.parametrize("left", [b"other bytes", bytes(len(DATA)), bytes(len(DATA) + 1)])
async def test_a_part_of_other_bytes_is_fetched_afresh(
    left: bytes, script: ScriptedServer, connect: Connect, tmp_path: Path
) -> None:
    (tmp_path / "chair.glb.part").write_bytes(left)
    script.downloads = [[DATA[len(left) :]], [DATA]] if len(left) < len(DATA) else [[DATA]]
    client = await connect()
    assert (await client.download(ASSET, tmp_path / "chair.glb")).read_bytes() == DATA


@pytest.mark.parametrize("wrong", [DATA[:-1] + b"?", DATA + b"?"])
async def test_wrong_bytes_leave_nothing_behind(
    wrong: bytes, script: ScriptedServer, connect: Connect, tmp_path: Path
) -> None:
    script.downloads = [[wrong], [wrong]]
    client = await connect()
    with pytest.raises(IntegrityError):
        await client.download(ASSET, tmp_path / "chair.glb")
    assert os.listdir(tmp_path) == []  # noqa: PTH208
    with pytest.raises(IntegrityError):
        await client.read(ASSET)


async def test_an_impatient_download_keeps_its_part(
    script: ScriptedServer, connect: Connect, tmp_path: Path
) -> None:
    script.downloads = [[DATA[:100]], [UNAVAILABLE]]
    client = await connect(RetryPolicy(patience_s=0.3))
    with pytest.raises(ServerUnavailable):
        await client.download(ASSET, tmp_path / "chair.glb")
    assert (tmp_path / "chair.glb.part").read_bytes() == DATA[:100]
    assert not (tmp_path / "chair.glb").exists()


async def test_a_refused_download_is_raised_at_once(
    script: ScriptedServer, connect: Connect
) -> None:
    refusal = Refusal(grpc.StatusCode.OUT_OF_RANGE, reason="POSITION_OUT_OF_RANGE")
    script.downloads = [[refusal]]
    client = await connect()
    with pytest.raises(OutOfRange):
        await client.read(ASSET)


async def test_an_empty_asset_needs_no_call(
    script: ScriptedServer, connect: Connect, tmp_path: Path
) -> None:
    client = await connect()
    path = await client.download(_parse.asset(described(b"")), tmp_path / "empty")
    assert path.read_bytes() == b""
    assert script.requests == []


@pytest.mark.parametrize("size_bytes", [1, 256 * 1024, 700_000])
async def test_an_upload_announces_size_and_hash(
    size_bytes: int, script: ScriptedServer, connect: Connect, tmp_path: Path
) -> None:
    """The scripted server compares both with what it receives."""
    data = hashlib.shake_128(b"seed").digest(size_bytes)
    (tmp_path / "chair.png").write_bytes(data)
    client = await connect()
    asset = await client.upload(tmp_path / "chair.png")
    assert script.stored == {asset.sha256: data}
    assert await client.upload(asset) is asset


async def test_a_broken_upload_is_sent_again(script: ScriptedServer, connect: Connect) -> None:
    script.upload_refusals = [UNAVAILABLE]
    client = await connect()
    asset = await client.upload(b"pixels", name="chair.png")
    assert script.stored[asset.sha256] == b"pixels"


async def test_a_refused_upload_is_raised(script: ScriptedServer, connect: Connect) -> None:
    script.upload_refusals = [
        Refusal(grpc.StatusCode.INVALID_ARGUMENT, reason="INVALID_REQUEST", fields=("data",))
    ]
    client = await connect()
    with pytest.raises(InvalidRequest) as caught:
        await client.upload(b"pixels")
    assert [violation.field for violation in caught.value.violations] == ["data"]


async def test_an_asset_can_be_named_by_its_id(script: ScriptedServer, connect: Connect) -> None:
    script.stored["a"] = DATA
    script.downloads = [[DATA]]
    client = await connect()
    assert await client.read("a") == DATA
