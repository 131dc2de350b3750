"""Where images are kept: blobs named by the digest of their bytes, in a local folder or in S3."""

from gateway.storage.blobs.chosen import chosen_store, local_store
from gateway.storage.blobs.errors import BlobCorrupt, BlobMissing, StorageFull, StorageUnavailable
from gateway.storage.blobs.local import LocalBlobs
from gateway.storage.blobs.s3 import S3Blobs, is_host
from gateway.storage.blobs.store import Blob, BlobStore, StoredBlob, digest_of

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
    "local_store",
]
