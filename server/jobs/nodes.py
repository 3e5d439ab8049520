"""Which nodes share the database, and which of them are alive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from server.jobs.tables import NODES

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from server.jobs.database import Transactions

__all__ = ["Nodes"]

_KEEP_LEASES = 100  # Then a dead node's row is removed.


class Nodes:
    """Tells this node's life to the others, and theirs to this one."""

    def __init__(self, database: Transactions, *, node: str, lease_s: float) -> None:
        """Speak for a node that may be silent for `lease_s` seconds before it counts as dead."""
        self._database = database
        self._node = node
        self.lease_s = lease_s

    async def beat(self) -> None:
        """Say that this node is alive."""
        if not self._database.is_shared:
            return

        def work(connection: Connection) -> None:
            now = self._database.now(connection)
            mine = update(NODES).where(NODES.c.id == self._node).values(seen_at=now)
            if connection.execute(mine).rowcount == 0:
                connection.execute(insert(NODES), [{"id": self._node, "seen_at": now}])
            old = now - _KEEP_LEASES * self.lease_s
            connection.execute(delete(NODES).where(NODES.c.seen_at < old))

        await self._database.write(work)

    async def alive(self) -> frozenset[str]:
        """Return the nodes that have been heard of within a lease; this one always."""
        if not self._database.is_shared:
            return frozenset((self._node,))

        def work(connection: Connection) -> frozenset[str]:
            since = self._database.now(connection) - self.lease_s
            found = connection.scalars(select(NODES.c.id).where(NODES.c.seen_at >= since))
            return frozenset((self._node, *found))

        return await self._database.read(work)

    async def leave(self) -> None:
        """Say that this node is gone, so that others take over at once."""
        if self._database.is_shared:
            mine = delete(NODES).where(NODES.c.id == self._node)
            await self._database.write(lambda c: c.execute(mine))
