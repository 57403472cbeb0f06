"""Levels of isolation as the engine knows them: who may claim what, which user a team has, what is said."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connection, transaction

from orchestrator_site.env import env_choice, env_range
from pipelines.errors import Invalid
from pipelines.models import AuditEvent, User
from runs import bootstrap, isolation, protocol, queries, queues
from runs.fingerprints import NotKnown
from runs.models import Attempt, Queue, TaskRun, TaskUser, WorkerLease
from runs.reuse import keys
from runs.worker import users
from runs.worker.requests import CannotRun
from tests.factories import Cast, make_cast, make_published, make_team, make_user
from tests.runs.factories import Hands

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    return make_cast()


@pytest.fixture
def root() -> User:
    return make_user("root", is_superuser=True)


@pytest.fixture
def strict() -> Queue:
    """The queue `cpu`, which demands a user for each team."""
    queue = Queue.objects.get_or_create(slug="cpu")[0]
    Queue.objects.filter(pk=queue.pk).update(isolation=isolation.OWN)
    return queue


@pytest.fixture(autouse=True)
def nobody_known() -> Any:
    """Every process remembers users; each test begins without."""
    users.user_of.cache_clear()
    yield
    users.user_of.cache_clear()


def start(cast: Cast) -> None:
    version = make_published(team=cast.team, owner=cast.alice)
    protocol.start_run(version, parameters={}, trigger="manual", requested_by=cast.alice)


def say(hands: Hands, problem: str) -> None:
    """Let the worker say what it can give."""
    WorkerLease.objects.filter(pk=hands.lease.pk).update(labels=isolation.label(problem))


def test_a_worker_that_cannot_give_the_isolation_of_its_queue_claims_nothing_and_says_why(
    cast: Cast, strict: Queue
) -> None:
    start(cast)
    hands = Hands()
    assert hands.claim() is None
    say(hands, "the workers do not run as root")
    assert hands.claim() is None
    words = isolation.problem(isolation.OWN, queries.queue_loads(["cpu"])["cpu"].given)
    assert words == "No worker of this queue can give 'own user': the workers do not run as root"
    say(hands, "")
    assert hands.claim() is not None
    assert isolation.problem(isolation.OWN, queries.queue_loads(["cpu"])["cpu"].given) == ""


def test_the_level_of_the_queue_stands_in_the_attempt_and_in_the_work(cast: Cast, strict: Queue) -> None:
    start(cast)
    hands = Hands()
    say(hands, "")
    key = hands.claim()
    assert key is not None
    assert hands.held[key].attempt["isolation"] == "own user"
    assert Attempt.objects.get(uuid=hands.held[key].token).isolation == "own user"


def test_no_level_is_invented(strict: Queue, root: User) -> None:
    with pytest.raises(Invalid, match="Choose one of: shared user, own user and container"):
        queues.isolate(strict, "prison", actor=root)
    assert queues.isolate(strict, "shared user", actor=root) is True
    assert queues.isolate(strict, "shared user", actor=root) is False
    with pytest.raises(Error), transaction.atomic():
        Queue.objects.filter(pk=strict.pk).update(isolation="none")


def test_a_new_queue_gets_the_level_of_the_first(strict: Queue, root: User) -> None:
    assert queues.make("big", actor=root).isolation == "own user"
    assert queues.make("small", isolated="shared user", actor=root).isolation == "shared user"
    queues.isolate(strict, "container", image=IMAGE, actor=root)
    assert queues.make("next", actor=root).isolation == "own user"


def test_each_team_has_a_user_that_no_other_team_ever_has(cast: Cast, settings: LazySettings) -> None:
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "TASK_UIDS": (64_900, 64_901)}
    first = users.user_of(cast.team.pk).uid
    users.user_of.cache_clear()
    assert users.user_of(cast.team.pk).uid == first == 64_900
    assert users.user_of(make_team("second").pk).uid == 64_901
    with pytest.raises(CannotRun, match="all users from 64900 to 64901 belong to teams already"):
        users.user_of(make_team("third").pk)
    with pytest.raises(Error), transaction.atomic():
        TaskUser.objects.filter(uid=64_901).delete()


def test_a_number_that_the_machine_knows_is_passed_by(
    cast: Cast, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "TASK_UIDS": (64_900, 64_910)}
    monkeypatch.setattr(users, "is_known", lambda uid: uid < 64_903)
    assert users.user_of(cast.team.pk).uid == 64_903


def test_nobody_waits_for_a_lock_while_the_machine_looks_for_its_accounts(
    cast: Cast, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "TASK_UIDS": (64_900, 64_910)}
    held = []

    def is_known(uid: int) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
            )
            held.append(cursor.fetchone()[0])
        if uid == 64_900:  # meanwhile another worker gives this one away
            TaskUser.objects.get_or_create(team=make_team("quicker"), uid=64_900)
        return False

    monkeypatch.setattr(users, "is_known", is_known)
    assert users.user_of(cast.team.pk).uid == 64_901
    assert held[0] == 0


def test_the_first_queues_get_the_best_that_the_machine_gives(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "why_not", lambda: "no such capability")
    assert bootstrap.first_isolation() == ("shared user", ": no such capability")
    monkeypatch.setattr(users, "why_not", lambda: "")
    assert bootstrap.first_isolation() == ("own user", "")
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "ISOLATION": "shared user"}
    assert bootstrap.first_isolation() == ("shared user", "")


def test_settings_that_cannot_be_meant_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRATOR_ISOLATION", "container")
    with pytest.raises(ImproperlyConfigured, match="ORCHESTRATOR_ISOLATION is 'container'; write one of"):
        env_choice("ORCHESTRATOR_ISOLATION", isolation.OF_NEW_HOMES)
    monkeypatch.setenv("ORCHESTRATOR_TASK_UIDS", "64000-65000")
    assert env_range("ORCHESTRATOR_TASK_UIDS", (1, 2)) == (64_000, 65_000)
    for text in ("64000", "5-4", "0-9", "a-b"):
        monkeypatch.setenv("ORCHESTRATOR_TASK_UIDS", text)
        with pytest.raises(ImproperlyConfigured, match="ORCHESTRATOR_TASK_UIDS"):
            env_range("ORCHESTRATOR_TASK_UIDS", (1, 2))


IMAGE = "registry.example.org/team/image:1"


def test_a_queue_gets_containers_with_an_image_alone(cast: Cast, strict: Queue, root: User) -> None:
    bad: list[dict[str, Any]] = [{}, {"image": "--privileged"}, {"image": "a b"}]
    for given in bad:
        with pytest.raises(Invalid, match="Name the image"):
            queues.isolate(strict, isolation.CONTAINER, actor=root, **given)
    with pytest.raises(Invalid, match="leave them empty"):
        queues.isolate(strict, isolation.OWN, image=IMAGE, actor=root)
    assert queues.isolate(strict, isolation.CONTAINER, image=IMAGE, network=True, actor=root)
    assert not queues.isolate(strict, isolation.CONTAINER, image=IMAGE, network=True, actor=root)
    strict.refresh_from_db()
    assert (strict.image, strict.network) == (IMAGE, True)
    row = AuditEvent.objects.filter(verb="queue.isolate").latest("id")
    assert row.payload is not None
    assert row.payload.body is not None
    facts = {"isolation": "container", "image": IMAGE, "network": True}
    assert facts.items() <= row.payload.body.items()
    assert queues.isolate(strict, isolation.SHARED, actor=root)
    strict.refresh_from_db()
    assert (strict.image, strict.network) == ("", False)


def test_a_worker_without_podman_claims_nothing_of_a_queue_of_containers_and_says_why(
    cast: Cast, strict: Queue, root: User
) -> None:
    queues.isolate(strict, isolation.CONTAINER, image=IMAGE, actor=root)
    start(cast)
    hands = Hands()
    given = isolation.label("", "podman is not installed")
    WorkerLease.objects.filter(pk=hands.lease.pk).update(labels=given)
    assert hands.claim() is None
    words = isolation.problem(isolation.CONTAINER, queries.queue_loads(["cpu"])["cpu"].given)
    assert words == "No worker of this queue can give 'container': podman is not installed"
    WorkerLease.objects.filter(pk=hands.lease.pk).update(labels=isolation.label("", ""))
    assert hands.claim() is not None
    assert Attempt.objects.get().isolation == "container"


def test_what_runs_in_a_container_takes_no_result_over_and_gives_none(
    cast: Cast, strict: Queue, root: User
) -> None:
    queues.isolate(strict, isolation.CONTAINER, image=IMAGE, actor=root)
    version = make_published(team=cast.team, owner=cast.alice)
    run = protocol.start_run(version, parameters={"who": "Ann"}, trigger="manual", requested_by=cast.alice)
    task = TaskRun.objects.select_related("run", "task").filter(run__pk=run.pk).first()
    assert task is not None
    with pytest.raises(NotKnown, match="container"):
        keys.key_now(task)
    queues.isolate(strict, isolation.SHARED, actor=root)
    assert keys.key_now(task).sha256
