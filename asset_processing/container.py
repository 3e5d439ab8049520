"""The GLB container: a header and chunks around one JSON text (glTF 2.0, section 4)."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from asset_processing._fields import JsonObject, pointer_to
from asset_processing.errors import GlbTooLarge, InvalidGlb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asset_processing.limits import Limits

__all__ = ["Container", "encode_chunk", "encode_header", "encode_json", "split"]

_MAGIC = b"glTF"
_VERSION = 2
_HEADER = struct.Struct("<4sII")
_CHUNK = struct.Struct("<II")
_JSON = 0x4E4F534A
_BIN = 0x004E4942


@dataclass(frozen=True, slots=True)
class Container:
    """A GLB taken apart, without copying.

    Attributes:
        json: The parsed JSON chunk.
        tail: Everything behind the JSON chunk: the BIN chunk and any unknown ones, with headers.
        bin_start: Where the BIN chunk's data begins in ``tail``; 0 where there is none.
        bin_length: Its length in bytes, padding included.
    """

    json: JsonObject
    tail: memoryview
    bin_start: int
    bin_length: int


def split(data: memoryview, *, limits: Limits) -> Container:
    """Take a GLB apart.

    Args:
        data: The whole file.
        limits: What it may ask for.

    Raises:
        InvalidGlb: The header, a chunk or the JSON is wrong.
        GlbTooLarge: The file, its JSON or the nesting of the JSON is over a limit.
    """
    if len(data) > limits.max_file_bytes:
        raise GlbTooLarge(
            f"The file has {len(data)} bytes; {limits.max_file_bytes} are allowed.",
            limit="max_file_bytes",
        )
    _check_header(data)
    chunks = list(_chunks(data))
    if not chunks or chunks[0][0] != _JSON:
        raise InvalidGlb("The first chunk must be the JSON chunk; this is no glTF 2.0 binary.")
    _, start, length = chunks[0]
    document = _parse_json(data[start : start + length], limits=limits)
    bin_start, bin_length = _find_bin(chunks)
    offset = start + length
    return Container(document, data[offset:], max(bin_start - offset, 0), bin_length)


def encode_json(document: JsonObject) -> bytes:
    """Return the header and the data of a JSON chunk, padded with spaces to four bytes.

    The same document always gives the same bytes: members stay in their order.
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    body = text.encode()
    body += b" " * (-len(body) % 4)
    return _CHUNK.pack(len(body), _JSON) + body


def encode_chunk(pieces: Sequence[bytes | memoryview]) -> list[bytes | memoryview]:
    """Return a BIN chunk of these bytes, padded to four; nothing where there are none."""
    length = sum(map(len, pieces))
    if not length:
        return []
    padding = bytes(-length % 4)
    return [_CHUNK.pack(length + len(padding), _BIN), *pieces, padding]


def encode_header(length: int) -> bytes:
    """Return the 12 bytes before the chunks, which take ``length`` bytes."""
    return _HEADER.pack(_MAGIC, _VERSION, _HEADER.size + length)


def _check_header(data: memoryview) -> None:
    if len(data) < _HEADER.size:
        raise InvalidGlb(f"The file has {len(data)} bytes; a GLB has at least 20.")
    magic, version, length = _HEADER.unpack_from(data)
    if magic != _MAGIC:
        raise InvalidGlb("The file does not begin with 'glTF'; it is no GLB.")
    if version != _VERSION:
        raise InvalidGlb(f"The GLB has container version {version}; only 2 is known.")
    if length != len(data):
        raise InvalidGlb(
            f"The header declares {length} bytes, but the file has {len(data)}; "
            "it was cut off or something was appended."
        )


def _chunks(data: memoryview) -> Iterator[tuple[int, int, int]]:
    """Yield the type, the start and the length of each chunk's data."""
    position = _HEADER.size
    while position < len(data):
        if position + _CHUNK.size > len(data):
            raise InvalidGlb(f"The chunk header at byte {position} is cut off.")
        length, kind = _CHUNK.unpack_from(data, position)
        position += _CHUNK.size
        if length % 4:
            raise InvalidGlb(f"The chunk at byte {position} has a length that four cannot divide.")
        if position + length > len(data):
            raise InvalidGlb(f"The chunk at byte {position} ends behind the end of the file.")
        yield kind, position, length
        position += length


def _find_bin(chunks: list[tuple[int, int, int]]) -> tuple[int, int]:
    """The BIN chunk is the second one or absent; later chunks are unknown and stay."""
    kinds = [kind for kind, _, _ in chunks]
    if kinds.count(_JSON) > 1 or kinds.count(_BIN) > 1:
        raise InvalidGlb("The GLB has a chunk twice; only one JSON and one BIN chunk may be there.")
    if _BIN not in kinds:
        return 0, 0
    if kinds[1] != _BIN:
        raise InvalidGlb("The BIN chunk must follow the JSON chunk.")
    _, start, length = chunks[1]
    return start, length


def _parse_json(data: memoryview, *, limits: Limits) -> JsonObject:
    if len(data) > limits.max_json_bytes:
        raise GlbTooLarge(
            f"The JSON chunk has {len(data)} bytes; {limits.max_json_bytes} are allowed.",
            limit="max_json_bytes",
        )
    try:
        parsed = json.loads(
            str(data, "utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_unique
        )
    except RecursionError:
        raise _too_deep(limits) from None
    except ValueError as exc:  # Bad JSON, bad UTF-8, or a number of thousands of digits.
        raise InvalidGlb(f"The JSON chunk cannot be read: {exc}.") from exc
    if not isinstance(parsed, dict):
        raise InvalidGlb("The JSON chunk must hold an object.")
    _check_values(parsed, limits=limits)
    return parsed


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _unique(pairs: list[tuple[str, object]]) -> JsonObject:
    """Refuse a name given twice: two readers would see two different files (glTF 2.0, 2.7)."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has the same name twice")
    return found


def _check_values(document: JsonObject, *, limits: Limits) -> None:
    r"""Walk the whole JSON once, without recursion.

    Afterwards every number is finite (``1e999`` parses to infinity), every string can be written
    as UTF-8 (``"\\ud800"`` cannot), and nothing is nested too deep to be written again.
    """
    level: list[tuple[str, object]] = [("", document)]
    for _ in range(limits.max_json_depth):
        level = [member for pointer, value in level for member in _members(pointer, value)]
        if not level:
            return
    raise _too_deep(limits)


def _members(pointer: str, value: object) -> Iterator[tuple[str, object]]:
    """Check the leaves of a container and yield the containers in it."""
    pairs: Iterator[tuple[str | int, object]]
    pairs = iter(value.items()) if isinstance(value, dict) else enumerate(value)  # type: ignore[arg-type]  # Containers only.
    for key, member in pairs:
        if isinstance(member, dict | list):
            yield pointer_to(_check_text(pointer, key), key), member
        elif isinstance(member, float) and not math.isfinite(member):
            raise InvalidGlb(f"{pointer_to(pointer, key)} is too large for a number.")
        else:
            _check_text(pointer, key)
            _check_text(pointer, member)


def _check_text(pointer: str, text: object) -> str:
    if isinstance(text, str) and not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidGlb(f"{pointer or '/'} holds text that is not valid Unicode.") from None
    return pointer


def _too_deep(limits: Limits) -> GlbTooLarge:
    return GlbTooLarge(
        f"The JSON is nested deeper than {limits.max_json_depth} levels.", limit="max_json_depth"
    )
