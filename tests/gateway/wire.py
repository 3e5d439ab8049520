"""A gateway at the true border: scripted answers behind httpx, every request kept."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from server.gateway.connection import Connection
from server.gateway.models import Auth, Catalog, Model
from server.gateway.refusals import PIXAZO, Dialect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

BASE = "https://gateway.test"
NOW = datetime(2026, 5, 22, 13, 0, tzinfo=UTC)
KEYS = {
    Auth.SUBSCRIPTION_KEY: "the-subscription-key",
    Auth.SECRET_KEY: "the-secret-key",
    Auth.API_KEY: "the-api-key",
}
CATALOG = Catalog.load()

Answer = httpx.Response | Exception
Speaker = TypeVar("Speaker")


class Wire:
    """Answers in the order given; more requests than answers fail the test."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def bodies(self) -> list[Any]:
        """What the requests carried."""
        return [json.loads(one.content) for one in self.requests]


@contextlib.asynccontextmanager
async def speaking(
    kind: Callable[[Connection], Speaker],
    *answers: Answer,
    dialect: Dialect = PIXAZO,
    keys: Mapping[Auth, str] = KEYS,
) -> AsyncIterator[tuple[Speaker, Wire]]:
    """Yield a protocol that speaks to scripted answers, and the wire."""
    wire = Wire(*answers)
    async with httpx.AsyncClient(base_url=BASE, transport=httpx.MockTransport(wire)) as client:
        connection = Connection(
            submit=client, poll=client, keys=keys, dialect=dialect, now=lambda: NOW
        )
        yield kind(connection), wire


def model(model_id: str) -> Model:
    """Return a model of the built-in catalog."""
    found = CATALOG.get(model_id)
    assert found is not None
    return found


class Stream(httpx.AsyncByteStream):
    """A body in pieces, which may break off."""

    def __init__(self, *pieces: bytes, error: Exception | None = None) -> None:
        self._pieces = pieces
        self._error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        if self._error is not None:
            raise self._error
