"""The attributes that a call's Task begins with."""

import json
from typing import Final

from voice.signature import Webhook

#: {Twilio's parameter: the Task attribute}: what Twilio itself gives the Task of a queued call
#: ("Queueing Twilio calls with TaskRouter"); what it does not send, the Task does not have.
DEFAULT_ATTRIBUTES: Final = {
    "AccountSid": "account_sid",
    "ApiVersion": "api_version",
    "CallSid": "call_sid",
    "CallStatus": "call_status",
    "Called": "called",
    "CalledCity": "called_city",
    "CalledCountry": "called_country",
    "CalledState": "called_state",
    "CalledZip": "called_zip",
    "Caller": "caller",
    "CallerCity": "caller_city",
    "CallerCountry": "caller_country",
    "CallerState": "caller_state",
    "CallerZip": "caller_zip",
    "Direction": "direction",
    "From": "from",
    "FromCity": "from_city",
    "FromCountry": "from_country",
    "FromState": "from_state",
    "FromZip": "from_zip",
    "To": "to",
    "ToCity": "to_city",
    "ToCountry": "to_country",
    "ToState": "to_state",
    "ToZip": "to_zip",
}


def attributes_of(webhook: Webhook) -> str:
    """The Task's attributes, as JSON text."""
    told = webhook.parameters
    return json.dumps(
        {
            name: told[parameter]
            for parameter, name in DEFAULT_ATTRIBUTES.items()
            if parameter in told
        },
        ensure_ascii=False,
    )
