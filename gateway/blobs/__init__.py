"""Where images are kept: blobs named by the digest of their bytes, in a local folder or in S3."""

from gateway.blobs.chosen import chosen_store
from gateway.blobs.errors import BlobCorrupt, BlobMissing, StorageFull, StorageUnavailable
from gateway.blobs.local import LocalBlobs
from gateway.blobs.s3 import S3Blobs, is_host
from gateway.blobs.store import Blob, BlobStore, StoredBlob, digest_of

__all__ = [
    "Blob",
    "BlobCorrupt",
    "BlobMissing",
    "BlobStore",
    "LocalBlobs",
    "S3Blobs",
    "StorageFull",
    "StorageUnavailable",
    "StoredBlob",
    "chosen_store",
    "digest_of",
    "is_host",
]
