"""Run a sandbox: everything it owns, started and stopped together."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import httpx
import structlog

from server.asgi import address_of, listen, serve_on
from server.sandbox.app import create_app
from server.sandbox.engine import Engine
from server.sandbox.faults import FaultQueue
from server.sandbox.keep import Keep
from server.sandbox.maker import Maker
from server.sandbox.models import Currency
from server.sandbox.requests import utc_now
from server.sandbox.wallet import Wallet
from server.sandbox.worker import Worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from uvicorn._types import ASGIApplication

    from server.sandbox.requests import Clock, GatewayRequest
    from server.sandbox.settings import SandboxSettings

__all__ = ["RunningSandbox", "run_sandbox"]

_log = structlog.get_logger()

_CONNECT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSandbox:
    """A sandbox that answers.

    Attributes:
        base_url: What takes the place of `https://gateway.pixazo.ai`, such as
            `http://127.0.0.1:8123`; no slash at the end.
        faults: What is to go wrong; `faults.add(Fault(...))`.
        wallet: What requests are paid from.
        credits: What requests to Segmind's models are paid from.
    """

    base_url: str
    faults: FaultQueue
    wallet: Wallet
    credits: Wallet
    _engine: Engine

    def submissions(self) -> tuple[GatewayRequest, ...]:
        """Every request that was accepted since the start, oldest first."""
        return self._engine.requests()


@contextlib.asynccontextmanager
async def run_sandbox(
    settings: SandboxSettings,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Clock = utc_now,
    worker: Worker | None = None,
) -> AsyncIterator[RunningSandbox]:
    """Serve a sandbox for as long as the context is open.

    With a `data_dir` the requests of the sandbox that had it before go on.

    On the way out the server closes first, then the work under way, then the worker process.

    Args:
        settings: How it behaves.
        host: The address to listen on.
        port: The port; 0 picks a free one.
        clock: Tells the time for stamps and the expiry of links.
        worker: Does the work; whoever passes one closes it. By default the sandbox has its own.

    Raises:
        OSError: The address is taken or not ours.
    """
    faults, wallet, credit = FaultQueue(), Wallet(settings.wallet_usd), Wallet(settings.credits)
    wallets = {Currency.USD: wallet, Currency.CREDITS: credit}
    async with contextlib.AsyncExitStack() as stack:
        folder = await asyncio.to_thread(stack.enter_context, _output_folder(settings.data_dir))
        keep = None if settings.data_dir is None else Keep(folder)
        listener = stack.enter_context(listen(host, port))
        address = address_of(listener)
        engine = await stack.enter_async_context(
            _working(
                settings, wallets, faults, folder=folder, keep=keep, clock=clock, worker=worker
            )
        )
        if keep is not None:
            engine.recall(await asyncio.to_thread(keep.load, base_url=f"http://{address}"))
        app = create_app(settings, engine=engine, wallets=wallets, faults=faults)
        await stack.enter_async_context(serve_on(listener, cast("ASGIApplication", app)))
        _log.info("sandbox_started", address=address)
        yield RunningSandbox(
            base_url=f"http://{address}",
            faults=faults,
            wallet=wallet,
            credits=credit,
            _engine=engine,
        )


@contextlib.asynccontextmanager
async def _working(
    settings: SandboxSettings,
    wallets: Mapping[Currency, Wallet],
    faults: FaultQueue,
    *,
    folder: Path,
    keep: Keep | None,
    clock: Clock,
    worker: Worker | None,
) -> AsyncIterator[Engine]:
    """An engine with what it works with, closed in the right order."""
    async with contextlib.AsyncExitStack() as stack:
        if worker is None:
            worker = Worker()
            stack.push_async_callback(worker.aclose)
        # The input's address alone decides where to connect: no proxy from the environment.
        http = await stack.enter_async_context(
            httpx.AsyncClient(timeout=httpx.Timeout(None, connect=_CONNECT_S), trust_env=False)
        )
        maker = Maker(settings, http=http, worker=worker, folder=folder, clock=clock, keep=keep)
        engine = Engine(
            settings, http=http, maker=maker, wallets=wallets, faults=faults, clock=clock, keep=keep
        )
        stack.push_async_callback(engine.aclose)
        yield engine


@contextlib.contextmanager
def _output_folder(chosen: Path | None) -> Iterator[Path]:
    if chosen is None:
        with tempfile.TemporaryDirectory(prefix="assetwright-sandbox-") as folder:
            yield Path(folder)
    else:
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen
