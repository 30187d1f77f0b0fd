"""What the home page shows and answers a call with, for somebody who has not signed in.

Only while the phone network is simulated, on a server that listens on loopback, to a browser on the
same machine: there is nothing here that whoever sits at that machine could not do anyhow.
"""

import re
from typing import Final

from flask import Response, request

from desk.access_tokens import AccessTokens
from desk.places import address
from desk.refusals import answer
from desk.rest import AskRest
from desk.sign_in import SignIn
from routing.errors import InvalidParameter

_TASK_SID: Final = re.compile(r"WT[0-9a-f]{32}")


class Demo:
    def __init__(self, sign_in: SignIn, tokens: AccessTokens, ask: AskRest) -> None:
        self._sign_in = sign_in
        self._tokens = tokens
        self._ask = ask

    def tokens(self) -> Response:
        """Those of every demo agent, and one for the live feed."""
        self._sign_in.require_demo()
        agents = []
        for agent in self._sign_in.demo_agents():
            worker, token = self._tokens.of_worker(agent)
            agents.append({"sid": worker.sid, "friendly_name": worker.friendly_name} | token)
        return answer({"agents": agents, "feed": self._tokens.of_feed(None)})

    def explanation(self) -> Response:
        """Why a Task waits, or whom it was given to: the REST door's Explanation."""
        self._sign_in.require_demo()
        task_sid = request.args.get("task_sid", "")
        if not _TASK_SID.fullmatch(task_sid):
            raise InvalidParameter("task_sid", "expected the SID of a Task")
        workspace_sid = self._sign_in.workspace_sid()
        return self._ask(
            method="GET",
            path=f"/Workspaces/{workspace_sid}/Tasks/{task_sid}/Explanation",
            query="",
            body=b"",
            content_type="application/x-www-form-urlencoded",
            if_match=None,
            actor={"source_ip_address": address(request)},
        )
