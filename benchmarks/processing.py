"""Measure asset processing against other tools and the floor, on models like Pixal3D's.

    python benchmarks/processing.py              everything, about a quarter of an hour
    python benchmarks/processing.py --quick      small models, once, a minute; proves it works
    python benchmarks/processing.py --only lods  one part
    python benchmarks/processing.py --record     also keep the figures in benchmarks/results
    python benchmarks/processing.py --models DIR make the models once, a minute, for several runs

The exit code says whether everything worked. A target that is missed is printed as missed; it
does not fail the run, since the machine may simply be busy. benchmarks/README.md has the method.
gltf-transform and gltfpack take part where `npm ci` was run in benchmarks/node.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

import _assets
from _assets import NODE, Peers, run, seconds
from _models import make_surface, write_model
from _quality import Reference
from _report import Row, at_least, at_most, machine, record, show, slug

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _models import Surface
    from _quality import Quality

_Party: TypeAlias = "tuple[Path, Callable[[], float | None]]"
"""What it writes, and the call; a number that the call gives is the seconds it measured itself."""

_BIN = NODE / "node_modules" / ".bin"
_MEMORY_SLACK = 150 << 20


@dataclass(frozen=True, slots=True)
class _Plan:
    """How large and how often."""

    triangles: int
    pixels: tuple[int, ...]
    media_types: tuple[str, ...]
    runs: int
    slow_runs: int
    samples: int
    goals: tuple[int, ...]
    levels: tuple[int, ...]


_WHOLE = _Plan(
    triangles=400_000,
    pixels=(2048, 4096),
    media_types=("image/png", "image/webp"),
    runs=7,
    slow_runs=3,
    samples=50_000,
    goals=(100_000, 25_000),
    levels=(200_000, 100_000, 50_000, 25_000, 10_000),
)
_QUICK = _Plan(
    triangles=20_000,
    pixels=(256,),
    media_types=("image/png",),
    runs=1,
    slow_runs=1,
    samples=5_000,
    goals=(5_000, 2_000),
    levels=(10_000, 5_000, 2_500, 1_200, 600),
)
# By atlas, at the last goal: colour error and Hausdorff distance.
_COLOR = {"clean": 0.4, "fragmented": 0.8}
_HAUSDORFF = 0.25


class _Bench:
    """One run over a folder of models."""

    def __init__(self, folder: Path, models: Path, plan: _Plan) -> None:
        self._folder = folder
        self._models = models
        self._plan = plan
        self._has_node = (_BIN / "gltf-transform").exists()
        if not self._has_node:
            print("without gltf-transform and gltfpack: npm ci was not run in benchmarks/node")
        self._surfaces: dict[str, Surface] = {}

    def _model(self, atlas: str, pixels: int, media_type: str) -> Path:
        kind = media_type.removeprefix("image/")
        path = self._models / f"{atlas}-{self._plan.triangles}-{pixels}-{kind}.glb"
        if not path.exists():
            if atlas not in self._surfaces:
                self._surfaces[atlas] = make_surface(
                    triangles=self._plan.triangles, fragmented=atlas == "fragmented"
                )
            write_model(self._surfaces[atlas], path, size=pixels, media_type=media_type)
        return path

    def placing(self) -> list[Row]:
        """Scale, pivot, extraction: everything that leaves the shape alone.

        The largest file first, as in a process that has seen some: glibc maps blocks anew that are
        larger than all it has freed, which takes as long as reading them.
        """
        rows: list[Row] = []
        for pixels in sorted(self._plan.pixels, reverse=True):
            for media_type in self._plan.media_types:
                rows += self._placing(self._model("fragmented", pixels, media_type))
        return rows

    def _placing(self, model: Path) -> list[Row]:
        out, folder = self._folder / "out.glb", self._folder / "out"
        fast: dict[str, _Party] = {
            "floor: read and write": (out, lambda: _assets.copied(model, out)),
            "scale": (out, lambda: _assets.scaled(model, out)),
            "place": (out, lambda: _assets.placed(model, out)),
            "pipeline": (folder, lambda: _assets.processed(model, folder)),
        }
        slow: dict[str, _Party] = {
            "trimesh": (out, lambda: _assets.trimesh_placed(model, out)),
        }
        if self._has_node:
            with Peers() as peers:
                fast["gltf-transform API"] = (
                    out,
                    lambda: peers.ask("place", model, out, factor=1.8),
                )
                fast["gltf-transform API, scale"] = (
                    out,
                    lambda: peers.ask("scale", model, out, factor=1.8),
                )
                taken = _in_turns(fast, self._plan.runs)
        else:
            taken = _in_turns(fast, self._plan.runs)
        taken |= _in_turns(slow, self._plan.slow_runs)
        return list(self._rows_of_placing(model, taken))

    def _rows_of_placing(self, model: Path, taken: dict[str, list[float]]) -> Iterator[Row]:
        name = f"{model.stem} ({model.stat().st_size / 1e6:.1f} MB)"
        middle = {party: median(values) for party, values in taken.items()}
        floor = middle["floor: read and write"]
        for party, values in taken.items():
            target = at_most(2, of_ratio=True) if party == "scale" else None
            yield Row(
                measurement=f"{name}: {party}",
                values=_ms(values),
                unit="ms",
                floor=floor * 1000,
                target=target,
            )
        for text, slower, faster, least in (
            ("trimesh / place", "trimesh", "place", 150),
            ("gltf-transform API / place", "gltf-transform API", "place", 4),
            ("trimesh / pipeline", "trimesh", "pipeline", 15),
        ):
            if slower in middle:
                yield Row(
                    measurement=f"{name}: {text}",
                    values=[middle[slower] / middle[faster]],
                    unit="times",
                    target=at_least(least),
                )

    def simplification(self) -> list[Row]:
        """Two budgets on both atlases: time, process against process too, and quality."""
        rows = []
        for atlas in _COLOR:
            model = self._model(atlas, self._plan.pixels[0], "image/png")
            reference = Reference(model, samples=self._plan.samples)
            full = reference.triangles
            for goal in self._plan.goals:
                rows += self._simplification(model, reference, goal, full)
        return rows

    def _simplification(
        self, model: Path, reference: Reference, goal: int, full: int
    ) -> Iterator[Row]:
        ratio = goal / full
        outs = {
            name: self._folder / f"{name}.glb"
            for name in ("ours", "process", "api", "command", "gltfpack")
        }
        script = Path(_assets.__file__)
        parties: dict[str, _Party] = {
            "ours": (outs["ours"], lambda: _assets.simplified(model, outs["ours"], goal)),
            "our process": (
                outs["process"],
                lambda: run(sys.executable, script, "simplify", model, outs["process"], str(goal)),
            ),
        }
        if not self._has_node:
            taken = _in_turns(parties, self._plan.runs)
        else:
            scale = ("--ratio", str(ratio), "--error", "1")
            parties["gltf-transform command"] = (
                outs["command"],
                lambda: run(_BIN / "gltf-transform", "simplify", model, outs["command"], *scale),
            )
            parties["gltfpack command"] = (
                outs["gltfpack"],
                lambda: run(
                    *(_BIN / "gltfpack", "-i", model, "-o", outs["gltfpack"]),
                    *("-noq", "-si", str(ratio), "-se", "1"),
                ),
            )
            with Peers() as peers:
                parties["gltf-transform API"] = (
                    outs["api"],
                    lambda: peers.ask("simplify", model, outs["api"], ratio=ratio),
                )
                taken = _in_turns(parties, self._plan.runs)
        name = f"{model.stem} to {goal:,}"
        command = taken.get("gltf-transform command")
        for party, values in taken.items():
            ours = party == "our process" and command is not None
            yield Row(
                measurement=f"{name}: {party}",
                values=_ms(values),
                unit="ms",
                floor=median(command) * 1000 if command else None,
                target=at_most(1, of_ratio=True) if ours else None,
            )
        last = goal == self._plan.goals[-1]
        for party, path in (
            ("ours", outs["ours"]),
            ("gltf-transform", outs["command"]),
            ("gltfpack", outs["gltfpack"]),
        ):
            if path.exists():
                atlas = model.stem.partition("-")[0] if party == "ours" else None
                quality = reference.measure(path)
                yield from _rows_of_quality(f"{name}: {party}", quality, goal, atlas, last=last)

    def lods(self) -> list[Row]:
        """A chain of five levels against one simplification."""
        rows: list[Row] = []
        for atlas in _COLOR:
            model = self._model(atlas, self._plan.pixels[0], "image/png")
            goal, levels = self._plan.goals[-1], self._plan.levels
            one, chain = self._folder / "one.glb", self._folder / "chain"
            taken = _in_turns(
                {
                    "one": (one, partial(_assets.simplified, model, one, goal)),
                    "chain": (chain, partial(_assets.lods, model, chain, levels)),
                },
                self._plan.runs,
            )
            rows.append(
                Row(
                    measurement=f"{model.stem}: five levels, to one simplification to {goal:,}",
                    values=_ms(taken["chain"]),
                    unit="ms",
                    floor=median(taken["one"]) * 1000,
                    target=at_most(1.5, of_ratio=True),
                )
            )
        return rows

    def memory(self) -> list[Row]:
        """Peak memory of the default pipeline, in a process of its own."""
        rows = []
        for pixels in self._plan.pixels:
            model = self._model("fragmented", pixels, "image/png")
            command = (sys.executable, _assets.__file__, "memory", model, self._folder / "out")
            peak = int(subprocess.check_output(command))  # noqa: S603
            allowed = 3 * model.stat().st_size + _MEMORY_SLACK
            rows.append(
                Row(
                    measurement=f"{model.stem}: peak memory of the pipeline",
                    values=[peak / (1 << 20)],
                    unit="MiB",
                    target=at_most(round(allowed / (1 << 20))),
                )
            )
        return rows


def _in_turns(parties: dict[str, _Party], runs: int) -> dict[str, list[float]]:
    """Run the parties one after the other, all of them as often as asked; return seconds.

    Each writes where nothing is: to overwrite a file can mean to wait for the disk.
    """
    taken: dict[str, list[float]] = {party: [] for party in parties}
    for number in range(runs + 1):
        for party, (output, call) in parties.items():
            _remove(output)
            found = seconds(call)
            if number:  # Imports and caches warmed up unmeasured.
                taken[party].append(found)
    return taken


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _ms(values: list[float]) -> list[float]:
    return [value * 1000 for value in values]


def _rows_of_quality(
    name: str, quality: Quality, goal: int, atlas: str | None, *, last: bool
) -> Iterator[Row]:
    """Figures of one result; those of ours have targets, at the last goal all of them."""
    judged = atlas is not None and last
    yield Row(
        measurement=f"{name}: triangles",
        values=[quality.triangles],
        unit="triangles",
        target=at_most(goal) if atlas else None,
    )
    yield Row(
        measurement=f"{name}: colour error",
        values=[quality.color],
        unit="of 255",
        target=at_most(_COLOR[atlas]) if judged and atlas else None,
    )
    yield Row(
        measurement=f"{name}: Hausdorff distance",
        values=[quality.hausdorff_percent],
        unit="% diagonal",
        target=at_most(_HAUSDORFF) if judged else None,
    )
    yield Row(
        measurement=f"{name}: shading normals", values=[quality.normal_degrees], unit="degrees"
    )


def main() -> int:
    """Run the parts that were asked for."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    arguments.add_argument("--quick", action="store_true", help="small and once")
    arguments.add_argument("--record", action="store_true", help="keep the figures in results/")
    arguments.add_argument("--only", choices=("placing", "simplification", "lods", "memory"))
    arguments.add_argument("--runs", type=int, help="how often; slow tools at most three times")
    arguments.add_argument("--models", type=Path, help="where models are kept between runs")
    chosen = arguments.parse_args()
    if chosen.models:
        chosen.models.mkdir(parents=True, exist_ok=True)
    plan = _QUICK if chosen.quick else _WHOLE
    if chosen.runs:
        plan = replace(plan, runs=chosen.runs, slow_runs=min(chosen.runs, plan.slow_runs))
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="assetwright-bench-") as folder:
        bench = _Bench(Path(folder), chosen.models or Path(folder), plan)
        for part in (bench.placing, bench.simplification, bench.lods, bench.memory):
            if chosen.only in (None, part.__name__):
                found = part()
                show(found)
                rows += found
    if chosen.record:
        print(record(rows, slug(), benchmark="processing"))
    print(machine())
    return 0


if __name__ == "__main__":
    sys.exit(main())
