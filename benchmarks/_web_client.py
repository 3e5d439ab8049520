"""The caller's side of the bridge: `http.client`, as an editor without gRPC has it.

    python benchmarks/_web_client.py download ADDRESS ASSET_ID COPIES [--plain] [--digest]
    python benchmarks/_web_client.py unary ADDRESS COUNT
    python benchmarks/_web_client.py native-unary ADDRESS COUNT
    python benchmarks/_web_client.py leave ADDRESS COUNT PATH

`leave` begins the streaming call PATH and closes the connection after its first message, again and
again, each time when the parent says so; it tells the moments.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import http.client
import json
import socket
import sys
import time
from typing import TYPE_CHECKING

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from assetwright.v1 import asset_service_pb2

if TYPE_CHECKING:
    from collections.abc import Sequence

_PREFIX = 5
_TRAILERS = 0x80
_PIECE_BYTES = 1 << 20
_WARM_UP = 100


def tell(answer: object) -> None:
    """Print an answer for the parent."""
    print(json.dumps(answer), flush=True)


def framed(message: bytes) -> bytes:
    """Return a message as a frame."""
    return len(message).to_bytes(_PREFIX, "big") + message


def call(connection: http.client.HTTPConnection, path: str, message: bytes) -> bytes:
    """Call a unary method; return its message."""
    connection.request(
        "POST", path, framed(message), {"content-type": "application/grpc-web+proto"}
    )
    body = connection.getresponse().read()
    size = int.from_bytes(body[1:_PREFIX], "big")
    assert body.endswith(b"grpc-status:0\r\n"), body[-200:]
    return body[_PREFIX : _PREFIX + size]


def download(arguments: argparse.Namespace) -> None:
    """Fetch an asset again and again, and tell how long it took."""
    digest = hashlib.sha256() if arguments.digest else None
    connection = http.client.HTTPConnection(arguments.address)
    connection.connect()
    one_copy = _plain_copy if arguments.plain else _framed_copy
    cpu, began = time.process_time(), time.perf_counter()
    received = sum(
        one_copy(connection, arguments.asset_id, digest) for _ in range(arguments.copies)
    )
    taken = time.perf_counter() - began
    tell(
        {
            "bytes": received,
            "seconds": taken,
            "cpu_s": time.process_time() - cpu,
            "sha256": digest.hexdigest() if digest else None,
        }
    )


def _framed_copy(
    connection: http.client.HTTPConnection, asset_id: str, digest: hashlib._Hash | None
) -> int:
    request = asset_service_pb2.DownloadAssetRequest(asset_id=asset_id).SerializeToString()
    connection.request(
        "POST",
        "/assetwright.v1.AssetService/DownloadAsset",
        framed(request),
        {"content-type": "application/grpc-web+proto"},
    )
    response = connection.getresponse()
    reached = 0
    while (prefix := response.read(_PREFIX))[0] != _TRAILERS:
        message = response.read(int.from_bytes(prefix[1:], "big"))
        reply = asset_service_pb2.DownloadAssetResponse.FromString(message)
        if reply.WhichOneof("item") == "asset":
            continue
        data = reply.chunk.data
        assert reply.chunk.offset == reached
        reached += len(data)
        if digest is not None:
            digest.update(data)
    assert response.read() == b"grpc-status:0\r\n"
    return reached


def _plain_copy(
    connection: http.client.HTTPConnection, asset_id: str, digest: hashlib._Hash | None
) -> int:
    connection.request("GET", f"/v1/assets/{asset_id}")
    response = connection.getresponse()
    reached = 0
    while piece := response.read(_PIECE_BYTES):
        reached += len(piece)
        if digest is not None:
            digest.update(piece)
    return reached


def unary(arguments: argparse.Namespace) -> None:
    """Tell how long each of some unary calls took, in milliseconds."""
    connection = http.client.HTTPConnection(arguments.address)
    message = health_pb2.HealthCheckRequest().SerializeToString()
    path = "/grpc.health.v1.Health/Check"
    for _ in range(_WARM_UP):
        call(connection, path, message)
    tell(_timed(lambda: call(connection, path, message), arguments.count))


def native_unary(arguments: argparse.Namespace) -> None:
    """Tell the same of gRPC."""
    with grpc.insecure_channel(arguments.address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest()
        for _ in range(_WARM_UP):
            stub.Check(request)
        tell(_timed(lambda: stub.Check(request), arguments.count))


def _timed(once: object, count: int) -> list[float]:
    assert callable(once)
    gc.disable()
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        once()
        taken.append((time.perf_counter() - began) * 1e3)
    return taken


def leave(arguments: argparse.Namespace) -> None:
    """Begin a streaming call and close the connection after its first message."""
    host, _, port = arguments.address.rpartition(":")
    for _ in range(arguments.count):
        assert sys.stdin.readline()
        with socket.create_connection((host, int(port))) as connection:
            head = f"POST {arguments.path} HTTP/1.1\r\nhost: {host}\r\n"
            head += "content-type: application/grpc-web+proto\r\ncontent-length: 5\r\n\r\n"
            connection.sendall(head.encode() + framed(b""))
            received = b""
            while not received.partition(b"\r\n\r\n")[2]:
                received += connection.recv(1 << 16)
        tell(time.monotonic_ns())


def main(words: Sequence[str] | None = None) -> None:
    """Do what the parent asks."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("download")
    one.add_argument("address")
    one.add_argument("asset_id")
    one.add_argument("copies", type=int)
    one.add_argument("--plain", action="store_true")
    one.add_argument("--digest", action="store_true")
    one.set_defaults(run=download)
    for name, run in (("unary", unary), ("native-unary", native_unary), ("leave", leave)):
        one = commands.add_parser(name)
        one.add_argument("address")
        one.add_argument("count", type=int)
        one.set_defaults(run=run)
    one.add_argument("path")
    arguments = parser.parse_args(words)
    arguments.run(arguments)


if __name__ == "__main__":
    main()
