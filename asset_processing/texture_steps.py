"""The steps that concern textures and alpha modes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asset_processing.issues import IssueCode
from asset_processing.operations.alpha import AlphaFinding, find_alpha, set_alpha_mode
from asset_processing.operations.convert_textures import Wanted, convert_textures
from asset_processing.operations.packing import pack_maps
from asset_processing.operations.textures import AlphaUse
from asset_processing.outputs import OutputFile, OutputKind
from asset_processing.profiles import PROFILES
from asset_processing.texture_options import AlphaAction
from asset_processing.work import Finding

if TYPE_CHECKING:
    from asset_processing.work import Work

__all__ = ["apply_alpha", "change_textures", "look_at_alpha", "pack_textures"]


def apply_alpha(work: Work) -> None:
    """Give materials the alpha mode of their pixels, where that was asked for."""
    if work.options.textures.alpha is not AlphaAction.APPLY:
        return
    for finding in find_alpha(work.document):
        mode = _proposal(finding)
        if mode is not None:
            set_alpha_mode(work.document, finding.material, mode)
            addition = f"{_name(work, finding.material)} said {finding.declared} and is {mode} now."
            work.findings.append(Finding(code=IssueCode.ALPHA_MODE_SET, addition=addition))


def change_textures(work: Work) -> None:
    """Resize and convert."""
    profile = PROFILES[work.options.engine_profile]
    wanted = Wanted(
        max_size_px=work.options.textures.max_size_px,
        media_type=work.options.textures.media_type,
        accepted=profile.texture_media_types,
        otherwise=profile.texture_media_type,
    )
    for refused in convert_textures(work.document, wanted):
        work.findings.append(
            Finding(
                code=IssueCode.TEXTURE_NOT_CONVERTED,
                addition=f"Of the first, {refused.reason}.",
                pointer=f"/images/{refused.image}",
            )
        )


def look_at_alpha(work: Work) -> None:
    """Note what the alpha channels of the delivered file hold, and propose modes."""
    if work.options.textures.alpha is AlphaAction.KEEP:
        return
    for finding in find_alpha(work.document):
        if finding.use is not None:
            work.alpha[finding.image] = finding.use
        mode = _proposal(finding)
        pointer = f"/materials/{finding.material}"
        if mode is not None and mode != "OPAQUE":
            addition = f"It says {finding.declared}; {mode} is proposed."
            code = IssueCode.ALPHA_MODE_PROPOSED
            work.findings.append(Finding(code=code, addition=addition, pointer=pointer))
        elif mode is not None or finding.use is AlphaUse.OPAQUE:
            work.findings.append(Finding(code=IssueCode.ALPHA_UNUSED, pointer=pointer))


def pack_textures(work: Work) -> None:
    """Make the maps that an engine wants and glTF does not have."""
    packing = work.options.textures.packing_for(work.options.engine_profile)
    made = 0
    for packed in pack_maps(work.document, packing):
        if packed.data is None:
            finding = Finding(
                code=IssueCode.TEXTURE_NOT_PACKED,
                addition=f"Of the first, {packed.problem}.",
                pointer=f"/materials/{packed.material}",
            )
            work.findings.append(finding)
            continue
        made += 1
        suffix = "" if made == 1 else f"_{made}"
        work.outputs.append(
            OutputFile(
                name=f"packed/{packing.value}{suffix}.png",
                kind=OutputKind.PACKED_TEXTURE,
                media_type="image/png",
                data=packed.data,
            )
        )


def _proposal(finding: AlphaFinding) -> str | None:
    """The mode that a material should have instead of its own; None where that is right.

    Between MASK and BLEND the file's author has chosen.
    """
    if finding.proposed is None or (finding.declared == "OPAQUE") == (finding.proposed == "OPAQUE"):
        return None
    return finding.proposed


def _name(work: Work, material: int) -> str:
    return str(work.document.json["materials"][material].get("name") or f"material {material}")
