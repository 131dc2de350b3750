"""The storage that the settings choose."""

from pathlib import Path

from gateway.settings import Settings
from gateway.storage.blobs.local import LocalBlobs
from gateway.storage.blobs.s3 import S3Blobs
from gateway.storage.blobs.store import BlobStore


def chosen_store(settings: Settings) -> BlobStore:
    """Where images are kept. Nothing is sent or written yet."""
    if settings.s3_bucket is None:
        return local_store(settings.data_dir)
    return S3Blobs(
        settings.s3_bucket,
        endpoint=settings.s3_endpoint,
        public_endpoint=settings.s3_public_endpoint,
        region=settings.s3_region,
        addressing=settings.s3_addressing,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key.get_secret_value() if settings.s3_secret_key else None,
    )


def local_store(data_dir: Path) -> LocalBlobs:
    """The one in a gateway's folder."""
    return LocalBlobs(data_dir / "blobs")
