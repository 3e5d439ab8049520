"""The connection to a server: its options, its credentials, and how a unary call is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, cast

import grpc

from assetwright._status import from_rpc_error
from assetwright.v1 import (
    asset_service_pb2_grpc,
    generation_service_pb2_grpc,
    model_service_pb2_grpc,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assetwright.v1.asset_service_pb2_grpc import AssetServiceAsyncStub
    from assetwright.v1.generation_service_pb2_grpc import GenerationServiceAsyncStub
    from assetwright.v1.model_service_pb2_grpc import ModelServiceAsyncStub

__all__ = ["Connection"]

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


class _PageRequest(Protocol):
    page_token: str


class _Page(Protocol):
    next_page_token: str


_AnyPageRequest = TypeVar("_AnyPageRequest", bound=_PageRequest)
_AnyPage = TypeVar("_AnyPage", bound=_Page)

_DEADLINE_S = 10.0  # Of every unary call. Streams have none: a job takes as long as it takes.

_OPTIONS = (
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 0),
    # gRPC waits up to two minutes by itself before it connects again: as long as our patience.
    ("grpc.initial_reconnect_backoff_ms", 250),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)


class Connection:
    """A channel with its stubs.

    Args:
        target: Such as ``127.0.0.1:50051``.
        token: Sent as ``authorization: Bearer``; None sends none.
        root_certificates: PEM; None connects without TLS.
    """

    def __init__(self, target: str, *, token: str | None, root_certificates: bytes | None) -> None:
        self._channel = _open(target, root_certificates)
        self.metadata = () if token is None else (("authorization", f"Bearer {token}"),)
        # The generated stubs serve both kinds of channel; only their types tell them apart.
        self.generation = cast(
            "GenerationServiceAsyncStub",
            generation_service_pb2_grpc.GenerationServiceStub(self._channel),
        )
        self.assets = cast(
            "AssetServiceAsyncStub", asset_service_pb2_grpc.AssetServiceStub(self._channel)
        )
        self.models = cast(
            "ModelServiceAsyncStub", model_service_pb2_grpc.ModelServiceStub(self._channel)
        )

    async def ask(
        self, method: grpc.aio.UnaryUnaryMultiCallable[_Request, _Response], request: _Request
    ) -> _Response:
        """Return what a unary call answers.

        Raises:
            AssetwrightError: The call failed.
        """
        try:
            return await method(request, timeout=_DEADLINE_S, metadata=self.metadata)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def pages(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[_AnyPageRequest, _AnyPage],
        request: _AnyPageRequest,
    ) -> AsyncGenerator[_AnyPage, None]:
        """Yield the pages of a list; each is asked for when it is wanted.

        Raises:
            AssetwrightError: A call failed.
        """
        while True:
            page = await self.ask(method, request)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def close(self) -> None:
        """Close the channel; what still runs on it is cut off."""
        await self._channel.close()


def _open(target: str, root_certificates: bytes | None) -> grpc.aio.Channel:
    if root_certificates is None:
        return grpc.aio.insecure_channel(target, options=_OPTIONS)
    credentials = grpc.ssl_channel_credentials(root_certificates)
    return grpc.aio.secure_channel(target, credentials, options=_OPTIONS)
