"""Random google.protobuf messages, and both sides' values in one form to compare them by."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor as Fd
from google.protobuf.message_factory import GetMessageClass

if TYPE_CHECKING:
    import random
    from collections.abc import MutableMapping

    from assetwright_blender.wire.codec import Message
    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message as GoogleMessage

_EDGES = {
    Fd.TYPE_INT32: (0, 1, -1, 127, 128, 2**31 - 1, -(2**31)),
    Fd.TYPE_ENUM: (0, 1, 2, 99, -1, -(2**31)),
    Fd.TYPE_INT64: (0, 1, -1, 2**31, -(2**31) - 1, 2**63 - 1, -(2**63)),
    Fd.TYPE_UINT32: (0, 1, 127, 128, 2**31, 2**32 - 1),
    Fd.TYPE_UINT64: (0, 1, 2**32, 2**63, 2**64 - 1),
    Fd.TYPE_DOUBLE: (0.0, -0.0, 1.5, -1e300, 5e-324, float("inf"), float("-inf"), float("nan")),
    Fd.TYPE_BOOL: (False, True),
    Fd.TYPE_STRING: ("", "a", "Größe", "木の椅子", "🪑", "\0", "x" * 200),
    Fd.TYPE_BYTES: (b"", b"\0", b"\xff\xfe", bytes(range(256))),
}


def random_message(kind: Descriptor, dice: random.Random, depth: int = 4) -> GoogleMessage:
    """Return a message of this kind with some of its fields set."""
    message = GetMessageClass(kind)()
    for field in kind.fields:
        if dice.random() < 0.4:
            continue
        if field.message_type and field.message_type.GetOptions().map_entry:
            _fill_map(getattr(message, field.name), field, dice, depth)
        elif field.is_repeated:
            for _ in range(dice.randrange(4)):
                if field.message_type and depth:
                    getattr(message, field.name).append(
                        random_message(field.message_type, dice, depth - 1)
                    )
                elif not field.message_type:
                    getattr(message, field.name).append(dice.choice(_EDGES[field.type]))
        elif field.message_type:
            if depth:
                inner = random_message(field.message_type, dice, depth - 1)
                getattr(message, field.name).CopyFrom(inner)
        else:
            setattr(message, field.name, dice.choice(_EDGES[field.type]))
    return message


def _fill_map(into: MutableMapping[Any, Any], field: Fd, dice: random.Random, depth: int) -> None:
    key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
    for _ in range(dice.randrange(4)):
        name = dice.choice(_EDGES[key.type])
        if value.message_type:
            inner = random_message(value.message_type, dice, max(depth - 1, 0))
            into[name].CopyFrom(inner)
        else:
            into[name] = dice.choice(_EDGES[value.type])


def _plain(value: object) -> object:
    # By bits, so that NaN equals itself and -0.0 differs from 0.0; True differs from 1.
    if isinstance(value, float):
        return ("double", struct.pack("<d", value))
    return (type(value).__name__, value) if isinstance(value, bool) else value


def google_values(message: GoogleMessage) -> dict[str, Any]:
    """Return all fields' values; None where one with presence is absent."""
    found: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.message_type and field.message_type.GetOptions().map_entry:
            inner = field.message_type.fields_by_name["value"].message_type
            found[field.name] = {
                key: google_values(value[key]) if inner else _plain(value[key]) for key in value
            }
        elif field.is_repeated:
            found[field.name] = [
                google_values(one) if field.message_type else _plain(one) for one in value
            ]
        elif field.has_presence and not message.HasField(field.name):
            found[field.name] = None
        else:
            found[field.name] = google_values(value) if field.message_type else _plain(value)
    return found


def our_values(message: Message) -> dict[str, Any]:
    """Return the same of one of ours."""
    found: dict[str, Any] = {}
    for field in message.FIELDS:
        value = getattr(message, field.name)
        if field.shape == "map":
            found[field.name] = {
                key: our_values(one) if field.of else _plain(one) for key, one in value.items()
            }
        elif field.shape == "many":
            found[field.name] = [our_values(one) if field.of else _plain(one) for one in value]
        elif value is None:
            found[field.name] = None
        else:
            found[field.name] = our_values(value) if field.of else _plain(value)
    return found
