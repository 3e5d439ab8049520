"""Write `docs/models.md` from the catalog, or check that it is up to date.

python tools/write_model_docs.py           write the page
python tools/write_model_docs.py --check   exit with 1 when it differs
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from server.gateway.models import Catalog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from server.gateway.models import Model, Parameter, PriceRow

PAGE = Path(__file__).resolve().parent.parent / "docs" / "models.md"

_HEAD = """\
# Models

Made from the files in `server/gateway/catalog/` by `python tools/write_model_docs.py`; change the
files. A client names an input by its role and sends the prompt as the prompt: the server knows each
model's own field, shown here in brackets. What is not sent is left to the provider. The page is the
provider's published one, with the section that was read.

The protocols:

* `queued`: accepted at once, then asked about until it is done.
* `batch`: the same with an endpoint of its own; without a callback address it is held up to 60 s.
* `sync_url`: the answer holds the result's address.
* `sync_bytes`: the answer is the result.

A new model on one of these is one new file. Keys: `subscription_key` is PIXAZO_API_KEY,
`secret_key` is PIXAZO_SECRET_KEY, `api_key` is SEGMIND_API_KEY.
"""


def page(catalog: Catalog) -> str:
    """Return the whole page."""
    parts = [_HEAD, *_overview(catalog), *(line for model in catalog for line in _section(model))]
    return "\n".join(parts) + "\n"


def _overview(catalog: Catalog) -> Iterator[str]:
    names = ("Model", "Task", "Inputs", "Prompt", "Protocol", "Key", "Price (USD)", "Page")
    yield from _table(
        names,
        (
            (
                f"[`{model.id}`](#{_anchor(model)})",
                model.task.value,
                _inputs(model),
                _prompt(model),
                f"`{model.protocol.value}`",
                f"`{model.auth.value}`",
                _price(model),
                model.page,
            )
            for model in catalog
        ),
    )


def _section(model: Model) -> Iterator[str]:
    yield f"\n## {model.id}\n"
    yield f"{model.display_name}. {model.description}\n"
    yield f"POST `{model.path}` at {model.provider}.\n"
    for spec in model.inputs:
        forms = "a public address or base64" if spec.data_uri else "a public address"
        kinds = f" ({', '.join(spec.media_types)})" if spec.media_types else ""
        yield f"* {spec.role.name} (`{spec.field}`), {forms}: {spec.help}{kinds}"
    yield f"* Price, read {model.prices.as_of}: {_price(model)}. {model.prices.note}\n"
    yield from _table(
        ("Parameter", "Type", "Default", "Values", "What it does"),
        (
            (f"`{one.name}`", one.type.value, _default(one), _values(one), one.help)
            for one in model.parameters
        ),
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    names = tuple(head)
    yield _row(names)
    yield _row("---" for _ in names)
    for row in rows:
        yield _row(row)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _anchor(model: Model) -> str:
    return model.id.replace(".", "")


def _inputs(model: Model) -> str:
    return ", ".join(f"{one.role.value} (`{one.field}`)" for one in model.inputs) or "none"


def _prompt(model: Model) -> str:
    if model.prompt_field is None:
        return "no"
    return "required" if model.requires_prompt else "optional"


def _price(model: Model) -> str:
    return "; ".join(map(_price_row, model.prices.rows)) or "none published"


def _price_row(row: PriceRow) -> str:
    when = ", ".join(f"{name} {value}" for name, value in row.when.items())
    return f"{row.usd}" + (f" at {when}" if when else "")


def _default(parameter: Parameter) -> str:
    if parameter.default is None:
        return "required" if parameter.required else "the provider's"
    return _code(parameter.default)


def _values(parameter: Parameter) -> str:
    if parameter.allowed:
        listed = ", ".join(map(_code, parameter.allowed))
        others = "others" if parameter.minimum is None else f"others from {parameter.minimum:g}"
        return f"{listed}, and {others}" if parameter.open else listed
    low, high = parameter.minimum, parameter.maximum
    if low is None and high is None:
        return "any"
    if high is None:
        return f"from {low:g}"
    return f"up to {high:g}" if low is None else f"{low:g} to {high:g}"


def _code(value: object) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value!r}`".replace("'", '"')


def main() -> int:
    """Write or check, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    text = page(Catalog.load())
    if not check:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print("docs/models.md does not match the catalog: run `python tools/write_model_docs.py`")
    return 1


if __name__ == "__main__":
    sys.exit(main())
