"""gRPC-Web over http.client: unary calls and server streams that another thread can cancel.

The format is gRPC's PROTOCOL-WEB, as docs/grpc-web.md of the project tells it. Each call has a
connection of its own: closing it is how a call is cancelled.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from .codec import MAX_BYTES, DecodeError, M, Message, decode, encode
from .errors import CallError, from_trailers

if TYPE_CHECKING:
    from .address import Address

__all__ = ["Server", "Stream", "lost", "open_connection"]

_CONNECT_S = 5.0
_UNARY_S = 20.0
_SILENCE_S = 60.0  # The server sends a heartbeat every 15 s.
_TYPE = "application/grpc-web+proto"
_MAX_TRAILERS = 64 << 10
_LAST = 0x80
_OK, _FORBIDDEN = 200, 403


def lost(wrong: BaseException) -> CallError:
    """Return the error for a connection that broke."""
    if isinstance(wrong, TimeoutError):
        return CallError("UNAVAILABLE", "The server fell silent.", condition="NO_ANSWER")
    return CallError(
        "UNAVAILABLE", str(wrong) or "The connection ended.", condition="CONNECTION_LOST"
    )


def open_connection(address: Address, silence_s: float) -> http.client.HTTPConnection:
    """Connect.

    Raises:
        CallError: With condition ``SERVER_DOWN`` where nothing was sent.
    """
    kind = http.client.HTTPSConnection if address.secure else http.client.HTTPConnection
    connection = kind(address.host, address.port, timeout=_CONNECT_S)
    try:
        connection.connect()
    except ssl.SSLError as wrong:
        condition = "SERVER_WRONG"
        raise CallError("UNAVAILABLE", f"{address}: {wrong}", condition=condition) from wrong
    except OSError as wrong:
        condition = "SERVER_DOWN"
        raise CallError("UNAVAILABLE", f"{address}: {wrong}", condition=condition) from wrong
    connection.sock.settimeout(silence_s)
    return connection


@dataclass(frozen=True)
class Server:
    """A server, and who asks.

    Attributes:
        address: Its HTTP port.
        token: Sent with each call; empty sends none.
    """

    address: Address
    token: str = ""

    def unary(self, method: str, request: Message, reply: type[M]) -> M:
        """Call ``Service/Method`` and return its answer.

        Raises:
            CallError: It failed, or did not answer within 20 seconds.
        """
        stream = self.stream(method, request, reply, silence_s=_UNARY_S)
        with stream:
            for message in stream:
                return message
        raise CallError("INTERNAL", "The answer is empty.", condition="SERVER_WRONG")

    def stream(
        self, method: str, request: Message, reply: type[M], silence_s: float = _SILENCE_S
    ) -> Stream[M]:
        """Call ``Service/Method`` and return its messages as they come.

        Raises:
            CallError: Nothing could be sent.
        """
        headers = {"content-type": _TYPE, "x-grpc-web": "1"} | self.headers()
        data = encode(request)
        connection = open_connection(self.address, silence_s)
        stream = Stream(connection, reply)
        try:
            body = struct.pack(">BI", 0, len(data)) + data
            connection.request("POST", f"/assetwright.v1.{method}", body, headers)
        except OSError as wrong:
            stream.cancel()
            raise lost(wrong) from wrong
        return stream

    def headers(self) -> dict[str, str]:
        """Return what says who asks."""
        return {"authorization": f"Bearer {self.token}"} if self.token else {}


class Stream(Generic[M]):
    """A call's messages. Iterate in one thread; `cancel` from any."""

    def __init__(self, connection: http.client.HTTPConnection, reply: type[M]) -> None:
        self._connection = connection
        self._socket = connection.sock  # The response takes it over when the server closes.
        self._response: http.client.HTTPResponse | None = None
        self._reply = reply
        self._cancelled = False

    def __enter__(self) -> Stream[M]:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()
        if self._response is not None:
            self._response.close()
        self._connection.close()

    def cancel(self) -> None:
        """End the call; a reader that waits wakes up."""
        self._cancelled = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def __iter__(self) -> Stream[M]:
        return self

    def __next__(self) -> M:
        """Return the next message.

        Raises:
            CallError: The call failed, or was cancelled.
        """
        try:
            return self._next()
        except (OSError, http.client.HTTPException, DecodeError) as wrong:
            if self._cancelled:
                raise CallError("CANCELLED", "The call was cancelled here.") from wrong
            if isinstance(wrong, DecodeError):
                raise CallError("INTERNAL", str(wrong), condition="SERVER_WRONG") from wrong
            if isinstance(wrong, http.client.BadStatusLine) and not isinstance(
                wrong, http.client.RemoteDisconnected
            ):
                raise CallError("UNKNOWN", str(wrong), condition="SERVER_WRONG") from wrong
            raise lost(wrong) from wrong

    def _next(self) -> M:
        if self._response is None:
            self._response = self._connection.getresponse()
            self._check_head(self._response)
        flag, length = struct.unpack(">BI", self._read(5))
        if flag == _LAST and length <= _MAX_TRAILERS:
            error = from_trailers(_trailers(self._read(length)))
            if error is not None:
                raise error
            raise StopIteration
        if flag != 0 or length > MAX_BYTES:
            raise DecodeError("The answer is not made of gRPC-Web frames.")
        return decode(self._reply, self._read(length))

    def _check_head(self, response: http.client.HTTPResponse) -> None:
        if response.status == _FORBIDDEN:
            raise CallError("PERMISSION_DENIED", "HTTP 403", condition="SERVER_REFUSES_ORIGIN")
        kind = response.headers.get_content_type()
        if response.status != _OK or not kind.startswith("application/grpc-web"):
            wrong = f"It answers HTTP {response.status} with {kind}."
            raise CallError("UNIMPLEMENTED", wrong, condition="SERVER_WRONG")
        error = from_trailers(dict(response.headers.items()))
        if "grpc-status" in response.headers and error is not None:
            raise error  # Without a body, as some proxies answer.

    def _read(self, size: int) -> bytes:
        assert self._response is not None  # noqa: S101  # Its head was read.
        data = self._response.read(size)
        if len(data) < size:
            raise ConnectionResetError("The answer was cut off.")
        return data


def _trailers(data: bytes) -> dict[str, str]:
    lines = data.decode("utf-8", "replace").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name}
