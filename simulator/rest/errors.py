"""Twilio's errors, in Twilio's shape."""

from typing import Any

BAD_VALUE = 20001
UNAUTHORIZED = 20003
NOT_FOUND = 20404
TOO_MANY_REQUESTS = 20429
NO_TO, INVALID_URL, INVALID_TIMEOUT, INVALID_METHOD = 21201, 21205, 21208, 21209
FROM_NOT_OWNED, INVALID_TO, INVALID_FROM, NO_FROM = 21210, 21211, 21212, 21213
INVALID_DIGITS = 21206
INVALID_APPLICATION, NOT_IN_PROGRESS = 21218, 21220
INVALID_BYOC_TRUNK, INVALID_STATUS_CALLBACK = 21300, 21609
CONFERENCE_IS_OVER, INVALID_LABEL = 16022, 16024
COACHED_CALL_IS_ON_HOLD, COACHED_CALL_IS_ABSENT = 16027, 16028
#: What a <Dial><Conference> is refused with -> what Participants are: Twilio numbers the two apart.
OF_A_PARTICIPANT = {16025: 16026, 16022: COACHED_CALL_IS_ABSENT}


class RestError(Exception):
    """What a REST call is answered with. `code` is Twilio's, `status` HTTP's."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def as_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


def bad(code: int, message: str) -> RestError:
    return RestError(400, code, message)


def not_found(path: str) -> RestError:
    return RestError(404, NOT_FOUND, f"The requested resource {path} was not found")
