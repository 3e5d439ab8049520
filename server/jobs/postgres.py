"""The jobs' database where many nodes share it: Postgres.

A connection that is lost is made again, and what it was doing is done again: work must be such that
doing it twice is doing it once (`Store.apply` knows its own change by a token).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import structlog
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from server.jobs.schema import migrate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sqlalchemy import Connection

__all__ = ["PostgresDatabase", "sqlalchemy_url"]

_log = structlog.get_logger()

T = TypeVar("T")

_THREADS = 8
_PATIENCE_S = 120.0
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0
_CONNECT_S = 10
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_AGAIN = ("40001", "40P01", "57P01", "57P02", "57P03", "08")
_MIGRATION = "assetwright schema"


def sqlalchemy_url(url: str) -> str:
    """Return the address with the driver that is used here."""
    _, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}"


class PostgresDatabase:
    """Fulfils `server.jobs.database.Transactions`; several processes may share the database."""

    is_shared = True

    def __init__(self, url: str) -> None:
        """Connect, and bring the tables up to date.

        Raises:
            DBAPIError: There is no such database.
            SettingsError: It is of a newer version.
        """
        self.url = url
        self._engine = create_engine(
            sqlalchemy_url(url),
            pool_size=_THREADS + 1,
            max_overflow=1,
            pool_pre_ping=True,
            isolation_level="READ COMMITTED",
            connect_args={"connect_timeout": _CONNECT_S, "application_name": "assetwright"},
        )
        self._closed = threading.Event()
        with self._engine.begin() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(_MIGRATION))))
            migrate(connection)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="db")

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction; when this returns, it is on disk.

        A caller that is cancelled stops waiting; what it asked for still happens.
        """

        def run() -> T:
            with self._engine.begin() as connection:
                return work(connection)

        return await asyncio.shield(self._patiently(run))

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, which only reads."""

        def run() -> T:
            with self._engine.connect() as connection:
                return work(connection)

        return await self._patiently(run)

    @contextlib.asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[bool]:
        """Be the only node that does something, for as long as the context is open.

        Yields:
            Whether this node is; another one does it now if not.
        """
        loop = asyncio.get_running_loop()
        key = func.hashtext(f"assetwright {name}")

        def take() -> tuple[Connection, bool]:
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            try:
                return connection, bool(connection.scalar(select(func.pg_try_advisory_lock(key))))
            except BaseException:
                connection.close()
                raise

        def give_back() -> None:
            with contextlib.suppress(DBAPIError), connection:
                if taken:
                    connection.execute(select(func.pg_advisory_unlock(key)))

        connection, taken = await loop.run_in_executor(self._threads, take)
        try:
            yield taken
        finally:
            await asyncio.shield(loop.run_in_executor(self._threads, give_back))

    def now(self, connection: Connection) -> float:
        """Return the database's time, the one clock that all nodes share."""
        return float(connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())")) or 0)

    def notify(self, connection: Connection, channel: str, payload: str) -> None:
        """Tell all nodes something once the transaction is committed."""
        connection.execute(select(func.pg_notify(channel, payload)))

    def close(self) -> None:
        """Finish what was asked for, then disconnect."""
        self._closed.set()
        self._threads.shutdown()
        self._engine.dispose()

    def _patiently(self, run: Callable[[], T]) -> asyncio.Future[T]:
        def again() -> T:
            deadline = time.monotonic() + _PATIENCE_S
            pause_s = _FIRST_PAUSE_S
            while True:
                try:
                    return run()
                except DBAPIError as exc:
                    if not _may_be_tried_again(exc) or time.monotonic() > deadline:
                        raise
                    _log.warning("database_tried_again", error=type(exc.orig).__name__)
                if self._closed.wait(pause_s):
                    raise ConnectionError("The database was lost while the server stops.")
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

        return asyncio.get_running_loop().run_in_executor(self._threads, again)


def _may_be_tried_again(error: DBAPIError) -> bool:
    """Tell a lost connection, and a transaction that lost a race, from a mistake of ours."""
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # A server that cannot be reached has none to tell.
        return isinstance(error, (InterfaceError, OperationalError))
    return str(state).startswith(_AGAIN)
