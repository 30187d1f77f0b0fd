"""It rings: the call becomes a Task, once, and the caller is told to wait.

Nothing here waits for anybody: one transaction, then the answer, the same for every caller.
"""

import json
from typing import Any, Final

from routing import sids
from routing.call import Call
from routing.clock import SECOND
from routing.configuration import Configuration
from routing.engine import Engine, tasks
from routing.errors import Conflict, InvalidParameter, NotFound, RoutingError, Unavailable
from routing.ports import Work
from voice import hang_up
from voice.announcement import Announcements
from voice.call_flow import CallFlow
from voice.settings import VoiceSettings
from voice.signature import Webhook

#: {Twilio's parameter: the Task attribute}: what Twilio itself gives the Task of a queued call
#: ("Queueing Twilio calls with TaskRouter"); what it does not send, the Task does not have.
DEFAULT_ATTRIBUTES: Final = {
    "AccountSid": "account_sid",
    "ApiVersion": "api_version",
    "CallSid": "call_sid",
    "CallStatus": "call_status",
    "Called": "called",
    "CalledCity": "called_city",
    "CalledCountry": "called_country",
    "CalledState": "called_state",
    "CalledZip": "called_zip",
    "Caller": "caller",
    "CallerCity": "caller_city",
    "CallerCountry": "caller_country",
    "CallerState": "caller_state",
    "CallerZip": "caller_zip",
    "Direction": "direction",
    "From": "from",
    "FromCity": "from_city",
    "FromCountry": "from_country",
    "FromState": "from_state",
    "FromZip": "from_zip",
    "To": "to",
    "ToCity": "to_city",
    "ToCountry": "to_country",
    "ToState": "to_state",
    "ToZip": "to_zip",
}


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
        try:
            is_wanted = self._take(webhook)
        except (RoutingError, Unavailable):
            return self._announcements.unavailable
        return self._announcements.welcome if is_wanted else self._announcements.canceled

    def _take(self, webhook: Webhook) -> bool:
        try:
            self._engine.add(self._add, webhook)
        except Conflict:
            # Most likely the webhook is repeated. Asking before would cost every call a look.
            is_wanted = self._engine.read(_is_wanted, webhook.get("CallSid"))
            if is_wanted is not None:
                return is_wanted
            # It was something that has been deleted meanwhile.
            self._engine.add(self._add, webhook)
        return True

    def _add(self, work: Work, webhook: Webhook) -> None:
        attributes = attributes_of(webhook)
        configuration = self._configuration(work)
        task = tasks.create(
            work,
            workspace_sid=configuration.workspace.sid,
            workflow_sid=self._workflow(configuration),
            attributes=attributes,
            task_channel=self._flow.task_channel,
            priority=self._flow.priority,
            timeout_seconds=self._flow.task_timeout_seconds,
        )
        work.calls.add(
            Call(
                sid=webhook.get("CallSid"),
                workspace_sid=task.workspace_sid,
                task_sid=task.sid,
                from_address=webhook.get("From"),
                to_address=webhook.get("To"),
                status=webhook.get("CallStatus"),
                sequence_number=-1,
                parameters=attributes,
                due_at=work.now + self._settings.sweep_seconds * SECOND,
                created_at=work.now,
                updated_at=work.now,
            )
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

    def _workflow(self, configuration: Configuration) -> str:
        """The Workflow's SID; where the flow names none, the workspace's oldest."""
        name = self._flow.workflow
        matching = [
            workflow
            for workflow in configuration.workflows.values()
            if name is None or name in {workflow.sid, workflow.friendly_name}
        ]
        if not matching:
            raise InvalidParameter("workflow", "expected one that the workspace has")
        return min(matching, key=lambda workflow: (workflow.created_at, workflow.sid)).sid


def _is_wanted(work: Work, call_sid: str) -> bool | None:
    """None for a call that is not known."""
    call = work.calls.get(call_sid)
    return None if call is None else hang_up.is_wanted(work, call)


def attributes_of(webhook: Webhook) -> str:
    """The Task's attributes, as JSON text."""
    told = webhook.parameters
    return json.dumps(
        {
            name: told[parameter]
            for parameter, name in DEFAULT_ATTRIBUTES.items()
            if parameter in told
        },
        ensure_ascii=False,
    )
