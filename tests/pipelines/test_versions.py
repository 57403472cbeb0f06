"""Drafts are saved as they are; versions are published without problems and never change."""

from __future__ import annotations

import threading

import pytest
from django.db import DatabaseError, connection

from pipelines import checking, drafts, ownership, versions
from pipelines.canonical import sha256_of
from pipelines.errors import Conflict, Invalid, Stale, TooLarge
from pipelines.models import AuditEvent, Edge, Pipeline, PipelineVersion, Task
from runs.models import Queue
from tests.factories import SMALL, Cast, make_cast, make_pipeline, make_published

pytestmark = pytest.mark.django_db

NESTED = """\
schema: orchestrator/v1
name: nested
tasks:
  first: {kind: shell, run: "true"}
  outer:
    kind: group
    needs: [first]
    tasks:
      inner:
        kind: group
        tasks:
          deep: {kind: shell, run: "true"}
      after: {kind: shell, run: "true", needs: [inner]}
  last: {kind: shell, run: "true", needs: [{task: outer, on: always}]}
"""


@pytest.fixture
def cast() -> Cast:
    Queue.objects.get_or_create(slug="cpu")
    return make_cast()


@pytest.fixture
def pipeline(cast: Cast) -> Pipeline:
    return make_pipeline(team=cast.team, owner=cast.alice)


def verbs(pipeline: Pipeline) -> list[str]:
    return list(AuditEvent.objects.filter(team=pipeline.team).order_by("seq").values_list("verb", flat=True))


def test_a_new_pipeline_has_a_draft_and_an_owner(cast: Cast, pipeline: Pipeline) -> None:
    assert pipeline.owner == cast.alice
    assert pipeline.title == "A small pipeline"
    assert pipeline.draft_text == SMALL
    assert pipeline.active_version is None
    assert verbs(pipeline) == ["pipeline.create"]


def test_a_team_has_a_name_once(cast: Cast, pipeline: Pipeline) -> None:
    with pytest.raises(Conflict, match="choose another name"):
        drafts.create(cast.team, "small", actor=cast.alice)
    assert drafts.create(cast.others, "small", actor=cast.charlie).name == "small"


def test_a_draft_is_saved_with_its_problems(cast: Cast, pipeline: Pipeline) -> None:
    saved = drafts.save_draft(pipeline, "tasks: [", actor=cast.alice, expected=1)
    assert saved.revision == 2
    assert saved.problems
    pipeline.refresh_from_db()
    assert pipeline.draft_text == "tasks: ["
    assert pipeline.draft_saved_by == cast.alice
    assert verbs(pipeline)[-1] == "draft.save"


def test_a_writer_who_read_an_older_draft_is_told(cast: Cast, pipeline: Pipeline) -> None:
    drafts.save_draft(pipeline, "one", actor=cast.alice, expected=1)
    with pytest.raises(Stale) as refused:
        drafts.save_draft(pipeline, "two", actor=cast.alice, expected=1)
    assert refused.value.extra == {"etag": '"2"'}
    pipeline.refresh_from_db()
    assert pipeline.draft_text == "one"


def test_saving_what_is_there_changes_nothing(cast: Cast, pipeline: Pipeline) -> None:
    assert drafts.save_draft(pipeline, SMALL, actor=cast.alice).revision == 1
    assert verbs(pipeline) == ["pipeline.create"]


def test_moving_a_box_keeps_the_text_and_leaving_the_layout_out_keeps_the_boxes(
    cast: Cast, pipeline: Pipeline
) -> None:
    drafts.save_draft(pipeline, SMALL, {"greet": {"x": 1, "y": 2}}, actor=cast.alice)
    saved = drafts.save_draft(pipeline, SMALL + "# more\n", actor=cast.alice)
    assert saved.pipeline.draft_layout == {"greet": {"x": 1, "y": 2}}


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
def test_a_text_that_the_database_cannot_hold_is_refused(cast: Cast, pipeline: Pipeline, text: str) -> None:
    with pytest.raises(Invalid, match="no text"):
        drafts.save_draft(pipeline, text, actor=cast.alice)


@pytest.mark.parametrize("layout", [{"a": "\x00"}, {"a": float("nan")}, {"a": "\ud800"}])
def test_a_layout_that_the_database_cannot_hold_is_refused(
    cast: Cast, pipeline: Pipeline, layout: dict[str, object]
) -> None:
    with pytest.raises(Invalid, match="JSON"):
        drafts.save_draft(pipeline, SMALL, layout, actor=cast.alice)


def test_a_layout_may_hold_any_real_text(cast: Cast, pipeline: Pipeline) -> None:
    layout = {"note": "ünï 🎉 \\u0000 NaN"}
    assert drafts.save_draft(pipeline, SMALL, layout, actor=cast.alice).pipeline.draft_layout == layout


def test_what_is_too_large_is_refused(cast: Cast, pipeline: Pipeline) -> None:
    with pytest.raises(TooLarge):
        drafts.save_draft(pipeline, "a" * (2 * 1024**2 + 1), actor=cast.alice)
    with pytest.raises(TooLarge):
        drafts.save_draft(pipeline, SMALL, {"a": "b" * 1024**2}, actor=cast.alice)


def test_publishing_freezes_the_text_and_activates_it(cast: Cast, pipeline: Pipeline) -> None:
    published = versions.publish(pipeline, actor=cast.alice, message="first")
    version = published.version
    assert published.created
    assert (version.number, version.text, version.message, version.created_by) == (
        1,
        SMALL,
        "first",
        cast.alice,
    )
    assert version.spec["name"] == "small"
    assert version.text_sha256 == sha256_of(SMALL)
    pipeline.refresh_from_db()
    assert pipeline.active_version == version
    assert verbs(pipeline) == ["pipeline.create", "version.publish", "version.activate"]


def test_tasks_and_edges_are_written_as_rows(cast: Cast) -> None:
    version = make_published(NESTED, team=cast.team, owner=cast.alice)
    tasks = {task.key: task for task in Task.objects.filter(version=version).select_related("parent")}
    assert {key: task.parent.key if task.parent else None for key, task in tasks.items()} == {
        "first": None,
        "outer": None,
        "outer/inner": "outer",
        "outer/inner/deep": "outer/inner",
        "outer/after": "outer",
        "last": None,
    }
    edges = Edge.objects.filter(version=version).values_list("up__key", "down__key", "rule", "data")
    assert set(edges) == {
        ("first", "outer", "success", False),
        ("outer/inner", "outer/after", "success", False),
        ("outer", "last", "always", False),
    }


def test_publishing_without_a_change_gives_the_same_version(cast: Cast, pipeline: Pipeline) -> None:
    first = versions.publish(pipeline, actor=cast.alice).version
    again = versions.publish(pipeline, actor=cast.alice)
    assert (again.version, again.created) == (first, False)
    assert PipelineVersion.objects.count() == 1
    assert verbs(pipeline).count("version.publish") == 1


def test_publishing_without_activating_leaves_the_active_version(cast: Cast, pipeline: Pipeline) -> None:
    first = versions.publish(pipeline, actor=cast.alice).version
    drafts.save_draft(pipeline, SMALL + "# two\n", actor=cast.alice)
    second = versions.publish(pipeline, actor=cast.alice, activate=False).version
    pipeline.refresh_from_db()
    assert pipeline.active_version == first
    assert versions.publish(pipeline, actor=cast.alice).version == second, "unchanged, but now activated"
    pipeline.refresh_from_db()
    assert pipeline.active_version == second


def test_rolling_back_is_activating_an_older_one(cast: Cast, pipeline: Pipeline) -> None:
    first = versions.publish(pipeline, actor=cast.alice).version
    drafts.save_draft(pipeline, SMALL.replace("A small", "A tall"), actor=cast.alice)
    versions.publish(pipeline, actor=cast.alice)
    assert versions.activate(first, actor=cast.alice)
    assert not versions.activate(first, actor=cast.alice), "it is active already"
    pipeline.refresh_from_db()
    assert (pipeline.active_version, pipeline.title) == (first, "A small pipeline")


def test_a_draft_with_problems_is_not_published(cast: Cast, pipeline: Pipeline) -> None:
    drafts.save_draft(
        pipeline,
        SMALL.replace("greet.outputs.words", "greet.outputs.wrods") + "colour: red\n",
        actor=cast.alice,
    )
    with pytest.raises(Invalid) as refused:
        versions.publish(pipeline, actor=cast.alice)
    assert refused.value.code == "draft-has-problems"
    assert refused.value.extra["problems"][0]["line"] == 15
    assert all(message in refused.value.message for _, message in refused.value.errors)
    assert not PipelineVersion.objects.exists()


def test_an_empty_draft_is_not_published(cast: Cast) -> None:
    pipeline = drafts.create(cast.team, "empty", actor=cast.alice)
    with pytest.raises(Invalid):
        versions.publish(pipeline, actor=cast.alice)


def test_a_document_carries_the_name_of_its_pipeline(cast: Cast) -> None:
    pipeline = drafts.create(cast.team, "other", actor=cast.alice, text=SMALL)
    with pytest.raises(Invalid, match="name"):
        versions.publish(pipeline, actor=cast.alice)


def test_a_queue_that_is_not_there_is_a_problem(cast: Cast, pipeline: Pipeline) -> None:
    text = SMALL.replace("kind: shell\n    run: tr", "kind: shell\n    queue: gpuu\n    run: tr")
    assert "gpuu" in str(checking.check(text, cast.team, pipeline).problems)


@pytest.mark.parametrize("table", ["pipeline_version", "task", "edge", "code_snapshot"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_the_database_refuses_to_change_what_is_published(cast: Cast, table: str, statement: str) -> None:
    make_published(team=cast.team, owner=cast.alice)
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute(statement.format(table))


def test_fields_beside_the_text_are_changed_and_audited(cast: Cast, pipeline: Pipeline) -> None:
    ownership.describe(pipeline, {"purpose": "Reads digits.", "deputy": cast.bob}, actor=cast.alice)
    pipeline.refresh_from_db()
    assert (pipeline.purpose, pipeline.deputy) == ("Reads digits.", cast.bob)
    assert verbs(pipeline)[-1] == "pipeline.describe"
    ownership.describe(pipeline, {"purpose": "Reads digits."}, actor=cast.alice)
    assert verbs(pipeline).count("pipeline.describe") == 1


def test_archiving_keeps_the_versions_and_the_name(cast: Cast) -> None:
    version = make_published(team=cast.team, owner=cast.alice)
    versions.archive(version.pipeline, actor=cast.alice)
    assert PipelineVersion.objects.filter(pk=version.pk).exists()
    with pytest.raises(Conflict):
        drafts.create(cast.team, "small", actor=cast.alice)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_publish_at_once_both_get_the_same_version() -> None:
    Queue.objects.get_or_create(slug="cpu")
    cast = make_cast()
    pipeline = make_pipeline(team=cast.team, owner=cast.alice)
    found: list[tuple[int, bool]] = []

    def publish() -> None:
        try:
            published = versions.publish(Pipeline.objects.get(pk=pipeline.pk), actor=cast.alice)
            found.append((published.version.number, published.created))
        finally:
            connection.close()

    threads = [threading.Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [(1, False), (1, False), (1, False), (1, True)]


def test_equal_specs_have_equal_digests_whatever_the_order_of_keys() -> None:
    assert versions.canonical({"b": 1, "a": [1, 2]}) == versions.canonical({"a": [1, 2], "b": 1})
