"""A folder of pictures becomes a folder of GLBs, within a budget, with a table of what came out.

    python examples/batch.py PICTURES OUT --budget 5.00
    python examples/batch.py PICTURES OUT --budget 5.00 --height-m 0.9 --max-triangles 20000

Writes OUT/NAME.glb for each picture and OUT/reports.csv with a row for each. The same command
again goes on where it was left: what is done stays, what was running is collected (the server never
stopped working on it), what failed is tried anew. Nothing is paid twice, since each picture has the
same request id each time. No job is begun whose highest price no longer fits into the budget.

The server is --server or ASSETWRIGHT_SERVER, the token ASSETWRIGHT_TOKEN.
Exit code: 0 all done, 1 something failed, 2 wrong arguments, 3 the budget ended it.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import sys
from collections import Counter
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from batch_table import DONE, FAILED, LEFT, OVER_BUDGET, Entry, Table

import assetwright
from assetwright.errors import (
    AssetwrightError,
    JobCancelled,
    JobFailed,
    ServerUnavailable,
    Unauthenticated,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from assetwright.events import Completed
    from assetwright.records import Asset, ParameterValue

_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}
_EXIT_FAILED, _EXIT_USAGE, _EXIT_BUDGET = 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is made of each picture."""

    model: str
    parameters: Mapping[str, ParameterValue]
    processing: assetwright.Processing
    price: Decimal  # The highest; what is reserved for a job until its receipt is there.

    def key(self, picture: Path) -> str:
        """Return what is the same whenever the same is made of the same picture."""
        made = f"{self.model} {sorted(self.parameters.items())} {self.processing}"
        digest = hashlib.sha256(picture.read_bytes())
        digest.update(made.encode())
        return digest.hexdigest()[:32]


class Batch:
    """Works on the pictures, a few at a time."""

    def __init__(
        self, client: assetwright.Client, order: Order, *, table: Table, budget: Decimal
    ) -> None:
        self._client = client
        self._order = order
        self._table = table
        self._budget = budget
        self._running = 0
        self._settled = asyncio.Condition()

    async def work(self, pictures: Iterator[tuple[Path, Path]]) -> None:
        """Take pictures, with the file that each becomes, until there are none."""
        for picture, target in pictures:
            entry = self._table.entry(picture.name, key=self._order.key(picture))
            if entry.state == DONE and _is_there(entry, target):
                continue
            if not await self._admitted():
                self._table.set(replace(entry, state=OVER_BUDGET))
                continue
            entry = await self._make(entry.next_attempt(), picture, target)
            self._table.set(entry)
            async with self._settled:
                self._running -= 1
                self._settled.notify_all()
            print(f"{entry.state:<12}{picture.name:<32}{entry.amount_usd:>8}  {entry.message}")

    async def _admitted(self) -> bool:
        """Reserve the price of a job; wait while jobs that run may turn out to cost less."""
        async with self._settled:
            await self._settled.wait_for(lambda: self._affordable() or not self._running)
            if not self._affordable():
                return False
            self._running += 1
            return True

    def _affordable(self) -> bool:
        reserved = self._order.price * (self._running + 1)
        return self._table.spent_usd + reserved <= self._budget

    async def _make(self, entry: Entry, picture: Path, target: Path) -> Entry:
        """Make one model; a job that is known already is attached to."""
        self._table.set(replace(entry, state=LEFT))
        try:
            completed = await self._client.create(
                self._order.model,
                image=picture,
                parameters=self._order.parameters,
                processing=self._order.processing,
                max_cost_usd=self._order.price,
                request_id=entry.request_id,
            )
            model = _model_of(completed)
            await self._client.download(model, target)
        except (JobFailed, JobCancelled) as exc:
            event = exc.event
            failed = replace(entry, state=FAILED, job_id=event.job_id, message=str(exc))
            return failed.charged(event.receipt, at_most=self._order.price)
        except (ServerUnavailable, Unauthenticated):
            raise  # Not this picture's fault: the batch ends, and can be taken up again.
        except AssetwrightError as exc:
            over = exc.reason is assetwright.ErrorReason.BUDGET_EXCEEDED
            return replace(entry, state=OVER_BUDGET if over else FAILED, message=str(exc))
        done = replace(entry, state=DONE, job_id=completed.job_id, message="")
        return done.charged(completed.receipt, at_most=self._order.price).measured(
            model, completed.report
        )


def _model_of(completed: Completed) -> Asset:
    return next(a for a in completed.assets if a.role is assetwright.AssetRole.MODEL)


def _is_there(entry: Entry, target: Path) -> bool:
    return target.exists() and hashlib.sha256(target.read_bytes()).hexdigest() == entry.sha256


def targets(pictures: Sequence[Path], out: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each picture with its GLB; pictures that differ in their ending alone keep it."""
    stems = Counter(picture.stem for picture in pictures)
    for picture in pictures:
        name = picture.stem if stems[picture.stem] == 1 else picture.name
        yield picture, out / f"{name}.glb"


async def run(arguments: argparse.Namespace) -> int:
    """Do it; return the exit code."""
    pictures = sorted(
        path for path in arguments.pictures.iterdir() if path.suffix.lower() in _SUFFIXES
    )
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = Table(arguments.out / "reports.csv")
    token = os.environ.get("ASSETWRIGHT_TOKEN")
    async with assetwright.Client(arguments.server, token=token) as client:
        parameters = dict(arguments.set)
        quote = await client.quote(arguments.model, parameters=parameters)
        if quote.high is None:
            sys.stderr.write(f"{arguments.model} has no published price; a budget needs one.\n")
            return _EXIT_USAGE
        processing = assetwright.Processing(
            height_m=arguments.height_m,
            max_triangles=arguments.max_triangles,
            pivot=assetwright.Pivot.BASE,
        )
        order = Order(
            model=arguments.model,
            parameters=parameters,
            processing=processing,
            price=quote.high.amount,
        )
        batch = Batch(client, order, table=table, budget=arguments.budget)
        waiting = targets(pictures, arguments.out)
        async with asyncio.TaskGroup() as group:
            for number in range(arguments.concurrency):
                group.create_task(batch.work(waiting), name=f"worker {number}")
    return _summary(table, [picture.name for picture in pictures])


def _summary(table: Table, names: Sequence[str]) -> int:
    states = Counter(table.state(name) for name in names)
    print(
        f"{states[DONE]} done, {states[FAILED]} failed, {states[OVER_BUDGET]} over budget; ", end=""
    )
    print(f"${table.spent_usd:f} spent in all; {table.path}")
    if states[FAILED]:
        return _EXIT_FAILED
    return _EXIT_BUDGET if states[OVER_BUDGET] else 0


def _value(text: str) -> tuple[str, ParameterValue]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError("it is NAME=VALUE")
    for parse in (int, float):
        try:
            return name, parse(value)
        except ValueError:
            continue
    return name, {"true": True, "false": False}.get(value, value)


def main(words: Sequence[str] | None = None) -> int:
    """Read the arguments, run, and tell errors in a sentence."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pictures", type=Path, help="a folder of PNG, JPEG or WebP files")
    parser.add_argument("out", type=Path, help="a folder for the GLBs and reports.csv")
    parser.add_argument("--budget", type=Decimal, required=True, help="US dollars, for OUT in all")
    parser.add_argument("--model", default="pixal3d")
    parser.add_argument("--set", action="append", type=_value, default=[], metavar="NAME=VALUE")
    parser.add_argument("--height-m", type=float)
    parser.add_argument("--max-triangles", type=int)
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--server", default=os.environ.get("ASSETWRIGHT_SERVER", "127.0.0.1:50051"))
    arguments = parser.parse_args(words)
    if not arguments.pictures.is_dir():
        parser.error(f"{arguments.pictures} is no folder")
    try:
        return asyncio.run(run(arguments))
    except* AssetwrightError as group:
        for exc in group.exceptions:
            sys.stderr.write(f"{exc}\nThe same command again goes on from here.\n")
    return _EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
