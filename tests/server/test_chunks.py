"""Chunks that we encode are what protobuf would have made of them."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from assetwright.v1 import asset_service_pb2
from assetwright.v1 import generation_service_pb2 as pb
from server.jobs.model import Asset, AssetRole
from server.rpc.chunks import download_chunks, job_chunks
from server.storage import BlobReader

DATA = bytes(range(256)) * 3


def asset(size_bytes: int) -> Asset:
    return Asset(
        id="ast_1",
        role=AssetRole.MODEL,
        name="asset.glb",
        media_type="model/gltf-binary",
        size_bytes=size_bytes,
        sha256="0" * 64,
        created_at=datetime.now(UTC),
        sandbox=False,
    )


@given(
    size=st.integers(min_value=0, max_value=len(DATA)),
    offset=st.integers(min_value=0, max_value=len(DATA)),
    chunk_bytes=st.integers(min_value=1, max_value=300),
)
def test_every_chunk_is_the_message_that_protobuf_makes(
    size: int, offset: int, chunk_bytes: int
) -> None:
    """Byte for byte: lengths of one and of two varint bytes, an offset of zero, a short end."""
    reader = BlobReader(memoryview(DATA)[:size])
    made = list(download_chunks(asset(size), reader, offset=offset, chunk_bytes=chunk_bytes))
    expected = []
    for start in range(offset, size, chunk_bytes):
        reply = asset_service_pb2.DownloadAssetResponse()
        reply.chunk.asset_id = "ast_1"
        reply.chunk.offset = start
        reply.chunk.data = DATA[start : min(start + chunk_bytes, size)]
        expected.append(reply.SerializeToString())
    assert made == expected


def test_chunks_of_a_job_are_told_with_its_id() -> None:
    data = bytes(300_000)
    made = list(job_chunks(asset(len(data)), BlobReader(memoryview(data)), job_id="job_1"))
    for kind in (pb.GenerateResponse, pb.ProcessResponse):
        events = [kind.FromString(one).event for one in made]
        assert {event.job_id for event in events} == {"job_1"}
        assert [event.chunk.offset for event in events] == [0, 262_144]
        assert b"".join(event.chunk.data for event in events) == data
        assert made == [kind(event=event).SerializeToString() for event in events]
