"""Everything that the desk can refuse, in the shape of the REST door's refusals."""

from http import HTTPStatus
from typing import Final

import msgspec
import structlog
from flask import Response
from werkzeug.exceptions import HTTPException

from routing.errors import RoutingError, Unavailable

_log = structlog.get_logger(__name__)

#: Twilio's code of each status, where it is not 20000 and the status.
_CODES: Final = {400: 20001, 401: 20003, 403: 20003, 405: 20004}


class Refused(Exception):
    """Who asks may not, or not now; the message says why and what to do."""

    def __init__(self, status: int, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        #: Seconds.
        self.retry_after = retry_after


def answer(body: object, status: int = 200) -> Response:
    """JSON that nobody keeps."""
    return Response(msgspec.json.encode(body), status=status, mimetype="application/json")


def refusal(status: int, message: str, code: int | None = None) -> Response:
    code = _CODES.get(status, 20000 + status) if code is None else code
    more = f"https://www.twilio.com/docs/errors/{code}"
    return answer({"code": code, "message": message, "more_info": more, "status": status}, status)


def of_refused(error: Refused) -> Response:
    response = refusal(error.status, error.message)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def of_routing_error(error: RoutingError) -> Response:
    return refusal(error.status, error.message, error.code)


def of_http_error(error: HTTPException) -> Response:
    """What werkzeug refuses: another method, a body that is too large, ..."""
    status = error.code or 500
    response = refusal(status, error.description or HTTPStatus(status).phrase)
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value
    return response


def of_unavailable(error: Unavailable) -> Response:
    """The database does not answer: whoever asked may come again."""
    _log.error("the database does not answer", error=str(error))
    response = refusal(503, "Service Unavailable")
    response.headers["Retry-After"] = "1"
    return response


def of_unexpected(error: Exception) -> Response:
    """A fault of ours. Whoever asked learns that, and nothing else."""
    _log.error("a request to the desk failed", exc_info=error)
    return refusal(500, "Internal Server Error")
