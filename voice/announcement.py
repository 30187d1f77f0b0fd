"""What callers hear, as TwiML: the call flow's texts, spoken by Twilio's own builder.

Only the builder writes markup, so nothing that a caller or a number brings along can become any.
The documents that are the same for every caller are written once.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from voice.call_flow import (
    CALLBACK,
    CANCELED,
    CLOSED,
    NUMBER,
    QUEUE_FULL,
    TOO_LONG,
    VOICEMAIL,
    CallFlow,
)
from voice.checks import POSITION, WAIT
from voice.phone_line import ROOM_NEWS
from voice.settings import VoiceSettings

#: Nothing to be said: the call goes on as it was going.
NOTHING = str(VoiceResponse())


def _leave() -> str:
    document = VoiceResponse()
    document.leave()
    return str(document)


#: Out of the queue: the waiting room's own documents may not record or dial, what follows it may.
LEAVE = _leave()


def keys(digits: str) -> str:
    """Presses these keys; nothing where there are none (any more)."""
    document = VoiceResponse()
    if digits:
        document.play(digits=digits)
    return str(document)


class Announcements:
    """The documents of one call flow; all URLs in them are absolute."""

    def __init__(self, flow: CallFlow, settings: VoiceSettings) -> None:
        self._flow = flow
        self._settings = settings
        #: Greeting, then the queue: the answer to every call that becomes a Task.
        self.welcome = self._welcome()
        #: Back into the queue, after a bridge that could not be built.
        self.back_in_line = str(self._enqueue(VoiceResponse()))
        self.on_hold = self._music()
        self.unavailable = self._ending(QUEUE_FULL)
        #: The same words, and then the end: for those whom even that could not help.
        self.apology = self._farewell(flow.unavailable)
        self.canceled = self._ending(CANCELED)
        self.closed = self._ending(CLOSED)
        self.waited_too_long = self._ending(TOO_LONG)
        self.will_call_back = self._farewell(flow.callback_confirmation)
        self.voicemail_taken = self._farewell(flow.voicemail_thanks)
        self._of_numbers = {
            number: Announcements(own, settings) for number, own in flow.numbers.items()
        }
        self.ended = self._farewell(flow.ended)

    def of(self, number: str) -> "Announcements":
        """Those of the number that was dialled."""
        return self._of_numbers.get(number, self)

    def menu(self, attempt: int) -> str:
        """Asks the caller what the call is about, for the first time or again."""
        document = VoiceResponse()
        if attempt == 0:
            self._greet(document)
        elif self._flow.menu_wrong:
            self._say(document, self._flow.menu_wrong)
        words = self._flow.menu_words
        gather = Gather(
            input="dtmf speech" if words else "dtmf",
            num_digits=1,
            timeout=self._flow.menu_timeout_seconds,
            # Else whoever has said a word would wait for the whole timeout.
            speech_timeout="auto" if words else None,
            action=self._settings.url(f"menu?attempt={attempt}"),
            method="POST",
            action_on_empty_result=True,
            language=self._flow.language,
            hints=", ".join(words) or None,
        )
        gather.say(self._flow.menu_prompt, language=self._flow.language, voice=self._flow.voice)
        document.append(gather)
        return str(document)

    def waiting(self, position: str, wait_minutes: int | None = None) -> str:
        """One round of the waiting room; Twilio asks again when it has run out.

        `position` is what Twilio says the caller's place is.
        """
        document = VoiceResponse()
        if self._flow.callback_key is None:
            self._pass_time(document, position, wait_minutes)
            return str(document)
        gather = Gather(
            input="dtmf",
            num_digits=1,
            timeout=1,
            action=self._settings.url("callback"),
            method="POST",
        )
        if self._flow.callback_offer:
            gather.say(
                self._flow.callback_offer, language=self._flow.language, voice=self._flow.voice
            )
        self._pass_time(gather, position, wait_minutes)
        document.append(gather)
        return str(document)

    def _pass_time(
        self, document: VoiceResponse | Gather, position: str, wait_minutes: int | None
    ) -> None:
        text = self._flow.announcement
        if WAIT in text and wait_minutes is None:
            text = self._flow.announcement_without_wait
        if text and position.isascii() and position.isdigit():
            text = text.replace(POSITION, position).replace(WAIT, str(wait_minutes))
            document.say(text, language=self._flow.language, voice=self._flow.voice)
        if self._flow.music_url is not None:
            document.play(self._flow.music_url)
        else:
            document.pause(length=self._flow.interval_seconds)

    @staticmethod
    def go_on_at(url: str, method: str, result: Mapping[str, str]) -> str:
        """On with somebody else's document, which is told how the queue was left."""
        document = VoiceResponse()
        sign = "&" if "?" in url else "?"
        document.redirect(url + sign + urlencode(result), method=method)
        return str(document)

    def into_room(
        self, *, room: str, instruction_sid: str, end_conference_on_exit: bool, beep: bool
    ) -> str:
        """Moves the caller to the agent; Twilio asks `conference-left` when that is over.

        The room's callbacks are fixed by whoever enters first; they are named here, too, in case
        the agent has left again and the caller is the first.
        """
        document = VoiceResponse()
        dial = Dial(action=self._settings.url(f"conference-left?instruction={instruction_sid}"))
        dial.conference(
            room,
            beep="true" if beep else "false",
            start_conference_on_enter=True,
            end_conference_on_exit=end_conference_on_exit,
            wait_url="",
            status_callback=self._settings.url(f"conference?instruction={instruction_sid}"),
            status_callback_event=" ".join(ROOM_NEWS),
        )
        document.append(dial)
        return str(document)

    def _music(self) -> str:
        """What a party on hold hears, until they are fetched back."""
        document = VoiceResponse()
        if self._flow.hold_music_url is not None:
            document.play(self._flow.hold_music_url, loop=0)
        else:
            if self._flow.hold_announcement:
                self._say(document, self._flow.hold_announcement)
            document.pause(length=self._flow.interval_seconds)
            document.redirect(self._settings.url("hold"), method="POST")
        return str(document)

    def _welcome(self) -> str:
        document = VoiceResponse()
        self._greet(document)
        return str(self._enqueue(document))

    def _greet(self, document: VoiceResponse) -> None:
        if self._flow.greeting_url is not None:
            document.play(self._flow.greeting_url)
        elif self._flow.greeting:
            self._say(document, self._flow.greeting)

    def _enqueue(self, document: VoiceResponse) -> VoiceResponse:
        document.enqueue(
            self._flow.queue,
            wait_url=self._settings.url("waiting"),
            wait_url_method="POST",
            action=self._settings.url("queue-left"),
            method="POST",
        )
        return document

    def _ending(self, case: str) -> str:
        """What the flow says of a caller who is not, or no longer, kept waiting."""
        ending = self._flow.ending(case)
        if ending.then == VOICEMAIL:
            return self._record_message(ending.say)
        document = VoiceResponse()
        if ending.say:
            self._say(document, ending.say)
        if ending.then == NUMBER:
            document.dial(ending.number)
        elif ending.then == CALLBACK:
            document.redirect(self._settings.url("callback?sure=yes"), method="POST")
        else:
            document.hangup()
        return str(document)

    def _record_message(self, text: str) -> str:
        document = VoiceResponse()
        for said in (text, self._flow.voicemail_prompt):
            if said:
                self._say(document, said)
        document.record(
            action=self._settings.url("voicemail"),
            method="POST",
            max_length=self._flow.voicemail_seconds,
            play_beep=True,
            finish_on_key="#",
        )
        document.hangup()
        return str(document)

    def _farewell(self, text: str) -> str:
        document = VoiceResponse()
        if text:
            self._say(document, text)
        document.hangup()
        return str(document)

    def _say(self, document: VoiceResponse, text: str) -> None:
        document.say(text, language=self._flow.language, voice=self._flow.voice)
