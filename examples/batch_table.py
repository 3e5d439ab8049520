"""The batch's table: a CSV that is whole after every change, and its memory between two runs."""

from __future__ import annotations

import csv
import dataclasses
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Self

from assetwright import ChargeState

if TYPE_CHECKING:
    from pathlib import Path

    from assetwright.records import Asset, Receipt
    from assetwright.v1.report_pb2 import Report

__all__ = ["DONE", "FAILED", "LEFT", "OVER_BUDGET", "Entry", "Table"]

DONE, FAILED, LEFT, OVER_BUDGET = "done", "failed", "left", "over budget"
_PASSED = 1  # CheckOutcome of the contract's report.


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row, all text. `left` is a job that was begun and whose end nobody here has seen."""

    picture: str
    state: str = ""
    job_id: str = ""
    sandbox: str = ""
    charge: str = ""
    amount_usd: str = ""
    earlier_usd: str = ""
    size_bytes: str = ""
    triangles: str = ""
    height_m: str = ""
    checks_passed: str = ""
    checks_failed: str = ""
    message: str = ""
    sha256: str = ""
    attempt: str = "1"
    key: str = ""

    @property
    def request_id(self) -> str:
        """The idempotency key: the same for the same attempt at the same thing."""
        return f"batch-{self.key}-{self.attempt}"

    @property
    def total_usd(self) -> Decimal:
        """What the picture has cost, with earlier attempts."""
        return Decimal(self.amount_usd or 0) + Decimal(self.earlier_usd or 0)

    def next_attempt(self) -> Self:
        """Return the entry to work on: after a failure a new attempt, else the same."""
        if self.state != FAILED or not self.job_id:
            return self
        number = str(int(self.attempt) + 1)
        return replace(self, attempt=number, earlier_usd=f"{self.total_usd:f}", amount_usd="")

    def charged(self, receipt: Receipt, *, at_most: Decimal) -> Self:
        """Return it with what it cost; where nobody knows, the highest price is assumed."""
        amount = Decimal(0)
        if receipt.charge is not ChargeState.NOT_CHARGED:
            amount = at_most if receipt.amount is None else receipt.amount.amount
        return replace(self, charge=receipt.charge.value, amount_usd=f"{amount:f}")

    def measured(self, model: Asset, report: Report | None) -> Self:
        """Return it with what the report says of the delivered bytes."""
        found = replace(
            self,
            sha256=model.sha256,
            size_bytes=str(model.size_bytes),
            sandbox="yes" if model.sandbox else "no",
        )
        if report is None:
            return found
        failed = [check.name for check in report.checks if check.outcome != _PASSED]
        height = report.bounds_after.max.y - report.bounds_after.min.y
        return replace(
            found,
            triangles=str(report.counts.triangles_drawn),
            height_m=f"{height:.4f}",
            checks_passed=str(len(report.checks) - len(failed)),
            checks_failed=" ".join(failed),
        )


_COLUMNS = [field.name for field in dataclasses.fields(Entry)]


class Table:
    """The rows by picture."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries: dict[str, Entry] = {}
        if path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    self._entries[row["picture"]] = Entry(**{n: row[n] for n in _COLUMNS})

    @property
    def spent_usd(self) -> Decimal:
        """What the jobs have cost. Pictures that are the same have one job, which counts once."""
        jobs = {entry.job_id or entry.picture: entry.total_usd for entry in self._entries.values()}
        return sum(jobs.values(), start=Decimal(0))

    def entry(self, picture: str, *, key: str) -> Entry:
        """Return a picture's row; a fresh one when something else was made of it before."""
        known = self._entries.get(picture)
        if known is None:
            return Entry(picture=picture, key=key)
        if known.key == key:
            return known
        return Entry(picture=picture, key=key, earlier_usd=f"{known.total_usd:f}")

    def state(self, picture: str) -> str:
        """Return how a picture's row stands."""
        return self._entries[picture].state

    def set(self, entry: Entry) -> None:
        """Change a row and write the table, whole or not at all."""
        self._entries[entry.picture] = entry
        fresh = self.path.with_suffix(".new")
        with fresh.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
            table.writeheader()
            table.writerows(dataclasses.asdict(one) for one in self._entries.values())
        fresh.replace(self.path)
