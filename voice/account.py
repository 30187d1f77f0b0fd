"""What the account says when it is asked: do the credentials fit, and which numbers lead here?"""

from dataclasses import dataclass

from voice.numbers import Numbers, OwnNumber
from voice.phone_line import PhoneLineError, Unreachable


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAnswer:
    """Numbers as +E.164; both empty where there was an error."""

    #: Their calls come to us.
    here: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    #: What went wrong; None where nothing did.
    error: str | None = None
    #: Twilio has answered, and said no.
    is_refused: bool = False


def ask_account(
    *, account_sid: str, auth_token: str, api_url: str | None, public_url: str
) -> AccountAnswer:
    """Asks Twilio, with the timeouts of a call's questions; never raises PhoneLineError."""
    try:
        numbers = Numbers(account_sid=account_sid, auth_token=auth_token, api_url=api_url).owned()
    except Unreachable as error:
        return AccountAnswer(error=str(error))
    except PhoneLineError as error:
        return AccountAnswer(error=str(error), is_refused=True)
    here = [each.phone_number for each in numbers if _leads_to(each, public_url)]
    elsewhere = [each.phone_number for each in numbers if not _leads_to(each, public_url)]
    return AccountAnswer(here=tuple(here), elsewhere=tuple(elsewhere))


def _leads_to(number: OwnNumber, public_url: str) -> bool:
    """A TwiML App or a trunk takes the calls before the URL is asked."""
    leading = number.leading
    if leading.voice_application_sid or number.trunk_sid:
        return False
    return leading.voice_url.rstrip("/").startswith(f"{public_url}/voice/")
