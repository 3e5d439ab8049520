"""Chunks as wire bytes: the same messages, with the asset's bytes copied once.

protobuf copies the bytes into the message and again into its encoding. Written by hand around a
view of the file they are copied once (benchmarks/README.md, "Surprises", has what that brings). The
guard passes bytes on as they are; a test compares them with what protobuf makes of them.

Encoding: https://protobuf.dev/programming-guides/encoding/. Fields may come in any order and a
message's encodings may be joined, so all but the data is protobuf's own work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetwright.v1 import asset_pb2, asset_service_pb2, generation_service_pb2, job_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

    from server.jobs.model import Asset
    from server.storage import BlobReader

__all__ = ["CHUNK_BYTES", "download_chunks", "job_chunks"]

# benchmarks/README.md: the largest chunk whose memory for a stalled reader stays under 1 MiB.
CHUNK_BYTES = 256 * 1024

_LENGTH_DELIMITED = 2
_CONTINUES = 0x80


def download_chunks(
    asset: Asset, reader: BlobReader, *, offset: int, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[bytes]:
    """Yield the `DownloadAssetResponse`s of an asset's bytes from an offset on, encoded."""
    chunk = _key(asset_service_pb2.DownloadAssetResponse, "chunk")
    for parts in _chunks(asset, reader, offset=offset, chunk_bytes=chunk_bytes):
        yield _joined(chunk, *parts)


def job_chunks(asset: Asset, reader: BlobReader, *, job_id: str) -> Iterator[bytes]:
    """Yield the `GenerateResponse`s, or `ProcessResponse`s, of an asset's bytes, encoded."""
    event = _key(generation_service_pb2.GenerateResponse, "event")
    head = job_pb2.JobEvent(job_id=job_id).SerializeToString()
    chunk = _key(job_pb2.JobEvent, "chunk")
    for parts in _chunks(asset, reader, offset=0, chunk_bytes=CHUNK_BYTES):
        size = sum(map(len, parts))
        yield _joined(event, head, chunk, _varint(size), *parts)


def _chunks(
    asset: Asset, reader: BlobReader, *, offset: int, chunk_bytes: int
) -> Iterator[tuple[bytes, bytes, bytes, memoryview]]:
    """Yield the parts of each encoded `AssetChunk`, the data as a view."""
    data = _key(asset_pb2.AssetChunk, "data")
    for start in range(offset, asset.size_bytes, chunk_bytes):
        view = reader.view(start, chunk_bytes)
        head = asset_pb2.AssetChunk(asset_id=asset.id, offset=start).SerializeToString()
        yield head, data, _varint(len(view)), view


def _joined(key: bytes, *parts: bytes | memoryview) -> bytes:
    """Return a field with everything in it."""
    return b"".join((key, _varint(sum(map(len, parts))), *parts))


def _key(message: type[Message], field: str) -> bytes:
    number = message.DESCRIPTOR.fields_by_name[field].number
    return _varint(number << 3 | _LENGTH_DELIMITED)


def _varint(value: int) -> bytes:
    """Return a number, seven bits a byte, the lowest first."""
    encoded = bytearray()
    while value >= _CONTINUES:
        encoded.append(value & (_CONTINUES - 1) | _CONTINUES)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
