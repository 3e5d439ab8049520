"""A gateway that runs here: the published HTTP contract, and something really made at its end."""

from server.sandbox.faults import Fault, FaultKind, FaultQueue, InvalidFault, Place
from server.sandbox.requests import Clock, GatewayRequest, Status
from server.sandbox.run import RunningSandbox, run_sandbox
from server.sandbox.settings import SandboxSettings
from server.sandbox.wallet import Wallet
from server.sandbox.worker import Worker

__all__ = [
    "Clock",
    "Fault",
    "FaultKind",
    "FaultQueue",
    "GatewayRequest",
    "InvalidFault",
    "Place",
    "RunningSandbox",
    "SandboxSettings",
    "Status",
    "Wallet",
    "Worker",
    "run_sandbox",
]
