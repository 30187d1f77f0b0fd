"""How the house writes its log: one line an event, SIDs only, never what a caller said."""

import logging
import re
import sys
from typing import Final

import structlog
from structlog.typing import EventDict, WrappedLogger

#: A telephone number, wherever it stands: most often in what Twilio says of one that it refuses.
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{5,14}")


def set_up_logs(level: str) -> None:
    """Readable lines on a terminal, JSON elsewhere; to standard error."""
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=True)
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _without_numbers,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Twilio's client logs whole requests, phone numbers included, at INFO.
    logging.getLogger("twilio.http_client").setLevel(logging.WARNING)


def _without_numbers(_logger: WrappedLogger, _method: str, said: EventDict) -> EventDict:
    for name, value in said.items():
        if isinstance(value, str) and "+" in value:
            said[name] = _NUMBER.sub("+...", value)
    return said
