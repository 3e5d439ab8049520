"""The composition root: everything is made here, handed what it needs, and taken down in reverse.

Nothing imports this module but the command line and the tests.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import structlog
from sqlalchemy.exc import ArgumentError, DBAPIError

from server.addresses import (
    bracketed,
    check_exposure,
    host_of,
    is_loopback,
    listening,
    split_address,
)
from server.asgi import address_of, serve_on
from server.buckets import BucketAccess
from server.folder import FolderLock
from server.gateway.guard import CheckedResolver, MediaPolicy
from server.gateway.hooks import HookLinks
from server.gateway.http import media_client
from server.gateway.links import InputLinks
from server.gateway.media import MediaFetcher
from server.gateway.models import Auth, Catalog, CatalogError
from server.gateway.polling import PollPace
from server.gateway.providers import Gateways, Provider
from server.gateway.publishing import Bucket, Publisher, publisher_for
from server.jobs.admission import Admission
from server.jobs.buying import Buyer
from server.jobs.database import Database
from server.jobs.doubts import Doubts
from server.jobs.durable import Limits, Runtime
from server.jobs.engine import DurableJobs
from server.jobs.hub import Hub
from server.jobs.library import AssetLibrary
from server.jobs.nodes import Nodes
from server.jobs.postgres import PostgresDatabase
from server.jobs.secret import link_secret
from server.jobs.signals import Listener
from server.jobs.steps import Steps
from server.jobs.store import Store
from server.jobs.sweeping import Retention, Sweeper
from server.jobs.workshop import Workshop
from server.log import configure_logging
from server.rpc.assets import AssetServicer
from server.rpc.generation import GenerationServicer
from server.rpc.models import ModelServicer
from server.rpc.raw import RawCalls
from server.rpc.server import MAX_REQUEST_BYTES, RpcServer, Tls, tune_allocator
from server.sandbox import SandboxSettings, run_sandbox
from server.settings import GatewayMode, Settings, SettingsError
from server.storage import open_blobs
from server.tokens import Tokens
from server.web import (
    AssetFiles,
    Bridge,
    Origins,
    Partials,
    Plain,
    Uploads,
    caller_routes,
    web_app,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from starlette.routing import Route
    from starlette.types import ASGIApp

    from server.jobs.database import Transactions
    from server.sandbox import RunningSandbox
    from server.storage import Blobs

__all__ = ["RunningServer", "run_server", "serve"]

_log = structlog.get_logger()

_SANDBOX_KEY = "sandbox"
_STREAM_GRACE_S = 1.0  # Streams end by themselves when jobs drain; the rest is cut off after it.
_USAGE = 2
_MICROS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningServer:
    """A server that accepts calls.

    Attributes:
        grpc_address: Where the gRPC port is, as `HOST:PORT`.
        http_address: Where the HTTP port is, as `HOST:PORT`.
        mode: Who answers generations.
        sandbox: The embedded sandbox; None when a real gateway answers.
    """

    grpc_address: str
    http_address: str
    mode: GatewayMode
    sandbox: RunningSandbox | None

    @property
    def ready_line(self) -> str:
        """The one line on standard output that tells others where the server is."""
        return (
            f"assetwright ready grpc={self.grpc_address} http={self.http_address} "
            f"gateway={self.mode.value}"
        )


def serve(
    *,
    grpc: str | None = None,
    http: str | None = None,
    data_dir: Path | None = None,
    insecure: bool = False,
) -> int:
    """Run a server until SIGTERM or SIGINT; return the exit code.

    What is given here wins over the environment.
    """
    given = {"grpc": grpc, "http": http, "data_dir": data_dir, "insecure": insecure or None}
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        settings = replace(Settings.from_environment(os.environ), **chosen)  # type: ignore[arg-type]  # one type a name
        configure_logging(level=settings.log_level, form=settings.log_format)
        tune_allocator()
        asyncio.run(_serve(settings))
    except (SettingsError, CatalogError) as exc:
        sys.stderr.write(f"assetwright: {exc}\n")
        return _USAGE
    return 0


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        if sys.platform == "win32":
            signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop.set))
        else:
            loop.add_signal_handler(name, stop.set)
    async with run_server(settings) as running:
        if running.mode is GatewayMode.SANDBOX:
            sys.stderr.write(
                "No provider's key is set: the built-in sandbox answers, and nothing costs money.\n"
            )
        sys.stdout.write(running.ready_line + "\n")
        sys.stdout.flush()
        await stop.wait()
        _log.info("server_stopping")


@contextlib.asynccontextmanager
async def run_server(settings: Settings) -> AsyncIterator[RunningServer]:
    """Run a server for as long as the context is open.

    Raises:
        SettingsError: An address is taken or not safe, or the data folder is in use.
    """
    grpc_host, _ = split_address(settings.grpc, "ASSETWRIGHT_GRPC")
    http_host, http_port = split_address(settings.http, "ASSETWRIGHT_HTTP")
    check_exposure(settings, grpc_host=grpc_host, http_host=http_host)
    async with contextlib.AsyncExitStack() as stack:
        lock = FolderLock(settings.folder)
        stack.callback(lock.close)
        listener = stack.enter_context(listening(http_host, http_port))
        http_address = address_of(listener)
        sandbox = await _sandbox(stack, settings)
        providers = _providers(settings, sandbox)
        gateways = await stack.enter_async_context(Gateways(providers, now=_now))
        database = _database(settings)
        stack.callback(database.close)
        secret = await link_secret(database, older=settings.folder / "links.secret")
        links = InputLinks(
            secret=secret,
            base_url=_public_url(settings, providers, http_address),
            now=time.time,
        )
        hooks = HookLinks(secret=secret, base_url=_hook_url(settings))
        house = _house(
            stack,
            settings,
            store=Store(database, node=secrets.token_hex(8)),
            gateways=gateways,
            publisher=publisher_for(bucket=_bucket(settings), links=links),
            hooks=hooks,
            providers=providers,
            blobs=await open_blobs(settings),
        )
        calls = RawCalls()
        stack.push_async_callback(calls.close)
        app = web_app(
            links=links,
            hooks=hooks,
            jobs=house.jobs,
            blobs=house.library.blobs,
            is_draining=lambda: house.jobs.is_draining,
            callers=_caller_routes(settings, house, calls),
        )
        await stack.enter_async_context(serve_on(listener, app))
        stack.push_async_callback(house.jobs.stop, settings.drain_s)
        resumed = await house.jobs.start()
        if settings.database_url is not None:
            signals = Listener(settings.database_url, node=house.node, hearer=house.jobs)
            signals.start()
            stack.push_async_callback(signals.stop)
        house.sweeper.start()
        stack.push_async_callback(house.sweeper.stop)
        rpc = _rpc_server(settings, gateways, house)
        inner = _inner_address(stack, rpc)
        port = await _listen_grpc(rpc, settings)
        calls.connect(inner)
        stack.push_async_callback(_end, rpc, house.jobs)
        _log.info("server_ready", gateway=settings.mode.value, resumed_jobs=resumed)
        yield RunningServer(
            grpc_address=f"{bracketed(grpc_host)}:{port}",
            http_address=http_address,
            mode=settings.mode,
            sandbox=sandbox,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _House:
    node: str
    catalog: Catalog
    library: AssetLibrary
    admission: Admission
    jobs: DurableJobs
    sweeper: Sweeper


def _house(
    stack: contextlib.AsyncExitStack,
    settings: Settings,
    *,
    store: Store,
    gateways: Gateways,
    publisher: Publisher,
    hooks: HookLinks,
    providers: list[Provider],
    blobs: Blobs,
) -> _House:
    """Make what jobs are made of."""
    catalog = Catalog.load(*settings.catalog_dirs)
    library = AssetLibrary(store=store, blobs=blobs, now=_now)
    workshop = Workshop(
        workers=settings.process_workers,
        timeout_s=settings.process_timeout_s,
        memory_bytes=settings.process_memory_bytes,
        limits=settings.process_limits,
    )
    stack.callback(workshop.close)
    workshop.warm_up()
    admission = Admission(
        catalog=catalog,
        gateways=gateways,
        library=library,
        publisher=publisher,
        sandbox=settings.mode is GatewayMode.SANDBOX,
        max_picture_bytes=settings.max_picture_bytes,
        min_free_bytes=settings.min_free_bytes,
        disk_budget_bytes=settings.disk_budget_bytes,
    )
    low_s, high_s = settings.poll_range_s
    buyer = Buyer(
        gateways=gateways,
        publisher=publisher,
        hooks=hooks,
        media=_media_fetcher(stack, settings, providers),
        library=library,
        store=store,
        pace=PollPace(shortest_s=low_s, longest_s=high_s),
        doubts=Doubts(
            store=store,
            gateways=gateways,
            grace_s=settings.submission_grace_s,
            hears_callbacks=hooks.available,
        ),
        job_deadline_s=settings.job_deadline_s,
    )
    steps = Steps(admission=admission, buyer=buyer, library=library, workshop=workshop)
    budget_usd = settings.daily_budget_usd
    runtime = Runtime(
        place=settings.database_url or settings.folder / "engine.sqlite3",
        node=store.node,
        limits=_limits(settings),
    )
    jobs = DurableJobs(
        store=store,
        hub=Hub(),
        admission=admission,
        steps=steps,
        runtime=runtime,
        nodes=Nodes(store.database, node=store.node, lease_s=settings.node_lease_s),
        sandbox=settings.mode is GatewayMode.SANDBOX,
        max_unfinished=settings.max_running_jobs + settings.max_queued_jobs,
        daily_budget_micros=None if budget_usd is None else round(budget_usd * _MICROS),
    )
    sweeper = Sweeper(
        store=store,
        runtime=runtime,
        blobs=blobs,
        retention=Retention(jobs=settings.retention_days, request_ids=settings.request_memory_days),
    )
    return _House(
        sweeper=sweeper,
        node=store.node,
        catalog=catalog,
        library=library,
        admission=admission,
        jobs=jobs,
    )


def _database(settings: Settings) -> Transactions:
    """Open the jobs' database.

    Raises:
        SettingsError: It cannot be reached, or is newer than this program.
    """
    if settings.database_url is None:
        return Database(settings.folder / "jobs.sqlite3")
    try:
        return PostgresDatabase(settings.database_url)
    except (DBAPIError, ArgumentError, ValueError) as exc:
        why = str(getattr(exc, "orig", exc)).splitlines()[0]
        raise SettingsError(f"ASSETWRIGHT_DATABASE_URL cannot be used: {why}.") from None


def _limits(settings: Settings) -> Limits:
    return Limits(
        running=settings.max_running_jobs,
        model_concurrency=settings.model_concurrency,
        model_starts_per_minute=settings.model_starts_per_minute,
        poll_s=settings.queue_poll_s,
    )


def _media_fetcher(
    stack: contextlib.AsyncExitStack, settings: Settings, providers: list[Provider]
) -> MediaFetcher:
    configured = {one.base_url for one in providers} - _published_bases()
    policy = MediaPolicy(allowed=settings.media_hosts, trusted=map(host_of, configured))
    resolver = CheckedResolver(policy)
    client = media_client(resolver)
    stack.push_async_callback(client.aclose)
    return MediaFetcher(client, policy, max_bytes=settings.max_media_bytes)


def _rpc_server(settings: Settings, gateways: Gateways, house: _House) -> RpcServer:
    return RpcServer(
        generation=GenerationServicer(
            jobs=house.jobs, admission=house.admission, library=house.library
        ),
        assets=AssetServicer(
            library=house.library,
            admission=house.admission,
            max_upload_bytes=settings.max_upload_bytes,
        ),
        models=ModelServicer(
            catalog=house.catalog,
            gateways=gateways,
            admission=house.admission,
            jobs=house.jobs,
            sandbox=settings.mode is GatewayMode.SANDBOX,
        ),
        tokens=settings.tokens,
        max_streams=settings.max_streams,
        with_reflection=settings.reflection,
    )


async def _end(rpc: RpcServer, jobs: DurableJobs) -> None:
    """Say it, end the streams so that clients resume, and take no more calls."""
    await rpc.announce_end()
    jobs.drain()
    await rpc.stop(_STREAM_GRACE_S)


async def _sandbox(stack: contextlib.AsyncExitStack, settings: Settings) -> RunningSandbox | None:
    if settings.mode is not GatewayMode.SANDBOX:
        return None
    sandbox_settings = SandboxSettings(
        queue_s=settings.sandbox_queue_s,
        min_work_s=settings.sandbox_work_s,
        data_dir=settings.folder / "sandbox",
    )
    return await stack.enter_async_context(run_sandbox(sandbox_settings))


def _providers(settings: Settings, sandbox: RunningSandbox | None) -> list[Provider]:
    if sandbox is not None:
        keys = dict.fromkeys((Auth.SUBSCRIPTION_KEY, Auth.SECRET_KEY), _SANDBOX_KEY)
        return [
            Provider(name="pixazo", base_url=sandbox.base_url, keys=keys),
            Provider(name="segmind", base_url=sandbox.base_url, keys={Auth.API_KEY: _SANDBOX_KEY}),
        ]
    pixazo = {
        Auth.SUBSCRIPTION_KEY: settings.pixazo_api_key,
        Auth.SECRET_KEY: settings.pixazo_secret_key,
    }
    segmind = {Auth.API_KEY: settings.segmind_api_key}
    return [
        Provider(name=name, base_url=url.rstrip("/"), keys={k: v for k, v in keys.items() if v})
        for name, url, keys in (
            ("pixazo", settings.pixazo_url, pixazo),
            ("segmind", settings.segmind_url, segmind),
        )
        if any(keys.values())
    ]


def _bucket(settings: Settings) -> Bucket | None:
    """Return where inputs are put for gateways to fetch.

    Raises:
        SettingsError: There can be no such place.
    """
    if settings.input_bucket is None:
        return None
    access = BucketAccess.of(settings)
    try:
        return Bucket.at(settings.input_bucket, access)
    except ValueError as exc:
        raise SettingsError(f"ASSETWRIGHT_INPUT_BUCKET, AWS_ENDPOINT, AWS_REGION: {exc}.") from None


def _public_url(settings: Settings, providers: list[Provider], http_address: str) -> str | None:
    """Return where gateways fetch inputs from; one on this machine needs no public address."""
    if settings.public_url is not None:
        return settings.public_url.rstrip("/")
    if providers and all(is_loopback(host_of(one.base_url)) for one in providers):
        return f"http://{http_address}"
    return None


def _hook_url(settings: Settings) -> str | None:
    """Return where gateways call back: they refuse addresses without https, but for loopback."""
    url = settings.public_url
    if url is None or not (url.startswith("https://") or is_loopback(host_of(url))):
        return None
    return url.rstrip("/")


def _caller_routes(settings: Settings, house: _House, calls: RawCalls) -> list[Route]:
    tokens = Tokens(settings.tokens)
    plain = Plain(tokens=tokens, code_of=lambda error: calls.refusal(error).code)
    partials = Partials(
        settings.folder / "uploads",
        now=time.time,
        expiry_s=settings.upload_expiry_s,
        max_count=settings.max_partial_uploads,
    )
    uploads = Uploads(
        library=house.library,
        partials=partials,
        plain=plain,
        check_disk=house.admission.check_disk,
        max_bytes=settings.max_upload_bytes,
    )
    return caller_routes(
        bridge=Bridge(calls, max_message_bytes=MAX_REQUEST_BYTES),
        files=AssetFiles(library=house.library, plain=plain),
        uploads=uploads,
        plain=plain,
        around=_around_callers(settings, tokens),
    )


def _around_callers(settings: Settings, tokens: Tokens) -> Callable[[ASGIApp], ASGIApp]:
    """Return what stands around the HTTP port's routes for callers."""
    ours = None if settings.public_url is None else host_of(settings.public_url)

    def is_our_host(host: str) -> bool:
        return tokens.asked_for or is_loopback(host) or host == ours

    return partial(Origins, allowed=settings.allowed_origins, is_our_host=is_our_host)


def _inner_address(stack: contextlib.AsyncExitStack, rpc: RpcServer) -> str:
    """Let the gRPC server listen to the HTTP port's bridge, where nobody else reaches it."""
    if sys.platform == "win32":  # gRPC has no Unix sockets there.
        return f"127.0.0.1:{rpc.add_inner_port('127.0.0.1:0')}"
    # The folder is its owner's alone (0700), and its path short, as a socket's must be.
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="assetwright-"))
    rpc.add_inner_port(f"unix:{folder}/grpc")
    return f"unix:{folder}/grpc"


async def _listen_grpc(rpc: RpcServer, settings: Settings) -> int:
    tls = None
    if settings.tls_cert is not None and settings.tls_private is not None:
        tls = Tls(certificate=settings.tls_cert, private_key=settings.tls_private)
    try:
        return await rpc.start(settings.grpc, tls)
    except RuntimeError as exc:
        raise SettingsError(f"ASSETWRIGHT_GRPC: {settings.grpc} cannot be listened on.") from exc


def _published_bases() -> set[str]:
    return {Settings().pixazo_url, Settings().segmind_url}


def _now() -> datetime:
    return datetime.now(UTC)
