"""``NAME=VALUE`` on the command line as the value that the model's parameter takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assetwright.cli._exit import UsageError
from assetwright.enums import ParameterType
from assetwright.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from assetwright.records import Model, ParameterValue

__all__ = ["pairs", "typed"]

_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def _flag(text: str) -> bool:
    return _FLAGS[text.lower()]


_READERS: Mapping[ParameterType, tuple[Callable[[str], ParameterValue], str]] = {
    ParameterType.BOOL: (_flag, "true or false"),
    ParameterType.INT: (int, "a whole number"),
    ParameterType.FLOAT: (float, "a number"),
    ParameterType.STRING: (str, "text"),
}


def pairs(texts: Iterable[str], *, option: str) -> dict[str, str]:
    """Return ``NAME=VALUE`` texts as a mapping; the last of a name wins.

    Raises:
        UsageError: Some have no name or no ``=``; all of them are listed.
    """
    texts = tuple(texts)
    wrong = [text for text in texts if not text.partition("=")[0] or "=" not in text]
    if wrong:
        raise UsageError(
            f"{option} takes NAME=VALUE.",
            violations=tuple(Violation(option, f"{text!r} is not NAME=VALUE") for text in wrong),
        )
    return {name: value for name, _, value in (text.partition("=") for text in texts)}


def typed(
    values: Mapping[str, str], model: Model, *, option: str, field: str = "parameters"
) -> dict[str, ParameterValue]:
    """Return values with the types that the catalog says.

    A name that the model does not have is sent as what it looks like: the server's answer names it.

    Args:
        values: The texts by name.
        model: Whose parameters they are.
        option: The option that they came with.
        field: The request's field that they are for.

    Raises:
        UsageError: Some values are not of their type; all of them are listed.
    """
    types = {parameter.name: parameter.type for parameter in model.parameters}
    found: dict[str, ParameterValue] = {}
    wrong: list[Violation] = []
    for name, text in values.items():
        read, wanted = _READERS.get(types.get(name, ParameterType.UNKNOWN), (_guess, "a value"))
        try:
            found[name] = read(text)
        except (ValueError, KeyError):
            wrong.append(Violation(f"{field}[{name}]", f"takes {wanted}, not {text!r}"))
    if wrong:
        raise UsageError(f"{option} has values of a wrong type.", violations=tuple(wrong))
    return found


def _guess(text: str) -> ParameterValue:
    if text.lower() in ("true", "false"):
        return _flag(text)
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
