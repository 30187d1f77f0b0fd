"""Users: who may use the pages, and as what. How a password is hashed is none of its business."""

from dataclasses import replace

from routing import sids
from routing.errors import Conflict, InvalidParameter, NotFound
from routing.ports import Work
from routing.user import ADMIN, AGENT, NAME, ROLES, User
from routing.worker import Worker

MAX_DISPLAY_NAME_CHARACTERS = 128


def add(
    work: Work,
    *,
    name: str,
    role: str,
    display_name: str = "",
    worker: str | None = None,
    workspace_sid: str | None = None,
    password_hash: str | None = None,
    is_demo: bool = False,
) -> User:
    """A new user. `worker` is the SID or the FriendlyName of the Worker as whom calls are taken.

    Without a Workspace it is the Worker's, or else the oldest; an admin without either is one of
    all Workspaces. Raises InvalidParameter, naming it, and Conflict where the name is taken.
    """
    name = name.casefold()
    if NAME.fullmatch(name) is None:
        raise InvalidParameter(
            "name", "expected 1 to 64 letters, digits and . _ + @ -, a letter or digit first"
        )
    if role not in ROLES:
        raise InvalidParameter("role", f"expected {', '.join(ROLES[:-1])} or {ROLES[-1]}")
    display_name = display_name.strip() or name
    if len(display_name) > MAX_DISPLAY_NAME_CHARACTERS:
        raise InvalidParameter(
            "display_name", f"expected at most {MAX_DISPLAY_NAME_CHARACTERS} characters"
        )
    if work.users.find(name=name):
        raise Conflict(f"A user named {name} already exists.")
    workspace_sid = _workspace(work, workspace_sid, role, worker)
    user = User(
        sid=sids.new_sid(sids.USER),
        name=name,
        display_name=display_name,
        role=role,
        workspace_sid=workspace_sid,
        worker_sid=_worker_sid(work, workspace_sid, role, worker),
        password_hash=password_hash,
        is_demo=is_demo,
        is_disabled=False,
        created_at=work.now,
        updated_at=work.now,
    )
    work.users.add(user)
    return user


def _workspace(work: Work, workspace_sid: str | None, role: str, worker: str | None) -> str | None:
    if workspace_sid is not None:
        if work.workspaces.get(workspace_sid) is None:
            raise InvalidParameter("workspace", "expected the SID of a Workspace")
        return workspace_sid
    if role == ADMIN and worker is None:
        return None
    known = work.workers.get(worker) if worker is not None else None
    if known is not None:
        return known.workspace_sid
    oldest = work.workspaces.find(limit=1)
    if not oldest:
        raise InvalidParameter("workspace", "expected a Workspace, and there is none yet")
    return oldest[0].sid


def _worker_sid(work: Work, workspace_sid: str | None, role: str, worker: str | None) -> str | None:
    if worker is None:
        if role == AGENT:
            raise InvalidParameter("worker", "expected the Worker as whom the agent takes calls")
        return None
    found = None
    if workspace_sid is not None:
        found = worker_named(work, workspace_sid=workspace_sid, worker=worker)
    if found is None:
        raise InvalidParameter("worker", "expected the SID or the name of a Worker")
    return found.sid


def worker_named(work: Work, *, workspace_sid: str, worker: str) -> Worker | None:
    """The Worker of that SID or FriendlyName in that Workspace."""
    found = work.workers.get(worker)
    if found is not None and found.workspace_sid == workspace_sid:
        return found
    named = work.workers.find(workspace_sid=workspace_sid, friendly_name=worker, limit=1)
    return named[0] if named else None


def every(work: Work) -> list[User]:
    """All users, by name."""
    return work.users.find(order_by="name")


def named(work: Work, *, name: str) -> User | None:
    """The user of that name, however it is written."""
    found = work.users.find(name=name.casefold(), limit=1)
    return found[0] if found else None


def _known(work: Work, name: str) -> User:
    user = named(work, name=name)
    if user is None:
        raise NotFound(f"/Users/{name}")
    return user


def change_password(work: Work, *, name: str, password_hash: str) -> User:
    """Another password; whoever is signed in with the old one is no longer. Raises NotFound."""
    user = _known(work, name)
    if user.is_demo:
        raise InvalidParameter("name", "expected a user of your own; a demo user has no password")
    end_sessions(work, user_sid=user.sid)
    return _changed(work, user, password_hash=password_hash)


def hash_anew(work: Work, *, user_sid: str, password_hash: str) -> None:
    """The same password, hashed as it is hashed now; nobody is signed out."""
    work.users.change(user_sid, password_hash=password_hash)


def disable(work: Work, *, name: str) -> User:
    """The user may not sign in any more, and is signed out everywhere. Raises NotFound."""
    user = _known(work, name)
    end_sessions(work, user_sid=user.sid)
    return _changed(work, user, is_disabled=True)


def enable(work: Work, *, name: str) -> User:
    """The user may sign in again. Raises NotFound."""
    return _changed(work, _known(work, name), is_disabled=False)


def change_role(work: Work, *, user_sid: str, role: str) -> None:
    """What a provider says of the user now."""
    user = work.users.get(user_sid)
    if user is None or user.role == role:
        return
    if role == AGENT and user.worker_sid is None:
        raise InvalidParameter("worker", "expected the Worker as whom the agent takes calls")
    _changed(work, user, role=role)


def end_sessions(work: Work, *, user_sid: str) -> None:
    """Signs the user out, everywhere."""
    for session in work.sessions.find(user_sid=user_sid):
        work.sessions.remove(session.sid)


def _changed(work: Work, user: User, **columns: object) -> User:
    columns["updated_at"] = work.now
    work.users.change(user.sid, **columns)
    return replace(user, **columns)  # type: ignore[arg-type]  # the columns are the record's fields
