"""Write where an asset comes from into ``asset.extras``, where programs leave it alone."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asset_processing.document import GlbDocument
    from asset_processing.output_options import Provenance

__all__ = ["MEMBER", "write_provenance"]

MEMBER = "assetwright"
"""The member of ``asset.extras`` that is written; others stay."""


def write_provenance(document: GlbDocument, provenance: Provenance) -> bool:
    """Write what is known.

    Returns:
        Whether it could be written: extras that are no object are the file's own and stay.
    """
    known = {name: value for name, value in asdict(provenance).items() if value is not None}
    extras = document.json["asset"].get("extras", {})
    if not isinstance(extras, dict):
        return False
    if known and extras.get(MEMBER) != known:
        document.edit_json()["asset"]["extras"] = {**extras, MEMBER: known}
    return True
