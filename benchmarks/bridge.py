"""Measure the gRPC-Web bridge beside native gRPC, in one run.

    python benchmarks/bridge.py            about a minute
    python benchmarks/bridge.py --quick    smaller; proves it works
    python benchmarks/bridge.py --record   also keep the figures in benchmarks/results

The exit code says whether everything worked; a target that is missed is printed as missed.
benchmarks/README.md has the method.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from _bulk import Run, download, made_asset, real_server, run_of, uploaded
from _process import Child, ChildFailed, child
from _report import Row, at_least, at_most, machine, record, show, slug

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_ASSET_BYTES = 60 << 20
_MIN_RATIO = 0.6  # Of native gRPC, at the server's own chunks of 256 KiB.
_MAX_OVERHEAD_MS = 1.0
_MAX_CANCEL_MS = 100.0


def throughput(path: Path, *, copies: int, runs: int) -> list[Row]:
    """Measure downloads natively, over the bridge, and as a plain file, turn by turn."""
    with real_server() as (server, addresses):
        asset_id = uploaded(addresses["grpc"], path)
        ways: dict[str, Callable[[], Run]] = {
            "native": lambda: download(server, addresses["grpc"], asset_id, copies),
            "bridge": lambda: _fetched(server, addresses["http"], asset_id, copies),
            "plain": lambda: _fetched(server, addresses["http"], asset_id, copies, "--plain"),
        }
        for way in ways.values():
            way()  # To warm up: allocator, page cache, windows.
        measured: dict[str, list[Run]] = {name: [] for name in ways}
        for _ in range(runs):
            for name, way in ways.items():
                measured[name].append(way())
        _check_whole(addresses["http"], asset_id, path)
    return list(_speed_rows(measured))


def _speed_rows(measured: dict[str, list[Run]]) -> Iterator[Row]:
    names = {
        "native": "DownloadAsset, native gRPC, default client",
        "bridge": "DownloadAsset over the bridge, http.client",
        "plain": "GET /v1/assets, http.client",
    }
    targets = {"bridge": at_least(_MIN_RATIO, of_ratio=True)}
    floor = median(run.mb_per_s for run in measured["native"])
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
            floor=median(run.server_s_per_gb for run in measured["native"]),
        )


def _fetched(server: Child, address: str, asset_id: str, copies: int, *options: str) -> Run:
    before = server.cpu_s
    with child("_web_client.py", "download", address, asset_id, str(copies), *options) as client:
        answer = client.answer()
        return run_of(answer, server.cpu_s - before, answer["bytes"])


def _check_whole(address: str, asset_id: str, path: Path) -> None:
    wanted = hashlib.sha256(path.read_bytes()).hexdigest()
    for option in ((), ("--plain",)):
        words = ("_web_client.py", "download", address, asset_id, "1", "--digest", *option)
        with child(*words) as client:
            assert client.answer()["sha256"] == wanted


def unary(*, calls: int, runs: int) -> list[Row]:
    """Measure what a small call takes natively and over the bridge."""
    with real_server() as (_, addresses):
        ways = {"native-unary": addresses["grpc"], "unary": addresses["http"]}
        measured: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(runs):
            for name, address in ways.items():
                with child("_web_client.py", name, address, str(calls)) as client:
                    measured[name].append(median(client.answer()))
    native, bridge = measured["native-unary"], measured["unary"]
    added = [ours - theirs for ours, theirs in zip(bridge, native, strict=True)]
    target = at_most(_MAX_OVERHEAD_MS)
    return [
        Row(measurement="Unary, native gRPC, median", values=native, unit="ms"),
        Row(
            measurement="Unary over the bridge, median",
            values=bridge,
            unit="ms",
            floor=median(native),
        ),
        Row(measurement="Unary: what the bridge adds", values=added, unit="ms", target=target),
    ]


def cancelling(*, count: int) -> list[Row]:
    """Measure how long after a caller closed its connection the handler ends."""
    return [
        _cancel_row("Silent stream", count, "/bench.B/Silent"),
        _cancel_row("Flooding stream, stalled reader", count, "/bench.B/Flood"),
    ]


def _cancel_row(kind: str, count: int, path: str) -> Row:
    taken = []
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(child("_bridge_server.py"))
        words = ("_web_client.py", "leave", server.answer(), str(count), path)
        client = stack.enter_context(child(*words))
        for _ in range(count):
            left = client.ask("")
            taken.append((server.answer() - left) / 1e6)
    return Row(
        measurement=f"{kind}: connection closed -> handler ended, worst",
        values=[max(taken)],
        unit="ms",
        target=at_most(_MAX_CANCEL_MS),
    )


def measured(path: Path, *, quick: bool) -> list[Row]:
    """Run the parts, and show the figures of each as they come."""
    parts: Sequence[tuple[str, Callable[[], list[Row]]]] = (
        ("throughput", lambda: throughput(path, copies=1 if quick else 8, runs=1 if quick else 7)),
        ("unary", lambda: unary(calls=100 if quick else 1000, runs=1 if quick else 7)),
        ("cancelling", lambda: cancelling(count=5 if quick else 50)),
    )
    rows: list[Row] = []
    for name, part in parts:
        print(f"\n{name} (load {os.getloadavg()[0]:.1f} at its start)")
        found = part()
        show(found)
        sys.stdout.flush()
        rows += found
    missed = [row.measurement for row in rows if row.met == "missed"]
    print("\nmissed: " + ("; ".join(missed) or "none"))
    return rows


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description="Measure the bridge against native gRPC.")
    parser.add_argument("--quick", action="store_true", help="smaller and once")
    parser.add_argument("--record", action="store_true", help="keep the figures")
    parser.add_argument("--machine", default=slug(), help="names the file of results")
    arguments = parser.parse_args()
    if not sys.platform.startswith("linux"):
        sys.stderr.write("The figures come from /proc: this runs on Linux alone.\n")
        return 1
    if arguments.record and arguments.quick:
        parser.error("--record keeps whole runs only")
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    with tempfile.TemporaryDirectory() as folder:
        try:
            rows = measured(made_asset(Path(folder), _ASSET_BYTES), quick=arguments.quick)
        except (AssertionError, ChildFailed) as exc:
            sys.stderr.write(f"bridge: {type(exc).__name__}: {exc}\n")
            return 1
    if arguments.record:
        print(f"kept in {record(rows, arguments.machine, benchmark='bridge').name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
