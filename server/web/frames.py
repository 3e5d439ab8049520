"""gRPC-Web's wire format: frames, the trailer frame, headers as metadata.

Sources: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md and, for what both share,
PROTOCOL-HTTP2.md beside it.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from server.errors import InvalidRequest, NotImplementedYet, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "PREFIX_BYTES",
    "decode_text",
    "frame",
    "headers_of",
    "metadata_of",
    "only_message",
    "timeout_of",
    "trailer_frame",
]

PREFIX_BYTES = 5  # One byte of flags, four of length, big-endian.
_COMPRESSED = 0x01
_TRAILERS = 0x80

_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
_SECONDS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_KEY = re.compile(r"[0-9a-z_.-]+")
_VALUE = re.compile(r"[\x20-\x7e]*")
_SEGMENT = re.compile(rb"[^=]+={0,2}")

# HTTP's and the bridge's own; every other header is the caller's metadata.
_NOT_METADATA = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "dnt",
        "expect",
        "forwarded",
        "host",
        "keep-alive",
        "origin",
        "pragma",
        "priority",
        "referer",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
        "x-grpc-web",
        "x-user-agent",
    }
)
_NOT_METADATA_PREFIXES = ("grpc-", "sec-", "proxy-", "access-control-", "connect-")


def frame(message: bytes) -> bytes:
    """Return a message as a frame."""
    return b"".join((len(message).to_bytes(PREFIX_BYTES, "big"), message))


def trailer_frame(code: int, message: str, trailers: Iterable[tuple[str, str | bytes]]) -> bytes:
    """Return the last frame of every answer: status and trailing metadata as header lines."""
    lines = [f"grpc-status:{code}"]
    if message:
        lines.append(f"grpc-message:{quote(message, safe=_PLAIN)}")
    lines += [f"{key}:{_text(value)}" for key, value in trailers]
    block = "".join(f"{line}\r\n" for line in lines).encode("ascii", "replace")
    return bytes((_TRAILERS,)) + len(block).to_bytes(PREFIX_BYTES - 1, "big") + block


# What gRPC leaves as it is in grpc-message: printable ASCII but the percent sign.
_PLAIN = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")


def only_message(body: bytes) -> bytes:
    """Return the one message that a request's body holds.

    Raises:
        InvalidRequest: The body is not exactly one frame.
        NotImplementedYet: The frame is compressed.
    """
    if len(body) < PREFIX_BYTES:
        raise _malformed(f"A frame begins with {PREFIX_BYTES} bytes; there are {len(body)}.")
    flags, size = body[0], int.from_bytes(body[1:PREFIX_BYTES], "big")
    if flags & _COMPRESSED:
        raise NotImplementedYet(
            "Compressed messages are not read here; send them with the identity encoding."
        )
    if flags:
        raise _malformed(f"The first byte of a message's frame is 0, not {flags:#04x}.")
    there = len(body) - PREFIX_BYTES
    if there < size:
        raise _malformed(f"The frame says {size} bytes; {there} follow.")
    if there > size:
        raise _malformed(f"The call takes one message of {size} bytes; {there - size} follow it.")
    return body[PREFIX_BYTES:]


def decode_text(body: bytes) -> bytes:
    """Return what `grpc-web-text` encoded: base64, whose pieces may each be padded.

    Raises:
        InvalidRequest: It is not base64.
    """
    try:
        return b"".join(
            binascii.a2b_base64(piece, strict_mode=True) for piece in _SEGMENT.findall(body)
        )
    except binascii.Error as exc:
        raise _malformed(f"It is no base64: {exc}.") from exc


def timeout_of(text: str) -> float:
    """Return the seconds of a `grpc-timeout`, such as `500m`.

    Raises:
        InvalidRequest: It is not of that form.
    """
    match = _TIMEOUT.fullmatch(text)
    if match is None:
        message = "It is up to eight digits and a unit of H, M, S, m, u or n, such as 500m."
        raise InvalidRequest(Violation("grpc-timeout", message))
    return int(match[1]) * _SECONDS[match[2]]


def metadata_of(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str | bytes]]:
    """Return the metadata among a request's headers; what ends in `-bin` is decoded.

    Raises:
        InvalidRequest: A header cannot be metadata; each such header is named.
    """
    found: list[tuple[str, str | bytes]] = []
    problems = []
    for raw_key, raw_value in headers:
        key = raw_key.decode("latin-1").lower()
        if key in _NOT_METADATA or key.startswith(_NOT_METADATA_PREFIXES):
            continue
        value = _value(key, raw_value.decode("latin-1"))
        if value is None or not _KEY.fullmatch(key):
            problems.append(Violation(key[:64], _NO_METADATA))
        else:
            found.append((key, value))
    if problems:
        raise InvalidRequest(*problems)
    return found


_NO_METADATA = (
    "Metadata is printable ASCII under a name of letters, digits, '_', '-' and '.', and base64 "
    "where the name ends in -bin."
)


def headers_of(metadata: Iterable[tuple[str, str | bytes]]) -> list[tuple[bytes, bytes]]:
    """Return metadata as headers of an answer."""
    return [(key.encode(), _text(value).encode("ascii", "replace")) for key, value in metadata]


def _value(key: str, text: str) -> str | bytes | None:
    if not _VALUE.fullmatch(text):
        return None
    if not key.endswith("-bin"):
        return text
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return None


def _text(value: str | bytes) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode().rstrip("=")
    return value


def _malformed(message: str) -> InvalidRequest:
    return InvalidRequest(Violation("body", message))
