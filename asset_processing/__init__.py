"""GLB bytes and options in; GLB bytes, textures and a measured report out.

Bytes that an operation does not concern come out as they came in. No network, no server, and no
file is read that is not the GLB.
"""

from asset_processing.errors import (
    GlbTooLarge,
    InvalidGlb,
    InvalidOption,
    ProcessingError,
    UnsupportedGlb,
)
from asset_processing.geometry import Bounds
from asset_processing.issues import Issue, IssueCode, Severity
from asset_processing.limits import Limits
from asset_processing.operations.textures import (
    ColorSpace,
    Texture,
    TextureFacts,
    TextureRole,
    Usage,
)
from asset_processing.options import (
    Box,
    BudgetAction,
    Decode,
    ForwardAxis,
    Lod,
    LodPlacement,
    Pivot,
    ProcessingOptions,
    Violation,
)
from asset_processing.outputs import OutputFile, OutputKind
from asset_processing.process import ProcessedAsset, process, process_file
from asset_processing.report import Check, Counts, FileFacts, MaterialFacts, Report
from asset_processing.topology import Topology

__all__ = [
    "Bounds",
    "Box",
    "BudgetAction",
    "Check",
    "ColorSpace",
    "Counts",
    "Decode",
    "FileFacts",
    "ForwardAxis",
    "GlbTooLarge",
    "InvalidGlb",
    "InvalidOption",
    "Issue",
    "IssueCode",
    "Limits",
    "Lod",
    "LodPlacement",
    "MaterialFacts",
    "OutputFile",
    "OutputKind",
    "Pivot",
    "ProcessedAsset",
    "ProcessingError",
    "ProcessingOptions",
    "Report",
    "Severity",
    "Texture",
    "TextureFacts",
    "TextureRole",
    "Topology",
    "UnsupportedGlb",
    "Usage",
    "Violation",
    "process",
    "process_file",
]
