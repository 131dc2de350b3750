"""Signatures of webhooks, as Standard Webhooks has them (standardwebhooks.com, specification 1.0.0, "Signature scheme").

Nothing secret is stored: each owner's secret is made from the gateway's own, so no owner can sign what another would believe.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
LENGTHS = range(24, 65)
"""Bytes of a secret, as the specification has it."""


class Signer:
    """Signs with the secrets of the gateway: the current one, and former ones that receivers may still know."""

    def __init__(self, secrets: str) -> None:
        """secrets: `whsec_` and base64 each, separated by spaces, the current one first. Raises ValueError."""
        self._keys = [_decode(secret) for secret in secrets.split()]

    def __bool__(self) -> bool:
        """Whether there is any secret."""
        return bool(self._keys)

    def secret_for(self, owner: str) -> str:
        """The secret that this owner checks signatures with: `whsec_…`, made from the current one."""
        return PREFIX + base64.b64encode(_derive(self._keys[0], owner)).decode()

    def headers(self, owner: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
        """webhook-id, webhook-timestamp and webhook-signature, signed with all of the owner's secrets.

        message_id: the same for every attempt, without full stops. timestamp: of this attempt, seconds since 1970.
        """
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign([_derive(key, owner) for key in self._keys], message_id, timestamp, body),
        }


def sign(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The value of webhook-signature: one `v1,…` for each key, separated by spaces."""
    content = f"{message_id}.{timestamp}.".encode() + body
    digests = (hmac.digest(key, content, hashlib.sha256) for key in keys)
    return " ".join("v1," + base64.b64encode(digest).decode() for digest in digests)


def _derive(key: bytes, owner: str) -> bytes:
    return hmac.digest(key, owner.encode(), hashlib.sha256)


def _decode(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or len(key) not in LENGTHS:
        raise ValueError(
            f"HOWSFIT_WEBHOOK_SECRET must be {PREFIX} and the base64 of {LENGTHS[0]} to {LENGTHS[-1]} bytes. "
            f"Make one with: echo {PREFIX}$(openssl rand -base64 32)"
        )
    return key
