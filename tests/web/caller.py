"""A gRPC-Web caller on a bare socket: what a plugin author writes from docs/grpc-web.md."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from google.rpc import error_details_pb2, status_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from google.protobuf.message import Message

PROTO = "application/grpc-web+proto"


def framed(data: bytes, *, flags: int = 0) -> bytes:
    """Return bytes as a frame."""
    return bytes((flags,)) + len(data).to_bytes(4, "big") + data


@dataclass(slots=True)
class Reply:
    """One answer, as it comes in."""

    status: int
    headers: dict[str, str]
    body: bytearray = field(default_factory=bytearray)

    @property
    def frames(self) -> list[tuple[int, bytes]]:
        """The whole frames of the body, each with its flags."""
        found, at = [], 0
        while at + 5 <= len(self.body):
            size = int.from_bytes(self.body[at + 1 : at + 5], "big")
            if at + 5 + size > len(self.body):
                break
            found.append((self.body[at], bytes(self.body[at + 5 : at + 5 + size])))
            at += 5 + size
        return found

    @property
    def messages(self) -> list[bytes]:
        """The messages that have arrived."""
        return [data for flags, data in self.frames if flags == 0]

    @property
    def trailers(self) -> dict[str, str]:
        """The trailer frame; it is the last."""
        *_, (flags, block) = self.frames
        assert flags == 0x80
        lines = block.decode("ascii").removesuffix("\r\n").split("\r\n")
        return dict(line.split(":", 1) for line in lines)

    @property
    def code(self) -> int:
        """The status, as a number."""
        return int(self.trailers["grpc-status"])

    def detail(self, kind: type[Message]) -> Message:
        """Return one of the status's details."""
        text = self.trailers["grpc-status-details-bin"]
        status = status_pb2.Status.FromString(base64.b64decode(text + "=" * (-len(text) % 4)))
        assert status.code == self.code
        for packed in status.details:
            if packed.Is(kind.DESCRIPTOR):
                packed.Unpack(found := kind())
                return found
        raise AssertionError(f"There is no {kind.DESCRIPTOR.full_name}.")

    @property
    def reason(self) -> str:
        """Why it failed."""
        info = self.detail(error_details_pb2.ErrorInfo)
        assert isinstance(info, error_details_pb2.ErrorInfo)
        return info.reason


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
        """Return a request's bytes; underscores of a header's name stand for dashes."""
        lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if "content_length" not in headers and "transfer_encoding" not in headers:
            lines.append(f"content-length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    async def head(self) -> Reply:
        """Read the head of an answer."""
        block = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = block.rstrip("\r\n").split("\r\n")
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
        return Reply(int(first.split(" ")[1]), headers)

    async def pieces(self, reply: Reply) -> AsyncIterator[None]:
        """Read the body piece by piece into the reply; yields after each."""
        if reply.headers.get("transfer-encoding") == "chunked":
            while size := int(await self._reader.readline(), 16):
                reply.body += await self._reader.readexactly(size)
                await self._reader.readexactly(2)
                yield
            await self._reader.readline()
        else:
            reply.body += await self._reader.readexactly(int(reply.headers["content-length"]))
            yield

    async def answer(self, *, headless: bool = False) -> Reply:
        """Read a whole answer; that of a HEAD has no body."""
        reply = await self.head()
        if not headless and reply.status not in (204, 304):
            async for _ in self.pieces(reply):
                pass
        return reply

    async def call(self, path: str, message: Message, **headers: str) -> Reply:
        """Call a method to its end."""
        await self.begin(path, message, **headers)
        return await self.answer()

    async def begin(self, path: str, message: Message, **headers: str) -> None:
        """Call a method, and do not wait."""
        body = framed(message.SerializeToString())
        await self.send(self.request("POST", path, body, **{"content_type": PROTO, **headers}))

    def leave(self) -> None:
        """Close the connection at once."""
        self._writer.transport.abort()

    async def closed(self) -> bool:
        """Tell whether the other side has closed it."""
        with contextlib.suppress(ConnectionResetError):
            return await self._reader.read() == b""
        return True


@contextlib.asynccontextmanager
async def line_to(address: str) -> AsyncIterator[Line]:
    """Open a connection for as long as the context is open."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 22)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
