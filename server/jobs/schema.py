"""The shape of the database: made when it is new, brought up to date when it is older."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, inspect, select, text, update
from sqlalchemy.schema import CreateColumn

from server.jobs.rows import assets_used, job_of
from server.jobs.tables import JOBS, METADATA, SCHEMA, USES
from server.settings import SettingsError

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["VERSION", "migrate"]

VERSION = 2


def migrate(connection: Connection) -> None:
    """Bring the tables to `VERSION`, in the caller's transaction.

    Raises:
        SettingsError: They are of a newer version than this program knows.
    """
    inspector = inspect(connection)
    known = set(inspector.get_table_names())
    version = connection.scalar(select(SCHEMA.c.version)) if SCHEMA.name in known else None
    if version is None:
        version = 1 if JOBS.name in known else VERSION
    if version > VERSION:
        raise SettingsError(
            f"The jobs' database has version {version}; this program knows up to {VERSION}. "
            "Run the newer release, or choose another ASSETWRIGHT_DATA_DIR or database."
        )
    for table in METADATA.sorted_tables:
        if table.name in known:
            there = {column["name"] for column in inspector.get_columns(table.name)}
            for column in table.columns:
                if column.name not in there:
                    shape = CreateColumn(column).compile(dialect=connection.dialect)
                    connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {shape}"))
    METADATA.create_all(connection)
    if version < VERSION:
        _note_uses(connection)
    if connection.scalar(select(SCHEMA.c.version)) is None:
        connection.execute(insert(SCHEMA), [{"version": VERSION}])
    else:
        connection.execute(update(SCHEMA).values(version=VERSION))


def _note_uses(connection: Connection) -> None:
    """Write down which assets the jobs of version 1 work with."""
    rows = [
        {"job_id": row.id, "asset_id": asset_id}
        for row in connection.execute(select(JOBS)).all()
        for asset_id in assets_used(job_of(row).spec)
    ]
    if rows:
        connection.execute(insert(USES), rows)
