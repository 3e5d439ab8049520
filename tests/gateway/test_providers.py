"""Which models are ready, and who speaks to each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from server.gateway.batch import BatchGateway
from server.gateway.models import Auth, ProtocolKind
from server.gateway.providers import Gateways, Provider
from server.gateway.queued import QueuedGateway
from server.gateway.synchronous import SyncBytesGateway, SyncUrlGateway
from tests.gateway.wire import BASE, CATALOG, KEYS, NOW, model

if TYPE_CHECKING:
    from collections.abc import Mapping

_KINDS = {
    ProtocolKind.QUEUED: QueuedGateway,
    ProtocolKind.SYNC_URL: SyncUrlGateway,
    ProtocolKind.BATCH: BatchGateway,
    ProtocolKind.SYNC_BYTES: SyncBytesGateway,
}


def _provider(name: str, keys: Mapping[Auth, str]) -> Provider:
    return Provider(name=name, base_url=BASE, keys=keys)


def _gateways(*providers: Provider) -> Gateways:
    return Gateways(providers, now=lambda: NOW)


async def test_each_model_is_spoken_to_in_its_protocol() -> None:
    async with _gateways(_provider("pixazo", KEYS), _provider("segmind", KEYS)) as gateways:
        for one in CATALOG:
            assert gateways.why_not_ready(one) is None
            assert type(gateways.protocol(one)) is _KINDS[one.protocol]


@pytest.mark.parametrize(
    ("model_id", "setting"),
    [
        ("pixal3d", "PIXAZO_API_KEY"),
        ("flux-2-dev", "PIXAZO_SECRET_KEY"),
        ("flux-1-schnell-batch", "PIXAZO_SECRET_KEY"),
        ("segmind-aura-flow", "SEGMIND_API_KEY"),
    ],
)
async def test_without_its_key_a_model_says_what_to_set(model_id: str, setting: str) -> None:
    async with _gateways(_provider("pixazo", {})) as gateways:
        why_not = gateways.why_not_ready(model(model_id))
    assert why_not is not None
    assert setting in why_not


async def test_one_key_makes_no_other_models_ready() -> None:
    keys = {Auth.SUBSCRIPTION_KEY: "k"}
    async with _gateways(_provider("pixazo", keys)) as gateways:
        ready = {one.auth for one in CATALOG if gateways.why_not_ready(one) is None}
    assert ready == {Auth.SUBSCRIPTION_KEY}


def test_a_providers_repr_shows_no_key() -> None:
    assert KEYS[Auth.SECRET_KEY] not in repr(_provider("pixazo", KEYS))
