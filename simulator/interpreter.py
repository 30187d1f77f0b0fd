"""Follows TwiML for one call: fetches a document, performs its verbs, goes where they lead.

A document ends by running out (the call is hung up), by leading to another document, or by news
from outside: HungUp, Redirected. What each verb does is in `speech`, `gather`, `enqueue` and
`dial`; this file only knows how documents follow one another and what happens when one is broken.
"""

import contextlib
import dataclasses
import urllib.parse
from collections.abc import Callable, Iterator, Mapping

from simulator import parameters
from simulator.agenda import Steps
from simulator.call import (
    FAILED,
    INBOUND,
    QUEUED,
    RINGING,
    Call,
    DocumentRequest,
    HungUp,
    Redirected,
    Sound,
)
from simulator.network import Network
from simulator.twiml import Element, TwimlError, parse
from simulator.vocabulary import SCHEMA_WARNING
from simulator.webhook import BAD_CONTENT_TYPE, HTTP_RETRIEVAL_FAILURE, Answer, Parameters

TWIML_TYPES = ("text/xml", "application/xml", "text/html")

#: What a caller hears when the application cannot be reached or understood.
APOLOGY = "We are sorry, an application error has occurred. Goodbye."

RELATIVE_URL_IN_REST_TWIML = 15004
INTERNAL_FAILURE = 20500

MOST_FALLBACKS = 10  # of one call; a circle has to end somewhere


@dataclasses.dataclass(frozen=True)
class End:
    """The call has nothing more to do."""


END = End()

#: Where a verb leads: to the next verb, to another document, or to the end of the call.
Next = DocumentRequest | End | None

Verb = Callable[["Interpreter", Element], Steps[Next]]


class Interpreter:
    def __init__(self, network: Network, call: Call, verbs: Mapping[str, Verb]) -> None:
        self.network = network
        self.call = call
        self.verbs = verbs
        #: Where the present document came from; None for TwiML that was given by REST.
        self.base_url: str | None = None
        self._fallbacks = 0
        #: Is the document that is asked for the fallback itself?
        self._is_fallback = False

    # -- the whole of a call

    def live(self, first: DocumentRequest | Steps[Next]) -> Steps[None]:
        """From the first document (or something else to do first) to the hang-up."""
        try:
            yield from self._live(first)
        except Exception as error:
            # A mistake of the simulator's own must not leave a call that never ends.
            self.network.complain(INTERNAL_FAILURE, f"the simulator broke: {error!r}", self.call)
            self.network.hang_up(self.call, FAILED)
            raise

    def _live(self, first: DocumentRequest | Steps[Next]) -> Steps[None]:
        following: Next | Steps[Next] = first
        while not isinstance(following, End) and following is not None:
            try:
                if isinstance(following, DocumentRequest):
                    following = yield from self._follow(following)
                else:
                    following = yield from following
            except Redirected as news:
                following = news.request
            except HungUp:
                return
            except TwimlError as error:
                following = self._recover(error)
        self.answer()  # a document without a word is answered and hung up, not refused
        self.network.hang_up(self.call)

    def _follow(self, request: DocumentRequest) -> Steps[Next]:
        verbs = yield from self.fetch(request)
        following = yield from self._perform(verbs)
        self._is_fallback = False  # it was there and could be followed to its end
        return END if following is None else following

    def _perform(self, verbs: tuple[Element, ...]) -> Steps[Next]:
        for element in verbs:
            following = yield from self.verbs[element.name](self, element)
            if following is not None:
                return following
        return None

    def _recover(self, error: TwimlError) -> Next:
        """The fallback URL, else an apology. Both leave a line in the log.

        A fallback that fails itself has none, and one that leads back again and again is left.
        """
        self.network.complain(error.code, error.message, self.call)
        url = self.call.fallback_url
        if url is not None and not self._is_fallback and self._fallbacks < MOST_FALLBACKS:
            self._is_fallback = True
            self._fallbacks += 1
            found = (("ErrorCode", str(error.code)), ("ErrorUrl", self.base_url or ""))
            return DocumentRequest(url=url, method=self.call.fallback_method, parameters=found)
        self.answer()
        self.network.hear(self.call, Sound(verb="Say", text=APOLOGY))
        return END

    # -- documents

    def fetch(self, request: DocumentRequest) -> Steps[tuple[Element, ...]]:
        """Raises TwimlError where there is no document or it cannot be followed."""
        if request.url is None:
            self.base_url = None
            return parse(request.twiml or "")
        answer = yield from self.request(request.url, request.method, request.parameters)
        self.base_url = answer.url
        if answer.error_code is not None:
            raise TwimlError(answer.error_code, answer.error_message)
        return self._read(answer)

    def _read(self, answer: Answer) -> tuple[Element, ...]:
        kind = answer.content_type.partition(";")[0].strip().lower()
        if not answer.text.strip() and kind in ("", *TWIML_TYPES):
            return ()  # an empty answer is an empty document
        if kind in TWIML_TYPES:
            return parse(answer.text)
        if kind == "text/plain":
            return (Element(name="Say", attributes={}, text=answer.text, children=()),)
        if kind.startswith("audio/"):
            return (Element(name="Play", attributes={}, text=answer.url, children=()),)
        code = BAD_CONTENT_TYPE if kind else HTTP_RETRIEVAL_FAILURE
        message = f"{answer.url} answered with content type {kind or 'none'}, TwiML was expected"
        raise TwimlError(code, message)

    def request(self, url: str, method: str, extra: Parameters = ()) -> Steps[Answer]:
        """A webhook of this call, with the usual parameters and `extra`."""
        call = self.call
        found = parameters.standard(call, self.network.settings.account_sid)
        if call.is_first_request:
            found += parameters.first_request(call)
            call.is_first_request = False
        answered = self.network.tell(
            url=url,
            method=method,
            parameters=(*found, *extra),
            lane=f"{call.sid} documents",
            call=call,
            is_document=True,
        )
        return (yield from answered.wait())

    def play_document(
        self, request: DocumentRequest, allowed: tuple[str, ...], code: int = SCHEMA_WARNING
    ) -> Steps[None]:
        """A document beside the call's own (waiting, hold, whisper), and where it redirects to.

        Raises TwimlError with `code` for a verb that is not `allowed` there.
        """
        with self.aside():
            following: Next = request
            while isinstance(following, DocumentRequest):
                verbs = yield from self.fetch(following)
                for element in verbs:
                    if element.name not in allowed:
                        names = ", ".join(allowed)
                        message = f"<{element.name}> is not allowed here; {names} are"
                        raise TwimlError(code, message)
                following = yield from self._perform(verbs)
                if isinstance(following, DocumentRequest) and not following.parameters:
                    following = dataclasses.replace(following, parameters=request.parameters)

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """Keeps the call's own document while another one is performed."""
        base_url = self.base_url
        try:
            yield
        finally:
            self.base_url = base_url

    def resolve(self, url: str) -> str:
        """An address in the present document, made absolute. Raises TwimlError."""
        if urllib.parse.urlsplit(url).scheme in ("http", "https"):
            return url
        if self.base_url is None:
            message = f"{url} must be an absolute URL in TwiML that is given by REST"
            raise TwimlError(RELATIVE_URL_IN_REST_TWIML, message)
        return urllib.parse.urljoin(self.base_url, url)

    # -- what verbs share

    def answer(self) -> None:
        """An incoming call is picked up by the first verb that needs somebody on the line."""
        if self.call.direction == INBOUND and self.call.status in (QUEUED, RINGING):
            self.network.answer(self.call)

    def action(self, element: Element, found: Parameters = ()) -> DocumentRequest | None:
        """Where the verb's `action` leads, if it has one."""
        url = element.get("action")
        if url is None:
            return None
        method = element.get("method") or "POST"
        return DocumentRequest(url=self.resolve(url), method=method, parameters=found)

    def report(self, element: Element, found: Parameters) -> Steps[None]:
        """Request the `action` of a verb whose call is going elsewhere: its answer is not followed.

        Twilio makes this request before it turns to what interrupted the verb.
        """
        request = self.action(element, found)
        if request is not None and request.url is not None:
            yield from self.request(request.url, request.method, request.parameters)
