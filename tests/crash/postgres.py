"""A Postgres of the test's own, which may be stopped: initdb and pg_ctl, on a free port."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from tests.conftest import need
from tests.crash.processes import free_port, without_proxies

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Postgres", "private_postgres"]

_TIMEOUT_S = 180
# Not subprocess's `user`: it forks with gRPC's threads running, which may crash the child.
_AS_POSTGRES = ("runuser", "-u", "postgres", "--") if os.geteuid() == 0 else ()
_DEBIAN = "/usr/lib/postgresql/*/bin"


@dataclass(frozen=True, slots=True)
class Postgres:
    """A cluster, and one database in it."""

    folder: Path
    programs: Path
    port: int

    @property
    def url(self) -> str:
        """Where it is, as ASSETWRIGHT_DATABASE_URL takes it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it; returns when it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
        self._control("start", "-w", "-o", options, "-l", str(self.folder / "log"))

    def stop(self) -> None:
        """Stop it as a crash does: without a word to anybody, to be recovered at the next start."""
        self._control("stop", "-m", "immediate")

    def _control(self, *arguments: str) -> None:
        _run(self.programs / "pg_ctl", "-D", str(self.folder / "data"), *arguments)

    async def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            return await (await connection.execute(query, values)).fetchall()


@contextlib.contextmanager
def private_postgres() -> Iterator[Postgres]:
    """Make a cluster, start it, and remove it afterwards."""
    found = shutil.which("initdb") or next(
        (str(path / "initdb") for path in sorted(Path("/").glob(_DEBIAN[1:]), reverse=True)), None
    )
    need(found, "needs Postgres's initdb and pg_ctl (Debian: apt-get install postgresql)")
    # Not below pytest's own folder: root's is closed to the user that Postgres runs as.
    with tempfile.TemporaryDirectory(prefix="assetwright-postgres-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        one = Postgres(folder, Path(str(found)).resolve().parent, free_port())
        _run(one.programs / "initdb", "-D", str(folder / "data"), "-U", "postgres", "-A", "trust")
        one.start()
        try:
            yield one
        finally:
            one.stop()


def _run(program: Path, *arguments: str) -> None:
    """Run one of Postgres's programs, which refuse to be root."""
    with tempfile.TemporaryFile("w+") as said:  # Not a pipe: the server would hold it open.
        done = subprocess.run(  # noqa: S603 - Postgres's own
            [*_AS_POSTGRES, program, *arguments],
            env=without_proxies() | {"LC_ALL": "C.UTF-8"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            timeout=_TIMEOUT_S,
            check=False,
        )
        said.seek(0)
        assert done.returncode == 0, (program.name, arguments, said.read())
