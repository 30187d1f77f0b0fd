"""The account's phone numbers: where Twilio sends their calls, read and changed.

For the command line and for whoever looks at the connection, not for calls. What a number had
before is the caller's to remember.
"""

from dataclasses import dataclass

from voice.phone_line import asked, client

#: Of an account; more numbers are not looked through.
MOST_NUMBERS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Leading:
    """Where the calls of a number lead, in Twilio's own words. Empty: nowhere."""

    voice_url: str
    voice_method: str
    voice_fallback_url: str
    voice_fallback_method: str
    status_callback: str
    status_callback_method: str
    #: A TwiML App of the account that answers in place of the URLs.
    voice_application_sid: str


def to_us(public_url: str, before: Leading) -> Leading:
    """What a number must have so that its calls come here; its fallback stays what it was."""
    return Leading(
        voice_url=f"{public_url}/voice/incoming",
        voice_method="POST",
        voice_fallback_url=before.voice_fallback_url,
        voice_fallback_method=before.voice_fallback_method,
        status_callback=f"{public_url}/voice/call-status",
        status_callback_method="POST",
        voice_application_sid="",  # it would win over the URLs
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNumber:
    sid: str  # PN...
    phone_number: str
    leading: Leading
    #: A SIP trunk that takes the calls whatever the URLs say; empty: none.
    trunk_sid: str


class Numbers:
    """Every method may raise PhoneLineError."""

    def __init__(self, *, account_sid: str, auth_token: str, api_url: str | None = None) -> None:
        twilio = client(account_sid=account_sid, auth_token=auth_token, api_url=api_url)
        self._numbers = twilio.incoming_phone_numbers

    def find(self, phone_number: str) -> OwnNumber | None:
        """The account's number, written as +E.164."""
        # Twilio takes the number as a pattern and may answer with longer ones.
        found = asked(lambda: self._numbers.list(phone_number=phone_number, limit=50))
        return next((_own(one) for one in found if one.phone_number == phone_number), None)

    def every(self) -> list[str]:
        """All of the account's numbers, as +E.164."""
        found = asked(lambda: self._numbers.list(limit=MOST_NUMBERS))
        return sorted(str(one.phone_number) for one in found)

    def owned(self) -> list[OwnNumber]:
        """All of them, with where their calls lead."""
        found = asked(lambda: self._numbers.list(limit=MOST_NUMBERS))
        return sorted((_own(one) for one in found), key=lambda one: one.phone_number)

    def lead(self, sid: str, leading: Leading) -> OwnNumber:
        """Sends the number's calls there from now on; the number as it is then."""
        return _own(
            asked(
                lambda: self._numbers(sid).update(
                    voice_url=leading.voice_url,
                    voice_method=leading.voice_method,
                    voice_fallback_url=leading.voice_fallback_url,
                    voice_fallback_method=leading.voice_fallback_method,
                    status_callback=leading.status_callback,
                    status_callback_method=leading.status_callback_method,
                    voice_application_sid=leading.voice_application_sid,
                )
            )
        )


def _own(found: object) -> OwnNumber:
    def text(name: str) -> str:
        return str(getattr(found, name, None) or "")

    return OwnNumber(
        sid=text("sid"),
        phone_number=text("phone_number"),
        trunk_sid=text("trunk_sid"),
        leading=Leading(
            voice_url=text("voice_url"),
            voice_method=text("voice_method") or "POST",
            voice_fallback_url=text("voice_fallback_url"),
            voice_fallback_method=text("voice_fallback_method") or "POST",
            status_callback=text("status_callback"),
            status_callback_method=text("status_callback_method") or "POST",
            voice_application_sid=text("voice_application_sid"),
        ),
    )
