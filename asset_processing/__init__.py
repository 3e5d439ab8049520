"""GLB bytes and options in; GLB bytes, textures and a measured report out.

Bytes that an operation does not concern come out as they came in. No network, no server, and no
file is read that is not the GLB.
"""

from asset_processing.collision_options import (
    CollisionKind,
    CollisionOptions,
    DecompositionMethod,
)
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
    AlphaUse,
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
    SimplifyMethod,
    Violation,
)
from asset_processing.output_options import ExportFormat, Provenance
from asset_processing.outputs import OutputFile, OutputKind
from asset_processing.process import ProcessedAsset, process, process_file
from asset_processing.profiles import (
    CollisionPlacement,
    EngineProfile,
    TexturePacking,
)
from asset_processing.report import (
    Check,
    CollisionFacts,
    Counts,
    FileFacts,
    MaterialFacts,
    MemoryFacts,
    OutputFacts,
    Report,
)
from asset_processing.texture_options import AlphaAction, TextureOptions
from asset_processing.topology import Topology
from asset_processing.uv import UvFacts

__all__ = [
    "AlphaAction",
    "AlphaUse",
    "Bounds",
    "Box",
    "BudgetAction",
    "Check",
    "CollisionFacts",
    "CollisionKind",
    "CollisionOptions",
    "CollisionPlacement",
    "ColorSpace",
    "Counts",
    "Decode",
    "DecompositionMethod",
    "EngineProfile",
    "ExportFormat",
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
    "MemoryFacts",
    "OutputFacts",
    "OutputFile",
    "OutputKind",
    "Pivot",
    "ProcessedAsset",
    "ProcessingError",
    "ProcessingOptions",
    "Provenance",
    "Report",
    "Severity",
    "SimplifyMethod",
    "Texture",
    "TextureFacts",
    "TextureOptions",
    "TexturePacking",
    "TextureRole",
    "Topology",
    "UnsupportedGlb",
    "Usage",
    "UvFacts",
    "Violation",
    "process",
    "process_file",
]
