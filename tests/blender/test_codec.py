"""The extension's protobuf codec against google.protobuf: values, verdicts, limits."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from assetwright_blender.wire import codec, messages
from assetwright_blender.wire.codec import DecodeError, EncodeError, Message, decode, encode
from google.protobuf.descriptor_pool import Default
from google.protobuf.message import DecodeError as GoogleDecodeError
from google.protobuf.message import Message as GoogleMessage
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from random_messages import google_values, our_values, random_message

from assetwright.v1 import asset_service_pb2, generation_service_pb2, job_pb2, model_service_pb2

_ROOT = Path(__file__).parents[2]
_LINKED = (asset_service_pb2, generation_service_pb2, model_service_pb2, error_details_pb2)
_KINDS: dict[str, type[Message]] = {kind.__name__: kind for kind in Message.__subclasses__()}
_ELSEWHERE = {
    "AnyMessage": "google.protobuf.Any",
    "BadRequest": "google.rpc.BadRequest",
    "BadRequestFieldViolation": "google.rpc.BadRequest.FieldViolation",
    "Duration": "google.protobuf.Duration",
    "ErrorInfo": "google.rpc.ErrorInfo",
    "LocalizedMessage": "google.rpc.LocalizedMessage",
    "RetryInfo": "google.rpc.RetryInfo",
    "Status": "google.rpc.Status",
    "Timestamp": "google.protobuf.Timestamp",
}
_ROUNDS = 6000


def _google(name: str) -> type[GoogleMessage]:
    assert _LINKED
    assert status_pb2
    return GetMessageClass(
        Default().FindMessageTypeByName(_ELSEWHERE.get(name, f"assetwright.v1.{name}"))
    )


def _random(dice: random.Random) -> tuple[type[Message], GoogleMessage]:
    name = dice.choice(sorted(_KINDS))
    return _KINDS[name], random_message(_google(name).DESCRIPTOR, dice)


def test_the_generated_messages_match_the_protos() -> None:
    tool = _ROOT / "tools" / "generate_blender.py"
    done = subprocess.run(  # noqa: S603  # Ours.
        [sys.executable, tool, "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_random_messages_survive_both_ways_with_googles_values() -> None:
    dice = random.Random(20261121)  # noqa: S311  # No secret.
    seen: set[str] = set()
    for _ in range(_ROUNDS):
        kind, theirs = _random(dice)
        seen.add(kind.__name__)
        data = theirs.SerializeToString()
        ours = decode(kind, data)
        assert our_values(ours) == google_values(theirs)
        again = encode(ours)
        assert google_values(type(theirs).FromString(again)) == google_values(theirs)
        assert len(again) == len(data)
    assert len(seen) == len(_KINDS)


def test_mutated_bytes_get_googles_verdict_and_googles_values() -> None:
    dice = random.Random(7)  # noqa: S311  # No secret.
    verdicts = {True: 0, False: 0}
    for _ in range(_ROUNDS):
        kind, theirs = _random(dice)
        data = bytearray(theirs.SerializeToString())
        for _ in range(dice.randrange(1, 4)):
            where = dice.randrange(len(data) + 1)
            action = dice.randrange(4)
            if action == 0:
                data[where:where] = dice.randbytes(dice.randrange(1, 4))
            elif action == 1:
                del data[where : where + dice.randrange(1, 4)]
            elif action == 2 and where < len(data):
                data[where] ^= 1 << dice.randrange(8)
            else:
                data += data[where : where + dice.randrange(1, 40)]
        theirs = type(theirs)()
        try:
            theirs.ParseFromString(bytes(data))
        except GoogleDecodeError:
            verdicts[False] += 1
            with pytest.raises(DecodeError):
                decode(kind, bytes(data))
        else:
            verdicts[True] += 1
            assert our_values(decode(kind, bytes(data))) == google_values(theirs), data.hex()
    assert min(verdicts.values()) > _ROUNDS // 10


def test_a_newer_servers_fields_are_skipped_whatever_their_kind() -> None:
    known = encode(messages.Money(currency_code="USD", amount_micros=420_000))
    unknown = b"".join(
        (
            b"\x78\x05",  # 15: a varint.
            b"\x79" + bytes(8),  # 15: 64 bits.
            b"\x7a\x02hi",  # 15: bytes.
            b"\x7b\x08\x01\x7b\x7c\x7c",  # 15: a group with a group in it.
            b"\x7d" + bytes(4),  # 15: 32 bits.
            b"\xf8\xff\xff\xff\x0f\x01",  # The highest field number.
        )
    )
    money = decode(messages.Money, unknown + known + unknown)
    assert (money.currency_code, money.amount_micros) == ("USD", 420_000)


def test_numbers_are_read_packed_and_unpacked() -> None:
    packed, unpacked = b"\x1a\x03\x01\x02\x63", b"\x18\x01\x18\x02\x18\x63"
    for data in (packed, unpacked):
        assert decode(messages.ListModelsRequest, data).tasks == [1, 2, 99]
    assert encode(messages.ListModelsRequest(tasks=[1, 2, 99])) == packed


def test_a_oneof_keeps_its_last_member() -> None:
    first = messages.ParameterValue(int_value=3)
    second = messages.ParameterValue(string_value="")
    value = decode(messages.ParameterValue, encode(first) + encode(second))
    assert value.which("kind") == "string_value"
    assert value == second
    assert messages.ParameterValue().which("kind") is None


def test_two_members_of_a_oneof_are_refused_by_name() -> None:
    with pytest.raises(EncodeError, match="float_value: another member of kind is set too"):
        encode(messages.ParameterValue(bool_value=True, float_value=1.0))


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (messages.ListJobsRequest(page_size=1 << 31), "page_size"),
        (messages.WatchJobRequest(after_sequence=-1), "after_sequence"),
        (messages.WatchJobRequest(job_id=b"job"), "job_id"),  # type: ignore[arg-type]  # Wrong on purpose.
        (messages.WatchJobRequest(job_id="\ud800"), "job_id"),
        (messages.Box(width_m="wide"), "width_m"),  # type: ignore[arg-type]  # Wrong on purpose.
        (messages.Input(inline_data="text"), "inline_data"),  # type: ignore[arg-type]  # Wrong on purpose.
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(message: Message, name: str) -> None:
    with pytest.raises(EncodeError, match=name):
        encode(message)


def _nested_groups(depth: int) -> bytes:
    return b"\x7b" * depth + b"\x7c" * depth


def test_depth_is_limited() -> None:
    assert decode(messages.Money, _nested_groups(codec.MAX_DEPTH)) == messages.Money()
    with pytest.raises(DecodeError, match="deeper"):
        decode(messages.Money, _nested_groups(codec.MAX_DEPTH + 1))


def test_size_is_limited() -> None:
    with pytest.raises(DecodeError, match="are the most"):
        decode(messages.Money, bytes(codec.MAX_BYTES + 1))


def test_small_bytes_cannot_become_much_memory() -> None:
    empty_model = b"\x0a\x00"
    at_the_limit = decode(messages.ListModelsResponse, empty_model * codec.MAX_VALUES)
    assert len(at_the_limit.models) == codec.MAX_VALUES
    with pytest.raises(DecodeError, match="values"):
        decode(messages.ListModelsResponse, empty_model * (codec.MAX_VALUES + 1))


def test_an_event_of_a_newer_kind_is_an_event_without_a_kind() -> None:
    newer = job_pb2.JobEvent(job_id="job_1", sequence=4).SerializeToString() + b"\xfa\x03\x01x"
    event = decode(messages.JobEvent, newer)
    assert (event.job_id, event.sequence, event.which("kind")) == ("job_1", 4, None)


def test_a_message_knows_its_fields() -> None:
    with pytest.raises(TypeError, match="Money has no field amount"):
        messages.Money(amount=1)  # type: ignore[call-arg]  # Wrong on purpose.
