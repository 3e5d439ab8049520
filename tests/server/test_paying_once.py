"""No paid POST is repeated, whatever goes wrong, in any protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from server.sandbox import Fault, FaultKind, Place
from tests.gateway.examples import EXAMPLES
from tests.server.house import end_of, kinds, reason
from tests.server.test_models import request

if TYPE_CHECKING:
    from tests.server.house import House

# One model of each protocol.
MODELS = ("flux-dev-text-to-image", "flux-1-schnell", "flux-1-schnell-batch", "segmind-aura-flow")
FAULTS = (
    FaultKind.SERVER_ERROR,
    FaultKind.UNAUTHORIZED,
    FaultKind.FORBIDDEN,
    FaultKind.INSUFFICIENT_BALANCE,
    FaultKind.BAD_REQUEST,
    FaultKind.DROP_BEFORE_ACCEPT,
    FaultKind.DROP_AFTER_ACCEPT,
    FaultKind.MALFORMED_JSON,
)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.value)
@pytest.mark.parametrize("model", MODELS)
async def test_no_fault_makes_a_second_submission(
    house: House, picture: bytes, model: str, kind: FaultKind
) -> None:
    """A job that fails at its POST has submitted at most once, and says which error it was."""
    example = next(one for one in EXAMPLES if one.model == model)
    before = len(house.sandbox.submissions())
    house.sandbox.faults.add(Fault(kind=kind, place=Place.SUBMIT))
    events = await house.generate(request(example, picture))
    assert len(house.sandbox.submissions()) <= before + 1
    if kinds(events)[-1] == "failed":
        expected = {
            FaultKind.SERVER_ERROR: {"GATEWAY_UNAVAILABLE"},
            FaultKind.UNAUTHORIZED: {"GATEWAY_REFUSED_US"},
            FaultKind.FORBIDDEN: {"GATEWAY_REFUSED_US"},
            FaultKind.INSUFFICIENT_BALANCE: {"GATEWAY_BALANCE"},
            FaultKind.BAD_REQUEST: {"GATEWAY_REJECTED_REQUEST"},
            FaultKind.DROP_BEFORE_ACCEPT: {"SUBMISSION_UNKNOWN"},
            FaultKind.DROP_AFTER_ACCEPT: {"SUBMISSION_UNKNOWN"},
            FaultKind.MALFORMED_JSON: {"SUBMISSION_UNKNOWN", "GATEWAY_REPLY_UNKNOWN"},
        }[kind]
        assert reason(end_of(events)) in expected
    else:
        # Bytes cannot be malformed JSON.
        assert (model, kind) == ("segmind-aura-flow", FaultKind.MALFORMED_JSON)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("model", MODELS)
async def test_a_refusal_for_haste_is_tried_again(house: House, picture: bytes, model: str) -> None:
    """429 proves that nothing was accepted: the same job submits once in the end."""
    example = next(one for one in EXAMPLES if one.model == model)
    before = len(house.sandbox.submissions())
    house.sandbox.faults.add(Fault(kind=FaultKind.RATE_LIMITED, place=Place.SUBMIT, count=2))
    events = await house.generate(request(example, picture))
    assert kinds(events)[-1] == "completed"
    assert len(house.sandbox.submissions()) == before + 1
