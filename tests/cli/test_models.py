"""The catalog says what a model takes, what it costs, and why it cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assetwright.cli import main
from assetwright.cli._exit import ExitCode
from assetwright.v1 import model_pb2, money_pb2

if TYPE_CHECKING:
    from played_server import PlayedServer

NO_KEY = "No key for pixazo is set: set PIXAZO_SECRET_KEY on the server."


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def priced(*rows: tuple[dict[str, str], int]) -> model_pb2.PriceTable:
    def money(micros: int) -> money_pb2.Money:
        return money_pb2.Money(currency_code="USD", amount_micros=micros)

    return model_pb2.PriceTable(
        rows=[model_pb2.PriceRow(when=when, price=money(micros)) for when, micros in rows],
        source=money_pb2.PRICE_SOURCE_PUBLISHED_PAGE,
    )


def numbers(*values: int) -> list[model_pb2.ParameterValue]:
    return [model_pb2.ParameterValue(int_value=value) for value in values]


PIXAL3D = model_pb2.Model(
    model_id="pixal3d",
    task=model_pb2.MODEL_TASK_IMAGE_TO_3D,
    inputs=[
        model_pb2.InputSpec(
            role=model_pb2.INPUT_ROLE_SOURCE,
            required=True,
            help="The picture.",
            media_types=["image/png"],
        ),
        model_pb2.InputSpec(role=model_pb2.INPUT_ROLE_MASK, help="The mask."),
    ],
    price_table=priced(({"size": "1024"}, 300_000), ({"size": "2048"}, 420_000)),
    ready=True,
)
PAINTER = model_pb2.Model(
    model_id="painter",
    task=model_pb2.MODEL_TASK_TEXT_TO_IMAGE,
    takes_prompt=True,
    requires_prompt=True,
    parameters=[
        model_pb2.Parameter(
            name="width",
            type=model_pb2.PARAMETER_TYPE_INT,
            allowed_values=numbers(512, 768),
            allows_unlisted_values=True,
        ),
        model_pb2.Parameter(name="seed", type=model_pb2.PARAMETER_TYPE_INT, minimum=1),
        model_pb2.Parameter(
            name="steps", type=model_pb2.PARAMETER_TYPE_INT, allowed_values=numbers(4)
        ),
    ],
    price_table=priced(({}, 0)),
    not_ready_reason=NO_KEY,
)
TRAINER = model_pb2.Model(
    model_id="trainer", task=model_pb2.MODEL_TASK_TRAIN, not_ready_reason=NO_KEY
)


def cells(text: str, first: str) -> list[str]:
    """Return a table's row by what its first cell has."""
    rows = ([cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines())
    return next(row for row in rows if row and row[0] == first)


def shown(server: PlayedServer, capsys: pytest.CaptureFixture[str], *more: str) -> str:
    server.models = [PAINTER, PIXAL3D, TRAINER]
    assert main(["models", *more]) == ExitCode.OK
    return capsys.readouterr().out


def test_the_list_has_task_price_and_readiness(
    server: PlayedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reason that several models share is said once."""
    text = shown(server, capsys)
    assert cells(text, "pixal3d") == ["pixal3d", "image_to_3d", "$0.30 to $0.42", "yes"]
    assert cells(text, "painter") == ["painter", "text_to_image", "free", "no"]
    assert cells(text, "trainer") == ["trainer", "train", "not published", "no"]
    assert text.endswith(f"Not ready: painter, trainer. {NO_KEY}\n")


def test_a_model_says_which_inputs_it_needs_and_how_they_are_given(
    server: PlayedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(server, capsys, "pixal3d")
    assert cells(text, "prompt")[2] == "no"
    assert "--image-model" in cells(text, "prompt")[3]
    assert cells(text, "source") == ["source", "--image", "required", "The picture. (image/png)"]
    assert cells(text, "mask") == ["mask", "--mask", "optional", "The mask."]
    assert "  size 2048: $0.42\n" in text


def test_an_open_list_of_values_says_so(
    server: PlayedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown(server, capsys, "painter")
    assert cells(text, "prompt")[2] == "required"
    assert cells(text, "width")[3] == "512, 768; other values pass with a warning"
    assert cells(text, "steps")[3] == "4"
    assert cells(text, "seed")[3] == "at least 1"
    assert f"ready: no. {NO_KEY}\n" in text


def test_an_empty_catalog_is_said(server: PlayedServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.models = []
    assert main(["models"]) == ExitCode.OK
    assert capsys.readouterr().out == "No models.\n"
