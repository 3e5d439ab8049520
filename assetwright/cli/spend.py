"""``assetwright spend``: what generations have cost, from their receipts."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import aclosing
from datetime import date
from typing import TYPE_CHECKING

from assetwright.cli._arguments import add_connection, connect
from assetwright.cli._exit import ExitCode
from assetwright.cli._ui import table
from assetwright.spending import Grouping, day_of, summarize

if TYPE_CHECKING:
    from rich.table import Table

    from assetwright.cli._arguments import Commands
    from assetwright.cli._ui import Ui
    from assetwright.records import Job
    from assetwright.spending import Line, Spending, Spent

__all__ = ["add_to"]

# What is not in an amount, in a table and in a sentence.
_APART = {
    "unpriced": ("without price", "charged without a published price"),
    "charge_unknown": ("unknown", "of which nobody knows whether it was charged"),
    "running": ("running", "still running"),
}


def add_to(commands: Commands) -> None:
    """Add the command."""
    spend = commands.add_parser("spend", help="sum up what generations have cost")
    spend.add_argument(
        "--since", type=_day, metavar="DATE", help="only from this day (UTC) on, as YYYY-MM-DD"
    )
    spend.add_argument(
        "--by",
        type=Grouping,
        choices=[Grouping.MODEL, Grouping.DAY],
        metavar="{model,day}",
        default=Grouping.BOTH,
        help="a line for each model, or for each day (otherwise for each model on each day)",
    )
    add_connection(spend)
    spend.set_defaults(run=_run)


def _day(text: str) -> date:
    """Read a day for argparse."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day as YYYY-MM-DD") from None


def _run(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    found = summarize(asyncio.run(_jobs(arguments)), by=arguments.by)
    _record(ui, found)
    if not found.bought and not found.sandbox:
        since = "" if arguments.since is None else f" since {arguments.since}"
        ui.show(f"No generations{since}: nothing was spent.")
        return ExitCode.OK
    if found.bought:
        ui.show(_table(found, by=arguments.by))
    ui.show(_total(found.total))
    for line in found.sandbox:
        ui.show(f"Sandbox, free: {_name(line)}, {_count(line.spent.generations)}")
    return ExitCode.OK


async def _jobs(arguments: argparse.Namespace) -> list[Job]:
    found: list[Job] = []
    async with connect(arguments) as client, aclosing(client.list_jobs()) as jobs:
        async for job in jobs:
            if arguments.since is not None and day_of(job) < arguments.since:
                break  # Jobs come newest first.
            found.append(job)
    return found


def _record(ui: Ui, found: Spending) -> None:
    for sandbox, lines in ((False, found.bought), (True, found.sandbox)):
        for line in lines:
            head = {"kind": "spent", "day": line.day, "model": line.model, "sandbox": sandbox}
            ui.record(head, **_figures(line.spent))
    ui.record({"kind": "total"}, **_figures(found.total))


def _figures(spent: Spent) -> dict[str, object]:
    return {
        "generations": spent.generations,
        "charged": spent.charged,
        "unpriced": spent.unpriced,
        "charge_unknown": spent.charge_unknown,
        "not_charged": spent.not_charged,
        "running": spent.running,
        "amount": spent.amount,
    }


def _table(found: Spending, *, by: Grouping) -> Table:
    # The model first, since the first column is never cut.
    names = [Grouping.MODEL, Grouping.DAY] if by is Grouping.BOTH else [by]
    rows = table(*names, "jobs", "spent", "besides", whole=len(names))
    for line in found.bought:
        cells = (str(line.spent.generations), _amount(line.spent), _besides(line.spent))
        rows.add_row(*(str(getattr(line, name)) for name in names), *cells)
    return rows


def _amount(spent: Spent) -> str:
    priceless = spent.unpriced > 0 and spent.unpriced == spent.charged
    return "not known" if priceless else str(spent.amount)


def _besides(spent: Spent) -> str:
    counts = [(getattr(spent, name), short) for name, (short, _) in _APART.items()]
    counts.append((spent.not_charged, "not charged"))
    return ", ".join(f"{count} {words}" for count, words in counts if count)


def _total(total: Spent) -> str:
    """Return the sum, and what may come on top of it."""
    words = f"Total: {total.amount} for {_count(total.generations)}."
    counts = [(getattr(total, name), long) for name, (_, long) in _APART.items()]
    apart = ", ".join(f"{count} {words}" for count, words in counts if count)
    return f"{words} Not in it: {apart}." if apart else words


def _name(line: Line) -> str:
    return " ".join(str(part) for part in (line.day, line.model) if part is not None)


def _count(generations: int) -> str:
    return "1 generation" if generations == 1 else f"{generations} generations"
