"""What a caller sees of where the bytes are: nothing, until something is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import grpc
import pytest

from assetwright.v1 import asset_pb2, generation_service_pb2, job_pb2, model_pb2
from assetwright.v1 import asset_service_pb2 as pb
from tests.crash.gateway_process import picture
from tests.server.house import download, end_of, quick_settings, start_house
from tests.server.test_bad_requests import Refusal
from tests.storage.test_folder import change, file_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.server.house import House


async def uploaded(house: House, data: bytes) -> asset_pb2.Asset:
    async def messages() -> AsyncIterator[pb.UploadAssetRequest]:
        yield pb.UploadAssetRequest(header=pb.UploadHeader(name="bytes"))
        for start in range(0, len(data), 1000):
            yield pb.UploadAssetRequest(data=data[start : start + 1000])

    return (await house.assets.UploadAsset(messages())).asset


async def refusal(house: House, asset: asset_pb2.Asset) -> Refusal:
    """Try to download; no byte may come."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await download(house, asset)
    return Refusal(raised.value)


async def test_a_changed_asset_is_data_loss_and_no_byte_of_it_is_sent(tmp_path: Path) -> None:
    settings = replace(quick_settings(tmp_path), assets=tmp_path / "share")
    async with start_house(settings) as house:
        asset = await uploaded(house, bytes(5000))
        assert await download(house, asset, offset=4000) == bytes(1000)
        change(file_of(tmp_path / "share", asset.sha256))
        told = await refusal(house, asset)
        assert told.code == grpc.StatusCode.DATA_LOSS
        assert told.info.reason == "ASSET_CORRUPT"
        assert told.info.metadata["sha256"] == asset.sha256
        await uploaded(house, bytes(5000))
        assert await download(house, asset) == bytes(5000)


async def test_a_share_that_is_away_is_unavailable_with_a_delay(tmp_path: Path) -> None:
    """Then the same call works again, and nothing was stored half."""
    share = tmp_path / "share"
    async with start_house(replace(quick_settings(tmp_path), assets=share)) as house:
        asset = await uploaded(house, bytes(5000))
        share.rename(tmp_path / "away")
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await uploaded(house, b"more")
        told = Refusal(raised.value)
        assert told.code == grpc.StatusCode.UNAVAILABLE
        assert told.info.reason == "STORAGE_UNAVAILABLE"
        assert told.retry.retry_delay.seconds == 5
        (tmp_path / "away").rename(share)
        assert await download(house, asset) == bytes(5000)
        assert await download(house, await uploaded(house, b"more")) == b"more"


def pictured() -> generation_service_pb2.GenerateRequest:
    """Return a small, quick request."""
    source = generation_service_pb2.Input(role=model_pb2.INPUT_ROLE_SOURCE, inline_data=picture())
    request = generation_service_pb2.GenerateRequest(model="pixal3d", inputs=[source])
    request.parameters["decimation_target"].int_value = 600
    request.parameters["texture_size"].int_value = 1024
    return request


def is_working(event: job_pb2.JobEvent) -> bool:
    return event.gateway_update.gateway_state == "PROCESSING"


def is_bought(event: job_pb2.JobEvent) -> bool:
    return event.stage_finished.stage == job_pb2.STAGE_DOWNLOAD


@pytest.mark.parametrize("when", [is_working, is_bought])
async def test_a_paid_job_outlasts_a_share_that_is_away(
    tmp_path: Path, when: Callable[[job_pb2.JobEvent], bool]
) -> None:
    """What is bought is kept when the share is back; until then the log says what is waited for."""
    share = tmp_path / "share"
    settings = replace(quick_settings(tmp_path), assets=share, sandbox_work_s=1.0)
    async with start_house(settings) as house:
        seen = []
        async for reply in house.generation.Generate(pictured()):
            seen.append(reply.event)
            if when(reply.event):
                share.rename(tmp_path / "away")
            if reply.event.warning.code == "STORAGE_UNAVAILABLE":
                (tmp_path / "away").rename(share)
        assert [event.warning.code for event in seen].count("STORAGE_UNAVAILABLE") == 1
        (model,) = [one for one in end_of(seen).completed.assets if one.name == "asset.glb"]
        assert len(await download(house, model)) == model.size_bytes
        assert len(house.sandbox.submissions()) == 1
