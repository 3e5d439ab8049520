"""The sandbox as an ASGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Route

from server.sandbox.connection import DroppableConnections
from server.sandbox.control import Control
from server.sandbox.intake import Intake
from server.sandbox.media import Media
from server.sandbox.models import MODELS
from server.sandbox.protocols import ENDPOINTS, Surroundings, UniversalStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from server.sandbox.engine import Engine
    from server.sandbox.faults import FaultQueue
    from server.sandbox.models import Currency
    from server.sandbox.settings import SandboxSettings
    from server.sandbox.wallet import Wallet

__all__ = ["create_app"]


def create_app(
    settings: SandboxSettings,
    *,
    engine: Engine,
    wallets: Mapping[Currency, Wallet],
    faults: FaultQueue,
) -> DroppableConnections:
    """Put the routes together. Whoever calls owns the engine and closes it."""
    around = Surroundings(
        settings=settings,
        engine=engine,
        intake=Intake(settings, engine=engine, wallets=wallets),
        faults=faults,
        wallets=wallets,
    )
    media = Media(engine=engine, faults=faults)
    control = Control(settings, engine=engine, faults=faults)
    models = [
        route
        for model in MODELS.values()
        for route in ENDPOINTS[model.protocol](model, around).routes()
    ]
    routes = [
        *models,
        Route("/media/{token}/{name:path}", media.download, methods=["GET"]),
        Route("/sandbox/health", control.health, methods=["GET"]),
        Route("/sandbox/faults", control.add_fault, methods=["POST"]),
        Route("/sandbox/faults", control.list_faults, methods=["GET"]),
        Route("/sandbox/faults", control.clear_faults, methods=["DELETE"]),
        Route("/sandbox/submissions", control.submissions, methods=["GET"]),
        *UniversalStatus(around).routes(),
    ]
    return DroppableConnections(Starlette(routes=routes))
