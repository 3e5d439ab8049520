"""A gRPC-Web client that others wrote gets over the bridge what gRPC's own clients get."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from google.protobuf import descriptor_pb2
from google.rpc import error_details_pb2

from assetwright.v1 import asset_service_pb2, generation_service_pb2, model_service_pb2
from tests.end_to_end.conftest import demo_picture

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from google.protobuf.descriptor import FileDescriptor

    from tests.conftest import Node, Server

__all__ = ["demo_picture"]

_FILES = (asset_service_pb2, generation_service_pb2, model_service_pb2, error_details_pb2)


@pytest.fixture(scope="module")
def glb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the foreign client writes to."""
    return tmp_path_factory.mktemp("foreign") / "asset.glb"


@pytest.fixture(scope="module")
def descriptors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The contract as protoc would describe it, each file after those that it imports."""
    found: dict[str, FileDescriptor] = {}

    def add(file: FileDescriptor) -> None:
        for needed in file.dependencies:
            add(needed)
        found.setdefault(file.name, file)

    for module in _FILES:
        add(module.DESCRIPTOR)
    described = descriptor_pb2.FileDescriptorSet()
    for file in found.values():
        file.CopyToProto(described.file.add())
    path = tmp_path_factory.mktemp("contract") / "descriptors.bin"
    path.write_bytes(described.SerializeToString())
    return path


@pytest.fixture(scope="module")
def printed(
    node: Node, server: Server, descriptors: Path, glb: Path, demo_picture: Path
) -> list[dict[str, Any]]:
    """What it says; it checks offsets and hash by itself."""
    return node.run("web.mjs", f"http://{server.http}", descriptors, demo_picture, glb)


def test_it_reads_the_catalog(printed: list[dict[str, Any]]) -> None:
    assert "pixal3d" in printed[0]["models"]


def test_it_reads_why_it_was_refused_with_the_field(printed: list[dict[str, Any]]) -> None:
    """Code, reason and violations survive trailers, base64 and two libraries."""
    assert printed[1]["refused"] == {
        "code": "InvalidArgument",
        "reason": "INVALID_REQUEST",
        "fields": ["parameters[texture_size]"],
    }


def test_its_deadline_ends_the_call(printed: list[dict[str, Any]]) -> None:
    assert printed[2] == {"late": "DeadlineExceeded"}


def test_it_sees_a_log_without_a_gap_and_the_same_from_a_position(
    printed: list[dict[str, Any]],
) -> None:
    log = [line for line in printed if "sequence" in line]
    assert [line["sequence"] for line in log] == list(range(1, len(log) + 1))
    assert (log[0]["kind"], log[-1]["kind"]) == ("accepted", "completed")
    (resumed,) = (line["resumed"] for line in printed if "resumed" in line)
    assert [kind for kind in resumed if kind not in ("heartbeat", "chunk")] == [
        line["kind"] for line in log[1:]
    ]


def test_its_file_is_the_one_that_grpc_hands_out(
    printed: list[dict[str, Any]], server: Server, glb: Path
) -> None:
    announced = printed[-1]["asset"]
    request = asset_service_pb2.DownloadAssetRequest(asset_id=announced["asset_id"])
    _, *rest = server.assets.DownloadAsset(request, timeout=30)
    assert b"".join(message.chunk.data for message in rest) == glb.read_bytes()
    assert announced["size_bytes"] == glb.stat().st_size
