"""Blobs in an S3 bucket, of any server that speaks S3."""

import contextlib
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gateway.settings import Addressing
from gateway.storage.blobs.errors import StorageFull, StorageUnavailable
from gateway.storage.blobs.store import MEDIA_TYPES, BlobStore, StoredBlob
from stagekit.wire import Part

MISSING = ("404", "NoSuchKey", "NotFound")
FULL = ("507", "InsufficientStorage", "InsufficientCapacity", "QuotaExceeded", "XMinioStorageFull")
ELSEWHERE = ("301", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException")
REFUSED = ("401", "403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed")
RETRY_AFTER_S = 10


def is_host(bucket: str, addressing: Addressing, endpoint: str | None) -> bool:
    """Whether the bucket is a host of its own at this endpoint; None: AWS."""
    if addressing != "auto":
        return addressing == "virtual"
    host = urlsplit(endpoint or "https://amazonaws.com").hostname or ""
    # AWS's certificate is good for one name before its own, without a dot.
    return host.removesuffix(".cn").endswith("amazonaws.com") and "." not in bucket


class S3Blobs(BlobStore):
    """A bucket, which any number of gateways may share as long as they share the database too.

    A sweep removes what that database does not know: two installations need two buckets, or two prefixes.
    """

    def __init__(
        self,
        bucket: str,
        *,
        endpoint: str | None = None,
        public_endpoint: str | None = None,
        region: str | None = None,
        addressing: Addressing = "auto",
        access_key: str | None = None,
        secret_key: str | None = None,
        prefix: str = "blobs/",
        connect_timeout_s: float = 3,
        read_timeout_s: float = 15,
        attempts: int = 3,
    ) -> None:
        """Nothing is sent yet; see check().

        endpoint: where the gateway reaches the server; None for AWS. public_endpoint: where those reach it who are given
        links, when that is another address: the host is part of what a link's signature covers.
        Without keys or region, boto3 looks for them in its usual places. An address at AWS, and what a signature is good
        for, depend on the region; most other servers do not mind.
        """
        self.bucket = bucket
        self._prefix = prefix
        # AWS_REGION is what AWS itself sets in its containers, and boto3 the only one of its libraries that does not read it.
        region = region or os.environ.get("AWS_REGION") or boto3.Session().region_name or "us-east-1"

        def client(url: str | None) -> Any:
            return boto3.client(
                "s3",
                endpoint_url=url,
                region_name=region,
                aws_access_key_id=access_key,
                aws_secret_access_key=secret_key,
                config=Config(
                    signature_version="s3v4",
                    # Never "auto": boto3 would take AWS then, but without the region, for links.
                    s3={"addressing_style": "virtual" if is_host(bucket, addressing, url) else "path"},
                    # boto3's newer default adds checksums in a way that not every server understands. Blobs are checked by
                    # their digest anyway.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                    connect_timeout=connect_timeout_s,
                    read_timeout=read_timeout_s,
                    retries={"total_max_attempts": attempts, "mode": "standard"},
                    max_pool_connections=32,
                ),
            )

        self._where = endpoint or "AWS"
        self._s3 = client(endpoint)
        self._signer = client(public_endpoint) if public_endpoint else self._s3

    def _write(self, name: str, part: Part) -> None:
        with self._typed_errors():
            # The server shows an object whole or not at all.
            self._s3.put_object(Bucket=self.bucket, Key=self._key(name), Body=part.data, ContentType=part.media_type)

    def _read(self, name: str) -> Part | None:
        with self._typed_errors():
            try:
                answer = self._s3.get_object(Bucket=self.bucket, Key=self._key(name))
            except ClientError as error:
                if _code(error) in MISSING:
                    return None
                raise
            with contextlib.closing(answer["Body"]) as body:
                data: bytes = body.read()
            media_type = answer.get("ContentType", "")
            return Part(data, media_type if media_type in MEDIA_TYPES else "application/octet-stream")

    def _has(self, name: str) -> bool:
        with self._typed_errors():
            try:
                self._s3.head_object(Bucket=self.bucket, Key=self._key(name))
            except ClientError as error:
                if _code(error) in MISSING:
                    return False
                raise
            return True

    def _delete(self, name: str) -> None:
        with self._typed_errors():
            self._s3.delete_object(Bucket=self.bucket, Key=self._key(name))

    def _link(self, name: str, expires_s: int) -> str | None:
        with self._typed_errors():
            wanted = {"Bucket": self.bucket, "Key": self._key(name)}
            link: str = self._signer.generate_presigned_url("get_object", Params=wanted, ExpiresIn=expires_s)
            return link

    def _pages(self) -> Iterator[list[StoredBlob]]:
        with self._typed_errors():
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self._prefix):
                now = datetime.now(UTC)
                yield [
                    StoredBlob(
                        "sha256:" + entry["Key"].rpartition("/")[2],
                        entry["Size"],
                        (now - entry["LastModified"]).total_seconds(),
                    )
                    for entry in page.get("Contents", [])
                ]

    def _check(self) -> None:
        # Outside the prefix: a scan must not take it for a blob.
        probe = {"Bucket": self.bucket, "Key": f"check/{uuid.uuid4().hex}"}
        with self._typed_errors():
            self._s3.put_object(**probe, Body=b"ok")
            self._s3.delete_object(**probe)

    def _key(self, name: str) -> str:
        # S3 itself needs no folders; servers that keep keys as folders do.
        return f"{self._prefix}{name[:2]}/{name}"

    @contextlib.contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise self._refusal(_code(error)) from None
        except BotoCoreError as error:
            raise StorageUnavailable(
                f"The S3 storage at {self._where} does not answer ({type(error).__name__}). Try again; if it stays so, "
                "check that it runs and can be reached from the gateway.",
                retry_after_s=RETRY_AFTER_S,
            ) from None

    def _refusal(self, code: str) -> StorageFull | StorageUnavailable:
        where = f"bucket '{self.bucket}' at {self._where}"
        if code in FULL:
            return StorageFull(f"The {where} is full ({code}). Free some space there or shorten the retention.")
        if code == "NoSuchBucket":
            said = f"There is no {where}. Create it, or set the name of one that exists."
        elif code in ELSEWHERE:
            said = f"The {where} is in another region than the gateway thinks ({code}). Set HOWSFIT_S3_REGION to the bucket's."
        elif code in REFUSED:
            said = f"The {where} refuses the gateway's keys ({code}). Check keys, rights and the clock."
        else:
            said = f"The {where} fails ({code}). Try again; if it stays so, look into the server's log."
        return StorageUnavailable(said, retry_after_s=RETRY_AFTER_S)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "unknown"))
