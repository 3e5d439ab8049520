"""Calls by raw bytes, for the HTTP port: any method, its messages not decoded.

They go through the gRPC server itself, over a socket of its own: interceptors, deadlines, limits
and statuses are those of every other caller. An in-process shortcut around gRPC would have to
imitate all of them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc
from grpc_health.v1 import health_pb2

from assetwright.v1 import asset_service_pb2, generation_service_pb2, model_service_pb2
from server.errors import Draining
from server.rpc.status import rich_status

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from server.errors import AssetwrightError

    Metadata = Sequence[tuple[str, str | bytes]]

__all__ = ["RawCall", "RawCalls", "RawStatus"]

_FILES = (health_pb2, asset_service_pb2, generation_service_pb2, model_service_pb2)
_OPTIONS = (
    ("grpc.max_receive_message_length", -1),  # The server is ours; its limits are its own.
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawStatus:
    """How a call ended.

    Attributes:
        code: gRPC's number; 0 is OK.
        message: For people; empty with OK.
        trailers: Trailing metadata; bytes where the key ends in `-bin`.
    """

    code: int
    message: str
    trailers: Metadata


class RawCall:
    """One call on its way: a message in, messages out."""

    def __init__(self, call: Any, read: Callable[[], AsyncIterator[bytes]]) -> None:  # noqa: ANN401 - grpc's own, of either arity
        self._call = call
        self._read = read

    async def head(self) -> Metadata:
        """Return the initial metadata, once the server has sent it or has ended the call."""
        return _pairs(await self._call.initial_metadata())

    async def messages(self) -> AsyncIterator[bytes]:
        """Yield the messages; a failed call ends them too, and `end` says how."""
        try:
            async for message in self._read():
                yield message
        except grpc.aio.AioRpcError:
            return
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise  # The reader was cancelled, not the call.

    async def end(self) -> RawStatus:
        """Return how the call ended."""
        code = await self._call.code()
        return RawStatus(
            code=_number(code),
            message=await self._call.details() or "",
            trailers=_pairs(await self._call.trailing_metadata()),
        )

    def cancel(self) -> None:
        """End the call; the server's handler is cancelled at once."""
        self._call.cancel()


class RawCalls:
    """Makes calls at the gRPC server of this process."""

    def __init__(self) -> None:
        self._channel: grpc.aio.Channel | None = None
        methods = {
            f"/{service.full_name}/{method.name}": method
            for file in _FILES
            for service in file.DESCRIPTOR.services_by_name.values()
            for method in service.methods
        }
        self._taking_many = {p for p, m in methods.items() if m.client_streaming}
        self._answering_once = {p for p, m in methods.items() if not m.server_streaming}

    def connect(self, target: str) -> None:
        """Say where the gRPC server listens; until then calls are refused as DRAINING."""
        self._channel = grpc.aio.insecure_channel(target, options=_OPTIONS)

    async def close(self) -> None:
        """End what is left, and refuse further calls."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    def takes_many(self, method: str) -> bool:
        """Tell whether a method, such as `/package.Service/Method`, takes a stream of messages."""
        return method in self._taking_many

    def answers_once(self, method: str) -> bool:
        """Tell whether a method is known to answer with a single message."""
        return method in self._answering_once

    def call(
        self, method: str, message: bytes, *, metadata: Metadata, timeout_s: float | None
    ) -> RawCall:
        """Begin a call.

        Raises:
            Draining: The gRPC server does not listen yet, or not any more.
        """
        if self._channel is None:
            raise Draining("The server is starting or stopping.", retry_after_s="2")
        make = (
            self._channel.unary_unary if self.answers_once(method) else self._channel.unary_stream
        )
        invoke: Any = make(method)
        call = invoke(message, metadata=tuple(metadata), timeout=timeout_s)
        return RawCall(call, partial(_one if self.answers_once(method) else _many, call))

    def refusal(self, error: AssetwrightError) -> RawStatus:
        """Return what a gRPC caller would be told about an error."""
        status = rich_status(error)
        return RawStatus(
            code=_number(status.code), message=status.message, trailers=status.trailers
        )


async def _one(call: grpc.aio.UnaryUnaryCall[bytes, bytes]) -> AsyncIterator[bytes]:
    yield await call


async def _many(call: grpc.aio.UnaryStreamCall[bytes, bytes]) -> AsyncIterator[bytes]:
    while isinstance(message := await call.read(), bytes):
        yield message  # What is no message is grpc.aio.EOF.


def _number(code: grpc.StatusCode) -> int:
    number: int = code.value[0]  # grpc.StatusCode's value is the number and its name.
    return number


def _pairs(metadata: Any) -> Metadata:  # noqa: ANN401 - grpc's own, or None
    return [(key, value) for key, value in metadata or ()]
