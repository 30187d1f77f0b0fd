"""What a token may do.

An access token has a role, and for each route the table in routes.py names the roles that may use
it and what has to be the Worker's own. A capability token has policies of its own: nothing is
allowed at first, then each policy that fits allows or refuses, and a refusal wins. Whatever the
token, it reaches one Workspace.
"""

from collections.abc import Mapping

from routing.api.tokens import Bearer, Filter, Policy
from routing.errors import RoutingError


class Forbidden(RoutingError):
    """A good token that does not reach as far as this."""

    status = 403
    code = 20003

    def __init__(self, why: str) -> None:
        super().__init__(f"Permission denied: {why}")


def check_policies(
    bearer: Bearer, method: str, path: str, parameters: Mapping[str, object]
) -> None:
    """Raises Forbidden unless the capability token's policies allow it.

    `path` lies below the version: `Workspaces/WS.../Tasks`.
    """
    fitting = [
        policy
        for policy in bearer.policies or ()
        if policy.method == method and covers(policy.path, path) and _meets(policy, parameters)
    ]
    if not fitting or not all(policy.allow for policy in fitting):
        raise Forbidden(f"no policy of the token allows {method} {path}")


def covers(pattern: str, path: str) -> bool:
    """Does the pattern fit? `*` stands for one part of a path, `**` at its end for any rest.

    As the helper libraries use them, `Tasks/**` covers `Tasks` itself, too.
    """
    wanted, parts = pattern.strip("/").split("/"), path.strip("/").split("/")
    if wanted[-1] == "**":
        wanted.pop()
        parts = parts[: len(wanted)] if len(parts) >= len(wanted) else parts
    return len(wanted) == len(parts) and all(
        one in {"*", part} for one, part in zip(wanted, parts, strict=True)
    )


def _meets(policy: Policy, parameters: Mapping[str, object]) -> bool:
    """A policy that refuses does so whatever the parameters."""
    if not policy.allow:
        return True
    wanted: Filter = policy.query_filter if policy.method == "GET" else policy.post_filter
    if not wanted:
        return True
    return _required(wanted) <= set(parameters) <= {name for name, _ in wanted}


def _required(wanted: Filter) -> set[str]:
    return {name for name, required in wanted if required}


def check_channel(bearer: Bearer, method: str, channel: str | None) -> None:
    """May the token open (GET) or post to (POST) this channel of events? None: its own."""
    if channel is not None and channel != bearer.channel and bearer.is_capability:
        raise Forbidden("the channel is not the token's")
    if bearer.policies is None:
        return
    path = f"wschannels/{bearer.account_sid}/{bearer.channel}"
    fitting = [
        policy
        for policy in bearer.policies
        if policy.method == method and covers(policy.path, path)
    ]
    if not fitting or not all(policy.allow for policy in fitting):
        raise Forbidden(f"no policy of the token allows {method} on its channel of events")
