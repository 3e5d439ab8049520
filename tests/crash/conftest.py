"""Crash tests run for minutes, so `make test` leaves them out; `make test-crash` runs them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest_asyncio

from tests.crash.processes import running_gateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.crash.processes import Gateway

collect_ignore_glob = ["test_*.py"] if sys.platform == "win32" else []  # They need signals.


@pytest_asyncio.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    (folder := tmp_path / "gateway").mkdir()
    async with running_gateway(folder) as gateway:
        yield gateway
