"""The web server as a part of `serve`: gunicorn, as gunicorn_settings.py has it."""

import sys

from gunicorn.app.wsgiapp import WSGIApplication  # type: ignore[import-untyped]


def run() -> None:
    """Serves until it is stopped; raises SystemExit then."""
    sys.argv = ["gunicorn", "--config", "python:commands.gunicorn_settings", "app:served()"]
    WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]", prog="gunicorn").run()
