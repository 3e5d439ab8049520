"""One writer, many readers, nothing on the event loop.

Writes of many jobs share a transaction (group commit): with `synchronous=FULL` a commit waits for
the disk, and a thousand jobs must not wait for a thousand of them. A write is done, and may be
told to anyone, when its future has resolved.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event

from server.jobs.schema import migrate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

__all__ = ["Database", "Transactions", "sqlite_engine"]

T = TypeVar("T")

_MAX_BATCH = 256
_READERS = 4
_BUSY_MS = 10_000


@dataclass(slots=True)
class _Write(Generic[T]):
    work: Callable[[Connection], T]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[T]

    def resolve(self, result: T | None, error: BaseException | None) -> None:
        """Hand the outcome to the loop that waits for it."""
        with contextlib.suppress(RuntimeError):  # The loop has closed; nobody waits any more.
            self.loop.call_soon_threadsafe(self._set, result, error)

    def _set(self, result: T | None, error: BaseException | None) -> None:
        if self.done.cancelled():
            return
        if error is not None:
            self.done.set_exception(error)
        else:
            self.done.set_result(result)  # type: ignore[arg-type]  # T may be None itself.


class Transactions(Protocol):
    """What jobs need of a database: `Database` here, `server.jobs.postgres` for many nodes."""

    is_shared: bool  # Whether other processes use it too.

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction; when this returns, it is on disk.

        A caller that is cancelled stops waiting; what it asked for still happens. Where the
        connection can be lost, `work` may run again although it was committed.
        """

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which only reads."""

    def alone(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Be the only node that does something; yields whether this one is."""

    def now(self, connection: Connection) -> float:
        """Return the time, in seconds since the epoch, by a clock that all nodes share."""

    def notify(self, connection: Connection, channel: str, payload: str) -> None:
        """Tell all nodes something once the transaction is committed."""

    def close(self) -> None:
        """Finish what was asked for, then let go."""


class Database:
    """The jobs' database: SQLite in WAL mode with `synchronous=FULL`, one process."""

    is_shared = False

    def __init__(self, path: Path) -> None:
        """Open a file, made if there is none.

        Raises:
            SettingsError: It is of a newer version.
        """
        self._engine = sqlite_engine(path)
        with self._engine.begin() as connection:
            migrate(connection)
        self._writes: queue.SimpleQueue[_Write[Any] | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="db-read")
        self._writer = threading.Thread(target=self._write_all, name="db-write", daemon=True)
        self._writer.start()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction; when this returns, it is on disk.

        An error that `work` raises undoes what it did, and nothing else.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._writes.put(_Write(work, loop, done))
        # A caller that is cancelled stops waiting; what it asked for still happens.
        return await asyncio.shield(done)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which only reads."""

        def run() -> T:
            with self._engine.connect() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    @contextlib.asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[bool]:
        """Nobody else is here."""
        del name
        yield True

    def now(self, connection: Connection) -> float:
        """Return the time; there is one clock."""
        del connection
        return time.time()

    def notify(self, connection: Connection, channel: str, payload: str) -> None:
        """Nobody else listens."""
        del connection, channel, payload

    def close(self) -> None:
        """Finish what was asked for, then let go of the file."""
        self._writes.put(None)
        self._writer.join()
        self._readers.shutdown()
        self._engine.dispose()

    def _write_all(self) -> None:
        while (first := self._writes.get()) is not None:
            batch = [first]
            closing = False
            with contextlib.suppress(queue.Empty):
                while len(batch) < _MAX_BATCH:
                    following = self._writes.get_nowait()
                    if following is None:
                        closing = True
                        break
                    batch.append(following)
            self._commit(batch)
            if closing:
                return

    def _commit(self, batch: list[_Write[Any]]) -> None:
        outcomes: list[tuple[Any, BaseException | None]] = []
        try:
            with self._engine.begin() as connection:
                outcomes = [_attempt(connection, write) for write in batch]
        except BaseException as exc:  # noqa: BLE001 - whatever it is, those who wait must hear it.
            outcomes = [(None, exc)] * len(batch)
        for write, (result, error) in zip(batch, outcomes, strict=True):
            write.resolve(result, error)


def _attempt(connection: Connection, write: _Write[Any]) -> tuple[Any, BaseException | None]:
    try:
        with connection.begin_nested():
            return write.work(connection), None
    except Exception as exc:  # noqa: BLE001 - it belongs to the caller, who gets it.
        return None, exc


def sqlite_engine(path: Path) -> Engine:
    """Return an engine that keeps what it commits, power cuts included."""
    path.touch(mode=0o600)  # It holds the secret that signs links.
    engine = create_engine(f"sqlite:///{path}", pool_size=_READERS + 1)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own type
        # None: transactions are begun by us (below), not by the driver's guess.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # A power cut must not take back the intent to pay.
            "foreign_keys=ON",
            f"busy_timeout={_BUSY_MS}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine
