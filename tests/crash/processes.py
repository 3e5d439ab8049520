"""The processes of a crash test: the gateway, and servers that are killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import httpx

from assetwright.v1 import asset_service_pb2_grpc
from assetwright.v1 import generation_service_pb2_grpc as pb_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

__all__ = ["Gateway", "Node", "free_port", "running_gateway", "without_proxies"]

ROOT = Path(__file__).resolve().parent.parent.parent
_READY_S = 180.0
_END_S = 60.0


def free_port() -> int:
    """Return a port that nobody listens on now, to be used by a server that starts again there."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def without_proxies() -> dict[str, str]:
    """Return this process's environment without what would lead ours elsewhere."""
    foreign = ("ASSETWRIGHT_", "PIXAZO_", "SEGMIND_", "AWS_", "PG")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


@dataclass(frozen=True, slots=True)
class Gateway:
    """Somebody else's process, which counts what it was asked for."""

    url: str
    picture: str
    log: Path
    _http: httpx.AsyncClient

    async def submissions(self) -> list[dict[str, Any]]:
        """Return every accepted request."""
        reply = await self._http.get(f"{self.url}/sandbox/submissions")
        submissions: list[dict[str, Any]] = reply.raise_for_status().json()["submissions"]
        return submissions

    async def of_seed(self, seed: int) -> list[dict[str, Any]]:
        """Return the accepted requests of one job; each has a seed of its own."""
        return [one for one in await self.submissions() if one["body"].get("seed") == seed]

    async def fault(self, **fault: object) -> None:
        """Let something go wrong."""
        (await self._http.post(f"{self.url}/sandbox/faults", json=fault)).raise_for_status()

    async def clear_faults(self) -> None:
        """Let nothing go wrong any more."""
        (await self._http.delete(f"{self.url}/sandbox/faults")).raise_for_status()

    def called_back(self, submission: Mapping[str, Any]) -> bool:
        """Tell whether a callback for an accepted request was taken by somebody."""
        ended = submission["status"] == "COMPLETED"
        asked = any(name.lower() == "x-webhook-url" for name in submission["headers"])
        given_up = [line for line in self.log.read_text().splitlines() if "given_up" in line]
        return ended and asked and not any(submission["request_id"] in line for line in given_up)


@contextlib.asynccontextmanager
async def running_gateway(folder: Path) -> AsyncIterator[Gateway]:
    """Run the gateway in a process of its own; the folder is there."""
    log = folder / "log"
    with log.open("wb") as errors:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, str(Path(__file__).parent / "gateway_process.py"), str(folder / "d")),
            cwd=ROOT,
            env=without_proxies(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        async with asyncio.timeout(_READY_S):
            url, picture = (await child.stdout.readline()).decode().split()
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            yield Gateway(url, picture, log, http)
    finally:
        child.stdin.close()
        await child.wait()
        child._transport.close()  # type: ignore[attr-defined]  # Else its pipes are closed by the collector.


@dataclass(slots=True)
class Node:
    """A server's place: its ports, its folder, its settings. It lives many lives there."""

    name: str
    folder: Path
    settings: Mapping[str, str]
    grpc_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    kills: int = 0
    _child: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        """Where its gRPC port is."""
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        return self._child is not None and self._child.returncode is None

    @property
    def log(self) -> Path:
        """What its lives have said."""
        return self.folder / "log"

    async def start(self) -> None:
        """Begin a life; returns when it accepts calls."""
        self.folder.mkdir(exist_ok=True)
        with self.log.open("ab") as errors:
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "assetwright", "serve"),
                cwd=ROOT,
                env=without_proxies() | self._environment(),
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        self._child = child
        assert child.stdout is not None
        async with asyncio.timeout(_READY_S):
            line = (await child.stdout.readline()).decode()
        assert line.startswith("assetwright ready"), self.log.read_text()

    def send(self, how: signal.Signals) -> None:
        """Send the server, not its workers, a signal."""
        assert self._child is not None
        self._child.send_signal(how)

    async def kill(self) -> None:
        """Kill -9; returns when nothing is left of it, its workers included."""
        await self.end(signal.SIGKILL)
        self.kills += 1

    async def end(self, how: signal.Signals) -> int:
        """Send a signal, and wait until nothing is left."""
        child = self._child
        assert child is not None
        if child.returncode is None:
            child.send_signal(how)
        async with asyncio.timeout(_END_S):
            code = await child.wait()
            while _lives(child.pid):
                await asyncio.sleep(0.02)
        child._transport.close()  # type: ignore[attr-defined]  # Else its pipes are closed by the collector.
        self._child = None
        return code

    async def close(self) -> None:
        """Leave nothing behind, however the test ended."""
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            await self.end(signal.SIGKILL)

    @contextlib.asynccontextmanager
    async def generation(self) -> AsyncIterator[pb_grpc.GenerationServiceAsyncStub]:
        """Call it."""
        async with grpc.aio.insecure_channel(self.address) as channel:
            yield pb_grpc.GenerationServiceStub(channel)  # type: ignore[misc]

    @contextlib.asynccontextmanager
    async def assets(self) -> AsyncIterator[asset_service_pb2_grpc.AssetServiceAsyncStub]:
        """Call it."""
        async with grpc.aio.insecure_channel(self.address) as channel:
            yield asset_service_pb2_grpc.AssetServiceStub(channel)  # type: ignore[misc]

    def _environment(self) -> dict[str, str]:
        return {
            "ASSETWRIGHT_GRPC": self.address,
            "ASSETWRIGHT_HTTP": f"127.0.0.1:{self.http_port}",
            "ASSETWRIGHT_DATA_DIR": str(self.folder / "data"),
            **{
                name: value.format(http_port=self.http_port)
                for name, value in self.settings.items()
            },
        }


def settings_for(gateway: Gateway) -> dict[str, str]:
    """Return what every server of a crash test is told: to be quick, and to buy from a gateway."""
    return {
        "PIXAZO_API_KEY": "key",
        "ASSETWRIGHT_PIXAZO_URL": gateway.url,
        "ASSETWRIGHT_POLL_MIN_S": "0.2",
        "ASSETWRIGHT_POLL_MAX_S": "0.4",
        "ASSETWRIGHT_PROCESS_WORKERS": "1",
        "ASSETWRIGHT_MIN_FREE_BYTES": "1",
        "ASSETWRIGHT_LOG_FORMAT": "json",
    }


def _lives(group: int) -> bool:
    """Tell whether a process of the group still runs; ended ones may wait for init a while."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
            if its_group == str(group) and state != "Z":
                return True
    return False


async def closed(nodes: Sequence[Node]) -> None:
    """End all nodes at once."""
    await asyncio.gather(*(node.close() for node in nodes))
