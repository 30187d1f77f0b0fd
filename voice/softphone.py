"""The token with which a browser is a telephone of Twilio's: it is rung, and it rings nobody.

Made by the official helper library, of an API key of the account's (Twilio takes no auth token for
that), for one identity: the name after `client:` in a Worker's contact_uri.
"""

from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

from routing.clock import SECOND, Instant


def voice_token(
    *,
    account_sid: str,
    key_sid: str,
    key_secret: str,
    identity: str,
    now: Instant,
    seconds: int,
) -> str:
    """A JSON Web Token that is valid for so many seconds from now."""
    made = AccessToken(
        account_sid,
        key_sid,
        key_secret,
        grants=[VoiceGrant(incoming_allow=True)],
        identity=identity,
        nbf=now // SECOND,
        valid_until=now // SECOND + seconds,
    )
    return str(made.to_jwt())
