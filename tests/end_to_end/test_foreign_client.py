"""A client in another language, written from the protos alone, gets what the contract says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assetwright.v1 import asset_service_pb2 as wire

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from tests.conftest import Node, Server


@pytest.fixture(scope="module")
def glb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the foreign client writes to."""
    return tmp_path_factory.mktemp("foreign") / "asset.glb"


@pytest.fixture(scope="module")
def printed(node: Node, server: Server, glb: Path, demo_picture: Path) -> list[dict[str, Any]]:
    """What the foreign client says; it checks order, offsets, size and hash by itself."""
    return node.run("generate.mjs", server.grpc, demo_picture, glb)


def test_it_can_read_why_it_was_refused(printed: list[dict[str, Any]]) -> None:
    """The status's details are google.rpc's, which every language can decode."""
    reason = {"code": "NOT_FOUND", "domain": "assetwright", "reason": "MODEL_NOT_FOUND"}
    assert printed[0] == {"refused": reason}


def test_it_sees_a_log_without_a_gap(printed: list[dict[str, Any]]) -> None:
    entries = printed[1:-1]
    assert [entry["sequence"] for entry in entries] == list(range(1, len(entries) + 1))
    assert entries[0]["kind"] == "accepted"
    assert entries[-1]["kind"] == "completed"


def test_its_file_is_the_one_that_other_clients_download(
    printed: list[dict[str, Any]], server: Server, glb: Path
) -> None:
    announced = printed[-1]["asset"]
    request = wire.DownloadAssetRequest(asset_id=announced["asset_id"])
    first, *rest = server.assets.DownloadAsset(request, timeout=30)
    assert first.asset.sha256 == announced["sha256"]
    assert b"".join(message.chunk.data for message in rest) == glb.read_bytes()
    assert printed[-1]["chunks"] > 1  # Else their order would prove nothing.


def test_its_file_is_a_valid_glb(printed: list[dict[str, Any]], node: Node, glb: Path) -> None:
    assert "asset" in printed[-1]
    (report,) = node.validate(glb)
    assert report["errors"] == 0, report["messages"]
