"""It rings: the call becomes a Task, once, and the caller is told to wait.

Nothing here waits for anybody: one transaction, then the answer, the same for every caller.
"""

import json
from typing import Any, Final

import structlog

from routing import sids
from routing.call import Call
from routing.clock import SECOND
from routing.configuration import Configuration
from routing.engine import Engine, instructions, tasks
from routing.errors import Conflict, InvalidParameter, NotFound, RoutingError, Unavailable
from routing.json_text import read_object
from routing.ports import Work
from routing.task import Task
from voice import callback, elsewhere, hang_up
from voice.announcement import Announcements
from voice.attributes import attributes_of
from voice.call_flow import CallFlow
from voice.elsewhere import Wish
from voice.settings import VoiceSettings
from voice.signature import Webhook

#: The kind of the row that remembers a message which has become a Task.
VOICEMAIL_NOTED: Final = "voicemail"

_log = structlog.get_logger(__name__)


class Reception:
    """Answers the calls of a number."""

    def __init__(
        self,
        engine: Engine,
        flow: CallFlow,
        settings: VoiceSettings,
        announcements: Announcements,
    ) -> None:
        self._engine = engine
        self._flow = flow
        self._settings = settings
        self._announcements = announcements
        self._workspace_sid: str | None = None

    def answer(self, webhook: Webhook) -> str:
        """The TwiML for a call that rings, or whose webhook is repeated."""
        flow = self._flow.of(webhook.get("To"))
        announcements = self._announcements.of(webhook.get("To"))
        if not flow.is_open(self._engine.clock.now()):
            return announcements.closed
        if flow.menu_prompt and self._engine.read(_is_wanted, webhook.get("CallSid")) is None:
            return announcements.menu(0)
        return self._received(webhook, flow, attributes_of(webhook), announcements.welcome)

    def chosen(self, webhook: Webhook) -> str:
        """The caller has answered the menu, or has not."""
        flow = self._flow.of(webhook.get("To"))
        announcements = self._announcements.of(webhook.get("To"))
        key = _key(flow, webhook)
        attempt = webhook.query.get("attempt", "")
        tried = int(attempt) if attempt.isascii() and attempt.isdigit() else 0
        if key is None and tried < flow.menu_retries:
            return announcements.menu(tried + 1)
        options = flow.menu_options.get(key or flow.menu_default or "", {})
        attributes = dict(read_object(attributes_of(webhook), parameter="Task")) | dict(options)
        text = json.dumps(attributes, ensure_ascii=False)
        return self._received(webhook, flow, text, announcements.back_in_line)

    def _received(self, webhook: Webhook, flow: CallFlow, attributes: str, waits: str) -> str:
        announcements = self._announcements.of(webhook.get("To"))
        wish = Wish(
            workflow=flow.workflow,
            attributes=attributes,
            priority=None,
            timeout_seconds=None,
            task_channel=None,
            parameters=attributes,
        )
        try:
            is_wanted = self._take(webhook, flow, wish)
        except (RoutingError, Unavailable):
            return announcements.unavailable
        return waits if is_wanted else announcements.canceled

    def hand_over(self, webhook: Webhook) -> str:
        """Another application's document sends its caller here, with the Task in the query."""
        flow = self._flow.of(webhook.get("To"))
        announcements = self._announcements.of(webhook.get("To"))
        try:
            wish = elsewhere.wish_of(webhook)
            is_wanted = self._take(webhook, flow, wish)
        except (RoutingError, Unavailable) as error:
            _log.warning("could not take a caller over", error=str(error))
            return _refused(webhook, announcements)
        return announcements.back_in_line if is_wanted else announcements.canceled

    def call_back(self, webhook: Webhook) -> str:
        """The caller wants to be called back: has pressed the key, or was told so."""
        number = webhook.get("To")
        flow, announcements = self._flow.of(number), self._announcements.of(number)
        if webhook.query.get("sure") != "yes" and webhook.get("Digits") != flow.callback_key:
            return announcements.waiting(webhook.get("QueuePosition"))
        try:
            if not self._engine.perform(callback.request, call_sid=webhook.get("CallSid")):
                self._engine.perform(self._open_callback, webhook, flow)
        except (RoutingError, Unavailable) as error:
            _log.warning("could not note a callback", error=str(error))
            return announcements.apology
        return announcements.will_call_back

    def _open_callback(self, work: Work, webhook: Webhook, flow: CallFlow) -> None:
        """For somebody who never waited: it was closed, say."""
        call_sid = webhook.get("CallSid")
        if work.calls.get(call_sid) is not None:
            return  # the Task has gone on meanwhile, or this is said twice
        attributes = dict(read_object(attributes_of(webhook), parameter="Task"))
        attributes |= callback.whom_to_call(webhook.get("From"), webhook.get("To"))
        attributes.pop("call_sid", None)
        text = json.dumps(attributes, ensure_ascii=False)
        task = self._task(work, flow, Wish.plain(text))
        hang_up.remember(work, task=task, call_sid=call_sid)

    def record(self, webhook: Webhook) -> str:
        """A message was left: it becomes a Task of its own, with the recording's address."""
        number = webhook.get("To")
        flow, announcements = self._flow.of(number), self._announcements.of(number)
        recording_sid = webhook.get("RecordingSid")
        if recording_sid and webhook.get("RecordingUrl"):
            try:
                self._engine.perform(self._open_voicemail, webhook, flow)
            except (RoutingError, Unavailable) as error:
                _log.warning("could not note a message", error=str(error))
                return announcements.apology
        return announcements.voicemail_taken

    def _open_voicemail(self, work: Work, webhook: Webhook, flow: CallFlow) -> None:
        recording_sid = webhook.get("RecordingSid")
        # The row that remembers it: Twilio may tell of a recording twice.
        if work.instructions.find(reservation_sid=recording_sid, kind=VOICEMAIL_NOTED, limit=1):
            return
        attributes = dict(read_object(attributes_of(webhook), parameter="Task")) | {
            "type": "voicemail",
            "recording_sid": recording_sid,
            "recording_url": webhook.get("RecordingUrl"),
            "recording_duration": webhook.get("RecordingDuration"),
        }
        wish = Wish.plain(json.dumps(attributes, ensure_ascii=False), flow.voicemail_channel)
        task = self._task(work, flow, wish)
        noted = instructions.request(
            work,
            kind=VOICEMAIL_NOTED,
            step="noted",
            workspace_sid=task.workspace_sid,
            task_sid=task.sid,
            reservation_sid=recording_sid,
        )
        instructions.finish(work, instruction_sid=noted.sid)

    def _take(self, webhook: Webhook, flow: CallFlow, wish: Wish) -> bool:
        try:
            self._engine.add(self._add, webhook, flow, wish)
        except Conflict:
            # Most likely the webhook is repeated. Asking before would cost every call a look.
            is_wanted = self._engine.read(_is_wanted, webhook.get("CallSid"))
            if is_wanted is not None:
                return is_wanted
            # It was something that has been deleted meanwhile.
            self._engine.add(self._add, webhook, flow, wish)
        return True

    def _add(self, work: Work, webhook: Webhook, flow: CallFlow, wish: Wish) -> None:
        task = self._task(work, flow, wish)
        work.calls.add(
            Call(
                sid=webhook.get("CallSid"),
                workspace_sid=task.workspace_sid,
                task_sid=task.sid,
                from_address=webhook.get("From"),
                to_address=webhook.get("To"),
                status=webhook.get("CallStatus"),
                sequence_number=-1,
                parameters=wish.parameters,
                due_at=work.now + self._settings.sweep_seconds * SECOND,
                created_at=work.now,
                updated_at=work.now,
            )
        )

    def _task(self, work: Work, flow: CallFlow, wish: Wish) -> Task:
        configuration = self._configuration(work)
        return tasks.create(
            work,
            workspace_sid=configuration.workspace.sid,
            workflow_sid=_workflow(configuration, wish.workflow or flow.workflow),
            attributes=wish.attributes,
            task_channel=wish.task_channel or flow.task_channel,
            priority=flow.priority if wish.priority is None else wish.priority,
            timeout_seconds=wish.timeout_seconds or flow.task_timeout_seconds,
        )

    def _configuration(self, work: Work) -> Configuration:
        """The workspace that calls go to, looked up once; where the flow names none, the oldest."""
        if self._workspace_sid is not None:
            try:
                return work.configuration(self._workspace_sid)
            except NotFound:
                self._workspace_sid = None  # it was deleted; another may be there
        name = self._flow.workspace
        key = "sid" if sids.is_sid(name or "", sids.WORKSPACE) else "friendly_name"
        equal: dict[str, Any] = {key: name} if name else {}
        found = work.workspaces.find(limit=1, **equal)
        if not found:
            raise NotFound(f"/Workspaces/{name or ''}")
        self._workspace_sid = found[0].sid
        return work.configuration(found[0].sid)


def _workflow(configuration: Configuration, name: str | None) -> str:
    """The Workflow's SID; where none is named, the workspace's oldest."""
    matching = [
        workflow
        for workflow in configuration.workflows.values()
        if name is None or name in {workflow.sid, workflow.friendly_name}
    ]
    if not matching:
        raise InvalidParameter("workflow", "expected one that the workspace has")
    return min(matching, key=lambda workflow: (workflow.created_at, workflow.sid)).sid


def _key(flow: CallFlow, webhook: Webhook) -> str | None:
    """The key of the menu that was pressed, or that stands for a word that was said."""
    pressed = webhook.get("Digits")
    if pressed in flow.menu_options:
        return pressed
    said = webhook.get("SpeechResult").casefold().split()
    for word in said:
        key = flow.menu_words.get(word.strip(".,!?"))
        if key is not None:
            return key
    return None


def _refused(webhook: Webhook, announcements: Announcements) -> str:
    """The caller's own document goes on, and is told of the error, as Twilio's Enqueue does."""
    action = webhook.query.get("action", "")
    method = webhook.query.get("method", "POST").upper()
    if not action.startswith(("https://", "http://")) or method not in {"GET", "POST"}:
        return announcements.unavailable
    return announcements.go_on_at(action, method, {"QueueResult": "error"})


def _is_wanted(work: Work, call_sid: str) -> bool | None:
    """None for a call that is not known."""
    call = work.calls.get(call_sid)
    return None if call is None else hang_up.is_wanted(work, call)
