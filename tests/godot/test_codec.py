"""The plugin's protobuf codec against Google's, on the same bytes, in a real Godot."""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from assetwright.v1 import (
    asset_service_pb2,
    generation_service_pb2,
    job_pb2,
    model_service_pb2,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from godot_program import Godot

_CODEC = "codec.gd"
_RANDOM = 4_000
_MUTATED = 16_000
_ROOTS: tuple[type[Message], ...] = (
    generation_service_pb2.GenerateRequest,
    generation_service_pb2.GenerateResponse,
    generation_service_pb2.ProcessRequest,
    generation_service_pb2.QuoteResponse,
    generation_service_pb2.ListJobsRequest,
    generation_service_pb2.ListJobsResponse,
    generation_service_pb2.ResolveJobRequest,
    model_service_pb2.ListModelsResponse,
    asset_service_pb2.ListAssetsRequest,
    asset_service_pb2.UploadAssetRequest,
    asset_service_pb2.DownloadAssetResponse,
    job_pb2.Job,
    status_pb2.Status,
    error_details_pb2.ErrorInfo,
    error_details_pb2.BadRequest,
)
_TEXTS = ("", "a", "a wooden chair", "Stühle für 3 €", "椅子", "🪑\U0010ffff", "\x7f\x80߿ࠀ\uffff")
_DOUBLES = (0.0, -0.0, 1.5, -1e308, 5e-324, float("inf"), float("-inf"))
_INTS = (0, 1, -1, 127, 128, 2**31 - 1, -(2**31), 2**32, 2**63 - 1, -(2**63))


def _scalar(field: FieldDescriptor, chance: random.Random) -> Any:  # noqa: ANN401  # By the type.
    kind = field.cpp_type
    if kind == FieldDescriptor.CPPTYPE_STRING:
        if field.type == FieldDescriptor.TYPE_BYTES:
            return chance.randbytes(chance.choice((0, 1, 5, 300)))
        return chance.choice(_TEXTS) * chance.choice((1, 1, 3))
    if kind == FieldDescriptor.CPPTYPE_DOUBLE:
        return chance.choice((*_DOUBLES, chance.uniform(-1e6, 1e6)))
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return chance.random() < 0.5
    number = chance.choice((*_INTS, chance.getrandbits(chance.randint(1, 63))))
    bits = 64 if kind in (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64) else 32
    number &= (1 << bits) - 1
    signed = kind not in (FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64)
    return number - (1 << bits) if signed and number >> (bits - 1) else number


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _fill(message: Message, chance: random.Random, depth: int = 0) -> None:
    for field in message.DESCRIPTOR.fields:
        if chance.random() < 0.35 + 0.1 * depth:
            continue
        value = getattr(message, field.name)
        if _is_map(field):
            key, item = field.message_type.fields
            for _ in range(chance.randint(1, 3)):
                if item.message_type:
                    _fill(value[_scalar(key, chance)], chance, depth + 1)
                else:
                    value[_scalar(key, chance)] = _scalar(item, chance)
        elif field.is_repeated:
            for _ in range(chance.randint(1, 3)):
                if field.message_type:
                    _fill(value.add(), chance, depth + 1)
                else:
                    value.append(_scalar(field, chance))
        elif field.message_type:
            value.SetInParent()
            _fill(value, chance, depth + 1)
        else:
            setattr(message, field.name, _scalar(field, chance))


def _mutated(data: bytes, chance: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        place = chance.randint(0, len(out))
        match chance.randint(0, 4):
            case 0 if out:
                out[place % len(out)] = chance.getrandbits(8)
            case 1:
                del out[place : place + chance.randint(1, 8)]
            case 2:
                out[place:place] = chance.randbytes(chance.randint(1, 8))
            case 3 if out:
                out[place % len(out)] ^= 1 << chance.randint(0, 7)
            case _:
                out += out[place : place + 40]
    return bytes(out)


def _cases() -> Iterator[tuple[type[Message], bytes]]:
    chance = random.Random(20_261_121)  # noqa: S311  # The same cases each time.
    whole: list[tuple[type[Message], bytes]] = []
    for _ in range(_RANDOM):
        kind = chance.choice(_ROOTS)
        message = kind()
        _fill(message, chance)
        whole.append((kind, message.SerializeToString(deterministic=True)))
    yield from whole
    for _ in range(_MUTATED):
        kind, data = chance.choice(whole)
        yield kind, _mutated(data, chance)
    unpacked = b"\x20\x01\x20\x03\x22\x02\x05\x06"  # ListAssetsRequest.roles in both forms.
    yield asset_service_pb2.ListAssetsRequest, unpacked
    yield asset_service_pb2.ListAssetsRequest, b"\x93\x01" * 50 + b"\x94\x01" * 50  # Groups.
    yield asset_service_pb2.ListAssetsRequest, b"\x93\x01" * 150 + b"\x94\x01" * 150
    yield asset_service_pb2.UploadAssetRequest, b"\x0a\x03\x0a\x01a\x0a\x02\x10\x07"  # Merged.


def _expected(kind: type[Message], data: bytes) -> Message | None:
    message = kind()
    try:
        message.ParseFromString(data)
    except DecodeError:
        return None
    message.DiscardUnknownFields()
    return message


def _record(kind: type[Message], data: bytes) -> bytes:
    module = kind.DESCRIPTOR.file.name.rpartition("/")[2].removesuffix(".proto")
    name = f"{module}/{kind.DESCRIPTOR.name}".encode()
    return struct.pack("<I", len(name)) + name + struct.pack("<I", len(data)) + data


def _without_nul(message: Message) -> bytes:
    """Return the bytes to compare: GDScript's strings cannot hold a NUL, so U+FFFD stands there."""
    for field, value in message.ListFields():
        if _is_map(field):
            _map_without_nul(field, value)
        elif field.message_type:
            for item in value if field.is_repeated else (value,):
                _without_nul(item)
        elif field.type == FieldDescriptor.TYPE_STRING:
            clean = [text.replace("\0", "�") for text in (value if field.is_repeated else (value,))]
            if field.is_repeated:
                del value[:]
                value.extend(clean)
            else:
                setattr(message, field.name, clean[0])
    return message.SerializeToString(deterministic=True)


def _map_without_nul(field: FieldDescriptor, value: Any) -> None:  # noqa: ANN401  # Either map.
    for key in list(value):
        if field.message_type.fields[1].message_type:
            _without_nul(value[key])
            if "\0" in key:
                value[key.replace("\0", "�")].CopyFrom(value[key])
                del value[key]
        else:
            value[key.replace("\0", "�")] = value.pop(key).replace("\0", "�")


def test_every_message_is_read_and_refused_as_google_protobuf_does(
    godot: Godot, tmp_path: Path
) -> None:
    """Thousands of messages, whole and damaged: the same verdict, and the same content."""
    cases = list(_cases())
    (tmp_path / "cases").write_bytes(b"".join(_record(*case) for case in cases))
    said = godot.script(_CODEC, tmp_path / "cases", tmp_path / "out")
    assert "codec done" in said
    answers = (tmp_path / "out").read_bytes()
    at = refused = 0
    wrong: list[tuple[str, str, str]] = []
    for kind, data in cases:
        expected = _expected(kind, data)
        accepted, at = answers[at], at + 1
        written = b""
        if accepted:
            size = struct.unpack_from("<I", answers, at)[0]
            written, at = answers[at + 4 : at + 4 + size], at + 4 + size
        if expected is None:
            refused += 1
            if accepted:
                wrong.append((kind.__name__, data.hex(), "was accepted"))
        elif not accepted:
            wrong.append((kind.__name__, data.hex(), "was refused"))
        elif _without_nul(expected) != kind.FromString(written).SerializeToString(
            deterministic=True
        ):
            wrong.append((kind.__name__, data.hex(), f"became {written.hex()}"))
    assert at == len(answers)
    assert wrong == [], (len(wrong), wrong[:12])
    assert refused > _MUTATED // 10
