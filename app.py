"""The composition root: settings -> store -> engine -> voice -> one Flask app, and its followers.

All concrete choices are on this screen; tests call `create_app` with a clock and a phone line of
their own. Importing it opens nothing: `app` below is where `flask --app app` finds its commands.
"""

import atexit
import gc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import flask

from commands.cli import command_line
from commands.logs import set_up_logs
from commands.provision import provision, provision_demo_users
from desk.connection import Outside
from desk.door import desk_door
from desk.settings import DeskSettings, OpenIdSettings
from routing import timers
from routing.api.door import rest_door
from routing.api.inside import Inside, run_inside
from routing.api.operations import RestSettings
from routing.api.streams import Streams
from routing.api.tokens import make_token
from routing.background import router, statistics
from routing.background.callbacks.addresses import networks
from routing.background.callbacks.service import Callbacks
from routing.background.callbacks.settings import CallbackSettings
from routing.background.health import health_door
from routing.background.leading import STOP_SECONDS, Elsewhere, Leading
from routing.background.loops import Loop, following, timing
from routing.background.metrics import metrics_door
from routing.background.retention import REST_SECONDS, Purge, Retention
from routing.clock import Clock, SystemClock
from routing.engine import Engine, instructions
from routing.events import Event
from routing.realtime.bridge import Bridge, bridge_door
from routing.realtime.bulletin import Renewals, said
from routing.store import SqlStore, open_store
from routing.store.signing_keys import StoredSigningKeys
from settings import WEB, Settings, load
from voice import assignment
from voice.account import ask_account
from voice.announcement import Announcements
from voice.call_flow import load_call_flow
from voice.door import voice_door
from voice.phone_line import PhoneLine, TwilioPhoneLine
from voice.reconciliation import Reconciliation
from voice.settings import VoiceSettings
from voice.softphone import voice_token
from voice.switchboard import Switchboard
from voice.witness import Witness

#: Seconds until the timers look whether a commit has brought a nearer deadline; none is that near.
TIMER_GATHER_SECONDS = 0.1
#: Seconds between two looks of the sweep for calls whose turn it is.
SWEEP_REST_SECONDS = 1.0
#: Objects after which the garbage collector looks at the young ones, and when it looks deeper.
COLLECTED_AFTER = (20_000, 20, 20)
#: Requests to Twilio at the same time; each takes a few tenths of a second there, and a call needs
#: two of them.
OPERATORS = 8


class Web(flask.Flask):
    """Flask without what no view here uses, and each request would pay for."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """No view is a coroutine; Flask would look whether it is one, five times a request."""
        return func


class House:
    """Everything that runs in one process, so that it can be started and stopped as one."""

    def __init__(
        self, settings: Settings, *, clock: Clock, phone_line: PhoneLine, store: SqlStore
    ) -> None:
        self.store = store
        self.engine = Engine(store, clock)
        call_flow = load_call_flow(Path(settings.call_flow))
        tokens = (settings.twilio_auth_token, settings.twilio_auth_token_previous)
        self.voice_settings = VoiceSettings(
            public_url=settings.public_url,
            auth_tokens=tuple(token for token in tokens if token),
            account_tokens=dict(settings.twilio_account_tokens),
            shared_keys=dict(settings.twilio_shared_keys),
            wrap_up_limits=dict(settings.wrap_up_limits),
        )
        self.signing_keys = StoredSigningKeys(store, settings.tandem_secret_key, clock)
        self.rest_settings = RestSettings(
            account_sid=settings.twilio_account_sid,
            auth_tokens=self.voice_settings.auth_tokens,
            public_url=settings.public_url,
            requests_per_second=settings.rest_rate_limit,
            signing_keys=self.signing_keys,
            statistics_days=settings.statistics_days,
            statistics_workers=settings.statistics_workers,
            streams=Streams(limit=max(1, settings.web_threads // 4)),
        )
        self.call_flow = call_flow
        self._phone_line = phone_line
        self._callback_settings = callback_settings(settings)
        self._callbacks: Callbacks | None = None
        self._retention = Retention(
            task_days=settings.task_retention_days, event_days=settings.event_retention_days
        )
        leads = Elsewhere if settings.role == WEB else partial(Leading, begin=self._begin)
        self.followers = leads(store.leadership())

    def _begin(self) -> Sequence[Loop]:
        """The followers, the matching index complete before the first event is read."""
        matches = router.Router(self.engine)
        announcements = Announcements(self.call_flow, self.voice_settings)
        assignments = assignment.Assignments(
            self.engine, self.call_flow, self.voice_settings, self._phone_line, announcements
        )
        reconciliation = Reconciliation(self.engine, self.voice_settings, self._phone_line)
        self._callbacks = Callbacks(self.engine, self.store, self._callback_settings)
        purge = Purge(self.store, self.engine.clock, self._retention)
        # Nobody else leads: whoever held a lease is gone.
        self.engine.perform(instructions.look_again)
        self._callbacks.start(alone=True)
        matches.start()
        return (
            *self._callbacks.loops,
            matches.loop(self.store),
            self._follower("voice", assignment.CONCERNS, assignments.follow),
            Loop(
                "timers",
                timing(self.engine),
                self.store.subscribe(timers.TOPICS),
                gather_seconds=TIMER_GATHER_SECONDS,
            ),
            self._loop(
                "statistics",
                statistics.StatisticsFollower(self.store).step,
                statistics.CONCERNS,
                statistics.REST_SECONDS,
            ),
            self._loop("reconciliation", reconciliation.sweep, frozenset(), SWEEP_REST_SECONDS),
            self._loop("retention", purge.step, frozenset(), REST_SECONDS),
            *self._phone_line_loops(assignments),
        )

    def _phone_line_loops(self, assignments: assignment.Assignments) -> Iterator[Loop]:
        """Who carries out what is to be done on the phone line, and who gives it to them."""
        board = assignments.board = Switchboard(
            assignments.lease,
            assignments.carry_out,
            # Nothing that is committed wakes an operator.
            signals=[self.store.subscribe(frozenset()) for _ in range(OPERATORS)],
            signal=self.store.subscribe(assignment.TOPICS),
        )
        yield Loop("phone line", board.step, board.signal)
        for number, operator in enumerate(board.operators, 1):
            yield Loop(f"operator {number}", operator.step, operator.signal)

    def _loop(
        self,
        name: str,
        step: Callable[[], bool | float],
        topics: frozenset[str],
        rest_seconds: float = 0.0,
    ) -> Loop:
        return Loop(name, step, self.store.subscribe(topics), rest_seconds=rest_seconds)

    def _follower(
        self,
        name: str,
        concerns: frozenset[str],
        react: Callable[[Sequence[Event]], None],
    ) -> Loop:
        return self._loop(name, following(self.store.event_log(name, concerns), react), concerns)

    def start(self) -> None:
        """Starts the followers, unless another process has them."""
        self.store.listen()
        self.followers.start()

    def stop(self) -> None:
        """Lets each follower finish the step in hand, then closes the store."""
        if self._callbacks is not None:
            self._callbacks.finish(STOP_SECONDS)
        self.followers.stop()
        self.store.close()


def callback_settings(settings: Settings) -> CallbackSettings:
    """What the callbacks need to know of the settings."""
    tokens = (settings.twilio_auth_token, settings.twilio_auth_token_previous)
    return CallbackSettings(
        account_sid=settings.twilio_account_sid,
        auth_tokens=tuple(token for token in tokens if token),
        form=settings.callback_format,
        allowed=networks(settings.callback_allow_private),
        give_up_seconds=settings.callback_retry_hours * 3600,
        keep_seconds=settings.callback_keep_hours * 3600,
        at_once=settings.callback_concurrency,
    )


def desk_settings(settings: Settings) -> DeskSettings:
    """What the pages and their server side need to know of the settings."""
    open_id = OpenIdSettings(
        issuer=settings.openid_issuer,
        client_id=settings.openid_client_id,
        client_secret=settings.openid_client_secret,
        label=settings.openid_label,
        scopes=settings.openid_scopes,
        name_claim=settings.openid_name_claim,
        worker_claim=settings.openid_worker_claim,
        role_claim=settings.openid_role_claim,
        roles=dict(settings.openid_roles),
    )
    return DeskSettings(
        account_sid=settings.twilio_account_sid,
        secret_key=settings.tandem_secret_key,
        public_url=settings.public_url,
        realtime_url=settings.realtime_url,
        simulator_url=settings.twilio_api_url if settings.simulates else None,
        offers_demo=settings.offers_demo,
        session_idle_seconds=settings.session_idle_minutes * 60,
        session_seconds=settings.session_hours * 3600,
        open_id=open_id if settings.openid_issuer else None,
    )


def telephones(settings: Settings) -> Callable[..., str] | None:
    """What makes tokens for telephones in browsers; None where Twilio has none for us."""
    if settings.simulates or not settings.twilio_api_key_sid:
        return None
    return partial(
        voice_token,
        account_sid=settings.twilio_account_sid,
        key_sid=settings.twilio_api_key_sid,
        key_secret=settings.twilio_api_key_secret,
    )


def create_app(
    settings: Settings,
    *,
    clock: Clock | None = None,
    phone_line: PhoneLine | None = None,
    store: SqlStore | None = None,
) -> flask.Flask:
    """The web application with its doors; its `House` is at `app.extensions["house"]`.

    The followers are not started: whoever serves does that, and tests step through them by hand.
    """
    clock = clock or SystemClock()
    if store is None:
        store = open_store(settings.database_url, clock)
        store.migrate()
    store.perform(provision)
    if settings.offers_demo:
        store.perform(provision_demo_users)
    phone_line = phone_line or TwilioPhoneLine(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token,
        api_url=settings.twilio_api_url,
    )
    house = House(settings, clock=clock, phone_line=phone_line, store=store)
    web = Web("tandem", static_folder=None)
    web.extensions["house"] = house
    web.register_blueprint(rest_door(house.engine, house.rest_settings))
    renewals = Renewals(lambda renewed: store.tell(said(renewed)))
    bridge = Bridge(house.engine, house.rest_settings, house.signing_keys, renewals.shown)
    web.register_blueprint(bridge_door(bridge))
    witness = Witness(clock)
    web.register_blueprint(
        voice_door(house.engine, house.voice_settings, house.call_flow, witness),
        url_prefix="/voice",
    )
    account_sid, auth_token = settings.twilio_account_sid, settings.twilio_auth_token
    account = partial(
        ask_account,
        account_sid=account_sid,
        auth_token=auth_token,
        api_url=settings.twilio_api_url,
        public_url=settings.public_url,
    )
    web.register_blueprint(
        desk_door(
            house.engine,
            desk_settings(settings),
            make_token=partial(make_token, account_sid=account_sid, auth_token=auth_token),
            make_voice_token=telephones(settings),
            ask_rest=lambda **asked: run_inside(web, Inside(**asked)),
            outside=Outside(ask_account=account, seen=lambda: witness.seen),
        )
    )
    web.register_blueprint(health_door(store, house.followers.wellbeing))
    web.register_blueprint(metrics_door(store))
    return web


def served() -> flask.Flask:
    """What gunicorn serves: the app of this environment, with its followers running."""
    web, house = _started()
    atexit.register(house.stop)
    return web


def follow() -> House:
    """The followers alone, for a process beside those that serve; whoever calls stops them."""
    return _started()[1]


def _started() -> tuple[flask.Flask, House]:
    settings = load()
    set_up_logs(settings.log_level)
    web = create_app(settings)
    house: House = web.extensions["house"]
    house.start()
    _spare_the_collector()
    return web, house


def _spare_the_collector() -> None:
    """What was set up stays: the garbage collector need not look through it again and again.

    Nor need it look now, for a tenth of a second before the first answer: imports and the setting
    up leave about a hundred objects of garbage behind. A request leaves little that goes round in
    circles; to look for it seldom is enough, and costs the others fewer pauses.
    """
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)


app = command_line()
