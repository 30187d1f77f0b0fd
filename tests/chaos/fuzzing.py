"""Any request at all at the voice door, while calls go on: signed as Twilio signs, or not.

What is signed may hold anything in any field: it is answered, never with 5xx, and whatever it has
changed is lawful and can be worked on with. What is not signed is refused, and the database's own
count of changes says that nothing was written.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random
from urllib.parse import quote_from_bytes, urlencode

from tests.chaos.calling import seeded_calls
from tests.chaos.forging import PATHS, Request, send
from tests.chaos.running import Case
from tests.fuzz import writing
from tests.routing import invariants
from tests.routing.scratch import centre_in
from tests.voice.office import PUBLIC_URL, TOKEN, Office
from tests.voice.test_incoming_call import arrival
from tests.voice.test_signature import computed

REQUESTS = 100
#: Requests between two times that the house works on what it was told.
_ROUND = 10
_NAMES = (
    *("CallSid", "CallStatus", "From", "To", "Direction", "AccountSid", "ParentCallSid", "Digits"),
    *("SequenceNumber", "QueueResult", "QueueTime", "QueuePosition", "QueueSid", "AvgQueueTime"),
    *("ConferenceSid", "StatusCallbackEvent", "CallSidEndingConference", "ParticipantLabel"),
    *("DialCallStatus", "DialCallSid", "RecordingSid", "RecordingUrl", "RecordingDuration"),
    *("SpeechResult", "Confidence", "CallDuration", "FriendlyName", "ReasonConferenceEnded"),
)
_QUERIES = (
    *("instruction", "attempt", "sure", "WorkflowSid", "Task", "Priority", "Timeout"),
    *("TaskChannel", "action", "method"),
)
_WORDS = (
    *("ringing", "in-progress", "completed", "busy", "no-answer", "failed", "canceled", "queued"),
    *("participant-join", "participant-leave", "conference-start", "conference-end", "hangup"),
    *("leave", "redirected", "bridged", "error", "1", "0", "-1", "9" * 40, "1e9", "inbound", "yes"),
    *("https://example.com/next", "client:alice", "+14155550123", "sip:a@example.com", "{}", "[]"),
    *('{"a": {"b": 1}}', '{"a": NaN}', "[" * 2000, "default", "voice", "POST", "", " ", "\x00"),
)
#: Kinds of SID that may stand where another is expected.
_KINDS = ("CA", "CF", "IN", "RE", "QU", "WT", "WR", "WW", "AC")
_CONTENT_TYPES = (
    *("application/json", "text/plain", "multipart/form-data; boundary=x", "", "\x7f"),
    *("application/x-www-form-urlencoded; charset=utf-16", "APPLICATION/X-WWW-FORM-URLENCODED"),
)


class Fuzz:
    """Draws requests; knows what there is, so that they hit it often enough."""

    def __init__(self, office: Office, chance: Random) -> None:
        self.office, self.chance = office, chance
        self.known: list[str] = []

    def look(self) -> None:
        """What has a name by now."""
        line = self.office.line
        rows = self.office.centre.engine.read(lambda work: work.instructions.find())
        self.known = [
            *line.calls,
            *(room.sid for room in line.rooms),
            *(row.sid for row in rows),
            *(row.task_sid for row in rows),
        ]

    def request(self) -> Request:
        """Signed rightly, if anybody could sign it."""
        chance = self.chance
        method = chance.choices(["POST", "GET", "PUT", "HEAD", "OPTIONS"], [16, 4, 1, 1, 1])[0]
        path = f"/voice/{chance.choice(PATHS)}"
        if chance.random() < 0.05:
            path = f"/voice/{quote_from_bytes(self._text().encode('utf-8', 'replace'))}"
        fields = self._fields()
        query = {name: self._text() for name in chance.sample(_QUERIES, chance.randint(0, 3))}
        if chance.random() < 0.6:
            query["instruction"] = self._sid("IN")
        if method in {"GET", "HEAD"}:
            query |= fields
        target = path + (f"?{_encoded(query)}" if query else "")
        made = Request(target=target, body=_encoded(fields), signature="", method=method)
        signed = {} if method in {"GET", "HEAD"} else made.fields()
        return self._bent(made, computed(TOKEN, PUBLIC_URL + target, signed))

    def _bent(self, made: Request, signature: str) -> Request:
        """Now and then it is no form, or not even text."""
        content_type, body = made.content_type, made.body
        if self.chance.random() < 0.05:
            content_type = self.chance.choice(_CONTENT_TYPES[:-2])
        if self.chance.random() < 0.05:
            body += self.chance.choice(["&%ff=%fe", "&" * 400, "&=", "%", "\udcff", "x" * 70_000])
        return Request(
            target=made.target,
            body=body,
            signature=signature,
            method=made.method,
            content_type=content_type,
        )

    def _fields(self) -> dict[str, str]:
        chance = self.chance
        fields = arrival(CallStatus=chance.choice(_WORDS[:8]))
        fields["CallSid"] = self._sid("CA")
        for name in chance.sample(_NAMES, chance.randint(0, 6)):
            fields[name] = self._text()
        for name in chance.sample(sorted(fields), min(len(fields), chance.randint(0, 2))):
            del fields[name]
        if chance.random() < 0.1:
            fields[self._text()] = self._text()
        return fields

    def _text(self) -> str:
        kind = self.chance.randrange(10)
        if kind < 5:
            return self.chance.choice(_WORDS)
        if kind < 8:
            return self._sid(self.chance.choice(_KINDS))
        if kind == 8:
            return json.dumps(writing.attributes(self.chance))
        return writing.nonsense(self.chance, writing.JSON_PIECES)

    def _sid(self, kind: str) -> str:
        """One that there is, mostly; or one of the right form, or nearly."""
        chance = self.chance
        known = [sid for sid in self.known if sid.startswith(kind)]
        if known and chance.random() < 0.8:
            return chance.choice(known)
        made = kind + chance.randbytes(16).hex()
        return chance.choice([made, made, made[:-1], made.upper(), made + "0"])


def _encoded(fields: dict[str, str]) -> str:
    return urlencode(fields, errors="surrogatepass")


class Watched:
    """A database of which any change is noticed: SQLite counts the commits of others."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)

    def changes(self) -> int:
        [count] = self._connection.execute("PRAGMA data_version").fetchone()
        return int(count)

    def close(self) -> None:
        self._connection.close()


def play(case: Case, requests: int = REQUESTS) -> None:
    """So many requests, half of them without a signature, while people talk and wait."""
    with _watched_office(case) as (office, watched):
        _fill(office)
        fuzz = Fuzz(office, case.chance)
        for number in range(requests):
            if number % _ROUND == 0:
                fuzz.look()
            request = fuzz.request()
            if number % 2:
                status = send(office, request)
                assert status < 500, (status, request)
                case.counts[f"signed: {status}"] += 1
            else:
                _try_unsigned(case, office, watched, request)
            if number % _ROUND == _ROUND - 1:
                office.settle()
        assert send(office, fuzz.request()) < 500
        office.pass_time(3600)
        office.sweep()
        invariants.check_store(office.centre.store)


def _try_unsigned(case: Case, office: Office, watched: Watched, request: Request) -> None:
    before = watched.changes()
    wrong = case.chance.choice(["", request.signature[::-1], "x", request.signature.swapcase()])
    status = send(office, Request(**{**vars(request), "signature": wrong}))
    assert 400 <= status < 500, (status, request)
    assert watched.changes() == before, request
    case.counts[f"not signed: {status}"] += 1


@contextlib.contextmanager
def _watched_office(case: Case) -> Iterator[tuple[Office, Watched]]:
    with seeded_calls(case), case.folder() as folder:
        path = folder / "tandem.sqlite"
        with centre_in(path) as centre, contextlib.closing(Watched(path)) as watched:
            yield Office(centre), watched


def _fill(office: Office) -> None:
    """Somebody talks, somebody's agent rings, somebody waits."""
    office.bridge()
    office.centre.add_worker("Bob", contact_uri="client:bob")
    ringing = office.dial_in("+14155550124")
    office.settle()
    office.centre.accept(office.task_sid(ringing))
    office.settle()
    office.dial_in("+14155550125")
    office.settle()
