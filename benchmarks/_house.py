"""The parts of the real server that a benchmark needs, put together as `server.app` does."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from server.jobs.database import Database
from server.jobs.hub import Hub
from server.jobs.library import AssetLibrary
from server.jobs.store import Store
from server.jobs.watching import LogReader
from server.log import LogFormat, configure_logging
from server.rpc.assets import AssetServicer
from server.rpc.generation import GenerationServicer
from server.rpc.models import ModelServicer
from server.rpc.server import RpcServer, tune_allocator
from server.settings import Settings
from server.storage.folder import BlobFolder
from server.storage.local import LocalBlobs
from server.storage.scratch import Scratch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

__all__ = ["House", "listening", "open_house"]

# Whatever only a submission, an upload or a quote needs. Nobody here asks for one.
_UNUSED: Any = None
_GRACE_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The job log and the assets of a data folder."""

    store: Store
    hub: Hub
    library: AssetLibrary


@contextlib.contextmanager
def open_house(folder: Path) -> Iterator[House]:
    """Open a data folder, with the allocator and the log set as in production."""
    configure_logging(level="ERROR", form=LogFormat.TEXT)
    tune_allocator()
    database = Database(folder / "jobs.sqlite3")
    store = Store(database)
    blobs = LocalBlobs(BlobFolder(folder / "blobs"), Scratch(folder / "scratch"))
    try:
        yield House(
            store=store,
            hub=Hub(),
            library=AssetLibrary(store=store, blobs=blobs, now=lambda: datetime.now(UTC)),
        )
    finally:
        database.close()


@contextlib.asynccontextmanager
async def listening(
    house: House, assets: Callable[..., AssetServicer] = AssetServicer
) -> AsyncIterator[int]:
    """Run the real gRPC server over a house; yields its port."""
    settings = Settings()
    reader = LogReader(store=house.store, hub=house.hub)
    jobs: Any = reader  # Nothing but watching is asked for.
    server = RpcServer(
        generation=GenerationServicer(jobs=jobs, admission=_UNUSED, library=house.library),
        assets=assets(
            library=house.library, admission=_UNUSED, max_upload_bytes=settings.max_upload_bytes
        ),
        models=ModelServicer(
            catalog=_UNUSED, gateways=_UNUSED, admission=_UNUSED, jobs=jobs, sandbox=True
        ),
        tokens=(),
        max_streams=settings.max_streams,
        with_reflection=False,
    )
    port = await server.start("127.0.0.1:0", None)
    try:
        yield port
    finally:
        reader.drain()
        await server.stop(_GRACE_S)
