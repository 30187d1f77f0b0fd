"""A TwiML application: the URLs of a voice application under one SID.

A number may lead to it, a call by REST may follow it, and a client's telephone calls through it.
"""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Application:
    sid: str  # AP...
    created_at: int
    updated_at: int
    friendly_name: str = ""
    voice_url: str | None = None
    voice_method: str = "POST"
    voice_fallback_url: str | None = None
    voice_fallback_method: str = "POST"
    status_callback: str | None = None
    status_callback_method: str = "POST"
    #: Are webhooks told the name under which a caller is listed?
    voice_caller_id_lookup: bool = False
