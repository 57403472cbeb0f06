"""Environments in the API: whose they are, what was said, building again."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import code
from pipelines.models import AuditEvent, CodeLocation, Team
from runs.environments import building
from runs.models import Chore, Environment
from tests import factories
from tests.factories import Cast
from tests.runs.test_query_counts import assert_constant

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/environments/"


@pytest.fixture
def people() -> Cast:
    return factories.make_cast()


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("location")


def location_with(folder: Path, team: Team, name: str, lock: str = "a==1\n") -> CodeLocation:
    here = folder / name
    here.mkdir()
    (here / "requirements.lock").write_text(lock)
    return code.register(team, name, str(here), actor=None, lock_file="requirements.lock")


def environment_of(location: CodeLocation, **fields: object) -> Environment:
    assert location.last_snapshot is not None
    return Environment.objects.create(lock_sha256=location.last_snapshot.lock_sha256, **fields)


def test_one_sees_the_environments_of_the_code_one_sees(people: Cast, folder: Path) -> None:
    mine = environment_of(location_with(folder, people.team, "ours"), state="ready")
    environment_of(location_with(folder, factories.make_team("strangers"), "theirs", "b==1\n"))
    who = factories.client(people.alice)
    found = who.get(ADDRESS).json()["results"]
    assert [row["id"] for row in found] == [str(mine.uuid)]
    assert [use["name"] for use in found[0]["used_by"]] == ["ours"]


def test_a_shared_environment_names_only_the_code_one_sees(people: Cast, folder: Path) -> None:
    row = environment_of(location_with(folder, people.team, "ours"))
    location_with(folder, factories.make_team("strangers"), "theirs")
    found = factories.client(people.alice).get(f"{ADDRESS}{row.uuid}/").json()
    assert [use["name"] for use in found["used_by"]] == ["ours"]


def test_an_environment_says_all_that_is_known_of_it(people: Cast, folder: Path) -> None:
    row = environment_of(
        location_with(folder, people.team, "ours"),
        state="ready",
        python="3.11.7",
        packages=[["a", "1"]],
        paths={"one": "/envs/x/bin/python"},
        sizes={"one": 2048},
        preload_problems={"sklearn": "ModuleNotFoundError: No module named 'sklearn'"},
    )
    found = factories.client(people.alice).get(f"{ADDRESS}{row.uuid}/").json()
    assert found["packages"] == [{"name": "a", "version": "1"}]
    assert found["hosts"] == [{"host": "one", "path": "/envs/x/bin/python", "size": 2048}]
    assert (found["package_count"], found["size"], found["may_build"]) == (1, 2048, True)
    assert found["preload_problems"][0]["module"] == "sklearn"


def test_the_log_is_read_on_from_where_one_was(people: Cast, folder: Path) -> None:
    row = environment_of(location_with(folder, people.team, "ours"), state="building", build=2, log="müsli\n")
    who = factories.client(people.alice)

    def ask(offset: int) -> dict[str, object]:
        return dict(who.get(f"{ADDRESS}{row.uuid}/log/", {"offset": offset}).json())

    first = ask(0)
    assert first == {"build": 2, "offset": 0, "text": "müsli\n", "next": 6, "total": 6, "complete": False}
    Environment.objects.update(log="müsli\nmore\n", state="ready")
    assert ask(6)["text"] == "more\n"
    assert ask(6)["complete"] is True
    assert ask(1000)["next"] == 11


def test_a_long_log_comes_in_parts(people: Cast, folder: Path) -> None:
    row = environment_of(location_with(folder, people.team, "ours"), state="failed", log="x" * 100_000)
    who = factories.client(people.alice)
    first = who.get(f"{ADDRESS}{row.uuid}/log/").json()
    assert (len(first["text"]), first["next"], first["complete"]) == (65536, 65536, False)
    assert who.get(f"{ADDRESS}{row.uuid}/log/?offset=65536").json()["complete"] is True
    assert who.get(f"{ADDRESS}{row.uuid}/log/?offset=-1").status_code == 422


def test_what_failed_is_built_again_and_that_is_written_down(people: Cast, folder: Path) -> None:
    location = location_with(folder, people.team, "ours")
    row = environment_of(location, state="failed", problem="a==1: no", problem_code="build-failed")
    assert location.last_snapshot is not None
    building.ask(location.last_snapshot)
    Chore.objects.update(attempts=5, due_at="2999-01-01T00:00:00Z")
    answer = factories.client(people.alice).post(f"{ADDRESS}{row.uuid}/build/")
    assert answer.status_code == 200
    assert answer.json()["progress"] == "Waiting for its turn"
    assert Chore.objects.get(kind="build").due_at.year < 2999
    assert AuditEvent.objects.get(verb="environment.build").actor == people.alice


@pytest.mark.parametrize(
    "state, code_", [("ready", "environment-ready"), ("building", "environment-building")]
)
def test_what_is_there_or_being_made_is_not_built_again(
    people: Cast, folder: Path, state: str, code_: str
) -> None:
    location = location_with(folder, people.team, "ours")
    row = environment_of(location, state=state)
    assert location.last_snapshot is not None
    building.ask(location.last_snapshot)
    Chore.objects.update(state="running", taken_until="2999-01-01T00:00:00Z")
    answer = factories.client(people.alice).post(f"{ADDRESS}{row.uuid}/build/")
    assert (answer.status_code, answer.json()["code"]) == (409, code_)


def test_the_code_location_says_how_its_environment_is_doing(people: Cast, folder: Path) -> None:
    location = location_with(folder, people.team, "ours")
    row = environment_of(location, state="failed", problem="a==1: no", problem_code="build-failed")
    shown = factories.client(people.alice).get(f"/api/v1/code-locations/{location.uuid}/").json()
    assert shown["environment"]["id"] == str(row.uuid)
    assert shown["environment"]["problem"] == "a==1: no"


def test_the_list_of_environments(people: Cast, folder: Path) -> None:
    def some(first: int, last: int) -> None:
        for number in range(first, last):
            environment_of(location_with(folder, people.team, f"code-{number}", f"a=={number}\n"))

    some(0, 2)
    assert_constant(factories.client(people.alice), ADDRESS, lambda: some(2, 8), 7)
