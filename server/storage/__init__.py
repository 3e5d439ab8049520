"""Where bytes are kept."""

from server.storage.blobs import Blob, BlobMissing, BlobReader, Blobs, BlobWriter, StoredBlob
from server.storage.opening import open_blobs

__all__ = [
    "Blob",
    "BlobMissing",
    "BlobReader",
    "BlobWriter",
    "Blobs",
    "StoredBlob",
    "open_blobs",
]
