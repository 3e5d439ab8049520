"""Which entries nobody needs any more, and the document without them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from asset_processing._references import Reference, references

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asset_processing._fields import JsonObject

__all__ = ["Entry", "removable", "without"]

Entry = tuple[str, int]
"""An array of the document and an index into it."""


def removable(json: JsonObject, candidates: Iterable[Entry]) -> set[Entry]:
    """Return the candidates that nothing kept refers to, and what only those referred to.

    Args:
        json: The document; every extension in it is understood (`_references.movable`).
        candidates: Entries that may go once nothing refers to them.
    """
    users: dict[Entry, int] = {}
    targets: dict[Entry, list[Entry]] = {}
    for reference in references(json):
        target = (reference.array, reference.index)
        users[target] = users.get(target, 0) + 1
        if reference.owner is not None:
            targets.setdefault(reference.owner, []).append(target)
    gone: set[Entry] = set()
    waiting = list(candidates)
    while waiting:
        entry = waiting.pop()
        if entry in gone or users.get(entry, 0):
            continue
        gone.add(entry)
        for target in targets.get(entry, ()):
            users[target] -= 1
            waiting.append(target)
    return gone


def without(json: JsonObject, gone: set[Entry]) -> JsonObject:
    """Return a copy of the document without these entries, every index moved to match.

    Nothing that stays may refer to what goes. Arrays that become empty leave the document.
    """
    kept = copy.deepcopy(json)
    moves: dict[str, Mapping[int, int]] = {}
    for array in {array for array, _ in gone}:
        stays = [index for index in range(len(json[array])) if (array, index) not in gone]
        moves[array] = {old: new for new, old in enumerate(stays)}
    found: list[Reference] = [
        reference
        for reference in references(kept)
        if reference.array in moves and reference.owner not in gone
    ]
    for reference in found:
        reference.holder[reference.key] = moves[reference.array][reference.index]
    for array, move in moves.items():
        kept[array] = [kept[array][index] for index in move]
        if not move:
            del kept[array]
    return kept
