"""Every failure has a sentence for a designer and a button that leads out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import grpc
import pytest

from server.rpc.status import CODES

_WORDS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "addons" / "shared" / "words.json").read_text("utf-8")
)
_ROWS = {**_WORDS["reasons"], **_WORDS["conditions"]}
# Words of ours that mean nothing to who presses the button.
_JARGON = re.compile(
    r"\b(rpc|grpc|http|json|null|exception|status|request|payload|gateway|asset|glb|id)\b",
    re.IGNORECASE,
)
_MAX_LETTERS = 90  # Two lines in a narrow panel.


def test_every_reason_of_the_error_table_has_its_row() -> None:
    assert {error.reason for error in CODES} == set(_WORDS["reasons"])


def test_every_status_without_a_reason_stands_for_a_condition() -> None:
    codes = {code.name for code in grpc.StatusCode} - {"OK"}
    assert set(_WORDS["codes"]) == codes
    assert set(_WORDS["codes"].values()) <= set(_WORDS["conditions"])


@pytest.mark.parametrize("name", _ROWS)
def test_a_row_is_one_plain_sentence_and_a_button(name: str) -> None:
    sentence = _ROWS[name]["sentence"]
    assert re.fullmatch(r"[A-Z][^.!?]*\.", sentence)
    assert len(sentence) <= _MAX_LETTERS
    assert not _JARGON.search(sentence)
    assert _ROWS[name]["action"] in _WORDS["actions"]


def test_every_button_is_used() -> None:
    assert {row["action"] for row in _ROWS.values()} == set(_WORDS["actions"])


def test_no_two_names_are_both_reason_and_condition() -> None:
    """A plugin keeps them in one table."""
    assert not set(_WORDS["reasons"]) & set(_WORDS["conditions"])


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("SERVER_DOWN", "start_server"),
        ("SERVER_WRONG", "check_address"),
        ("SERVER_OLD", "update_server"),
        ("BUDGET_EXCEEDED", "raise_cap"),
        ("TOKEN_REFUSED", "change_token"),
    ],
)
def test_what_happens_most_has_the_way_out(name: str, action: str) -> None:
    assert _ROWS[name]["action"] == action
