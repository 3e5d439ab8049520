"""Figures: rows with a ratio and a target, printed as a table and kept as CSV."""

from __future__ import annotations

import csv
import json
import operator
import os
import platform
import re
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Row", "Target", "at_least", "at_most", "machine", "record", "show", "slug"]

_RESULTS = Path(__file__).parent / "results"
_COLUMNS = ("version", "date", "measurement", "value", "unit", "ratio", "target", "met")
_SPREAD = ("min", "max", "runs", "load")
_NOISE_WORDS = {"amd", "intel", "cpu", "processor", "core", "with", "gen", "r", "tm"}
_SLUG_WORDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a figure should be."""

    text: str
    holds: Callable[[float], bool]
    of_ratio: bool


def at_least(bound: float, *, of_ratio: bool = False) -> Target:
    """Return the target that a figure, or its ratio, is not below a bound."""
    return _target(">=", operator.ge, bound, of_ratio=of_ratio)


def at_most(bound: float, *, of_ratio: bool = False) -> Target:
    """Return the target that a figure, or its ratio, is not above a bound."""
    return _target("<=", operator.le, bound, of_ratio=of_ratio)


def _target(
    sign: str, compare: Callable[[float, float], bool], bound: float, *, of_ratio: bool
) -> Target:
    text = f"ratio {sign} {bound:g}" if of_ratio else f"{sign} {bound:g}"
    return Target(text=text, holds=lambda value: compare(value, bound), of_ratio=of_ratio)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure: the median of its runs, and its ratio to a floor measured in the same run."""

    measurement: str
    values: Sequence[float]
    unit: str
    floor: float | None = None
    target: Target | None = None
    load: float = field(default_factory=lambda: os.getloadavg()[0])

    @property
    def value(self) -> float:
        """The median."""
        return median(self.values)

    @property
    def ratio(self) -> float | None:
        """The median as a multiple of the floor."""
        return self.value / self.floor if self.floor else None

    @property
    def met(self) -> str:
        """Whether the target is met; empty where there is none."""
        if self.target is None:
            return ""
        figure = self.ratio if self.target.of_ratio else self.value
        return "met" if figure is not None and self.target.holds(figure) else "missed"

    def cells(self) -> dict[str, str]:
        """Return the row's columns as text."""
        return {
            "measurement": self.measurement,
            "value": _figure(self.value),
            "unit": self.unit,
            "ratio": "" if self.ratio is None else f"{self.ratio:.3g}",
            "target": "" if self.target is None else self.target.text,
            "met": self.met,
            "min": _figure(min(self.values)),
            "max": _figure(max(self.values)),
            "runs": str(len(self.values)),
            "load": f"{self.load:.1f}",
        }


def _figure(value: float) -> str:
    """Return three significant digits, or all of a whole number."""
    return str(int(value)) if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"  # noqa: PLR2004 - four digits say enough


def show(rows: Iterable[Row]) -> None:
    """Print a table."""
    columns = {"measurement": 70, "value": 10, "unit": 12, "min": 10, "max": 10, "ratio": 7}
    print("".join(f"{name:<{width}}" for name, width in columns.items()) + "target")
    for row in rows:
        cells = row.cells()
        line = "".join(f"{cells[name]:<{width}}" for name, width in columns.items())
        print(f"{line}{cells['target']:<15} {cells['met']}".rstrip())


def slug() -> str:
    """Return a short name for the kind of machine this is, never for the machine itself."""
    words = re.findall(r"[a-z0-9]+", _cpu_model().lower().partition("@")[0])
    kept = [word for word in words if word not in _NOISE_WORDS][:_SLUG_WORDS]
    return "-".join([*kept, f"{os.cpu_count()}core"])


def machine() -> dict[str, str | int | float]:
    """Describe what the figures were measured on."""
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    kernel = ".".join(platform.release().split(".")[:2])
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(memory / (1 << 30), 1),
        "os": f"{system}, Linux {kernel}",
        "libc": " ".join(platform.libc_ver()),
        "python": platform.python_version(),
        "grpcio": version("grpcio"),
        "protobuf": version("protobuf"),
        "sqlalchemy": version("sqlalchemy"),
        "sqlite": sqlite3.sqlite_version,
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def record(rows: Iterable[Row], name: str, *, benchmark: str = "streaming") -> Path:
    """Keep the rows of this version among the results of this kind of machine.

    Rows that the same version has there already are replaced.
    """
    this = version("assetwright")
    date = datetime.now(UTC).date().isoformat()
    path = _RESULTS / f"{benchmark}-{name}.csv"
    kept = []
    if path.exists():
        with path.open(newline="") as file:
            kept = [row for row in csv.DictReader(file) if row["version"] != this]
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, (*_COLUMNS, *_SPREAD), lineterminator="\n")
        table.writeheader()
        table.writerows(kept)
        table.writerows({"version": this, "date": date, **row.cells()} for row in rows)
    (_RESULTS / f"machine-{name}.json").write_text(json.dumps(machine(), indent=2) + "\n")
    return path
