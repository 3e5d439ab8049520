"""Servers and requests for the tests of the server."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from PIL import Image, ImageDraw

from assetwright.v1 import generation_service_pb2 as pb
from assetwright.v1 import model_pb2
from tests.server.house import House, quick_settings, start_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from server.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings for a test that starts its own server."""
    return quick_settings(tmp_path)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One server for the tests of a module that do not mind each other's jobs."""
    async with start_house(quick_settings(tmp_path_factory.mktemp("house"))) as house:
        yield house


@pytest.fixture(scope="session")
def picture() -> bytes:
    """A small PNG with one round subject on a transparent ground."""
    image = Image.new("RGBA", (96, 96))
    ImageDraw.Draw(image).ellipse((20, 12, 76, 84), fill=(180, 60, 40, 255))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="session")
def request_for(picture: bytes) -> Callable[..., pb.GenerateRequest]:
    """Return a maker of small, quick requests."""

    def make(**fields: object) -> pb.GenerateRequest:
        source = pb.Input(role=model_pb2.INPUT_ROLE_SOURCE, inline_data=picture)
        request = pb.GenerateRequest(model="pixal3d", inputs=[source])
        request.parameters["decimation_target"].int_value = 600
        request.parameters["texture_size"].int_value = 1024
        request.MergeFrom(pb.GenerateRequest(**fields))  # type: ignore[arg-type]
        return request

    return make
