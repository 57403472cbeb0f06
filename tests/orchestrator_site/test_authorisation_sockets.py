"""Every verb of the live socket and everybody, as the table of ``authorisation.runs`` says."""

from __future__ import annotations

import time

import pytest

from runs import consumers, live
from tests.orchestrator_site.authorisation import pipelines as pipelines_table
from tests.orchestrator_site.authorisation import runs as table
from tests.orchestrator_site.authorisation.base import ACTORS, World, make_world
from tests.runs.socket_client import Browser, run, tell

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_connection")]


@pytest.fixture
def world() -> World:
    made = make_world()
    pipelines_table.prepare(made)
    table.prepare(made)
    time.sleep(2 * live.EVERY)  # what happened until here has been told
    return made


def sessions(world: World) -> dict[str, str]:
    """Actor -> session cookie; empty for those who have none."""
    found = {}
    for actor in ACTORS:
        cookie = world.client(actor, "read").cookies.get("sessionid")
        found[actor] = cookie.value if cookie else ""
    return found


def test_only_people_with_a_session_open_the_socket(world: World) -> None:
    cookies = sessions(world)

    async def story() -> None:
        opened = set()
        for actor, cookie in cookies.items():
            socket = Browser(cookie)
            if await socket.open():
                opened.add(actor)
                await socket.close()
        assert opened == set(table.MAY_OPEN)

    run(story)


def test_each_verb_answers_each_person_as_the_table_says(world: World) -> None:
    cookies = sessions(world)

    async def story() -> None:
        wrong = {}
        for actor in table.MAY_OPEN:
            socket = Browser(cookies[actor])
            assert await socket.open()
            for (verb, kind, name), expected in table.VERBS.items():
                await socket.say(verb=verb, kind=kind, id=world.names.get(name, name))
                if verb == "unsubscribe":
                    continue
                answer = await socket.hear()
                said = answer.get("code", answer["type"])
                if said != expected.get(actor, "subscribed"):
                    wrong[actor, kind] = said
            assert await socket.silent(0.05)
            await socket.close()
        assert wrong == {}

    run(story)


def test_what_happens_in_a_team_is_heard_by_its_members_and_site_admins_alone(world: World) -> None:
    cookies = sessions(world)
    names = world.names
    message = {
        "type": "live.run",
        "id": names["run"],
        "seq": 7,
        "pipeline": names["pipeline"],
        "state": "running",
    }

    async def story() -> None:
        heard = set()
        for actor in table.MAY_OPEN:
            socket = Browser(cookies[actor])
            assert await socket.open()
            for kind, name in (("run", names["run"]), ("pipeline", names["pipeline"]), ("fleet", "*")):
                await socket.subscribe(kind, name)
            await tell("fleet.alpha", **message)
            await tell(f"run.{names['run']}", **message)
            if not await socket.silent(2 * consumers.EVERY):
                heard.add(actor)
            await socket.close()
        assert heard == set(table.MAY_OPEN) - {"stranger"}

    run(story)
