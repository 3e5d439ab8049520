"""Two servers that share a Postgres and a folder of assets."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.crash.jobs import Caller
from tests.crash.processes import Node, closed, settings_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.crash.jobs import TrackedJob
    from tests.crash.postgres import Postgres
    from tests.crash.processes import Gateway

__all__ = ["LEASE_S", "Pair", "running_pair"]

LEASE_S = 3.0
_GRACE_S = 15.0


@dataclass(slots=True)
class Pair:
    """The nodes, their database, and a caller who uses whichever is up."""

    nodes: list[Node]
    postgres: Postgres
    caller: Caller
    _ids: dict[str, Node] = field(default_factory=dict)

    async def start(self, node: Node) -> None:
        """Start a node, and learn what it is called in the database."""
        await node.start()
        ids = {one for (one,) in await self.postgres.ask("SELECT id FROM nodes")}
        for new in ids - self._ids.keys():
            self._ids[new] = node

    async def owner(self, job: TrackedJob) -> Node | None:
        """Return the node that works on a job."""
        rows = await self.postgres.ask("SELECT node FROM jobs WHERE id = %s", job.id)
        return self._ids.get(rows[0][0]) if rows else None

    def other(self, node: Node) -> Node:
        """Return the other node."""
        return next(one for one in self.nodes if one is not node)


@contextlib.asynccontextmanager
async def running_pair(
    folder: Path, gateway: Gateway, postgres: Postgres, **settings: str
) -> AsyncIterator[Pair]:
    """Run two nodes."""
    shared = {
        **settings_for(gateway),
        "ASSETWRIGHT_DATABASE_URL": postgres.url,
        "ASSETWRIGHT_ASSETS": str(folder / "assets"),
        "ASSETWRIGHT_NODE_LEASE_S": str(LEASE_S),
        "ASSETWRIGHT_SUBMISSION_GRACE_S": str(_GRACE_S),
        "ASSETWRIGHT_QUEUE_POLL_S": "0.1",
        **settings,
    }
    nodes = [Node(name, folder / name, shared) for name in ("a", "b")]
    pair = Pair(nodes, postgres, Caller(nodes, gateway))
    try:
        for node in nodes:
            await pair.start(node)
        yield pair
    finally:
        await pair.caller.close()
        await closed(nodes)
