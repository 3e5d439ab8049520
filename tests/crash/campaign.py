"""Kill after kill: new jobs each time, the old ones still on their way."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from tests.crash.phases import PHASES
from tests.crash.verdict import Figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.crash.jobs import Caller
    from tests.crash.processes import Gateway, Node

__all__ = ["crash"]


async def crash(
    nodes: Sequence[Node],
    caller: Caller,
    gateway: Gateway,
    *,
    rounds: int,
    jobs_each: int,
) -> Figures:
    """Aim a kill at every phase, `rounds` times; the killed node starts again at once."""
    figures = Figures()
    order = [phase for phase in PHASES for _ in range(rounds)]
    random.Random(5).shuffle(order)  # noqa: S311 - not a secret
    for turn, phase in enumerate(order):
        await phase.prepare(gateway, jobs_each)
        jobs = await asyncio.gather(*(caller.submit(aim=phase.name) for _ in range(jobs_each)))
        await phase.reached(gateway, jobs)
        victim = nodes[turn % len(nodes)]
        await victim.kill()
        figures.of(phase.name).kills += 1
        await victim.start()
    await gateway.clear_faults()
    return figures
