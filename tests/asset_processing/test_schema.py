"""The published schema is that of the code, and every report follows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from asset_processing import (
    CollisionKind,
    CollisionOptions,
    ExportFormat,
    Pivot,
    ProcessingOptions,
    process,
)
from asset_processing.schema import report_schema

if TYPE_CHECKING:
    from tests.asset_processing.conftest import Glb

_PAGE = Path(__file__).parents[2] / "docs" / "report.schema.json"
_TYPES = {
    "array": list,
    "boolean": bool,
    "integer": int,
    "null": type(None),
    "number": (int, float),
    "object": dict,
    "string": str,
}
_KEYWORDS = {
    "$defs",
    "$ref",
    "$schema",
    "anyOf",
    "description",
    "enum",
    "items",
    "maxItems",
    "minItems",
    "prefixItems",
    "properties",
    "required",
    "title",
    "type",
}


def _complaints(value: Any, schema: dict[str, Any], root: dict[str, Any]) -> list[str]:  # noqa: ANN401
    """What is wrong with a JSON value; knows the keywords that the schema uses."""
    assert set(schema) <= _KEYWORDS
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _complaints(value, root["$defs"][name], root)
    if "anyOf" in schema:
        tries = [_complaints(value, arm, root) for arm in schema["anyOf"]]
        return [] if [] in tries else [f"{value!r} fits none"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{value!r} is no choice"]
    wanted = schema.get("type")
    if wanted is not None and not (
        isinstance(value, _TYPES[wanted]) and (wanted == "boolean" or not isinstance(value, bool))
    ):
        return [f"{value!r} is no {wanted}"]
    found = []
    if wanted == "object":
        found += [f"no {name}" for name in schema["required"] if name not in value]
        found += [f"unknown {name}" for name in set(value) - set(schema["properties"])]
        for name, member in schema["properties"].items():
            found += _complaints(value[name], member, root) if name in value else []
    if wanted == "array":
        items = schema.get("prefixItems", [schema.get("items", {})] * len(value))
        if len(items) != len(value):
            return [f"{len(value)} items"]
        for item, inner in zip(value, items, strict=True):
            found += _complaints(item, inner, root)
    return found


def test_the_published_schema_is_that_of_the_code() -> None:
    """`make tables` writes it."""
    assert json.loads(_PAGE.read_text(encoding="utf-8")) == report_schema()


def test_every_member_is_explained() -> None:
    for name, kind in report_schema()["$defs"].items():
        assert kind["description"], name
        for member, schema in kind.get("properties", {}).items():
            assert schema["description"].endswith("."), f"{name}.{member}"


def test_a_full_report_and_a_bare_one_follow_it(glb: type[Glb]) -> None:
    built = glb.box()
    built.add("textures", source=built.image(glb.png(4, 4)))
    built.add("materials", normalTexture={"index": 0})
    primitive = built.json["meshes"][0]["primitives"][0]
    primitive["attributes"]["TEXCOORD_0"] = built.accessor(np.zeros((8, 2)) + 0.5)
    everything = ProcessingOptions(
        height_m=1,
        pivot=Pivot.BASE,
        max_triangles=3,
        thumbnail_px=16,
        exports=tuple(ExportFormat),
        collision=CollisionOptions(kind=CollisionKind.BOX),
    )
    schema = report_schema()
    for data, options in (
        (built.to_bytes(), everything),
        (glb.box().to_bytes(), ProcessingOptions()),
    ):
        report = json.loads(process(data, options).report.to_json())
        assert _complaints(report, schema, schema) == []
    report["counts"]["triangles"] = "many"
    report["extra"] = 1
    assert len(_complaints(report, schema, schema)) == 2


@pytest.mark.parametrize("missing", ["checks", "source"])
def test_a_report_without_what_it_needs_does_not(glb: type[Glb], missing: str) -> None:
    report = json.loads(process(glb.box().to_bytes()).report.to_json())
    del report[missing]
    schema = report_schema()
    assert _complaints(report, schema, schema) == [f"no {missing}"]
