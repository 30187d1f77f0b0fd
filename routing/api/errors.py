"""Everything that can go wrong at the REST door, as Twilio says it.

One shape: `{"code", "message", "more_info", "status"}`. Never a body with all of `type`, `title`,
`status` and `code`: newer clients of Twilio take that for another kind of error (RFC 9457). What is
not a fault of the request is logged, and told to nobody.
"""

import logging
from http import HTTPStatus
from typing import Final

import msgspec
from flask import Response
from werkzeug.exceptions import HTTPException

from routing.errors import IllegalMove, RoutingError

logger = logging.getLogger(__name__)

#: Twilio's code of each status, where it is not 20000 and the status.
_CODES: Final = {400: 20001, 401: 20003, 403: 20003, 405: 20004}
_MORE_INFO = "https://www.twilio.com/docs/errors/"


def error_answer(status: int, code: int, message: str) -> Response:
    body = {
        "code": code,
        "message": message,
        "more_info": f"{_MORE_INFO}{code}",
        "status": status,
    }
    return Response(msgspec.json.encode(body), status=status, mimetype="application/json")


def of_routing_error(error: RoutingError, account_sid: str) -> Response:
    message = error.told_to(account_sid) if isinstance(error, IllegalMove) else error.message
    return error_answer(error.status, error.code, message)


def of_http_error(error: HTTPException, path: str) -> Response:
    """What werkzeug refuses: an unknown path, another method, a body that is too large, ..."""
    status = error.code or 500
    message = error.description or HTTPStatus(status).phrase
    if status == HTTPStatus.NOT_FOUND:
        message = f"The requested resource {path} was not found"
    answer = error_answer(status, _CODES.get(status, 20000 + status), message)
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            answer.headers[name] = value  # Allow, WWW-Authenticate, Retry-After
    return answer


def of_unavailable_store(error: Exception) -> Response:
    """The database does not answer: whoever asked may come again."""
    logger.error("The database does not answer", exc_info=error)
    answer = error_answer(503, 20503, "Service Unavailable")
    answer.headers["Retry-After"] = "1"
    return answer


def of_unexpected(error: Exception) -> Response:
    """A fault of ours. Whoever asked learns that, and nothing else."""
    logger.error("A request to the REST door failed", exc_info=error)
    return error_answer(500, 20500, "Internal Server Error")
