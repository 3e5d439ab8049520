"""What a caller does wrong or a stranger tries: named, limited, and harmless to the next one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from google.protobuf import empty_pb2

from assetwright.v1 import model_service_pb2
from server.rpc.server import MAX_REQUEST_BYTES
from tests.web.caller import PROTO, framed, line_to

if TYPE_CHECKING:
    import grpc

    from tests.server.house import House
    from tests.web.caller import Line, Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIST = "/assetwright.v1.ModelService/ListModels"
GET = "/assetwright.v1.ModelService/GetModel"
PAGE = "https://tools.example.org"


async def post(line: Line, body: bytes, **headers: str) -> Reply:
    await line.send(line.request("POST", GET, body, **{"content_type": PROTO, **headers}))
    return await line.answer()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "A frame begins with 5 bytes; there are 0."),
        (b"\0\0\0\0", "there are 4"),
        (b"\0\0\0\0\5abc", "The frame says 5 bytes; 3 follow."),
        (framed(b"") + framed(b""), "takes one message of 0 bytes; 5 follow"),
        (framed(b"", flags=0x80), "is 0, not 0x80"),
        (b"\0\xff\xff\xff\xff", "The frame says 4294967295 bytes; 0 follow."),
    ],
)
async def test_a_malformed_body_is_told_what_is_wrong_with_it(
    line: Line, body: bytes, words: str
) -> None:
    reply = await post(line, body)
    assert (reply.status, reply.code, reply.reason) == (200, 3, "INVALID_REQUEST")
    assert words in reply.trailers["grpc-message"]
    assert (await line.call(LIST, empty_pb2.Empty())).code == 0


async def test_bytes_that_are_no_message_end_as_over_grpc(house: House, line: Line) -> None:
    """The gRPC server cannot decode them; that is its status, not the bridge's."""
    native: grpc.aio.UnaryUnaryCall[bytes, bytes] = house.channel.unary_unary(GET)(b"\xff\xff")
    assert (await post(line, framed(b"\xff\xff"))).code == (await native.code()).value[0]
    assert (await line.call(LIST, empty_pb2.Empty())).code == 0


async def test_a_compressed_message_is_refused_by_name(line: Line) -> None:
    reply = await post(line, framed(b"whatever", flags=0x01), grpc_encoding="gzip")
    assert (reply.code, reply.reason) == (12, "UNIMPLEMENTED")
    assert reply.headers["grpc-accept-encoding"] == "identity"


@pytest.mark.parametrize("deadline", ["", "5", "S", "123456789S", "-5S", "5s", "5 S"])
async def test_a_malformed_deadline_is_named(line: Line, deadline: str) -> None:
    reply = await post(line, framed(b""), grpc_timeout=deadline)
    assert (reply.code, reply.reason) == (3, "INVALID_REQUEST")
    assert "grpc-timeout" in reply.trailers["grpc-message"]


@pytest.mark.parametrize("header", [{"x_text": "\xe4"}, {"x_data_bin": "%%%"}, {"x!y": "z"}])
async def test_a_header_that_cannot_be_metadata_is_named(
    line: Line, header: dict[str, str]
) -> None:
    reply = await post(line, framed(b""), **header)
    (name,) = header
    assert (reply.code, reply.reason) == (3, "INVALID_REQUEST")
    assert name.replace("_", "-") in reply.trailers["grpc-message"]


@pytest.mark.parametrize("kind", ["application/json", "application/grpc", "text/plain", ""])
async def test_another_content_type_is_refused(line: Line, kind: str) -> None:
    """A web page can send text/plain without asking first; nothing must come of it."""
    await line.send(line.request("POST", LIST, framed(b""), content_type=kind))
    reply = await line.answer()
    assert reply.status == 415
    assert b"application/grpc-web+proto" in reply.body


async def test_the_largest_message_passes_and_one_byte_more_does_not(house: House) -> None:
    """The refusal comes before the body does, and says how large a message may be."""
    request = model_service_pb2.GetModelRequest(model_id="none").SerializeToString()
    # An unknown field, number 15, which the server skips: its key, its length, its bytes.
    size = MAX_REQUEST_BYTES - len(request) - 5
    length = bytes((size >> shift & 0x7F) | (0x80 if shift < 21 else 0) for shift in (0, 7, 14, 21))
    largest = request + b"\x7a" + length + bytes(size)
    assert len(largest) == MAX_REQUEST_BYTES
    async with line_to(house.running.http_address) as line:
        assert (await post(line, framed(largest))).reason == "MODEL_NOT_FOUND"
    async with line_to(house.running.http_address) as line:
        await line.send(
            line.request("POST", GET, content_type=PROTO, content_length=str(MAX_REQUEST_BYTES + 6))
        )
        reply = await line.answer()
        assert (reply.code, reply.reason) == (3, "INVALID_REQUEST")
        assert f"at most {MAX_REQUEST_BYTES} bytes" in reply.trailers["grpc-message"]


async def test_a_body_of_unknown_length_is_cut_off_at_the_limit(house: House) -> None:
    async with line_to(house.running.http_address) as line:
        await line.send(line.request("POST", GET, content_type=PROTO, transfer_encoding="chunked"))
        piece = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
        for _ in range(5):
            await line.send(piece)
        assert (await line.answer()).reason == "INVALID_REQUEST"


async def test_who_leaves_before_the_end_of_a_request_does_no_harm(house: House) -> None:
    async with line_to(house.running.http_address) as line:
        await line.send(line.request("POST", GET, content_type=PROTO, content_length="50"))
        line.leave()
    async with line_to(house.running.http_address) as line:
        assert (await line.call(LIST, empty_pb2.Empty())).code == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_call_is_a_post(line: Line, method: str) -> None:
    await line.send(line.request(method, LIST))
    assert (await line.answer()).status == 405


@pytest.mark.parametrize("path", ["/", "/x", f"{LIST}/", f"{LIST}/x", "//"])
async def test_another_path_is_not_there(line: Line, path: str) -> None:
    """Nor does a redirect lead somewhere: clients follow those without their body."""
    await line.send(line.request("POST", path, framed(b""), content_type=PROTO))
    assert (await line.answer()).status == 404


async def test_no_page_may_call(line: Line) -> None:
    for headers in ({"origin": PAGE}, {"origin": "null"}, {"origin": "http://127.0.0.1"}):
        for method, path in (("POST", LIST), ("OPTIONS", LIST), ("GET", "/v1/assets/x")):
            await line.send(line.request(method, path, framed(b""), content_type=PROTO, **headers))
            reply = await line.answer()
            assert reply.status == 403
            assert "access-control-allow-origin" not in reply.headers
            assert b"ASSETWRIGHT_ALLOWED_ORIGINS" in reply.body


async def test_a_foreign_name_for_this_machine_opens_nothing(house: House) -> None:
    """DNS rebinding: the page's own name points here, so its GET carries no origin."""
    async with line_to(house.running.http_address) as line:
        request = b"GET /v1/assets/x HTTP/1.1\r\nhost: evil.example.org:50052\r\n\r\n"
        await line.send(request)
        assert (await line.answer()).status == 403


async def test_many_calls_at_once_keep_apart(house: House) -> None:
    async def one(number: int) -> bool:
        async with line_to(house.running.http_address) as line:
            request = model_service_pb2.GetModelRequest(model_id=f"none-{number}")
            reply = await line.call(GET, request)
            return f"'none-{number}'" in reply.trailers["grpc-message"]

    assert all(await asyncio.gather(*map(one, range(50))))
