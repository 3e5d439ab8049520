"""What is measured on a model file, each as a call from a path to a path."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from asset_processing import Pivot, ProcessingOptions, process_file
from asset_processing.document import GlbDocument
from asset_processing.operations.lods import make_lods
from asset_processing.operations.place import place
from asset_processing.operations.scale import scale
from asset_processing.operations.simplify import simplify
from asset_processing.operations.textures import extract_textures
from asset_processing.options import Lod

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "NODE",
    "Peers",
    "copied",
    "lods",
    "placed",
    "processed",
    "run",
    "scaled",
    "seconds",
    "simplified",
    "trimesh_placed",
]

NODE = Path(__file__).parent / "node"
_FACTOR = 1.8
_DEFAULT = ProcessingOptions(scale_factor=_FACTOR, pivot=Pivot.BASE)


def seconds(call: Callable[[], float | None]) -> float:
    """Return how long a call takes, or the seconds that it measured itself."""
    start = time.perf_counter()
    measured = call()
    return time.perf_counter() - start if measured is None else measured


def copied(source: Path, destination: Path) -> None:
    """The floor: read the file, write the file."""
    destination.write_bytes(source.read_bytes())


def _written(document: GlbDocument, destination: Path) -> None:
    with destination.open("wb") as file:
        file.writelines(document.write())


def scaled(source: Path, destination: Path) -> None:
    """Scale alone."""
    document = GlbDocument.parse(source.read_bytes())
    scale(document, factor=_FACTOR)
    _written(document, destination)


def placed(source: Path, destination: Path) -> None:
    """Scale, pivot, texture extraction, and the file written again."""
    document = GlbDocument.parse(source.read_bytes())
    place(document, factor=_FACTOR, pivot=Pivot.BASE)
    assert extract_textures(document)
    _written(document, destination)


def processed(source: Path, folder: Path) -> None:
    """The whole default pipeline: files out, measured and reported."""
    process_file(source, folder, _DEFAULT)


def simplified(source: Path, destination: Path, triangles: int) -> None:
    """Simplify to a number of triangles."""
    document = GlbDocument.parse(source.read_bytes())
    assert simplify(document, max_triangles=triangles)
    _written(document, destination)


def lods(source: Path, folder: Path, triangles: Sequence[int]) -> None:
    """A chain of levels, one file each."""
    data = source.read_bytes()
    levels = [Lod(triangles=count) for count in triangles]
    _, files = make_lods(GlbDocument.parse(data), data, levels)
    folder.mkdir(exist_ok=True)
    for file in files:
        (folder / file.name).write_bytes(file.data)


def trimesh_placed(source: Path, destination: Path) -> None:
    """The same as `placed` by trimesh's load and export."""
    import trimesh  # noqa: PLC0415  # Our own process must not pay for it.

    scene = trimesh.load_scene(source, file_type="glb")
    scene.apply_scale(_FACTOR)
    low, high = scene.bounds
    middle = (low + high) / 2
    scene.apply_translation([-middle[0], -low[1], -middle[2]])
    destination.write_bytes(scene.export(file_type="glb"))


class Peers:
    """gltf-transform in a process that stays, so that its start is not measured."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # Our own program.
            ["node", NODE / "peers.mjs"],  # noqa: S607  # From the PATH, as for everybody.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def ask(self, operation: str, source: Path, destination: Path, **values: float) -> float:
        """Return the seconds that an operation took in there, reading and writing included."""
        assert self._process.stdin
        assert self._process.stdout
        request = {"operation": operation, "source": str(source), "destination": str(destination)}
        self._process.stdin.write(json.dumps({**request, **values}) + "\n")
        self._process.stdin.flush()
        answer: float = json.loads(self._process.stdout.readline())["ms"]
        return answer / 1000


def run(*command: str | Path) -> float:
    """Return how long a program takes from its start to its end.

    Python keeps the bytecode it makes, as an installation has it: else each run compiles numpy.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(  # noqa: S603
        command,
        check=True,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def _main() -> None:
    """As a program: ``simplify SOURCE DESTINATION TRIANGLES``, or ``memory SOURCE FOLDER``."""
    action, source, destination, *rest = sys.argv[1:]
    if action == "simplify":
        simplified(Path(source), Path(destination), int(rest[0]))
    else:
        processed(Path(source), Path(destination))
        # Not ru_maxrss, which begins with what the process that started this one had.
        status = Path("/proc/self/status").read_text()
        print(int(status.partition("VmHWM:")[2].split()[0]) * 1024)


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _main()
