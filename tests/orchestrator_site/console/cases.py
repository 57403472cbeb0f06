"""One case for each model of the console: how its rows are made, and what each form and act of it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.db import models, transaction

from pipelines import (
    accounts,
    audit,
    code,
    drafts,
    grants,
    people,
    repositories,
    second_factors,
    secrets,
    tokens,
    versions,
)
from pipelines.models import (
    ApiToken,
    AuditEvent,
    CodeLocation,
    Grant,
    Pipeline,
    Role,
    Secret,
    Team,
    User,
)
from runs import draining, queues, slots, team_limits
from runs.models import Queue, Slot, TeamLimits, WorkerLease
from tests.factories import Cast, join, make_user
from tests.runs import making

_numbers = count(1)
VALUE: Final = "correct-horse-battery"


@dataclass
class Scene:
    """The cast with a site admin, and a folder of code."""

    cast: Cast
    root: User
    folder: Path


Data = Mapping[str, Any]
Made = Callable[[Scene], models.Model]


@dataclass(frozen=True)
class Step:
    """Something a site admin does: what is sent, the verb of the one audit row, and of which chain it is.

    row: makes what it is done with. chain: "site", or "team" for that of the cast's team ``alpha``.
    """

    verb: str
    data: Callable[[Scene], Data] = lambda scene: {}
    row: Made | None = None
    chain: str = "team"


@dataclass(frozen=True)
class Case:
    """row: one more row. refused: what its first form is sent, and the field that then says no."""

    row: Made
    add: Step | None = None
    change: Step | None = None
    acts: Mapping[str, Step] = field(default_factory=dict)
    refused: tuple[Callable[[Scene], Data], str] | None = None


# --- rows -----------------------------------------------------------------------------------------------


def person(scene: Scene) -> User:
    name = f"new-{next(_numbers)}"
    made = people.make_person(name, f"{name}@example.org", None, actor=scene.root)
    return join(scene.cast.team, made, Role.VIEWER, Role.EDITOR)


def gone(scene: Scene) -> User:
    left = person(scene)
    accounts.deactivate(left, actor=scene.root)
    return left


def with_second_factor(scene: Scene) -> User:
    careful = person(scene)
    sealed = {"secret": second_factors.seal("x", careful)}
    Authenticator.objects.create(user=careful, type="totp", data=sealed)
    return careful


def second_admin(scene: Scene) -> User:
    return make_user(f"root-{next(_numbers)}", is_superuser=True)


def team(scene: Scene) -> Team:
    made = people.make_team(f"team-{next(_numbers)}", "A team", actor=scene.root)
    people.set_roles(made, scene.cast.bob, [Role.VIEWER, Role.ADMIN], actor=scene.root)
    return made


def closed_team(scene: Scene) -> Team:
    made = team(scene)
    people.archive_team(made, actor=scene.root)
    return made


def pipeline(scene: Scene) -> Pipeline:
    number = next(_numbers)
    owner = scene.cast.alice if number % 2 else scene.cast.charlie
    return drafts.create(scene.cast.team, f"p-{number}", actor=scene.cast.alice, owner=owner)


def archived_pipeline(scene: Scene) -> Pipeline:
    made = pipeline(scene)
    versions.archive(made, actor=scene.root)
    return made


def location(scene: Scene) -> CodeLocation:
    return code.register(scene.cast.team, f"code-{next(_numbers)}", str(scene.folder), actor=scene.root)


def repository(scene: Scene) -> CodeLocation:
    where = "https://code.example.org/blocks.git"
    return repositories.register(scene.cast.team, f"git-{next(_numbers)}", where, actor=scene.root)


def archived_location(scene: Scene) -> CodeLocation:
    made = location(scene)
    code.archive(made, actor=scene.root)
    return made


def token(scene: Scene) -> ApiToken:
    return tokens.issue(scene.cast.bob, name="ci", team=scene.cast.team, actor=scene.root)[0]


def grant(scene: Scene) -> Grant:
    return grants.lend(secret(scene), scene.cast.others, "use", actor=scene.root)


def new_grant(**changed: Any) -> Callable[[Scene], Data]:
    def data(scene: Scene) -> Data:
        lent = Pipeline.objects.create(team=scene.cast.team, name=f"lent-{next(_numbers)}")
        shown = {"object_kind": "pipeline", "object_name": f"alpha:{lent.name}", "verb": "view"}
        return {**shown, "team": scene.cast.others.pk, **changed}

    return data


def secret(scene: Scene) -> Secret:
    return secrets.create(scene.cast.team, f"secret-{next(_numbers)}", VALUE, actor=scene.root)


def queue(scene: Scene) -> Queue:
    return queues.make(f"queue-{next(_numbers)}", actor=scene.root)


def paused_queue(scene: Scene) -> Queue:
    made = queue(scene)
    queues.pause(made, reason="New disks", actor=scene.root)
    return made


def limited_queue(scene: Scene) -> Queue:
    made = queue(scene)
    queues.set_limits(made, {"disk": "1Gi"}, actor=scene.root)
    made.refresh_from_db()
    return made


def team_limit(scene: Scene) -> TeamLimits:
    team, slug = scene.cast.team, queue(scene).slug
    wanted = {**team_limits.of(team), slug: team_limits.Limits(running_tasks=5)}
    team_limits.set_for(team, wanted, actor=scene.root)
    return TeamLimits.objects.get(team=team, queue=slug)


def archived_queue(scene: Scene) -> Queue:
    made = queue(scene)
    queues.archive(made, actor=scene.root)
    return made


def pool(scene: Scene) -> Slot:
    kind = f"licence-{next(_numbers)}"
    slots.set_pool(kind, 2, actor=scene.root)
    return Slot.objects.get(kind=kind, position=1)


def worker(scene: Scene) -> WorkerLease:
    return making.make_lease()


def drained_worker(scene: Scene) -> WorkerLease:
    made = worker(scene)
    draining.drain([made], actor=scene.root)
    return made


def event(scene: Scene) -> AuditEvent:
    with transaction.atomic():
        return audit.write(scene.root, "team.rename", scene.cast.team, {"name": "x"}, team=scene.cast.team)


# --- what is sent ---------------------------------------------------------------------------------------


def details(**changed: Any) -> Callable[[Scene], Data]:
    return lambda scene: {
        "first_name": "Ada",
        "last_name": "",
        "email": "ada@example.org",
        "time_zone": "Europe/Paris",
        "locale": "fr",
        **changed,
    }


def new_person(**changed: Any) -> Callable[[Scene], Data]:
    return lambda scene: {
        "username": "ada",
        "first_name": "Ada",
        "email": "ada@example.org",
        "password": "",
        "service_of": "",
        **changed,
    }


def new_location(address: str = "") -> Callable[[Scene], Data]:
    return lambda scene: {
        "team": scene.cast.team.pk,
        "name": "fresh",
        "kind": "folder",
        "address": address or str(scene.folder),
        "lock_file": "",
    }


def new_token(**changed: Any) -> Callable[[Scene], Data]:
    return lambda scene: {
        "user": scene.cast.bob.pk,
        "team": scene.cast.team.pk,
        "name": "ci",
        "scopes": ["read", "run"],
        "days": "30",
        **changed,
    }


def new_secret(**changed: Any) -> Callable[[Scene], Data]:
    return lambda scene: {
        "team": scene.cast.team.pk,
        "name": "fresh",
        "description": "",
        "source": "value",
        "value": VALUE,
        "address": "",
        **changed,
    }


CASES: Final[dict[type[models.Model], Case]] = {
    User: Case(
        person,
        add=Step("person.create", new_person(), chain="site"),
        change=Step("person.change", details(), chain="site"),
        refused=(new_person(username="system"), "username"),
        acts={
            "deactivate": Step("person.deactivate", chain="site"),
            "reactivate": Step("person.reactivate", row=gone, chain="site"),
            "set_password": Step(
                "person.password", lambda scene: {"password": VALUE, "again": VALUE}, chain="site"
            ),
            "reset_second_factor": Step("person.second-factor-reset", row=with_second_factor, chain="site"),
            "make_site_admin": Step("person.site-admin", chain="site"),
            "take_site_admin": Step("person.site-admin", row=second_admin, chain="site"),
        },
    ),
    Team: Case(
        team,
        add=Step("team.create", lambda scene: {"slug": "fresh", "name": "Fresh"}, chain="site"),
        change=Step("team.rename", lambda scene: {"name": "Another"}, chain="own"),
        refused=(lambda scene: {"slug": "Not a slug", "name": "x"}, "slug"),
        acts={
            "archive": Step("team.archive", chain="own"),
            "restore": Step("team.restore", row=closed_team, chain="own"),
        },
    ),
    Pipeline: Case(
        pipeline,
        change=Step(
            "pipeline.describe",
            lambda scene: {
                "owner": scene.cast.bob.pk,
                "deputy": "",
                "purpose": "Reads.",
                "runbook": "Again.",
            },
        ),
        refused=(
            lambda scene: {"owner": scene.root.pk, "deputy": "", "purpose": "", "runbook": ""},
            "owner",
        ),
        acts={
            "set_owner": Step("pipeline.describe", lambda scene: {"owner": scene.cast.bob.pk}),
            "set_deputy": Step("pipeline.describe", lambda scene: {"deputy": scene.cast.bob.pk}),
            "archive": Step("pipeline.archive"),
            "restore": Step("pipeline.restore", row=archived_pipeline),
        },
    ),
    CodeLocation: Case(
        location,
        add=Step("code.register", new_location()),
        change=Step(
            "code.change",
            lambda scene: {"address": "https://code.example.org/blocks.git", "ref": "release"},
            row=repository,
        ),
        refused=(new_location("/no/such/folder"), "address"),
        acts={
            "sync": Step("code.sync"),
            "archive": Step("code.archive"),
            "restore": Step("code.restore", row=archived_location),
        },
    ),
    ApiToken: Case(
        token,
        add=Step("token.issue", new_token()),
        refused=(lambda scene: {**new_token()(scene), "user": gone(scene).pk}, "user"),
        acts={"revoke": Step("token.revoke")},
    ),
    Grant: Case(
        grant,
        add=Step("grant.give", new_grant()),
        refused=(new_grant(object_name="alpha:nothing"), "object_name"),
        acts={"end": Step("grant.end")},
    ),
    Secret: Case(
        secret,
        add=Step("secret.create", new_secret()),
        change=Step("secret.change", lambda scene: {"description": "For the mail", "value": VALUE + "2"}),
        refused=(new_secret(value="abc"), "value"),
        acts={"archive": Step("secret.archive")},
    ),
    Queue: Case(
        queue,
        add=Step(
            "queue.create",
            lambda scene: {"slug": "fresh", "title": "Fresh", "isolation": "own user"},
            chain="site",
        ),
        change=Step("queue.rename", lambda scene: {"title": "Another"}, chain="site"),
        refused=(lambda scene: {"slug": "Not a slug", "title": "", "isolation": "own user"}, "slug"),
        acts={
            "pause": Step("queue.pause", lambda scene: {"reason": "New disks"}, chain="site"),
            "unpause": Step("queue.unpause", row=paused_queue, chain="site"),
            "isolate": Step("queue.isolate", lambda scene: {"level": "own user"}, chain="site"),
            "limits": Step("queue.limits", lambda scene: {"disk": "20Gi"}, chain="site"),
            "no-limits": Step("queue.limits", row=limited_queue, chain="site"),
            "archive": Step("queue.archive", chain="site"),
            "restore": Step("queue.restore", row=archived_queue, chain="site"),
        },
    ),
    Slot: Case(
        pool,
        add=Step("slots.pool", lambda scene: {"kind": "fresh", "units": 1}, chain="site"),
        refused=(lambda scene: {"kind": "gpu", "units": 1}, "kind"),
        acts={"size": Step("slots.pool", lambda scene: {"units": 5}, chain="site")},
    ),
    WorkerLease: Case(drained_worker, acts={"drain": Step("worker.drain", row=worker, chain="site")}),
    TeamLimits: Case(
        team_limit,
        add=Step("team.limits", lambda scene: {"team": scene.cast.team.pk, "running_tasks": 3}),
        change=Step("team.limits", lambda scene: {"running_tasks": 7}),
        refused=(lambda scene: {"team": scene.cast.team.pk, "weight": -1}, "weight"),
    ),
    AuditEvent: Case(event),
}
