"""A job's progress on stderr: one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from assetwright.cli import _words
from assetwright.enums import Stage
from assetwright.events import GatewayUpdate, Notice, StageProgress, StageStarted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from assetwright.cli._ui import Ui
    from assetwright.events import Event

__all__ = ["Display", "display"]


class Display(Protocol):
    """Shows how far a job is."""

    def show(self, event: Event) -> None:
        """Show an entry of the log."""

    def busy(self, words: str) -> None:
        """Show what is done now."""

    def say(self, text: str) -> None:
        """Show a line that stays."""


@contextmanager
def display(ui: Ui) -> Iterator[Display]:
    """Show progress in the way that suits where it goes."""
    if ui.json_lines:
        yield _Silent()  # The lines on stdout say it all.
    elif not ui.stderr.is_terminal:
        yield _Lines(ui.stderr)
    else:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[note]}", markup=False),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=ui.stderr, transient=True) as progress:
            yield _Live(progress)


class _Silent:
    def show(self, event: Event) -> None:
        """Show nothing."""

    def busy(self, words: str) -> None:
        """Show nothing."""

    def say(self, text: str) -> None:
        """Show nothing."""


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, event: Event) -> None:
        """Print a line."""
        if line := _words.sentence(event):
            self._console.print(line)

    def busy(self, words: str) -> None:
        """Print nothing: what comes of it is printed when it is done."""

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(text)


class _Live:
    """One line; a bar only where a fraction was measured, else a pulse."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._stage = (
            Stage.GENERATE
        )  # Of the gateway's word, where a watch begins behind its start.
        self._task = progress.add_task("Connecting", total=None, note="")

    def show(self, event: Event) -> None:
        """Change the line, or print what should stay above it."""
        if isinstance(event, StageStarted):
            self._stage = event.stage
            self._change(_words.stage_name(event.stage), fraction=None, note="")
        elif isinstance(event, StageProgress):
            self._change(_words.stage_name(event.stage), fraction=event.fraction, note="")
        elif isinstance(event, GatewayUpdate):
            note = _words.estimate(event.estimate)
            words = f"{_words.stage_name(self._stage)} ({event.gateway_state})"
            self._change(words, fraction=None, note=note)
        elif isinstance(event, Notice) or event.kind == "accepted":
            self.say(_words.sentence(event))

    def busy(self, words: str) -> None:
        """Change the line."""
        self._change(words, fraction=None, note="")

    def say(self, text: str) -> None:
        """Print above the line."""
        self._progress.console.print(text)

    def _change(self, words: str, *, fraction: float | None, note: str) -> None:
        # `update` takes a None for "no change", so going back to a pulse has to be set by hand; a
        # stage that was full shall not stop the clock.
        task = self._progress.tasks[0]
        task.total = None if fraction is None else 1.0
        task.finished_time = None
        self._progress.update(
            self._task, description=words, completed=fraction or 0.0, note=note, refresh=True
        )
