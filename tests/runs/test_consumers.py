"""The live socket: who may open it, who hears what, and how much it takes."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

import pytest
import redis
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.db.models import F

from pipelines import accounts, grants
from pipelines.clock import EngineNow
from pipelines.models import Membership
from pipelines.people import set_roles
from runs import consumers, live
from runs.models import Run
from tests import factories
from tests.factories import Cast
from tests.runs import making
from tests.runs.making import task
from tests.runs.socket_client import Browser, browser, run, session_of, tell

# Channels closes idle connections between two messages, so a test cannot live in one transaction.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_connection")]


@pytest.fixture
def people() -> Cast:
    return factories.make_cast()


@pytest.fixture
def bobs_run(people: Cast) -> Run:
    """A run of team alpha, where Bob is a viewer; its start has been told."""
    started = making.start(making.make_version(people.team, people.alice, [task("a")]), people.alice)
    time.sleep(2 * live.EVERY)
    return started


def moved(run: Run, seq: int, state: str = "running") -> dict[str, Any]:
    """The engine's message about a run."""
    return {
        "type": "live.run",
        "id": str(run.uuid),
        "seq": seq,
        "pipeline": str(run.pipeline.uuid),
        "state": state,
    }


def run_message(run: Run, seq: int, state: str = "running") -> dict[str, Any]:
    return {**moved(run, seq, state), "type": "run"}


# --- opening ------------------------------------------------------------------------------------


def test_nobody_opens_a_socket_without_signing_in() -> None:
    async def story() -> None:
        assert not await Browser().open()
        assert not await Browser("unknown").open()

    run(story)


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://localhost:9999", "null", None, "http://localhost:8000.evil.example"],
)
def test_a_page_of_another_site_opens_no_socket(people: Cast, origin: str | None) -> None:
    session = session_of(people.bob)

    async def story() -> None:
        assert not await Browser(session, origin=origin).open()

    run(story)


def test_a_person_has_a_limited_number_of_sockets(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "MAX_SOCKETS", 2)
    bob, alice = session_of(people.bob), session_of(people.alice)

    async def story() -> None:
        async with browser(bob):
            async with browser(bob):
                assert not await Browser(bob).open()
                async with browser(alice):
                    pass
            async with browser(bob):
                pass

    run(story)
    assert consumers.LiveConsumer.sockets[people.bob.pk] == 0


# --- hearing ------------------------------------------------------------------------------------


def test_a_subscriber_of_a_run_hears_of_it_and_of_its_logs(people: Cast, bobs_run: Run) -> None:
    session, name, attempt = session_of(people.bob), str(bobs_run.uuid), str(uuid4())

    async def story() -> None:
        async with browser(session) as bob:
            hello = await bob.subscribe("run", name)
            assert hello == {"type": "subscribed", "kind": "run", "id": name, "seq": bobs_run.last_seq}
            await tell(f"run.{name}", **moved(bobs_run, 9))
            assert await bob.hear() == run_message(bobs_run, 9)
            await tell(f"run.{name}", type="live.log", run=name, attempt=attempt, lines=40)
            assert await bob.hear() == {"type": "log", "run": name, "attempt": attempt, "lines": 40}

    run(story)


def test_the_engine_itself_reaches_the_subscribers(people: Cast, bobs_run: Run) -> None:
    session, pipeline = session_of(people.bob), str(bobs_run.pipeline.uuid)

    async def story() -> None:
        async with browser(session) as one, browser(session) as two, browser(session) as three:
            await one.subscribe("run", bobs_run.uuid)
            await two.subscribe("pipeline", pipeline)
            await three.subscribe("fleet", "*")
            await sync_to_async(live.run_moved)(bobs_run.pk, 5, "succeeded")
            for each in (one, two, three):
                assert await each.hear() == run_message(bobs_run, 5, "succeeded")

    run(story)


def test_a_run_that_one_may_not_see_is_not_found_and_not_heard(people: Cast, bobs_run: Run) -> None:
    session, pipeline = session_of(people.charlie), str(bobs_run.pipeline.uuid)

    async def story() -> None:
        async with browser(session) as charlie:
            for kind, name in (("run", bobs_run.uuid), ("pipeline", pipeline), ("run", uuid4())):
                assert (await charlie.subscribe(kind, name))["code"] == "not-found"
            await charlie.subscribe("fleet", "*")
            for group in (f"run.{bobs_run.uuid}", f"pipeline.{pipeline}", "fleet.alpha"):
                await tell(group, **moved(bobs_run, 3))
            assert await charlie.silent()

    run(story)


def test_the_fleet_is_that_of_ones_own_teams(people: Cast, bobs_run: Run) -> None:
    session = session_of(people.charlie)
    theirs = making.start(making.make_version(people.others, people.charlie, [task("a")]), people.charlie)
    time.sleep(2 * live.EVERY)  # the start itself has been told

    async def story() -> None:
        async with browser(session) as charlie:
            assert (await charlie.subscribe("fleet", "*"))["seq"] is None
            await tell("fleet.alpha", **moved(bobs_run, 3))
            assert await charlie.silent()
            await tell("fleet.others", **moved(theirs, 4))
            assert await charlie.hear() == run_message(theirs, 4)

    run(story)


def test_who_unsubscribes_hears_no_more(people: Cast, bobs_run: Run) -> None:
    session, name = session_of(people.bob), str(bobs_run.uuid)

    async def story() -> None:
        async with browser(session) as bob:
            await bob.subscribe("run", name)
            await bob.subscribe("fleet", "*")
            await bob.say(verb="unsubscribe", kind="run", id=name)
            await bob.say(verb="unsubscribe", kind="run", id=name)
            await tell(f"run.{name}", **moved(bobs_run, 3))
            assert await bob.silent()
            await tell("fleet.alpha", **moved(bobs_run, 4))
            assert (await bob.hear())["seq"] == 4

    run(story)


def test_many_movements_become_at_most_five_messages_a_second(people: Cast, bobs_run: Run) -> None:
    session, name = session_of(people.bob), str(bobs_run.uuid)

    async def story() -> None:
        async with browser(session) as bob:
            await bob.subscribe("run", name)
            began, heard = time.monotonic(), list[dict[str, Any]]()

            async def listen() -> None:
                while not heard or heard[-1]["seq"] < 100:
                    heard.append(await bob.hear())

            listening = asyncio.create_task(listen())
            for seq in range(1, 101):
                await tell(f"run.{name}", **moved(bobs_run, seq))
                await asyncio.sleep(0.01)
            await listening
            took = time.monotonic() - began
            assert len(heard) <= took / consumers.EVERY + 2
            assert [message["seq"] for message in heard] == sorted(message["seq"] for message in heard)

    run(story)


def test_movements_of_many_runs_come_in_one_message(people: Cast, bobs_run: Run) -> None:
    session = session_of(people.bob)
    ids = [str(uuid4()) for _ in range(30)]

    async def story() -> None:
        async with browser(session) as bob:
            await bob.subscribe("fleet", "*")
            for number, name in enumerate(ids):
                await tell("fleet.alpha", **{**moved(bobs_run, number), "id": name})
            frames, heard = 0, set[str]()
            while len(heard) < len(ids):
                message = await bob.hear()
                frames += 1
                parts = message["messages"] if message["type"] == "batch" else [message]
                heard |= {part["id"] for part in parts}
            assert frames <= 4
            assert heard == set(ids)

    run(story)


# --- what the client may say --------------------------------------------------------------------


@pytest.mark.parametrize(
    "text,code",
    [
        ("{", "not-json"),
        ("[1]", "not-json"),
        ("[" * 2000, "not-json"),
        ("{}", "unknown-verb"),
        ('{"verb": "publish", "kind": "run", "id": "x"}', "unknown-verb"),
        ('{"verb": "subscribe", "kind": "team", "id": "x"}', "unknown-kind"),
        ('{"verb": "subscribe", "kind": ["run"], "id": "x"}', "unknown-kind"),
        ('{"verb": "subscribe", "kind": "run", "id": "x"}', "unknown-id"),
        ('{"verb": "subscribe", "kind": "run", "id": 7}', "unknown-id"),
        ('{"verb": "subscribe", "kind": "run"}', "unknown-id"),
        ('{"verb": "subscribe", "kind": "fleet", "id": "alpha"}', "unknown-id"),
    ],
)
def test_a_message_that_cannot_be_followed_is_answered_and_the_socket_lives(
    people: Cast, text: str, code: str
) -> None:
    session = session_of(people.bob)

    async def story() -> None:
        async with browser(session) as bob:
            await bob.socket.send_to(text_data=text)
            answer = await bob.hear()
            assert (answer["type"], answer["code"]) == ("error", code)
            assert answer["message"].endswith((".", '"*".'))
            assert (await bob.subscribe("fleet", "*"))["type"] == "subscribed"

    run(story)


def test_bytes_are_refused(people: Cast) -> None:
    session = session_of(people.bob)

    async def story() -> None:
        async with browser(session) as bob:
            await bob.socket.send_to(bytes_data=b"{}")
            assert (await bob.hear())["code"] == "not-text"

    run(story)


def test_a_message_of_more_than_4_kib_ends_the_socket(people: Cast) -> None:
    session = session_of(people.bob)
    frame = len(json.dumps({"verb": "subscribe", "kind": "fleet", "id": "*", "pad": ""}))

    async def story() -> None:
        bob = Browser(session)
        assert await bob.open()
        fits = json.dumps({"verb": "subscribe", "kind": "fleet", "id": "*", "pad": "x" * (4096 - frame)})
        assert len(fits) == 4096
        await bob.socket.send_to(text_data=fits)
        assert (await bob.hear())["type"] == "subscribed"
        await bob.socket.send_to(text_data=fits + " ")
        assert (await bob.hear())["code"] == "message-too-large"
        assert await bob.closed_with() == consumers.TOO_LARGE

    run(story)


def test_more_than_20_messages_a_second_end_the_socket(people: Cast) -> None:
    session = session_of(people.bob)

    async def story() -> None:
        bob = Browser(session)
        assert await bob.open()
        for _ in range(21):
            await bob.say(verb="unsubscribe", kind="fleet", id="*")
        assert (await bob.hear())["code"] == "too-many-messages"
        assert await bob.closed_with() == consumers.TOO_MANY

    run(story)


def test_a_socket_has_a_limited_number_of_subscriptions(
    people: Cast, bobs_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "MAX_SUBSCRIPTIONS", 2)
    session = session_of(people.bob)

    async def story() -> None:
        async with browser(session) as bob:
            await bob.subscribe("run", bobs_run.uuid)
            await bob.subscribe("pipeline", bobs_run.pipeline.uuid)
            assert (await bob.subscribe("fleet", "*"))["code"] == "too-many-subscriptions"
            assert (await bob.subscribe("run", bobs_run.uuid))["type"] == "subscribed"
            await bob.say(verb="unsubscribe", kind="run", id=str(bobs_run.uuid))
            assert (await bob.subscribe("fleet", "*"))["type"] == "subscribed"

    run(story)


# --- rights that change -------------------------------------------------------------------------


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What may be seen is looked at again every 100 ms."""
    monkeypatch.setattr(consumers, "RECHECK", 0.1)


@pytest.mark.usefixtures("soon")
def test_who_loses_the_role_hears_no_more(people: Cast, bobs_run: Run) -> None:
    session, name = session_of(people.bob), str(bobs_run.uuid)

    async def story() -> None:
        async with browser(session) as bob:
            await bob.subscribe("run", name)
            await bob.subscribe("fleet", "*")
            await Membership.objects.filter(user=people.bob).aupdate(ended_at=EngineNow())
            assert await bob.hear() == {
                "type": "error",
                "code": "no-longer-allowed",
                "message": f"You may no longer see run {name}.",
            }
            await asyncio.sleep(0.3)  # the fleet is looked at after it
            for group in (f"run.{name}", "fleet.alpha"):
                await tell(group, **moved(bobs_run, 3))
            assert await bob.silent()

    run(story)


@pytest.mark.usefixtures("soon")
def test_who_joins_a_team_hears_of_its_fleet_without_asking_again(people: Cast, bobs_run: Run) -> None:
    session = session_of(people.charlie)

    async def story() -> None:
        async with browser(session) as charlie:
            await charlie.subscribe("fleet", "*")
            await Membership.objects.acreate(team=people.team, user=people.charlie, role="viewer")
            await asyncio.sleep(0.5)
            await tell("fleet.alpha", **moved(bobs_run, 3))
            assert await charlie.hear() == run_message(bobs_run, 3)

    run(story)


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("how", ["sign-out", "deactivation", "new password"])
def test_who_is_signed_out_is_told_and_the_socket_ends(people: Cast, how: str) -> None:
    session = session_of(people.bob)

    async def story() -> None:
        bob = Browser(session)
        assert await bob.open()
        if how == "sign-out":
            await Session.objects.all().adelete()
        elif how == "deactivation":
            people.bob.is_active = False
            await people.bob.asave()
        else:
            people.bob.set_password("something else entirely")
            await people.bob.asave()
        assert (await bob.hear())["code"] == "signed-out"
        assert await bob.closed_with() == consumers.SIGNED_OUT

    run(story)


def test_a_role_that_is_taken_away_ends_the_subscription_within_seconds(people: Cast, bobs_run: Run) -> None:
    """Nobody waits for the next look by the clock, which comes after half a minute."""
    session, name = session_of(people.bob), str(bobs_run.uuid)

    async def story() -> None:
        async with browser(session) as bob:
            await bob.subscribe("run", name)
            await sync_to_async(set_roles)(people.team, people.bob, [], actor=people.alice)
            assert (await bob.hear())["code"] == "no-longer-allowed"
            await tell(f"run.{name}", **moved(bobs_run, 3))
            assert await bob.silent()

    run(story)


def test_what_is_lent_is_heard_until_it_is_taken_back(
    people: Cast, bobs_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "SPREAD", 0.2)
    lent = grants.lend(bobs_run.pipeline, people.others, "view", actor=people.alice)
    session, name = session_of(people.charlie), str(bobs_run.uuid)
    time.sleep(3 * live.EVERY)

    async def story() -> None:
        async with browser(session) as charlie:
            assert (await charlie.subscribe("run", name))["type"] == "subscribed"
            await sync_to_async(grants.end)(lent, actor=people.alice)
            assert (await charlie.hear())["code"] == "no-longer-allowed"

    run(story)


def test_whoever_is_deactivated_is_signed_out_of_the_socket_within_seconds(people: Cast) -> None:
    session = session_of(people.bob)

    async def story() -> None:
        bob = Browser(session)
        assert await bob.open()
        await sync_to_async(accounts.deactivate)(people.bob, actor=people.alice)
        assert (await bob.hear())["code"] == "signed-out"
        assert await bob.closed_with() == consumers.SIGNED_OUT

    run(story)


@pytest.mark.usefixtures("soon")
def test_nothing_changes_while_the_rights_stay(people: Cast, bobs_run: Run) -> None:
    session = session_of(people.bob)

    async def story() -> None:
        async with browser(session) as bob:
            await bob.subscribe("run", bobs_run.uuid)
            assert await bob.silent(0.5)
            await Run.objects.filter(pk=bobs_run.pk).aupdate(last_seq=F("last_seq"))
            await tell(f"run.{bobs_run.uuid}", **moved(bobs_run, 3))
            assert (await bob.hear())["seq"] == 3

    run(story)


def test_a_flushed_redis_does_not_stop_the_messages(
    people: Cast, bobs_run: Run, redis_connection: redis.Redis
) -> None:
    session = session_of(people.bob)

    async def story() -> None:
        async with browser(session) as bob:
            await bob.subscribe("run", bobs_run.uuid)
            redis_connection.flushall()
            await tell(f"run.{bobs_run.uuid}", **moved(bobs_run, 3))
            assert (await bob.hear())["seq"] == 3

    run(story)
