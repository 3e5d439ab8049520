"""Where bytes are kept."""

from server.storage.blobs import Blob, BlobMissing, BlobReader, BlobStore, BlobWriter

__all__ = ["Blob", "BlobMissing", "BlobReader", "BlobStore", "BlobWriter"]
