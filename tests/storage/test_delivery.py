"""What a caller sees of where the bytes are: nothing, until something is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import grpc
import pytest

from assetwright.v1 import asset_pb2
from assetwright.v1 import asset_service_pb2 as pb
from tests.server.house import download, quick_settings, start_house
from tests.server.test_bad_requests import Refusal
from tests.storage.test_folder import change, file_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
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
