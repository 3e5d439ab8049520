"""What a designer reads when something fails, and the way out. The words are every editor's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..wire.messages import ErrorReason

if TYPE_CHECKING:
    from ..wire.errors import CallError
    from ..wire.messages import JobError

__all__ = ["Trouble", "of_call", "of_condition", "of_job", "of_problem"]

_WORDS = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Trouble:
    """A failure in words.

    Attributes:
        sentence: For the designer.
        detail: The server's or the system's own message, in small letters.
        action: Which way out there is, a name in ``words.json``.
        label: What the way out's button says.
        name: The reason or condition, for bug reports.
        charged: Whether money was spent, in words; empty where no one asked for any.
    """

    sentence: str
    detail: str = ""
    action: str = "none"
    label: str = "OK"
    name: str = ""
    charged: str = ""


def of_condition(condition: str, detail: str = "") -> Trouble:
    """Return the words for what happened to a connection."""
    return _row(_WORDS["conditions"][condition], condition, detail)


def of_problem(sentence: str, action: str) -> Trouble:
    """Return the words for what the extension noticed itself."""
    return Trouble(sentence, action=action, label=_WORDS["actions"][action], name="HERE")


def of_call(error: CallError) -> Trouble:
    """Return the words for a call that failed."""
    lines = [f"{one.field}: {one.description}" for one in error.violations] or [error.message]
    detail = "\n".join(lines)
    if error.reason:
        return _of_reason(error.reason, detail)
    condition = error.condition or _WORDS["codes"].get(error.code, "UNEXPECTED")
    return of_condition(condition, f"{error.code}: {detail}")


def of_job(error: JobError) -> Trouble:
    """Return the words for a job that failed."""
    try:
        reason = ErrorReason(error.reason).name
    except ValueError:
        reason = f"REASON_{error.reason}"
    trouble = _of_reason(reason, error.message)
    charged = ("", "Nothing was charged.", "It was charged.", "It may have been charged.")
    word = charged[error.charge] if 0 <= error.charge < len(charged) else ""
    return Trouble(**(vars(trouble) | {"charged": word}))


def _of_reason(reason: str, detail: str) -> Trouble:
    row = _WORDS["reasons"].get(reason)
    if row is None:  # The server is newer than this extension.
        return of_condition("UNEXPECTED", f"{reason}: {detail}")
    return _row(row, reason, detail)


def _row(row: dict[str, str], name: str, detail: str) -> Trouble:
    action = row["action"]
    return Trouble(row["sentence"], detail, action, _WORDS["actions"][action], name)
