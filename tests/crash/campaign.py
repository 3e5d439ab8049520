"""Kill after kill: new jobs each time, the old ones still on their way."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from tests.crash.phases import PHASES
from tests.crash.processes import Node
from tests.crash.verdict import Figures

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tests.crash.jobs import Caller, TrackedJob
    from tests.crash.processes import Gateway

__all__ = ["crash"]


async def crash(
    nodes: Sequence[Node],
    caller: Caller,
    gateway: Gateway,
    *,
    rounds: int,
    jobs_each: int,
    owner: Callable[[TrackedJob], Awaitable[Node | None]] | None = None,
    start: Callable[[Node], Awaitable[None]] = Node.start,
) -> Figures:
    """Aim a kill at every phase, `rounds` times; the killed node starts again at once.

    Args:
        nodes: Which may be killed.
        caller: Who submits jobs and follows them.
        gateway: What the jobs are bought from.
        rounds: How often for each phase.
        jobs_each: New jobs for each kill.
        owner: Tells which node works on a job; by default each is killed in its turn.
        start: Starts a node.
    """
    figures = Figures()
    order = [phase for phase in PHASES for _ in range(rounds)]
    random.Random(5).shuffle(order)  # noqa: S311 - not a secret
    for turn, phase in enumerate(order):
        await phase.prepare(gateway, jobs_each)
        jobs = await asyncio.gather(*(caller.submit(aim=phase.name) for _ in range(jobs_each)))
        hit = await phase.reached(gateway, jobs)
        found = None if owner is None else await owner(hit)
        victim = found or nodes[turn % len(nodes)]
        await victim.kill()
        figures.of(phase.name).kills += 1
        await start(victim)
    await gateway.clear_faults()
    return figures
