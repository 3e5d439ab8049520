"""A server that plays what a test tells it to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # Tests import what they share by name.

from played_server import PlayedServer, served

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedServer]:
    """Serve it where the commands look for one."""
    servicer = PlayedServer()
    with served(servicer) as address:
        monkeypatch.setenv("ASSETWRIGHT_SERVER", address)
        monkeypatch.delenv("ASSETWRIGHT_TOKEN", raising=False)
        yield servicer
