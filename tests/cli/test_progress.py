"""Progress shows what was measured, and never more."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import Progress

from assetwright.cli._progress import _Live, display
from assetwright.cli._ui import Ui
from assetwright.enums import Stage
from assetwright.events import GatewayUpdate, StageProgress, StageStarted
from assetwright.records import DurationEstimate

HEAD = {"job_id": "job-1", "sequence": 1, "time": datetime(2026, 1, 2, tzinfo=UTC)}
STARTED = StageStarted(**HEAD, stage=Stage.DOWNLOAD)
HALF = StageProgress(**HEAD, stage=Stage.DOWNLOAD, fraction=0.5, done_bytes=None, total_bytes=None)
WAITING = GatewayUpdate(
    **HEAD, gateway_state="PROCESSING", elapsed_s=3.0, estimate=DurationEstimate(48.0, 12)
)


def test_there_is_a_bar_only_where_a_fraction_was_measured() -> None:
    """Without a total the bar pulses."""
    progress = Progress(disable=True)
    live = _Live(progress)
    live.show(HALF)
    assert (progress.tasks[0].total, progress.tasks[0].completed) == (1.0, 0.5)
    live.show(WAITING)
    assert progress.tasks[0].total is None
    assert progress.tasks[0].fields["note"] == "usually about 48 s (from 12 jobs)"
    live.show(STARTED)
    assert (progress.tasks[0].total, progress.tasks[0].fields["note"]) == (None, "")


def test_the_gateways_word_belongs_to_the_stage_that_is_on() -> None:
    """With an image stage the gateway speaks of two generations."""
    progress = Progress(disable=True)
    live = _Live(progress)
    for stage, words in ((Stage.IMAGE, "Making the picture"), (Stage.GENERATE, "Generating")):
        live.show(StageStarted(**HEAD, stage=stage))
        live.show(WAITING)
        assert progress.tasks[0].description == f"{words} (PROCESSING)"


def test_a_terminal_gets_one_live_line() -> None:
    ui = Ui(json_lines=False, out=io.StringIO(), err=io.StringIO())
    ui.stderr = Console(file=io.StringIO(), force_terminal=True, width=100)
    with display(ui) as shown:
        shown.show(STARTED)
        shown.busy("Saving asset.glb")
    assert "Saving asset.glb" in ui.stderr.file.getvalue()


def test_elsewhere_there_are_plain_lines() -> None:
    err = io.StringIO()
    with display(Ui(json_lines=False, out=io.StringIO(), err=err)) as shown:
        shown.show(STARTED)
        shown.show(HALF)
    assert err.getvalue().splitlines() == [
        "Downloading the result",
        "Downloading the result: 50%",
    ]


def test_json_lines_keep_stderr_quiet() -> None:
    err = io.StringIO()
    with display(Ui(json_lines=True, out=io.StringIO(), err=err)) as shown:
        shown.show(STARTED)
        shown.busy("Saving")
        shown.say("Lost.")
    assert err.getvalue() == ""
