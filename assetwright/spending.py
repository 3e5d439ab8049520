"""What generations have cost, from the receipts of their jobs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC
from enum import StrEnum
from typing import TYPE_CHECKING

from assetwright.enums import ChargeState, JobKind
from assetwright.records import Money

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from assetwright.records import Job, Receipt

__all__ = ["Grouping", "Line", "Spending", "Spent", "day_of", "summarize"]

_CURRENCY = "USD"


class Grouping(StrEnum):
    """What gets a line of its own."""

    MODEL = "model"
    DAY = "day"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Generations counted by what they cost. Each is in exactly one of the four groups.

    Attributes:
        charged: How many were charged.
        not_charged: How many were not.
        charge_unknown: How many nobody knows it of.
        running: How many have not ended, and so have no receipt yet.
        unpriced: How many of the charged ones have no published price in US dollars; `micros` is
            without them.
        micros: What the others of the charged ones cost, in millionths of a US dollar.
    """

    charged: int = 0
    not_charged: int = 0
    charge_unknown: int = 0
    running: int = 0
    unpriced: int = 0
    micros: int = 0

    @property
    def generations(self) -> int:
        """How many there are."""
        return self.charged + self.not_charged + self.charge_unknown + self.running

    @property
    def amount(self) -> Money:
        """What is known to be spent."""
        return Money(_CURRENCY, self.micros)

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            **{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The generations of a day, of a model, or of a model on a day.

    Attributes:
        day: The day (UTC); None where models alone are told apart.
        model: The model; None where days alone are told apart.
        spent: What they cost.
    """

    day: date | None
    model: str | None
    spent: Spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What generations have cost.

    Attributes:
        bought: The lines of what was bought, the newest day first, then by model.
        sandbox: The same of what the built-in sandbox made, which is free and not in the total.
        total: The sum of `bought`.
    """

    bought: tuple[Line, ...]
    sandbox: tuple[Line, ...]
    total: Spent


def day_of(job: Job) -> date:
    """Return the day a job counts for: that of its acceptance, in UTC, as in the daily budget."""
    return job.create_time.astimezone(UTC).date()


def summarize(jobs: Iterable[Job], *, by: Grouping = Grouping.BOTH) -> Spending:
    """Sum up the receipts of jobs. Post-processing is free and left out.

    A job with an image stage is one generation of its 3D model; the picture's price is in it.
    """
    bought: dict[tuple[date | None, str | None], Spent] = {}
    sandbox: dict[tuple[date | None, str | None], Spent] = {}
    for job in jobs:
        if job.kind is not JobKind.GENERATE:
            continue
        key = _KEYS[by](job)
        group = sandbox if job.sandbox else bought
        group[key] = group.get(key, Spent()) + _spent(job.receipt)
    return Spending(
        bought=_lines(bought),
        sandbox=_lines(sandbox),
        total=sum(bought.values(), start=Spent()),
    )


_KEYS: Mapping[Grouping, Callable[[Job], tuple[date | None, str | None]]] = {
    Grouping.MODEL: lambda job: (None, job.model),
    Grouping.DAY: lambda job: (day_of(job), None),
    Grouping.BOTH: lambda job: (day_of(job), job.model),
}


def _spent(receipt: Receipt | None) -> Spent:
    """Return what one generation adds."""
    if receipt is None:
        return Spent(running=1)
    if receipt.charge is ChargeState.NOT_CHARGED:
        return Spent(not_charged=1)
    if receipt.charge is not ChargeState.CHARGED:
        return Spent(charge_unknown=1)
    if receipt.amount is None or receipt.amount.currency_code != _CURRENCY:
        return Spent(charged=1, unpriced=1)
    return Spent(charged=1, micros=receipt.amount.amount_micros)


def _lines(groups: Mapping[tuple[date | None, str | None], Spent]) -> tuple[Line, ...]:
    lines = (Line(day=day, model=model, spent=spent) for (day, model), spent in groups.items())
    return tuple(sorted(lines, key=_newest_first))


def _newest_first(line: Line) -> tuple[int, str]:
    return (0 if line.day is None else -line.day.toordinal(), line.model or "")
