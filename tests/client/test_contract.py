"""Our own words match the contract's, in both directions."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import pytest

import assetwright
from assetwright import _parse, enums, events
from assetwright._parse_events import READERS
from assetwright._request import generate, parameter_value, processing
from assetwright._wire import DESCRIPTORS, from_wire, to_wire
from assetwright.client import Client
from assetwright.errors import InvalidRequest
from assetwright.processing import Box, Collision, Lod, Processing, Textures
from assetwright.records import Money
from assetwright.sync import SyncClient
from assetwright.v1 import generation_service_pb2, job_pb2, model_pb2, processing_pb2

if TYPE_CHECKING:
    from assetwright.records import ParameterValue

OURS = [value for value in vars(enums).values() if isinstance(value, type) and value is not StrEnum]
RECEIVED_ONLY_AS = {"UNKNOWN"}


def members(kind: type[StrEnum]) -> set[str]:
    return set(kind.__members__) - RECEIVED_ONLY_AS


def test_every_enum_is_in_the_table() -> None:
    assert set(DESCRIPTORS) == set(OURS)


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_an_enum_has_exactly_the_contracts_values(kind: type[StrEnum]) -> None:
    """UNSPECIFIED is never sent, and ChargeState's own UNKNOWN is our UNKNOWN."""
    descriptor = DESCRIPTORS[kind]
    prefix = descriptor.values[0].name.removesuffix("UNSPECIFIED")
    names = {value.name.removeprefix(prefix) for value in descriptor.values}
    assert members(kind) == names - {"UNSPECIFIED"} - RECEIVED_ONLY_AS
    for name in members(kind):
        assert from_wire(kind, to_wire(kind[name])) is kind[name]


@pytest.mark.parametrize("number", [0, 9999])
def test_a_received_value_that_is_not_known_is_unknown(number: int) -> None:
    assert from_wire(enums.JobState, number) is enums.JobState.UNKNOWN


def test_every_kind_of_entry_has_a_reader_and_an_event() -> None:
    """A kind without one would be dropped in silence."""
    kinds = {field.name for field in job_pb2.JobEvent.DESCRIPTOR.oneofs_by_name["kind"].fields}
    assert set(READERS) == kinds - {"heartbeat", "chunk"}
    assert {kind.kind for kind in events.Event.__subclasses__()} == set(READERS)


def test_terminal_entries_are_numbered_from_20_to_29() -> None:
    fields = job_pb2.JobEvent.DESCRIPTOR.fields_by_name
    for kind in events.Event.__subclasses__():
        assert kind.terminal == (20 <= fields[kind.kind].number < 30)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(True, "bool_value"), (1, "int_value"), (1.0, "float_value"), ("1", "string_value")],
)
def test_a_parameter_keeps_its_type(value: ParameterValue, kind: str) -> None:
    message = parameter_value(value)
    assert message.WhichOneof("kind") == kind
    assert getattr(message, kind) == value


def test_what_is_not_asked_for_is_not_sent() -> None:
    """Absent differs from zero."""
    assert processing(Processing()) == processing_pb2.ProcessingOptions()
    assert processing(None) is None
    request = generate("m", {"request_id": "r"}, inputs=[])
    assert request == generation_service_pb2.GenerateRequest(
        request_id="r", model="m", delivery=generation_service_pb2.DELIVERY_ANNOUNCE
    )


def test_every_processing_option_reaches_the_contract() -> None:
    options = Processing(
        fit_box=Box(width_m=1, height_m=2, depth_m=3),
        pivot=enums.Pivot.BASE,
        max_triangles=10,
        max_vertices=11,
        budget_action=enums.BudgetAction.ENFORCE,
        extract_textures=False,
        engine_profile=enums.EngineProfile.GODOT,
        forward_axis=enums.ForwardAxis.MINUS_Z,
        textures=Textures(
            max_size_px=512,
            media_type="image/png",
            packing=enums.TexturePacking.ORM,
            alpha=enums.AlphaAction.APPLY,
        ),
        lods=(Lod(ratio=0.5), Lod(triangles=7)),
        collision=Collision(
            kind=enums.CollisionKind.BOX,
            max_parts=3,
            method=enums.DecompositionMethod.COACD,
            placement=enums.CollisionPlacement.NODES,
        ),
        bake=False,
        simplify_method=enums.SimplifyMethod.REBAKE,
        decode=enums.Decode.NEVER,
        compute_normals=True,
        compute_tangents=True,
        weld=True,
        prune=True,
        lod_placement=enums.LodPlacement.NODES,
        thumbnail_px=256,
        exports=(enums.ExportFormat.STL, enums.ExportFormat.OBJ),
        write_provenance=False,
    )
    message = processing(options)
    assert message is not None
    sent = {field.name for field, _ in message.ListFields()}
    sizes = {"scale_factor", "height_m", "longest_side_m"}
    assert sent | sizes == set(processing_pb2.ProcessingOptions.DESCRIPTOR.fields_by_name)
    assert [lod.WhichOneof("target") for lod in message.lods] == ["ratio", "triangles"]
    for part in (message.textures, message.collision):
        assert {field.name for field, _ in part.ListFields()} == set(part.DESCRIPTOR.fields_by_name)


def test_two_sizes_are_refused_with_both_names() -> None:
    """The contract's oneof would silently keep the last one."""
    with pytest.raises(InvalidRequest) as caught:
        Processing(height_m=1.0, scale_factor=2.0)
    fields = [violation.field for violation in caught.value.violations]
    assert fields == ["processing.scale_factor", "processing.height_m"]
    with pytest.raises(InvalidRequest):
        Lod()


@pytest.mark.parametrize(
    ("amount", "micros", "text"),
    [("0.42", 420_000, "$0.42"), (8, 8_000_000, "$8.00"), (0.0003, 300, "$0.0003")],
)
def test_money_is_exact(amount: float | str, micros: int, text: str) -> None:
    money = Money.usd(amount)
    assert (money.amount_micros, str(money)) == (micros, text)


def test_the_blocking_client_has_every_method() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert public(SyncClient) == public(Client)


@pytest.mark.parametrize("name", assetwright.__all__)
def test_everything_public_can_be_imported(name: str) -> None:
    assert getattr(assetwright, name) is not None


def test_a_model_without_estimate_and_price_can_be_read() -> None:
    model = _parse.model(model_pb2.Model(model_id="m", not_ready_reason="Set a key."))
    assert (model.duration_estimate, model.not_ready_reason) == (None, "Set a key.")
