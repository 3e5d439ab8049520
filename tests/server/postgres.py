"""A database of its own on a real Postgres for each test that wants one."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLACES = (
    "postgresql://postgres@127.0.0.1:5432/postgres",
    "postgresql://127.0.0.1:5432/postgres",  # As whoever runs the tests.
)
_HINT = (
    "no Postgres answers on loopback; start one, or say where it is in ASSETWRIGHT_TEST_POSTGRES"
)


@contextlib.contextmanager
def fresh_database() -> Iterator[str]:
    """Make a database; yields its address, and removes it afterwards."""
    place = _place()
    if place is None:
        if os.environ.get("CI"):
            pytest.fail(_HINT)
        pytest.skip(_HINT)
    name = f"assetwright_test_{secrets.token_hex(6)}"
    with psycopg.connect(place, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield f"{place.rpartition('/')[0]}/{name}"
    finally:
        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _place() -> str | None:
    told = os.environ.get("ASSETWRIGHT_TEST_POSTGRES")
    for place in (told,) if told else _PLACES:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(place):
            return place
    return None
