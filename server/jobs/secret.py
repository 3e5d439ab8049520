"""The secret that signs links: in the database, so that any node serves what another one signed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from server.jobs.tables import SECRETS

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from server.jobs.database import Transactions

__all__ = ["link_secret"]

_NAME = "links"
_SECRET_BYTES = 32


async def link_secret(database: Transactions, *, older: Path) -> bytes:
    """Return the secret, made at the first call.

    Args:
        database: Where it is.
        older: Where the first release kept it; links that it signed go on working.
    """

    def work(connection: Connection) -> bytes:
        wanted = select(SECRETS.c.value).where(SECRETS.c.name == _NAME)
        if (known := connection.scalar(wanted)) is not None:
            return bytes(known)
        secret = _first(older)
        try:
            with connection.begin_nested():
                connection.execute(insert(SECRETS), [{"name": _NAME, "value": secret}])
        except IntegrityError:  # Another node was quicker.
            return bytes(connection.scalars(wanted).one())
        return secret

    return await database.write(work)


def _first(older: Path) -> bytes:
    if older.exists() and len(secret := older.read_bytes()) == _SECRET_BYTES:
        return secret
    return os.urandom(_SECRET_BYTES)
