"""The extension's gRPC-Web client against servers that break: the transport is played."""

from __future__ import annotations

import base64
import hashlib
import socket
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from assetwright_blender.core.fetch import fetch
from assetwright_blender.wire import messages as m
from assetwright_blender.wire.address import Address
from assetwright_blender.wire.calls import Server
from assetwright_blender.wire.codec import decode, encode
from assetwright_blender.wire.errors import CallError
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/grpc-web+proto\r\nconnection: close\r\n\r\n"
_OK = b"\x80" + struct.pack(">I", 15) + b"grpc-status:0\r\n"


def _frame(message: m.Asset | m.DownloadAssetResponse | m.ListModelsResponse) -> bytes:
    data = encode(message)
    return struct.pack(">BI", 0, len(data)) + data


def _trailers(text: str) -> bytes:
    return struct.pack(">BI", 0x80, len(text)) + text.encode()


@contextmanager
def _played(
    *answers: bytes | Callable[[socket.socket], None],
) -> Iterator[tuple[Server, list[bytes]]]:
    """Answer one connection after the other, and keep what was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def play() -> None:
            for answer in answers:
                connection, _ = listener.accept()
                with connection:
                    asked.append(_request(connection))
                    if callable(answer):
                        answer(connection)
                    else:
                        connection.sendall(answer)

        thread = threading.Thread(target=play)
        thread.start()
        port = listener.getsockname()[1]
        yield Server(Address("127.0.0.1", port, secure=False), "a-token"), asked
        thread.join(10)
        assert not thread.is_alive()


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if b"content-length" in line
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def _list(server: Server) -> m.ListModelsResponse:
    return server.unary("ModelService/ListModels", m.ListModelsRequest(), m.ListModelsResponse)


def _failure(*answers: bytes) -> CallError:
    with _played(*answers) as (server, _), pytest.raises(CallError) as failed:
        _list(server)
    return failed.value


def test_a_call_is_one_frame_with_a_token() -> None:
    wanted = m.ListModelsResponse(models=[m.Model(model_id="a")])
    with _played(_HEAD + _frame(wanted) + _OK) as (server, asked):
        assert _list(server) == wanted
    head, _, body = asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /assetwright.v1.ModelService/ListModels HTTP/1.1\r\n")
    assert b"content-type: application/grpc-web+proto" in head
    assert b"authorization: Bearer a-token" in head
    assert body == b"\0\0\0\0\0"


def test_a_status_brings_reason_fields_and_delay() -> None:
    details = [
        error_details_pb2.ErrorInfo(
            reason="INVALID_REQUEST", domain="assetwright", metadata={"x": "y"}
        ),
        error_details_pb2.BadRequest(
            field_violations=[
                error_details_pb2.BadRequest.FieldViolation(field="model", description="Name it.")
            ]
        ),
    ]
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromMilliseconds(1500)
    status = status_pb2.Status(code=3, message="no")
    for detail in (*details, retry):
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    text = base64.b64encode(status.SerializeToString()).decode().rstrip("=")
    error = _failure(
        _HEAD
        + _trailers(
            f"grpc-status:3\r\ngrpc-message:Gr%C3%B6%C3%9Fe\r\ngrpc-status-details-bin:{text}\r\n"
        )
    )
    assert (error.code, error.message, error.reason) == (
        "INVALID_ARGUMENT",
        "Größe",
        "INVALID_REQUEST",
    )
    assert [(one.field, one.description) for one in error.violations] == [("model", "Name it.")]
    assert error.metadata == (("x", "y"),)
    assert error.retry_s == 1.5


def test_an_answer_that_is_cut_off_is_a_lost_connection() -> None:
    whole = _HEAD + _frame(m.ListModelsResponse(models=[m.Model(model_id="a")]))
    for end in (len(_HEAD), len(_HEAD) + 3, len(whole) - 1):
        assert _failure(whole[:end]).condition == "CONNECTION_LOST"
    assert _failure(b"").condition == "CONNECTION_LOST"


@pytest.mark.parametrize(
    ("answer", "condition"),
    [
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "SERVER_WRONG"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n", "SERVER_WRONG"),
        (b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n", "SERVER_REFUSES_ORIGIN"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SERVER_WRONG"),
        (_HEAD + b"\x00\xff\xff\xff\xff", "SERVER_WRONG"),
        (_HEAD + b"\x07\x00\x00\x00\x00", "SERVER_WRONG"),
        (_HEAD + b"\x00\x00\x00\x00\x02\xff\xff", "SERVER_WRONG"),
        (_HEAD + _OK, "SERVER_WRONG"),
    ],
)
def test_something_else_than_a_server_is_told_apart(answer: bytes, condition: str) -> None:
    assert _failure(answer).condition == condition


def test_a_closed_port_is_told_apart_since_nothing_was_sent() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        server = Server(Address("127.0.0.1", closed.getsockname()[1], secure=False))
        with pytest.raises(CallError) as failed:
            _list(server)
    assert failed.value.condition == "SERVER_DOWN"


def test_cancel_from_another_thread_ends_a_stream_that_waits() -> None:
    """And the server sees it: its socket ends."""
    ended = threading.Event()

    def silent(connection: socket.socket) -> None:
        connection.sendall(_HEAD)
        assert connection.recv(1) == b""
        ended.set()

    with _played(silent) as (server, _):
        stream = server.stream(
            "GenerationService/WatchJob", m.WatchJobRequest(job_id="j"), m.WatchJobResponse
        )
        with stream:
            threading.Timer(0.05, stream.cancel).start()
            with pytest.raises(CallError) as failed:
                next(stream)
    assert failed.value.code == "CANCELLED"
    assert ended.wait(10)


def _asset(data: bytes) -> m.Asset:
    return m.Asset(asset_id="ast_1", size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def _chunks(data: bytes, first: int, last: int) -> bytes:
    size = 1000
    return _HEAD + b"".join(
        _frame(
            m.DownloadAssetResponse(
                chunk=m.AssetChunk(
                    asset_id="ast_1", offset=at, data=data[at : min(at + size, last)]
                )
            )
        )
        for at in range(first, last, size)
    )


def test_a_broken_download_goes_on_where_it_stopped(tmp_path: Path) -> None:
    data = bytes(range(256)) * 20
    path = tmp_path / "model.glb"
    told: list[float] = []

    def go(server: Server) -> None:
        fetch(server, _asset(data), path, tell=told.append, watch=lambda _: None)

    with _played(_chunks(data, 0, 3000), _chunks(data, 3000, len(data)) + _OK) as (server, asked):
        with pytest.raises(CallError) as failed:
            go(server)
        assert failed.value.condition == "CONNECTION_LOST"
        assert not path.exists()
        go(server)
    assert path.read_bytes() == data
    assert told[-1] == 1.0
    offsets = [
        decode(m.DownloadAssetRequest, one.partition(b"\r\n\r\n")[2][5:]).offset for one in asked
    ]
    assert offsets == [0, 3000]


def test_a_damaged_download_is_thrown_away(tmp_path: Path) -> None:
    data = bytes(range(256)) * 8
    path = tmp_path / "model.glb"
    wrong = bytes(len(data))
    with (
        _played(_chunks(wrong, 0, len(wrong)) + _OK) as (server, _),
        pytest.raises(CallError) as failed,
    ):
        fetch(server, _asset(data), path, tell=lambda _: None, watch=lambda _: None)
    assert failed.value.condition == "FILE_DAMAGED"
    assert list(tmp_path.iterdir()) == []


def test_a_piece_that_is_missing_is_noticed(tmp_path: Path) -> None:
    data = bytes(range(256)) * 8
    with (
        _played(_chunks(data, 1000, len(data)) + _OK) as (server, _),
        pytest.raises(CallError, match="A piece is missing"),
    ):
        fetch(server, _asset(data), tmp_path / "a", tell=lambda _: None, watch=lambda _: None)
