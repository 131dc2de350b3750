"""What storage may answer.

GatewayError
|-- NotFound
|   `-- BlobMissing          not-found
|       `-- BlobCorrupt      not-found            the bytes were not what their name promises; they are removed
|-- StorageFull              storage-full
`-- StorageUnavailable       storage-unavailable  with retry_after_s
"""

from gateway.errors import GatewayError, NotFound


class BlobMissing(NotFound):
    """There is no such blob (any more)."""


class BlobCorrupt(BlobMissing):
    """The blob's bytes do not have the blob's digest. Nobody was given them, and they were removed."""


class StorageFull(GatewayError):
    """No room left for what was to be written."""

    code, status, title = "storage-full", 507, "The storage is full"


class StorageUnavailable(GatewayError):
    """The storage cannot be reached, or refuses."""

    code, status, title = "storage-unavailable", 503, "The storage is unavailable"
