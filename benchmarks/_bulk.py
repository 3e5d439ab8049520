"""Bulk: one large asset, as fast as it goes, and what a reader who stops costs."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import tempfile
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from _floor import PIECE_BYTES
from _process import Child, child
from _report import Row, at_least, at_most

from server.rpc.chunks import CHUNK_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

__all__ = [
    "Run",
    "bulk",
    "chunk_size",
    "download",
    "made_asset",
    "reading",
    "real_server",
    "run_of",
    "uploaded",
]

_GB = 1e9
_MIB = 1 << 20
_ENVIRONMENT = {
    "ASSETWRIGHT_GATEWAY": "sandbox",
    "ASSETWRIGHT_GRPC": "127.0.0.1:0",
    "ASSETWRIGHT_HTTP": "127.0.0.1:0",
    "ASSETWRIGHT_LOG_LEVEL": "ERROR",
}
_MIN_RATIO = 0.35  # At 256 KiB a chunk; measured before the project began: 0.42 to 0.60.
_MIN_RATIO_UNTUNED = 0.25
_MAX_CPU_RATIO = 2.5
_MAX_CHUNKS_HELD = 5.0
_CHUNKS = (64, 128, 256, 512, 1024)  # KiB
_IDLE_CPU = 0.1  # Of one processor.
_QUIET_S = 0.5
_STALL_LIMIT_S = 30.0
_READS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One transfer of some copies."""

    mb_per_s: float
    server_s_per_gb: float
    client_s_per_gb: float


def made_asset(folder: Path, size_bytes: int) -> Path:
    """Write a file that begins like a GLB and does not compress. The same bytes every time."""
    path = folder / "model.glb"
    path.write_bytes(b"glTF" + random.Random(0).randbytes(size_bytes - 4))  # noqa: S311 - only bytes
    return path


def bulk(path: Path, *, copies: int, runs: int) -> list[Row]:
    """Measure downloads from the real server beside the floor, turn by turn."""
    with (
        floor_server(path) as (floor, port),
        bare_server(path, "--tuned") as bare,
        bare_server(path) as untuned,
        real_server() as (server, addresses),
    ):
        address = addresses["grpc"]
        asset_id = uploaded(address, path)
        ways: dict[str, Callable[[], Run]] = {
            "floor": lambda: _fetch(floor, port, path, copies),
            "bare": lambda: download(*bare, "any", copies, "--tuned"),
            "untuned": lambda: download(*untuned, "any", copies, "--tuned"),
            "tuned": lambda: download(server, address, asset_id, copies, "--tuned"),
            "default": lambda: download(server, address, asset_id, copies),
        }
        for way in ways.values():
            way()  # To warm up: allocator, page cache, windows.
        measured: dict[str, list[Run]] = {name: [] for name in ways}
        for _ in range(runs):
            for name, way in ways.items():
                measured[name].append(way())
        whole = _received_whole(address, asset_id, path)
    return [*_speed_rows(measured), whole]


def _speed_rows(measured: dict[str, list[Run]]) -> Iterator[Row]:
    names = {
        "floor": "Floor: raw socket",
        "bare": "Bare grpc.aio, client's allocator tuned",
        "untuned": "Bare grpc.aio, server's allocator not tuned",
        "tuned": "DownloadAsset, client's allocator tuned",
        "default": "DownloadAsset, default client",
    }
    targets = {
        "tuned": at_least(_MIN_RATIO, of_ratio=True),
        "default": at_least(_MIN_RATIO_UNTUNED, of_ratio=True),
    }
    floor = median(run.mb_per_s for run in measured["floor"])
    floor_cpu = median(run.server_s_per_gb for run in measured["floor"])
    for name, runs in measured.items():
        yield Row(
            measurement=names[name],
            values=[run.mb_per_s for run in runs],
            unit="MB/s",
            floor=floor,
            target=targets.get(name),
        )
    for name, runs in measured.items():
        yield Row(
            measurement=f"{names[name]}: server CPU",
            values=[run.server_s_per_gb for run in runs],
            unit="s/GB",
            floor=floor_cpu,
            target=at_most(_MAX_CPU_RATIO, of_ratio=True) if name in targets else None,
        )
        yield Row(
            measurement=f"{names[name]}: client CPU",
            values=[run.client_s_per_gb for run in runs],
            unit="s/GB",
        )


@contextlib.contextmanager
def real_server() -> Iterator[tuple[Child, dict[str, str]]]:
    """Run `python -m server` with a folder of its own; yields it, and its addresses by port."""
    with (
        tempfile.TemporaryDirectory() as folder,
        child("-m", "server", environment={**_ENVIRONMENT, "ASSETWRIGHT_DATA_DIR": folder}) as one,
    ):
        words = dict(word.partition("=")[::2] for word in one.line().split())
        yield one, words


@contextlib.contextmanager
def floor_server(path: Path) -> Iterator[tuple[Child, str]]:
    """Run the floor's server; yields it and its port."""
    with child("_floor.py", "serve", path) as one:
        yield one, one.line()


@contextlib.contextmanager
def bare_server(path: Path, *options: str) -> Iterator[tuple[Child, str]]:
    """Run `_bare_server.py`; yields it and its address."""
    with child("_bare_server.py", path, *options) as one:
        yield one, f"127.0.0.1:{one.line()}"


def uploaded(address: str, path: Path) -> str:
    """Store a file; return its asset's id."""
    with child("_client.py", "upload", address, path) as client:
        asset_id: str = client.answer()["asset_id"]
        return asset_id


def _fetch(server: Child, port: str, path: Path, copies: int) -> Run:
    size = path.stat().st_size
    before = server.cpu_s
    with child("_floor.py", "fetch", port, str(size), str(copies)) as client:
        return run_of(client.answer(), server.cpu_s - before, size * copies)


def download(server: Child, address: str, asset_id: str, copies: int, *options: str) -> Run:
    """Download an asset some times over gRPC."""
    before = server.cpu_s
    with child("_client.py", "download", address, asset_id, str(copies), *options) as client:
        answer = client.answer()
        return run_of(answer, server.cpu_s - before, answer["bytes"])


def run_of(answer: dict[str, Any], server_s: float, expected: int) -> Run:
    """Return what a client told, with the server's processor time."""
    received = answer["bytes"]
    assert received == expected
    assert received > 0
    return Run(
        mb_per_s=received / answer["seconds"] / 1e6,
        server_s_per_gb=server_s / received * _GB,
        client_s_per_gb=answer["cpu_s"] / received * _GB,
    )


def _received_whole(address: str, asset_id: str, path: Path) -> Row:
    """Check that a client without any option gets every byte: no message is too large for it."""
    data = path.read_bytes()
    with child("_client.py", "download", address, asset_id, "1", "--digest") as client:
        answer = client.answer()
    assert answer["bytes"] == len(data)
    assert answer["sha256"] == hashlib.sha256(data).hexdigest()
    return Row(
        measurement="Default client: bytes received, SHA-256 equal",
        values=[answer["bytes"]],
        unit="bytes",
        floor=len(data),
        target=at_least(1.0, of_ratio=True),
    )


@contextlib.contextmanager
def variant_server(path: Path, *options: str) -> Iterator[tuple[Child, str, str]]:
    """Run `_asset_server.py`; yields it, its address and the asset's id."""
    with (
        tempfile.TemporaryDirectory() as folder,
        child("_asset_server.py", folder, path, *options) as one,
    ):
        answer = one.answer()
        yield one, f"127.0.0.1:{answer['port']}", answer["asset_id"]


def chunk_size(path: Path, *, stalled: int, copies: int, runs: int) -> list[Row]:
    """Measure what a stalled reader holds and what a moving one gets, for several chunk sizes."""
    held: list[Row] = []
    speed: list[Row] = []
    with contextlib.ExitStack() as stack:
        servers = {
            kib: stack.enter_context(variant_server(path, "--chunk", str(kib * 1024)))
            for kib in _CHUNKS
        }
        floor, port = stack.enter_context(floor_server(path))
        base = [_fetch(floor, port, path, copies).mb_per_s for _ in range(runs)]
        measured: dict[int, list[Run]] = {kib: [] for kib in _CHUNKS}
        for _ in range(runs):
            for kib, target in servers.items():
                measured[kib].append(download(*target, copies, "--tuned"))
        for kib, target in servers.items():
            speed.append(_chunk_speed(kib, measured[kib], median(base)))
            held.append(_held_row(kib, _stalled_bytes(*target, stalled)))
    with real_server() as (server, addresses):
        address = addresses["grpc"]
        asset_id = uploaded(address, path)
        download(server, address, asset_id, 1)
        bytes_each = _stalled_bytes(server, address, asset_id, stalled)
        held.append(_held_row(CHUNK_BYTES // 1024, bytes_each, "production's, "))
    return [*held, *speed]


def _chunk_speed(kib: int, runs: Sequence[Run], floor: float) -> Row:
    return Row(
        measurement=f"Chunks of {kib} KiB: download, client tuned",
        values=[run.mb_per_s for run in runs],
        unit="MB/s",
        floor=floor,
    )


def _held_row(kib: int, bytes_each: float, whose: str = "") -> Row:
    """Return what a stalled reader holds; the ratio is to the chunk."""
    return Row(
        measurement=f"Chunks of {kib} KiB: {whose}held by a stalled reader",
        values=[bytes_each / _MIB],
        unit="MiB",
        floor=kib / 1024,
        target=at_most(_MAX_CHUNKS_HELD, of_ratio=True),
    )


def _stalled_bytes(server: Child, address: str, asset_id: str, count: int) -> float:
    """Return the growth of the server by each of `count` downloads that nobody reads on."""
    before = server.own_bytes
    with child("_client.py", "stall", address, asset_id, str(count)) as client:
        assert client.answer()["stalled"] == count
        _wait_until_idle(server)
        return (server.own_bytes - before) / count


def _wait_until_idle(server: Child) -> None:
    """Wait until the windows are full: the server then does nothing but look at its queues."""
    deadline = time.monotonic() + _STALL_LIMIT_S
    used = -1.0
    while (now := server.cpu_s) > used + _IDLE_CPU * _QUIET_S:
        assert time.monotonic() < deadline
        used = now
        time.sleep(_QUIET_S)


def reading(path: Path, *, copies: int, runs: int) -> list[Row]:
    """Measure reading a chunk in the handler against reading it in a thread."""
    read_us, threaded_us = asyncio.run(_one_read(path, runs))
    rows = [
        Row(measurement="Read 256 KiB inline, nothing else running", values=read_us, unit="us"),
        Row(
            measurement="Read 256 KiB in a thread, nothing else running",
            values=threaded_us,
            unit="us",
            floor=median(read_us),
        ),
    ]
    chunk = ("--chunk", str(CHUNK_BYTES))
    with (
        floor_server(path) as (floor, port),
        variant_server(path, *chunk) as inline,
        variant_server(path, *chunk, "--threaded") as threaded,
    ):
        ways: dict[str, Callable[[], Run]] = {
            "floor": lambda: _fetch(floor, port, path, copies),
            "inline": lambda: download(*inline, copies, "--tuned"),
            "in a thread": lambda: download(*threaded, copies, "--tuned"),
        }
        measured: dict[str, list[Run]] = {name: [] for name in ways}
        for way in ways.values():
            way()
        for _ in range(runs):
            for name, way in ways.items():
                measured[name].append(way())
    return [*rows, *_reading_rows(measured)]


def _reading_rows(measured: dict[str, list[Run]]) -> Iterator[Row]:
    floor = median(run.mb_per_s for run in measured["floor"])
    inline_cpu = median(run.server_s_per_gb for run in measured["inline"])
    for name in ("inline", "in a thread"):
        yield Row(
            measurement=f"Download, read {name}",
            values=[run.mb_per_s for run in measured[name]],
            unit="MB/s",
            floor=floor,
        )
    for name in ("inline", "in a thread"):
        yield Row(
            measurement=f"Download, read {name}: server CPU (ratio to inline)",
            values=[run.server_s_per_gb for run in measured[name]],
            unit="s/GB",
            floor=inline_cpu,
        )


async def _one_read(path: Path, runs: int) -> tuple[list[float], list[float]]:
    """Return what one read takes inline and through `asyncio.to_thread`, in microseconds."""
    inline, threaded = [], []
    with path.open("rb") as file:
        for _ in range(runs):
            began = time.perf_counter()
            for _ in range(_READS):
                if len(file.read(PIECE_BYTES)) < PIECE_BYTES:
                    file.seek(0)
            inline.append((time.perf_counter() - began) / _READS * 1e6)
            began = time.perf_counter()
            for _ in range(_READS):
                if len(await asyncio.to_thread(file.read, PIECE_BYTES)) < PIECE_BYTES:
                    file.seek(0)
            threaded.append((time.perf_counter() - began) / _READS * 1e6)
    return inline, threaded
