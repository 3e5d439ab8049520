"""Many streams: what an open one costs, how soon an event is there, and 5,000 at once."""

from __future__ import annotations

import bisect
import contextlib
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from _process import Child, child
from _report import Row, at_least, at_most

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["burst", "disk", "many"]

_KIB = 1 << 10
_MAX_KIB_A_STREAM = 64.0
_MAX_P99_MS = 25.0
_MAX_US_AN_EVENT = 200.0  # Of streaming; the goal is older than the store.
_CONNECTIONS = 10
_WARM_STREAMS = 10
_LAST_EVENTS_S = 1.0  # Between the last event recorded and the end of the streams.
_SYNCS = 200
_PARTS = ("p50", "p99", "max")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One feeding of all streams. Latencies in milliseconds, each with p50, p99 and maximum."""

    opened_kib: float
    fed_kib: float
    threads: int
    us_an_event: float
    received: float  # As a part of what was recorded.
    events_per_commit: float
    from_record: Sequence[float]
    from_commit: Sequence[float]  # Empty when nothing was stored.


def many(*, streams: int, seconds: float, runs: int) -> list[Row]:
    """Measure streams with one event a second each, stored as in production, and not stored."""
    measured: dict[str, list[Feed]] = {"stored": [], "unstored": []}
    for _ in range(runs):
        measured["stored"].append(_feed(streams, seconds))
        measured["unstored"].append(_feed(streams, seconds, "--unstored"))
    return list(_rows(f"{streams:,} streams", measured["stored"], measured["unstored"]))


def _rows(what: str, runs: Sequence[Feed], floor: Sequence[Feed]) -> Iterator[Row]:
    low, high = at_most(_MAX_KIB_A_STREAM), at_most(_MAX_P99_MS)
    opened = [run.opened_kib for run in runs]
    yield Row(measurement=f"{what}: server RSS, open", values=opened, unit="KiB each", target=low)
    fed = [run.fed_kib for run in runs]
    yield Row(measurement=f"{what}: server RSS, fed", values=fed, unit="KiB each", target=low)
    yield Row(measurement=f"{what}: threads", values=[run.threads for run in runs], unit="threads")
    yield Row(
        measurement=f"{what}: events received of those recorded",
        values=[run.received for run in [*runs, *floor]],
        unit="part",
        target=at_least(1.0),
    )
    for place, part in enumerate(_PARTS):
        base = [run.from_record[place] for run in floor]
        yield Row(
            measurement=f"{what}: floor, told unstored -> received, {part}", values=base, unit="ms"
        )
        for name, figures, target in (
            ("committed -> received", [run.from_commit for run in runs], high),
            ("recorded -> received", [run.from_record for run in runs], None),
        ):
            yield Row(
                measurement=f"{what}: {name}, {part}",
                values=[figure[place] for figure in figures],
                unit="ms",
                floor=median(base),
                target=target if part == "p99" else None,
            )
    unstored = [run.us_an_event for run in floor]
    yield Row(
        measurement=f"{what}: floor, server CPU unstored",
        values=unstored,
        unit="us/event",
        target=at_most(_MAX_US_AN_EVENT),
    )
    yield Row(
        measurement=f"{what}: server CPU, with storing",
        values=[run.us_an_event for run in runs],
        unit="us/event",
        floor=median(unstored),
    )
    yield Row(
        measurement=f"{what}: events in a commit",
        values=[run.events_per_commit for run in runs],
        unit="events",
    )


@contextlib.contextmanager
def event_server(jobs: int, *options: str) -> Iterator[tuple[Child, str]]:
    """Run `_event_server.py`; yields it and its address."""
    with (
        tempfile.TemporaryDirectory() as folder,
        child("_event_server.py", folder, str(jobs), *options) as one,
    ):
        yield one, f"127.0.0.1:{one.line()}"


def _feed(streams: int, seconds: float, *options: str) -> Feed:
    with event_server(streams, *options) as (server, address):
        with _watchers(address, streams, _WARM_STREAMS) as warm:
            _opened(warm)
        idle = server.rss_bytes
        with _watchers(address, streams, streams) as client:
            _opened(client)
            opened = server.rss_bytes
            cpu = server.cpu_s
            fed = server.ask(str(seconds))
            # The client may still be reading what was recorded last.
            time.sleep(_LAST_EVENTS_S)
            cpu = server.cpu_s - cpu
            threads, grown = server.threads, server.rss_bytes
            answer = client.ask("stop")
            assert not answer["failed"], answer["failed"]
    return Feed(
        opened_kib=(opened - idle) / streams / _KIB,
        fed_kib=(grown - idle) / streams / _KIB,
        threads=threads,
        us_an_event=cpu / fed["recorded"] * 1e6,
        received=len(answer["samples"]) / fed["recorded"],
        events_per_commit=fed["recorded"] / max(1, len(fed["commits"])),
        from_record=_latency(received - made for made, _, received in answer["samples"]),
        from_commit=_latency(_since_commit(answer["samples"], fed["commits"])),
    )


def _since_commit(samples: Iterable[Sequence[int]], commits: Sequence[int]) -> Iterator[int]:
    """Yield how long after its commit each event was received.

    One thread writes, so the first commit after an entry's time is that of its transaction.
    """
    if commits:
        for _, at, received in samples:
            yield received - commits[bisect.bisect_left(commits, at)]


def _latency(nanoseconds: Iterable[int]) -> list[float]:
    """Return p50, p99 and maximum in milliseconds; nothing of nothing."""
    ordered = sorted(nanoseconds)
    if not ordered:
        return []
    places = (len(ordered) // 2, len(ordered) * 99 // 100, len(ordered) - 1)
    return [ordered[place] / 1e6 for place in places]


def _watchers(address: str, jobs: int, streams: int, connections: int = _CONNECTIONS) -> Any:  # noqa: ANN401 - child's context
    numbers = ("--jobs", str(jobs), "--streams", str(streams), "--connections", str(connections))
    return child("_client.py", "watch", address, *numbers)


def _opened(client: Child) -> dict[str, Any]:
    """Open a client's streams, each until its first event; returns seconds and failures."""
    assert client.answer() == "connected"
    answer: dict[str, Any] = client.ask("open")
    assert not answer["failed"], answer["failed"]
    return answer


def burst(*, streams: int, jobs: int, connections: Sequence[int], runs: int) -> list[Row]:
    """Open many streams at one moment, each to its first event."""
    rows = []
    for count in connections:
        taken = [_burst(streams, jobs, count) for _ in range(runs)]
        what = f"{streams:,} streams at once over {count} connections"
        rows.append(
            Row(measurement=f"{what}: failed", values=[0] * runs, unit="streams", target=at_most(0))
        )
        rows.append(Row(measurement=f"{what}: all have their first event", values=taken, unit="s"))
    return rows


def _burst(streams: int, jobs: int, connections: int) -> float:
    """Return the seconds it takes. A stream that fails ends the benchmark."""
    with event_server(jobs) as (_, address), _watchers(address, jobs, streams, connections) as one:
        seconds: float = _opened(one)["seconds"]
        answer = one.ask("stop")
        assert not answer["failed"], answer["failed"]
    return seconds


def disk() -> list[Row]:
    """Measure the disk's own part of a commit: 4 KiB appended and synced."""
    taken = []
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as file:
        for _ in range(_SYNCS):
            file.write(bytes(4 * _KIB))
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - began) * 1e3)
    return [Row(measurement="Disk: write and sync 4 KiB", values=taken, unit="ms")]
