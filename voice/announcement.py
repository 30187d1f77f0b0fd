"""What callers hear, as TwiML: the call flow's texts, spoken by Twilio's own builder.

Only the builder writes markup, so nothing that a caller or a number brings along can become any.
The documents that are the same for every caller are written once.
"""

from twilio.twiml.voice_response import Dial, VoiceResponse

from voice.call_flow import POSITION, CallFlow
from voice.settings import VoiceSettings

#: Nothing to be said: the call goes on as it was going.
NOTHING = str(VoiceResponse())


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
        self.unavailable = self._farewell(flow.unavailable)
        self.canceled = self._farewell(flow.canceled)
        self.ended = self._farewell(flow.ended)

    def waiting(self, position: str) -> str:
        """One round of the waiting room; Twilio asks again when it has run out.

        `position` is what Twilio says the caller's place is.
        """
        document = VoiceResponse()
        if self._flow.announcement and position.isascii() and position.isdigit():
            self._say(document, self._flow.announcement.replace(POSITION, position))
        if self._flow.music_url is not None:
            document.play(self._flow.music_url)
        else:
            document.pause(length=self._flow.interval_seconds)
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
            status_callback_event="start end join leave",
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
        if self._flow.greeting_url is not None:
            document.play(self._flow.greeting_url)
        elif self._flow.greeting:
            self._say(document, self._flow.greeting)
        return str(self._enqueue(document))

    def _enqueue(self, document: VoiceResponse) -> VoiceResponse:
        document.enqueue(
            self._flow.queue,
            wait_url=self._settings.url("waiting"),
            wait_url_method="POST",
            action=self._settings.url("queue-left"),
            method="POST",
        )
        return document

    def _farewell(self, text: str) -> str:
        document = VoiceResponse()
        if text:
            self._say(document, text)
        document.hangup()
        return str(document)

    def _say(self, document: VoiceResponse, text: str) -> None:
        document.say(text, language=self._flow.language, voice=self._flow.voice)
