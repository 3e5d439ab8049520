"""A catalog file that is wrong stops the server, and says where it is wrong."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import msgspec
import pytest

from server.gateway.models import Catalog, CatalogError, Model
from tests.gateway.test_catalog import NEW_MODEL

if TYPE_CHECKING:
    from pathlib import Path

_PARAMETER = '\n[[parameters]]\nname = "other"\nhelp = "h"\n'


def _problem(folder: Path, text: str) -> str:
    (folder / "brand-new.toml").write_text(text)
    with pytest.raises(CatalogError) as caught:
        Catalog.load(folder)
    return str(caught.value)


def test_the_text_that_the_others_change_is_right() -> None:
    assert msgspec.convert(tomllib.loads(NEW_MODEL), Model).id == "brand-new"


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('path = "/', 'pathh = "/', "pathh"),
        ("required = true", "needed = true", "needed"),
        ('type = "float"', 'type = "number"', "$.parameters[0].type"),
        ('protocol = "sync_url"', 'protocol = "telepathy"', "$.protocol"),
        ('as_of = "2026-01-31"', 'as_of = "last week"', "prices.as_of"),
        ('"/brand-new', '"brand-new', "path"),
        ('id = "brand-new"', 'id = "brand-old"', "the file's name"),
        ('"sync_url"', '"batch"', "status_path"),
        ('page = "brand-new"', 'page = "p"\nstatus_path = "/s"', "status_path"),
        ('prompt_field = "text"', "requires_prompt = true", "requires_prompt"),
        ('prompt_field = "text"', 'prompt_field = "picture"', "two things have this name"),
        ('name = "strength"', 'name = "picture"', "two things have this name"),
        ('id = "brand-new"', "id = ", "brand-new.toml"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, old: str, new: str, place: str) -> None:
    problem = _problem(tmp_path, NEW_MODEL.replace(old, new, 1))
    assert problem.startswith("brand-new.toml: ")
    assert place in problem


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ('type = "int"\ndefault = 1.5', "default"),
        ('type = "int"\nallowed = [1, "2"]', "allowed"),
        ('type = "int"\nallowed = [1, 2]\ndefault = 3', "default"),
        ('type = "int"\nallowed = [1, 1]', "twice"),
        ('type = "int"\nminimum = 2\nmaximum = 1', "minimum"),
        ('type = "int"\nminimum = 2\ndefault = 1', "default"),
        ('type = "string"\nminimum = 2', "minimum"),
        ('type = "string"\nopen = true', "open"),
        ('type = "string"\nrequired = true\ndefault = "x"', "default"),
    ],
)
def test_a_parameter_agrees_with_itself(tmp_path: Path, lines: str, place: str) -> None:
    problem = _problem(tmp_path, f"{NEW_MODEL}{_PARAMETER}{lines}\n")
    assert "parameters[other]" in problem
    assert place in problem


@pytest.mark.parametrize(
    "row",
    [
        'usd = "-1"',
        'usd = "NaN"',
        'usd = "0.1"\nwhen = { strength = "much" }',
        'usd = "0.1"\nwhen = { width = 512 }',
    ],
)
def test_a_price_is_a_price_for_something_that_exists(tmp_path: Path, row: str) -> None:
    assert "prices.rows[0]" in _problem(tmp_path, f"{NEW_MODEL}\n[[prices.rows]]\n{row}\n")


def test_only_a_count_can_multiply_a_price(tmp_path: Path) -> None:
    text = NEW_MODEL.replace("[prices]", '[prices]\nmay_multiply = "strength"')
    assert "may_multiply" in _problem(tmp_path, text)


def test_an_id_keeps_to_characters_that_need_no_quoting(tmp_path: Path) -> None:
    (tmp_path / "Brand New.toml").write_text(NEW_MODEL.replace('"brand-new"', '"Brand New"', 1))
    with pytest.raises(CatalogError, match="other characters"):
        Catalog.load(tmp_path)


def test_two_inputs_cannot_have_one_role(tmp_path: Path) -> None:
    second = '\n[[inputs]]\nrole = "source"\nfield = "more"\nrequired = false\nhelp = "h"\n'
    assert "role source" in _problem(tmp_path, NEW_MODEL + second)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "brand-new.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(CatalogError, match=r"brand-new\.toml"):
        Catalog.load(tmp_path)
