"""API keys: made, listed and revoked. What their secrets are is none of the engine's business."""

from routing.api_key import MAX_NAME_CHARACTERS, ApiKey
from routing.errors import InvalidParameter, NotFound
from routing.ports import Work


def create(work: Work, *, sid: str, friendly_name: str, sealed_secret: str) -> ApiKey:
    """A new key under a SID that its maker has chosen, since the sealed secret is bound to it."""
    if not 1 <= len(friendly_name) <= MAX_NAME_CHARACTERS:
        raise InvalidParameter("FriendlyName", f"expected 1 to {MAX_NAME_CHARACTERS} characters")
    key = ApiKey(
        sid=sid, friendly_name=friendly_name, sealed_secret=sealed_secret, created_at=work.now
    )
    work.api_keys.add(key)
    return key


def every(work: Work) -> list[ApiKey]:
    """All keys, the oldest first."""
    return work.api_keys.find()


def revoke(work: Work, *, sid: str) -> None:
    """The key opens nothing any more. Raises NotFound when there is no such key."""
    if not work.api_keys.remove(sid):
        raise NotFound(f"/Keys/{sid}")
