"""Failures on request, for people who write clients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["PLACES", "Fault", "FaultKind", "FaultQueue", "InvalidFault", "Place"]

_DELAY_S = 5.0
_MOST_DELAY_S = 600.0
_MOST_COUNT = 10_000
_MOST_QUEUED = 100


class FaultKind(Enum):
    """What goes wrong."""

    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    BAD_REQUEST = "bad_request"
    DROP_BEFORE_ACCEPT = "drop_before_accept"
    DROP_AFTER_ACCEPT = "drop_after_accept"
    SLOW = "slow"
    MALFORMED_JSON = "malformed_json"
    FAIL = "fail"
    ERROR = "error"
    TRUNCATED_MEDIA = "truncated_media"
    EXPIRED_MEDIA = "expired_media"
    UNKNOWN_STATUS = "unknown_status"
    DUPLICATE_WEBHOOK = "duplicate_webhook"


_ALL_KINDS = tuple(FaultKind)


class Place(Enum):
    """Where it goes wrong."""

    SUBMIT = "submit"
    STATUS = "status"
    MEDIA = "media"
    RESULT = "result"
    WEBHOOK = "webhook"


_EVERY_ANSWER = (Place.SUBMIT, Place.STATUS, Place.MEDIA)

PLACES: Mapping[FaultKind, tuple[Place, ...]] = MappingProxyType(
    {
        FaultKind.RATE_LIMITED: _EVERY_ANSWER,
        FaultKind.SERVER_ERROR: _EVERY_ANSWER,
        FaultKind.UNAUTHORIZED: _EVERY_ANSWER,
        FaultKind.FORBIDDEN: _EVERY_ANSWER,
        FaultKind.INSUFFICIENT_BALANCE: (Place.SUBMIT,),
        FaultKind.BAD_REQUEST: _EVERY_ANSWER,
        FaultKind.DROP_BEFORE_ACCEPT: _EVERY_ANSWER,
        FaultKind.DROP_AFTER_ACCEPT: (Place.SUBMIT,),
        FaultKind.SLOW: (*_EVERY_ANSWER, Place.RESULT, Place.WEBHOOK),
        FaultKind.MALFORMED_JSON: (Place.SUBMIT, Place.STATUS),
        FaultKind.FAIL: (Place.RESULT,),
        FaultKind.ERROR: (Place.RESULT,),
        FaultKind.TRUNCATED_MEDIA: (Place.MEDIA,),
        FaultKind.EXPIRED_MEDIA: (Place.MEDIA,),
        FaultKind.UNKNOWN_STATUS: (Place.STATUS,),
        FaultKind.DUPLICATE_WEBHOOK: (Place.WEBHOOK,),
    }
)
"""Where each kind may happen; the first place is the default."""


class InvalidFault(Exception):
    """The description of a fault makes no sense. The message says what would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something to go wrong.

    Attributes:
        kind: What.
        place: Where.
        count: How many times in a row.
        retry_after_s: Goes into the `Retry-After` header of an error answer.
        message: Replaces the error text; for `unknown_status`, the status itself.
        delay_s: How long `slow` takes.
    """

    kind: FaultKind
    place: Place
    count: int = 1
    retry_after_s: float | None = None
    message: str | None = None
    delay_s: float = _DELAY_S

    @classmethod
    def parse(cls, body: object) -> Self:
        """Read the JSON form that the control endpoint takes.

        Raises:
            InvalidFault: A field is unknown, missing or out of range.
        """
        if not isinstance(body, dict):
            raise InvalidFault("A fault is a JSON object.")
        fields = {"fault", "on", "count", "retry_after_s", "message", "delay_s"}
        unknown = sorted(set(body) - fields)
        if unknown:
            raise InvalidFault(f"Unknown fields: {', '.join(unknown)}.")
        kind = _kind(body.get("fault"))
        delay_s = _seconds("delay_s", body.get("delay_s"))
        return cls(
            kind=kind,
            place=_place(kind, body.get("on")),
            count=_count(body.get("count", 1)),
            retry_after_s=_seconds("retry_after_s", body.get("retry_after_s")),
            message=_message(body.get("message")),
            delay_s=_DELAY_S if delay_s is None else delay_s,
        )

    def describe(self) -> dict[str, object]:
        """Render the fault in the form that `parse` reads."""
        return {
            "fault": self.kind.value,
            "on": self.place.value,
            "count": self.count,
            "retry_after_s": self.retry_after_s,
            "message": self.message,
            "delay_s": self.delay_s,
        }


class FaultQueue:
    """Faults that wait for their request, first in, first out for each place."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Queue a fault.

        Raises:
            InvalidFault: Too many wait already.
        """
        if len(self._waiting) >= _MOST_QUEUED:
            raise InvalidFault(f"At most {_MOST_QUEUED} faults may wait; clear them first.")
        self._waiting.append(fault)

    def take(self, place: Place, *, kinds: Collection[FaultKind] = _ALL_KINDS) -> Fault | None:
        """Use up the next fault for a place, of some kinds, once."""
        for index, fault in enumerate(self._waiting):
            if fault.place is place and fault.kind in kinds:
                if fault.count > 1:
                    self._waiting[index] = replace(fault, count=fault.count - 1)
                else:
                    del self._waiting[index]
                return fault
        return None

    def clear(self) -> None:
        """Forget every fault."""
        self._waiting.clear()

    def waiting(self) -> list[Fault]:
        """What is still to go wrong, in order."""
        return list(self._waiting)


def _kind(value: object) -> FaultKind:
    try:
        return FaultKind(value)
    except ValueError:
        known = ", ".join(kind.value for kind in FaultKind)
        raise InvalidFault(f"Unknown fault. Known faults: {known}.") from None


def _place(kind: FaultKind, value: object) -> Place:
    allowed = PLACES[kind]
    if value is None:
        return allowed[0]
    for place in allowed:
        if place.value == value:
            return place
    listed = ", ".join(place.value for place in allowed)
    raise InvalidFault(f"The fault {kind.value} happens on: {listed}.")


def _count(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_COUNT:
        return value
    raise InvalidFault(f"count must be an integer from 1 to {_MOST_COUNT}.")


def _seconds(name: str, value: object) -> float | None:
    if value is None:
        return None
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and 0 <= value <= _MOST_DELAY_S
    ):
        return float(value)
    raise InvalidFault(f"{name} must be a number of seconds from 0 to {_MOST_DELAY_S:.0f}.")


def _message(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise InvalidFault("message must be a string.")
