"""Measure streaming against a floor: bulk bytes, many streams, bursts, stalled readers.

    python benchmarks/streaming.py              everything, some minutes
    python benchmarks/streaming.py --quick      smaller and once, under a minute; proves it works
    python benchmarks/streaming.py --only bulk  one part
    python benchmarks/streaming.py --record     also keep the figures in benchmarks/results

The exit code says whether everything worked. A target that is missed is printed as missed; it
does not fail the run, since the machine may simply be busy. benchmarks/README.md has the method.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from _bulk import bulk, chunk_size, made_asset, reading
from _process import ChildFailed
from _report import machine, record, show, slug
from _streams import burst, disk, many

if TYPE_CHECKING:
    from collections.abc import Callable

    from _report import Row

_ASSET_BYTES = 60 << 20
_COPIES = 17  # 1 GiB a run.

Parts = dict[str, "Callable[[], list[Row]]"]


def whole_parts(path: Path) -> Parts:
    """Return the parts in full size."""
    return {
        "bulk": lambda: bulk(path, copies=_COPIES, runs=7),
        "reading": lambda: reading(path, copies=_COPIES, runs=5),
        "chunks": lambda: chunk_size(path, stalled=50, copies=_COPIES, runs=3),
        "disk": disk,
        "streams": lambda: many(streams=1000, seconds=10, runs=5),
        "burst": lambda: burst(streams=5000, jobs=1000, connections=(10, 50), runs=3),
    }


def quick_parts(path: Path) -> Parts:
    """Return the parts so small that their figures mean little."""
    return {
        "bulk": lambda: bulk(path, copies=2, runs=1),
        "reading": lambda: reading(path, copies=2, runs=1),
        "chunks": lambda: chunk_size(path, stalled=5, copies=1, runs=1),
        "disk": disk,
        "streams": lambda: many(streams=100, seconds=3, runs=1),
        "burst": lambda: burst(streams=500, jobs=100, connections=(10,), runs=1),
    }


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description="Measure streaming against a floor.")
    parser.add_argument("--quick", action="store_true", help="smaller and once")
    parser.add_argument("--only", action="append", metavar="PART", help="may be repeated")
    parser.add_argument("--record", action="store_true", help="keep the figures")
    parser.add_argument("--machine", default=slug(), help="names the file of results")
    arguments = parser.parse_args()
    if not sys.platform.startswith("linux"):
        sys.stderr.write("The figures come from /proc: this runs on Linux alone.\n")
        return 1
    if arguments.record and (arguments.quick or arguments.only):
        parser.error("--record keeps whole runs only")
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    with tempfile.TemporaryDirectory() as folder:
        path = made_asset(Path(folder), _ASSET_BYTES)
        parts = (quick_parts if arguments.quick else whole_parts)(path)
        for unknown in set(arguments.only or ()) - set(parts):
            parser.error(f"{unknown}: there are {', '.join(parts)}")
        try:
            rows = measured({n: p for n, p in parts.items() if n in (arguments.only or parts)})
        except (AssertionError, ChildFailed) as exc:
            sys.stderr.write(f"streaming: {type(exc).__name__}: {exc}\n")
            return 1
    if arguments.record:
        print(f"kept in {record(rows, arguments.machine).name}")
    return 0


def measured(parts: Parts) -> list[Row]:
    """Run the parts, and show the figures of each as they come."""
    rows: list[Row] = []
    for name, part in parts.items():
        print(f"\n{name} (load {os.getloadavg()[0]:.1f} at its start)")
        found = part()
        assert found, name
        show(found)
        sys.stdout.flush()
        rows += found
    missed = [row.measurement for row in rows if row.met == "missed"]
    print("\nmissed: " + ("; ".join(missed) or "none"))
    return rows


if __name__ == "__main__":
    sys.exit(main())
