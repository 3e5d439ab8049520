"""The providers: where each is, which keys this server has, and a client for each protocol."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from server.gateway.batch import BatchGateway
from server.gateway.connection import Connection
from server.gateway.http import poll_client, submit_client
from server.gateway.models import Auth, Model, ProtocolKind
from server.gateway.queued import QueuedGateway
from server.gateway.refusals import PIXAZO, SEGMIND, Dialect
from server.gateway.synchronous import SyncBytesGateway, SyncUrlGateway

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    from server.gateway.protocol import GatewayProtocol

__all__ = ["Gateways", "Provider"]

_SETTINGS = {
    ("pixazo", Auth.SUBSCRIPTION_KEY): "PIXAZO_API_KEY",
    ("pixazo", Auth.SECRET_KEY): "PIXAZO_SECRET_KEY",
    ("segmind", Auth.API_KEY): "SEGMIND_API_KEY",
}
_DIALECTS = {"pixazo": PIXAZO, "segmind": SEGMIND}
_PROTOCOLS: Mapping[ProtocolKind, Callable[[Connection], GatewayProtocol]] = {
    ProtocolKind.QUEUED: QueuedGateway,
    ProtocolKind.SYNC_URL: SyncUrlGateway,
    ProtocolKind.BATCH: BatchGateway,
    ProtocolKind.SYNC_BYTES: SyncBytesGateway,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider and our keys there."""

    name: str
    base_url: str
    keys: Mapping[Auth, str] = field(repr=False)


class Gateways:
    """Speaks to every provider that this server has a key for."""

    def __init__(self, providers: Sequence[Provider], *, now: Callable[[], datetime]) -> None:
        self._providers = providers
        self._now = now
        self._protocols: dict[tuple[str, ProtocolKind], GatewayProtocol] = {}
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for provider in self._providers:
            await self._connect(provider)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._open.aclose()

    def why_not_ready(self, model: Model) -> str | None:
        """Return what keeps a model from being used, with the setting that changes it."""
        if any(one.name == model.provider and model.auth in one.keys for one in self._providers):
            return None
        setting = _SETTINGS.get((model.provider, model.auth), "the provider's key")
        return f"No key for {model.provider} is set: set {setting} on the server."

    def protocol(self, model: Model) -> GatewayProtocol:
        """Return who speaks to a ready model."""
        return self._protocols[model.provider, model.protocol]

    async def _connect(self, provider: Provider) -> None:
        """Make a client for each protocol: requests that are held must not keep others waiting."""
        poll = await self._open.enter_async_context(poll_client(provider.base_url))
        for kind, speak in _PROTOCOLS.items():
            submit = await self._open.enter_async_context(submit_client(provider.base_url))
            connection = Connection(
                submit=submit,
                poll=poll,
                keys=provider.keys,
                dialect=_DIALECTS.get(provider.name, Dialect()),
                now=self._now,
            )
            self._protocols[provider.name, kind] = speak(connection)
