"""API keys with their secrets: sealed in the tables, readable with the secret key of the settings.

AES-GCM, under a key that is derived from that setting; the API key's SID is bound into the seal, so
that no row can lend its secret to another one. A secret that was asked for lately is remembered,
and its row looked at again every few seconds: so asking costs a look into memory, and a key that
was revoked, here or by another process, is dead within REVOKED_WITHIN_SECONDS.
"""

import base64
import binascii
import logging
import os
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from routing import sids
from routing.api_key import ApiKey
from routing.clock import SECOND, Clock, Instant
from routing.engine import api_keys
from routing.store.store import SqlStore

logger = logging.getLogger(__name__)

REVOKED_WITHIN_SECONDS: Final = 5
#: Secrets that are remembered; more keys than that work, too, a little slower.
MAX_REMEMBERED: Final = 1024
_NONCE_BYTES: Final = 12


class Seal:
    """Encrypts and decrypts secrets under one key."""

    def __init__(self, secret_key: str) -> None:
        """`secret_key` is the setting; whoever has it and the tables can read every secret."""
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"tandem api keys")
        self._cipher = AESGCM(derived.derive(secret_key.encode()))

    def close(self, secret: str, key_sid: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        closed = nonce + self._cipher.encrypt(nonce, secret.encode(), key_sid.encode())
        return base64.b64encode(closed).decode()

    def open(self, sealed: str, key_sid: str) -> str | None:
        """The secret; None where it was sealed under another key, for another SID, or is broken."""
        try:
            closed = base64.b64decode(sealed, validate=True)
            nonce, rest = closed[:_NONCE_BYTES], closed[_NONCE_BYTES:]
            return self._cipher.decrypt(nonce, rest, key_sid.encode()).decode()
        except (InvalidTag, ValueError, binascii.Error):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remembered:
    sealed: str
    secret: str
    looked_at: Instant


class StoredSigningKeys:
    """Fulfils routing.ports.SigningKeys, and makes and revokes what it tells of."""

    def __init__(self, store: SqlStore, secret_key: str, clock: Clock) -> None:
        self._store = store
        self._seal = Seal(secret_key)
        self._clock = clock
        self._lock = threading.Lock()
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()

    def create(self, friendly_name: str) -> tuple[ApiKey, str]:
        """A new key and its secret, which is told this once. Raises InvalidParameter."""
        sid = sids.API_KEY + secrets.token_hex(16)
        secret = secrets.token_urlsafe(24)
        sealed = self._seal.close(secret, sid)
        key = self._store.perform(
            lambda work: api_keys.create(
                work, sid=sid, friendly_name=friendly_name, sealed_secret=sealed
            )
        )
        return key, secret

    def every(self) -> list[ApiKey]:
        """All keys, the oldest first."""
        return self._store.read(api_keys.every)

    def revoke(self, key_sid: str) -> None:
        """Raises NotFound when there is no such key."""
        self._store.perform(lambda work: api_keys.revoke(work, sid=key_sid))
        with self._lock:
            self._remembered.pop(key_sid, None)

    def secret(self, key_sid: str) -> str | None:
        """The key's secret; None for a key that there is not, or not any more."""
        now = self._clock.now()
        remembered = self._remembered.get(key_sid)
        if remembered is not None and self._is_fresh(remembered, now):
            return remembered.secret
        if not sids.is_sid(key_sid, sids.API_KEY):
            return None
        key = self._store.glance(lambda work: work.api_keys.get(key_sid))
        secret = None if key is None else self._read(key, remembered)
        with self._lock:
            self._remembered.pop(key_sid, None)
            if key is not None and secret is not None:
                self._remembered[key_sid] = _Remembered(
                    sealed=key.sealed_secret, secret=secret, looked_at=now
                )
                if len(self._remembered) > MAX_REMEMBERED:
                    self._remembered.popitem(last=False)
        return secret

    def _is_fresh(self, remembered: _Remembered, now: Instant) -> bool:
        return 0 <= now - remembered.looked_at < REVOKED_WITHIN_SECONDS * SECOND

    def _read(self, key: ApiKey, remembered: _Remembered | None) -> str | None:
        if remembered is not None and remembered.sealed == key.sealed_secret:
            return remembered.secret
        secret = self._seal.open(key.sealed_secret, key.sid)
        if secret is None:
            logger.error("The secret of %s was sealed under another TANDEM_SECRET_KEY", key.sid)
        return secret
