"""Write docs/hostile-input.md: what becomes of each hostile sample, in 10 s of CPU time and 1 GiB.

python tools/write_hostile_input.py FOLDER           write it
python tools/write_hostile_input.py FOLDER --check   exit with 1 when it differs
"""

from __future__ import annotations

import argparse
import resource
import signal
import sys
from dataclasses import replace
from pathlib import Path

from asset_processing import (
    AlphaAction,
    CollisionKind,
    CollisionOptions,
    Decode,
    EngineProfile,
    ExportFormat,
    Lod,
    Pivot,
    ProcessingError,
    ProcessingOptions,
    Severity,
    TextureOptions,
    TexturePacking,
    process,
)

PAGE = Path(__file__).resolve().parent.parent / "docs" / "hostile-input.md"
SECONDS, BYTES = 10, 1024**3
VERTICES = ProcessingOptions(
    longest_side_m=1.8,
    pivot=Pivot.BASE,
    bake=True,
    decode=Decode.ALWAYS,
    normals=True,
    tangents=True,
    weld=True,
    prune=True,
)
OPTIONS = {
    "nothing asked": ProcessingOptions(),
    "every operation on vertices": VERTICES,
    "textures and outputs too": replace(
        VERTICES,
        engine_profile=EngineProfile.UNREAL,
        textures=TextureOptions(
            max_size_px=1024,
            media_type="image/webp",
            packing=TexturePacking.ORM,
            alpha=AlphaAction.APPLY,
        ),
        collision=CollisionOptions(kind=CollisionKind.CONVEX_DECOMPOSITION),
        lods=(Lod(ratio=0.5),),
        thumbnail_px=256,
        exports=tuple(ExportFormat),
    ),
}
HEAD = f"""# Hostile input

What asset processing makes of each file in the hostile samples, with nothing asked, with every operation on vertices asked, and with everything that is done to textures, levels of detail, a collision shape, a thumbnail and all exports besides. A test takes the table from the code again and holds every line to {SECONDS} s of processor time, and all of them together, in one process, to 1 GiB.

An error is one of [these](asset-processing.md#errors). A result is correct as far as it goes; where something in it cannot be used, an issue of the report says so.

"""  # noqa: E501


def outcome(source: bytes, options: ProcessingOptions) -> str:
    """Return what becomes of a file, as a cell of the table.

    Raises:
        TimeoutError: It took too long.
    """
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        asset = process(source, options)
    except ProcessingError as error:
        return f"`{error.reason}`: {error}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    worst = [issue.code.value for issue in asset.report.issues if issue.severity is Severity.ERROR]
    return "result" + "".join(f", issue `{code}`" for code in worst)


def table(folder: Path) -> str:
    """Return the table for the files of a folder.

    Raises:
        FileNotFoundError: There are none.
    """
    rows = [f"| file | {' | '.join(OPTIONS)} |", "| --- |" + " --- |" * len(OPTIONS)]
    files = sorted(folder.glob("*.glb"))
    if not files:
        raise FileNotFoundError(folder)
    for path in files:
        source = path.read_bytes()
        cells = [outcome(source, options).replace("|", "\\|") for options in OPTIONS.values()]
        told = [
            "the same" if number and cell == cells[number - 1] else cell
            for number, cell in enumerate(cells)
        ]
        rows.append(f"| `{path.name}` | {' | '.join(told)} |")
    return "\n".join(rows) + "\n"


def _late(*_: object) -> None:
    raise TimeoutError(f"over {SECONDS} s of processor time")


def main() -> int:
    """Write or check, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args()
    signal.signal(signal.SIGPROF, _late)
    page = HEAD + table(arguments.folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"peak memory {peak / 1e6:.0f} MB")
    if peak > BYTES:
        print("over 1 GiB", file=sys.stderr)
        return 1
    if arguments.check:
        if page != PAGE.read_text("utf-8"):
            print(f"stale: {PAGE.name}; run tools/write_hostile_input.py", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(page, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
