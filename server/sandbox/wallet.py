"""The balance that requests are paid from."""

from __future__ import annotations

from decimal import Decimal

__all__ = ["Wallet"]


class Wallet:
    """A balance, charged on acceptance. One event loop uses it, so it needs no lock."""

    def __init__(self, balance: Decimal | None) -> None:
        self._balance = balance
        self._spent = Decimal(0)

    @property
    def balance(self) -> Decimal | None:
        """What is left; `None` where the wallet never runs empty."""
        return None if self._balance is None else self._balance - self._spent

    @property
    def spent(self) -> Decimal:
        """What was charged and not refunded."""
        return self._spent

    def charge(self, price: Decimal) -> bool:
        """Take `price`, or return false and take nothing where the balance is too low."""
        balance = self.balance
        if balance is not None and balance < price:
            return False
        self._spent += price
        return True

    def refund(self, price: Decimal) -> None:
        """Give back what a request that ended with ERROR was charged."""
        self._spent -= price
