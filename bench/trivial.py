"""The baseline of the web benchmarks: the least that Flask can do behind the same gunicorn."""

import flask

app = flask.Flask(__name__)


@app.route("/trivial", methods=["GET", "POST"])
def trivial() -> str:
    return "ok"
