"""Large files: to the disk by ranges, resumed, checked, within a frame's budget."""

from __future__ import annotations

import hashlib
import json
import random
import urllib.request
from typing import TYPE_CHECKING

import pytest
from editing import a_server

if TYPE_CHECKING:
    from pathlib import Path

    from godot_program import Godot

pytestmark = pytest.mark.timeout(180)

_SIZE = 20 * 1024 * 1024


def _stored(http: str, data: bytes) -> str:
    """Upload bytes and return the asset's id."""
    request = urllib.request.Request(  # Our own server.
        f"http://{http}/v1/uploads/twenty-megabytes", data=data, method="PUT"
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # As above.
        asset_id: str = json.load(answer)["asset"]["asset_id"]
    return asset_id


def test_a_large_download_is_resumed_and_checked(godot: Godot, tmp_path: Path) -> None:
    """Whole, from a part, over a kill of the server, damaged on the disk.

    `pytest -s` shows what a frame had to give for each.
    """
    data = random.Random(6).randbytes(_SIZE)  # noqa: S311  # Not a secret.
    sha256 = hashlib.sha256(data).hexdigest()
    folder = tmp_path / "downloads"
    folder.mkdir()
    with a_server(tmp_path / "server") as server:
        asset_id = _stored(server.http, data)
        said = godot.script(
            "download.gd",
            f"http://{server.http}",
            folder,
            asset_id,
            str(_SIZE),
            sha256,
            wishes={"kill": server.kill, "start": server.start},
        )
    assert "downloads over" in said
    ways = {line["way"]: line for line in map(json.loads, _json_lines(said))}
    for way, received in (
        ("whole", _SIZE),
        ("resumed", _SIZE - _SIZE // 4),
        ("interrupted", _SIZE),
    ):
        assert ways[way]["trouble"] == ""
        assert ways[way]["received"] == received
        assert (folder / way).read_bytes() == data
    assert ways["whole"]["attempts"] == ways["resumed"]["attempts"] == 1
    assert ways["interrupted"]["attempts"] > 1
    assert ways["damaged"]["trouble"] == "FILE_DAMAGED"
    assert sorted(path.name for path in folder.iterdir()) == ["interrupted", "resumed", "whole"]
    assert f"streamed sha256 {sha256}" in said


def _json_lines(said: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith("{")]
