"""What is required of every job after all the crashes, and the table of what was counted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assetwright.v1 import asset_pb2, asset_service_pb2, errors_pb2
from assetwright.v1 import generation_service_pb2 as pb
from tests.crash.phases import PHASES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assetwright.v1 import job_pb2
    from tests.crash.jobs import TrackedJob
    from tests.crash.processes import Gateway, Node

__all__ = ["Figures", "Tally", "check_logs", "check_results", "judge"]

_COLUMNS = (
    "kill aimed at",
    "kills",
    "jobs",
    "submissions",
    "completed",
    "`SUBMISSION_UNKNOWN`",
    "double submissions",
    "results lost",
)


@dataclass(slots=True)
class Tally:
    """What happened to the jobs that were aimed at in one phase."""

    kills: int = 0
    jobs: int = 0
    submissions: int = 0
    completed: int = 0
    unknown: int = 0
    doubles: int = 0
    lost: int = 0


@dataclass(slots=True)
class Figures:
    """A tally for each phase."""

    phases: dict[str, Tally] = field(default_factory=dict)

    def of(self, phase: str) -> Tally:
        """Return a phase's tally."""
        return self.phases.setdefault(phase, Tally())

    @property
    def total(self) -> Tally:
        """All phases together."""
        names = Tally.__slots__
        return Tally(*(sum(getattr(one, name) for one in self.phases.values()) for name in names))

    def table(self, title: str) -> str:
        """Return the figures as a table of the documentation."""
        rows = [
            f"{title}:",
            "",
            f"| {' | '.join(_COLUMNS)} |",
            "| --- " * len(_COLUMNS) + "|",
        ]
        ordered = {phase.name: self.of(phase.name) for phase in PHASES}
        for name, one in (*ordered.items(), ("all", self.total)):
            figures = (getattr(one, column) for column in Tally.__slots__)
            rows.append(f"| {name} | " + " | ".join(map(str, figures)) + " |")
        return "\n".join(rows)


async def judge(jobs: Sequence[TrackedJob], gateway: Gateway, figures: Figures) -> None:
    """Count, by the gateway's own record."""
    submissions = await gateway.submissions()
    for job in jobs:
        sent = [one for one in submissions if one["body"].get("seed") == job.seed]
        known = job.answer_arrived or any(map(gateway.called_back, sent))
        completed = job.end is not None and job.end.HasField("completed")
        tally = figures.of(job.aim)
        tally.jobs += 1
        tally.submissions += len(sent)
        tally.completed += completed
        tally.unknown += job.is_unknown
        tally.doubles += max(len(sent) - 1, 0)
        tally.lost += known and not completed
        # Whoever has a result has paid for it once, and whoever does not is told so.
        assert completed or job.is_unknown, (job.id, job.aim, job.end)
        if completed:
            assert len(sent) == 1, (job.id, job.aim, sent)
        else:
            assert job.end is not None
            assert job.end.failed.receipt.charge == errors_pb2.CHARGE_STATE_UNKNOWN
    assert figures.total.doubles == 0, figures
    assert figures.total.lost == 0, figures


async def check_logs(jobs: Sequence[TrackedJob], nodes: Sequence[Node]) -> None:
    """What was streamed through all the crashes is what every node replays, and has no gap."""
    for node in nodes:
        async with node.generation() as stub:
            for job in jobs:
                request = pb.WatchJobRequest(job_id=job.id)
                replay = [reply.event async for reply in stub.WatchJob(request)]
                assert [event.sequence for event in replay] == list(range(1, len(replay) + 1))
                assert replay == job.events, job.id


async def check_results(jobs: Sequence[TrackedJob], nodes: Sequence[Node]) -> int:
    """Every node hands out every result, whole; returns how many there are."""
    checked = 0
    for node in nodes:
        async with node.assets() as stub:
            for job in jobs:
                if job.end is not None and job.end.HasField("completed"):
                    for asset in _delivered(job.end):
                        request = asset_service_pb2.DownloadAssetRequest(asset_id=asset.asset_id)
                        digest = hashlib.sha256()
                        async for reply in stub.DownloadAsset(request):
                            digest.update(reply.chunk.data)
                        assert digest.hexdigest() == asset.sha256
                        checked += 1
    return checked


def _delivered(end: job_pb2.JobEvent) -> list[asset_pb2.Asset]:
    """Return a job's assets: what was bought, and each thing made of it, once."""
    assets = list(end.completed.assets)
    roles = [asset.role for asset in assets]
    assert roles.count(asset_pb2.ASSET_ROLE_SOURCE) == 1
    assert roles.count(asset_pb2.ASSET_ROLE_MODEL) == 1
    assert roles.count(asset_pb2.ASSET_ROLE_REPORT) == 1
    assert len({asset.name for asset in assets}) == len(assets)
    return assets
