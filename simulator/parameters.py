"""What every voice webhook says: the recorded key sets of Twilio, in our own making."""

import json
import math
import secrets
import urllib.parse

from simulator.call import INBOUND, OUTBOUND_DIAL, SIP_CODES, Call
from simulator.clock import rfc_2822
from simulator.webhook import Parameters

API_VERSION = "2010-04-01"

#: Country calling codes, the longest match counts. Others are sent with an empty country.
COUNTRIES = {
    "1": "US", "20": "EG", "27": "ZA", "30": "GR", "31": "NL", "32": "BE", "33": "FR", "34": "ES",
    "36": "HU", "39": "IT", "40": "RO", "41": "CH", "43": "AT", "44": "GB", "45": "DK", "46": "SE",
    "47": "NO", "48": "PL", "49": "DE", "52": "MX", "54": "AR", "55": "BR", "60": "MY", "61": "AU",
    "62": "ID", "63": "PH", "64": "NZ", "65": "SG", "81": "JP", "82": "KR", "86": "CN", "90": "TR",
    "91": "IN", "92": "PK", "234": "NG", "254": "KE", "351": "PT", "353": "IE", "358": "FI",
    "420": "CZ", "852": "HK", "972": "IL",
}  # fmt: skip

#: The places of a few area codes of the NANP, so that city and state are not always empty.
PLACES = {
    "206": ("SEATTLE", "WA", "98101"), "212": ("NEW YORK", "NY", "10001"),
    "213": ("LOS ANGELES", "CA", "90012"), "312": ("CHICAGO", "IL", "60605"),
    "415": ("SAN FRANCISCO", "CA", "94105"), "617": ("BOSTON", "MA", "02108"),
}  # fmt: skip


def calling_code(number: str) -> str:
    """The country's code of a +E.164 number; of a country that is not known, its first digit."""
    digits = number[1:]
    return next((digits[:n] for n in (3, 2, 1) if digits[:n] in COUNTRIES), digits[:1])


def geography(side: str, address: str) -> Parameters:
    """The four geo keys of one side; none for client: and sip: addresses. Unknown is empty."""
    if ":" in address:
        return ()
    digits = address[1:]
    country = COUNTRIES.get(calling_code(address), "") if address.startswith("+") else ""
    city, state, area = PLACES.get(digits[1:4], ("", "", "")) if country == "US" else ("", "", "")
    return (
        (f"{side}City", city),
        (f"{side}State", state),
        (f"{side}Zip", area),
        (f"{side}Country", country),
    )


def identity(call: Call, account_sid: str) -> Parameters:
    """Which call it is, how it stands, and between whom."""
    return (
        ("AccountSid", account_sid),
        ("ApiVersion", API_VERSION),
        ("CallSid", call.sid),
        ("CallStatus", call.status),
        ("Direction", call.direction),
        ("From", call.from_),
        ("To", call.to),
        ("Caller", call.from_),
        ("Called", call.to),
    )


def standard(call: Call, account_sid: str) -> Parameters:
    """The keys that are in every webhook about a call."""
    found = list(identity(call, account_sid))
    if call.direction != OUTBOUND_DIAL:  # child legs were recorded without any geo key
        for side, address in (
            ("From", call.from_),
            ("Caller", call.from_),
            ("To", call.to),
            ("Called", call.to),
        ):
            found += geography(side, address)
    if call.parent is not None:
        found.append(("ParentCallSid", call.parent.sid))
    if call.forwarded_from is not None:
        found += [("ForwardedFrom", call.forwarded_from), ("CalledVia", call.forwarded_from)]
    if call.caller_name is not None:
        found.append(("CallerName", call.caller_name))
    if call.application_sid is not None:
        found.append(("ApplicationSid", call.application_sid))
    return tuple(found)


def first_request(call: Call) -> Parameters:
    """What only the first webhook of an inbound call from the phone network carries."""
    if call.direction != INBOUND or ":" in call.from_:
        return ()
    told = call.attestation
    usual = "TN-Validation-Passed-A" if call.from_.startswith("+") else "No-TN-Validation"
    passports = [] if told.passport_token is None else [told.passport_token]
    token = {"parentCallInfoToken": secrets.token_urlsafe(48), "identityHeaderTokens": passports}
    found = {
        "CallToken": urllib.parse.quote(json.dumps(token, separators=(",", ":"))),
        "StirVerstat": told.stir_verstat or usual,
        "StirPassportToken": told.passport_token,
        "AddOns": told.add_ons,
    }
    return tuple((name, value) for name, value in found.items() if value is not None)


def progress(call: Call, account_sid: str, *, event: str, now: int) -> Parameters:
    """A status callback about `event` (initiated, ringing, answered or completed)."""
    found = dict(standard(call, account_sid))
    if event == "initiated":
        found["CallStatus"] = "initiated"
    found |= {
        "CallbackSource": "call-progress-events",
        "SequenceNumber": str(call.progress_sent),
        "Timestamp": rfc_2822(now),
    }
    if event == "completed":
        seconds = call.duration_seconds(now)
        found |= {"CallDuration": str(seconds), "Duration": str(math.ceil(seconds / 60))}
        if call.direction != INBOUND:
            found["SipResponseCode"] = str(call.sip_code or SIP_CODES[call.status])
        if call.answered_by is not None:
            found["AnsweredBy"] = call.answered_by
        if call.recording is not None:  # recorded because the call was ordered so
            found |= {
                "RecordingUrl": call.recording.url,
                "RecordingSid": call.recording.sid,
                "RecordingDuration": str(call.recording.duration_seconds()),
            }
    return tuple(found.items())
