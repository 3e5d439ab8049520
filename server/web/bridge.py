"""gRPC-Web on the HTTP port: raw frames in, raw frames out, the gRPC server behind it.

No method is known here. A request's one message goes to the gRPC server as it came, every message
of the answer goes back as it came, then the trailer frame tells the status. docs/grpc-web.md has
what a client must know.

Tried before: sonora (ends a broken answer without trailers, and notices a cancel only with the
next message), connectrpc (another signature of servicers, answers held back until the first
message, generators not cancelled while they send).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from typing import TYPE_CHECKING, Protocol

from server.errors import AssetwrightError, InvalidRequest, NotImplementedYet, Violation
from server.web import frames

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from starlette.types import Receive, Scope, Send

    Metadata = Sequence[tuple[str, str | bytes]]
    Headers = list[tuple[bytes, bytes]]

__all__ = ["Bridge", "Call", "Calls", "Status"]

_BINARY = "application/grpc-web"
_TEXT = "application/grpc-web-text"
_PROTO = "+proto"
_BODY_S = 30.0  # How long a request of a few MiB may take to arrive.
_TEXT_GROWTH = 4 / 3  # What base64 does to a size, but for its padding.
_SLACK_BYTES = 64


class Status(Protocol):
    """How a call ended."""

    @property
    def code(self) -> int:
        """Its number in gRPC."""

    @property
    def message(self) -> str:
        """For people."""

    @property
    def trailers(self) -> Metadata:
        """Trailing metadata."""


class Call(Protocol):
    """A call on its way."""

    async def head(self) -> Metadata:
        """Return the initial metadata."""

    def messages(self) -> AsyncIterator[bytes]:
        """Yield the messages; a failed call ends them too."""

    async def end(self) -> Status:
        """Return how it ended."""

    def cancel(self) -> None:
        """End it."""


class Calls(Protocol):
    """Where calls go: the gRPC server."""

    def takes_many(self, method: str) -> bool:
        """Tell whether a method takes a stream of messages."""

    def answers_once(self, method: str) -> bool:
        """Tell whether a method answers with a single message."""

    def call(
        self, method: str, message: bytes, *, metadata: Metadata, timeout_s: float | None
    ) -> Call:
        """Begin a call."""

    def refusal(self, error: AssetwrightError) -> Status:
        """Return what a gRPC caller would be told about an error."""


class Bridge:
    """An ASGI application for `POST /{package.Service}/{Method}`."""

    def __init__(self, calls: Calls, *, max_message_bytes: int) -> None:
        self._calls = calls
        self._max_message_bytes = max_message_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = dict(scope["headers"])
        kind = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        base = _TEXT if kind.startswith(_TEXT) else _BINARY
        if kind not in (base, base + _PROTO):
            await _refuse_media_type(send)
            return
        answer = _Answer(send, kind=base + _PROTO, as_text=base == _TEXT)
        try:
            body = await self._body(headers, receive, as_text=base == _TEXT)
            call = self._begin(scope, headers, body)
        except ConnectionResetError:
            return
        except AssetwrightError as exc:
            await answer.end((), self._calls.refusal(exc))
            return
        await _carry(call, receive, answer, at_once=self._calls.answers_once(scope["path"]))

    def _begin(self, scope: Scope, headers: dict[bytes, bytes], body: bytes) -> Call:
        method = scope["path"]
        if self._calls.takes_many(method):
            raise NotImplementedYet(
                f"{method} takes a stream of messages, which gRPC-Web has not; "
                "PUT /v1/uploads/ID takes uploads (docs/grpc-web.md).",
                method=method,
            )
        timeout = headers.get(b"grpc-timeout")
        return self._calls.call(
            method,
            frames.only_message(body),
            metadata=frames.metadata_of(scope["headers"]),
            timeout_s=None if timeout is None else frames.timeout_of(timeout.decode("latin-1")),
        )

    async def _body(self, headers: dict[bytes, bytes], receive: Receive, *, as_text: bool) -> bytes:
        """Read the request.

        Raises:
            InvalidRequest: It is larger than it may be, or does not arrive.
            ConnectionResetError: The caller left.
        """
        limit = self._max_message_bytes + frames.PREFIX_BYTES
        if as_text:
            limit = int(limit * _TEXT_GROWTH) + _SLACK_BYTES
        announced = headers.get(b"content-length", b"0")
        if len(announced) > len(str(limit)) or int(announced) > limit:
            raise self._too_large()
        pieces: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(_BODY_S):
                async for piece in _pieces(receive):
                    size += len(piece)
                    if size > limit:
                        raise self._too_large()
                    pieces.append(piece)
        except TimeoutError:
            message = f"It did not arrive within {_BODY_S:g} s."
            raise InvalidRequest(Violation("body", message)) from None
        body = b"".join(pieces)
        return frames.decode_text(body) if as_text else body

    def _too_large(self) -> InvalidRequest:
        message = f"A message has at most {self._max_message_bytes} bytes; upload larger files."
        return InvalidRequest(Violation("body", message))


class _Answer:
    """Writes an answer: the head, frames, the trailer frame."""

    def __init__(self, send: Send, *, kind: str, as_text: bool) -> None:
        self._send = send
        self._kind = kind
        self._as_text = as_text

    async def begin(self, metadata: Metadata, *, size: int | None = None) -> None:
        headers: Headers = [
            (b"content-type", self._kind.encode()),
            (b"cache-control", b"no-store"),
            (b"grpc-accept-encoding", b"identity"),
            *frames.headers_of(metadata),
        ]
        if size is not None:
            headers.append((b"content-length", b"%d" % size))
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def add(self, piece: bytes, *, last: bool = False) -> None:
        await self._send(
            {"type": "http.response.body", "body": self._coded(piece), "more_body": not last}
        )

    async def end(self, metadata: Metadata, status: Status, message: bytes = b"") -> None:
        """Send a whole answer at once."""
        body = self._coded(message + _trailers(status))
        await self.begin(metadata, size=len(body))
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    def _coded(self, piece: bytes) -> bytes:
        return base64.b64encode(piece) if self._as_text else piece


async def _carry(call: Call, receive: Receive, answer: _Answer, *, at_once: bool) -> None:
    """Carry an answer to the caller; end the call when the caller leaves."""
    leaving = asyncio.create_task(_cancel_when_left(call, receive), name="grpc-web caller")
    carry = _carry_whole if at_once else _carry_pieces
    try:
        await carry(call, answer)
    finally:
        call.cancel()
        leaving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await leaving


async def _carry_whole(call: Call, answer: _Answer) -> None:
    """Send one message, head and status together: a third of the writes."""
    body = b"".join([frames.frame(message) async for message in call.messages()])
    await answer.end(await call.head(), await call.end(), body)


async def _carry_pieces(call: Call, answer: _Answer) -> None:
    """Send the head at once and each message as it comes; a slow caller holds the call up."""
    await answer.begin(await call.head())
    async for message in call.messages():
        await answer.add(frames.frame(message))
    await answer.add(_trailers(await call.end()), last=True)


async def _cancel_when_left(call: Call, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    call.cancel()


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ConnectionResetError
        more = event.get("more_body", False)
        yield event.get("body", b"")


def _trailers(status: Status) -> bytes:
    return frames.trailer_frame(status.code, status.message, status.trailers)


async def _refuse_media_type(send: Send) -> None:
    text = f"This port speaks {_BINARY}{_PROTO} and {_TEXT}{_PROTO}.\n".encode()
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(text))]
    await send({"type": "http.response.start", "status": 415, "headers": headers})
    await send({"type": "http.response.body", "body": text, "more_body": False})
