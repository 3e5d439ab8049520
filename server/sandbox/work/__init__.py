"""What a worker process makes: jobs in, files out."""

from server.sandbox.work.jobs import DrawJob, EditJob, FillJob, Job, MeshJob, RestoreJob, TrainJob
from server.sandbox.work.perform import Limits, Made, perform

__all__ = [
    "DrawJob",
    "EditJob",
    "FillJob",
    "Job",
    "Limits",
    "Made",
    "MeshJob",
    "RestoreJob",
    "TrainJob",
    "perform",
]
