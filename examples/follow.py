"""One generation with asyncio: show honest progress, cancel on Ctrl-C, resume by job id.

    python examples/follow.py chair.png chair.glb
    python examples/follow.py --job JOB_ID chair.glb     # a job that was begun before

Ctrl-C detaches, and says how to come back; the job goes on. The server is ASSETWRIGHT_SERVER, the
token ASSETWRIGHT_TOKEN.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import assetwright
from assetwright.events import Completed, Failed, GatewayUpdate, StageProgress, StageStarted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from assetwright.events import Event


def told(event: Event) -> str:
    """Return a line about an event: a fraction where one was measured, an estimate as one."""
    match event:
        case StageProgress(fraction=float(fraction)):
            return f"{event.stage.value}: {fraction:.0%}"
        case StageStarted():
            return f"{event.stage.value} ..."
        case GatewayUpdate(estimate=None):
            return f"{event.gateway_state}, {event.elapsed_s:.0f} s"
        case GatewayUpdate(estimate=estimate) if estimate is not None:
            usual = f"{estimate.median_s:.0f} s, the median of {estimate.sample_size}"
            return f"{event.gateway_state}, {event.elapsed_s:.0f} s (usually about {usual})"
        case _:
            return event.kind


async def follow(events: AsyncGenerator[Event, None]) -> Completed:
    """Print each event; return the last.

    Raises:
        SystemExit: The job did not complete.
    """
    job_id = ""
    try:
        async with aclosing(events):
            async for event in events:
                job_id = event.job_id
                print(f"{event.sequence:>3}  {told(event)}", flush=True)
                if isinstance(event, Completed):
                    return event
                if isinstance(event, Failed):
                    raise SystemExit(f"{event.error.message} {event.error.remedy}")
    except asyncio.CancelledError:
        print(f"Detached; the job goes on. Come back with --job {job_id}", file=sys.stderr)
        raise
    raise SystemExit("The job was cancelled.")


async def run(arguments: argparse.Namespace) -> None:
    """Generate or watch, then fetch the model and show what was measured."""
    server = os.environ.get("ASSETWRIGHT_SERVER", "127.0.0.1:50051")
    token = os.environ.get("ASSETWRIGHT_TOKEN")
    async with assetwright.Client(server, token=token) as client:
        if arguments.job is not None:
            events = client.watch(arguments.job)
        else:
            wanted = assetwright.Processing(height_m=1.0, pivot=assetwright.Pivot.BASE)
            small = {"decimation_target": 8000, "texture_size": 1024}
            events = client.generate(
                "pixal3d", image=arguments.picture, parameters=small, processing=wanted
            )
        completed = await follow(events)
        model = next(a for a in completed.assets if a.role is assetwright.AssetRole.MODEL)
        await client.download(model, arguments.out)
        for check in completed.report.checks if completed.report is not None else ():
            print(f"{check.name}: {check.detail}")
        print(arguments.out)


def main() -> int:
    """Read the arguments and run; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("picture", type=Path, nargs="?", help="what to make a model of")
    parser.add_argument("out", type=Path, help="where the GLB goes")
    parser.add_argument("--job", metavar="ID", help="follow this job instead of beginning one")
    arguments = parser.parse_args()
    if (arguments.picture is None) == (arguments.job is None):
        parser.error("give either a picture or --job")
    try:
        asyncio.run(run(arguments))
    except assetwright.AssetwrightError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
