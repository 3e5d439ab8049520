"""What a job is made of is read back as it was written, whatever was asked for."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing

import msgspec

from asset_processing import ProcessingOptions, Report
from server.jobs.events import Event
from server.jobs.model import ProcessSpec, Spec


def full(kind: typing.Any) -> typing.Any:  # noqa: ANN401 - a value of any type
    """Return a value of a type, with every field set."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return full(next(one for one in arguments if one is not type(None)))
    if origin is tuple:
        return (full(arguments[0]),)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return list(kind)[-1]
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{one.name: full(hints[one.name]) for one in dataclasses.fields(kind)})
    return {int: 7, float: 1.5, str: "text", bool: True}[kind]


def test_everything_that_can_be_asked_for_is_read_back() -> None:
    """A field whose type only the type checker knows would keep the server from starting."""
    spec = ProcessSpec(asset_id="a", processing=full(ProcessingOptions))
    assert msgspec.json.decode(msgspec.json.encode(spec), type=Spec) == spec


def test_every_event_and_report_can_be_read() -> None:
    for kind in (Event, Report):
        msgspec.json.Decoder(kind)
