"""What the benchmarks' processes must call alike."""

__all__ = ["job_id"]


def job_id(number: int) -> str:
    """Return the id of a job of the event server."""
    return f"job_bench{number:06}"
