"""Servers and lines to their HTTP port."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from tests.server.conftest import picture, request_for, settings
from tests.server.house import quick_settings, start_house
from tests.web.caller import line_to

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from tests.server.house import House
    from tests.web.caller import Line

__all__ = ["picture", "request_for", "settings"]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One server for the tests of a module that do not mind each other's jobs."""
    async with start_house(quick_settings(tmp_path_factory.mktemp("house"))) as house:
        yield house


@pytest_asyncio.fixture(loop_scope="module")
async def line(house: House) -> AsyncIterator[Line]:
    """A connection of one's own to its HTTP port."""
    async with line_to(house.running.http_address) as line:
        yield line
