"""The admin console's pages of queues."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db.models import QuerySet
from django.http import HttpRequest

from pipelines.admin.base import (
    Act,
    Archived,
    ConsoleAdmin,
    ConsoleForm,
    Values,
    YesNo,
    actor_of,
    each,
    named,
)
from pipelines.admin.teams import SlugField
from runs import isolation, pausing, queries, queues
from runs.limits import in_words
from runs.models import Queue

LEVELS = [(level, level) for level in isolation.LEVELS]
# A container needs an image, which is named by changing the isolation of a queue.
LEVELS_OF_NEW = [(level, level) for level in isolation.OF_NEW_HOMES]
LEVEL_WORDS = " ".join(f"{level}: {words}" for level, words in isolation.WORDS.items())


class Paused(YesNo):
    title = "paused"
    parameter_name = "paused"
    yes, no = "Paused", "Handing out"

    def those(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(pausing.HOLDS)


class NewQueueForm(ConsoleForm):
    slug = SlugField(label="Name")
    isolation = forms.ChoiceField(
        choices=LEVELS_OF_NEW, initial=queues.usual_isolation, help_text=LEVEL_WORDS
    )

    class Meta:
        model = Queue
        fields = ("slug", "title", "isolation")


class IsolateForm(forms.Form):
    level = forms.ChoiceField(choices=LEVELS, help_text=LEVEL_WORDS)
    image = forms.CharField(
        required=False,
        max_length=500,
        help_text="Of containers: its name for podman, on each machine of the queue. Has python3 >= 3.9.",
    )
    network = forms.BooleanField(
        required=False, help_text="Containers reach the network that podman gives them; otherwise none."
    )


class PauseForm(forms.Form):
    reason = forms.CharField(max_length=1000, help_text="Shown to everybody whose tasks wait.")
    until = forms.SplitDateTimeField(
        required=False,
        widget=AdminSplitDateTime,
        help_text="Left empty, it is paused until somebody lets it go on.",
    )


class LimitsForm(forms.Form):
    memory = forms.CharField(required=False, help_text="Such as 512Mi or 4Gi; a task may name its own.")
    disk = forms.CharField(required=False, help_text="Such as 20Gi, with temporary files.")
    processes = forms.IntegerField(required=False, help_text="At a time, with all that they start.")
    open_files = forms.IntegerField(required=False, help_text="Of each process.")
    timeout = forms.CharField(required=False, help_text="Such as 12h; a task may name its own.")


def _set_limits(request: HttpRequest, rows: list[Queue], values: Values) -> str:
    given = {name: value for name, value in values.items() if value not in (None, "")}
    for queue in rows:
        queues.set_limits(queue, {**queue.limits, **given}, actor=actor_of(request))
    return f"{named(rows)}: limits set. They hold for tasks that begin from now on."


def _isolate(request: HttpRequest, rows: list[Queue], values: Values) -> str:
    for queue in rows:
        image, network = values.get("image", ""), bool(values.get("network"))
        queues.isolate(queue, values["level"], image=image, network=network, actor=actor_of(request))
    return f"{named(rows)}: tasks that begin from now on are isolated at the level '{values['level']}'."


def _pause(request: HttpRequest, rows: list[Queue], values: Values) -> str:
    for queue in rows:
        queues.pause(queue, **values, actor=actor_of(request))
    return f"{named(rows)}: paused. What runs goes on to its end."


@admin.register(Queue)
class QueueAdmin(ConsoleAdmin):
    group = "Machines"
    explain = "Where ready tasks wait. A queue needs a worker: manage.py worker --queue NAME."
    add_form = NewQueueForm
    add_fields = ("slug", "title", "isolation")
    fields = (
        "name",
        "title",
        "ready",
        "running",
        "workers",
        "troubles",
        "isolation_in_words",
        "limits_in_words",
        "paused_at",
        "paused_by",
        "paused_until",
        "paused_reason",
        "created_at",
        "archived_at",
    )
    readonly_fields = tuple(name for name in fields if name != "title")
    acts = (
        Act(
            "pause",
            "Pause",
            "No further task is handed out; what runs goes on to its end, so the queue drains.",
            _pause,
            applies=lambda queue: queue.archived_at is None,
            form=PauseForm,
            danger=True,
        ),
        Act(
            "limits",
            "Set limits",
            "What each of its tasks may use. A field left empty stays as it is.",
            _set_limits,
            applies=lambda queue: queue.archived_at is None,
            form=LimitsForm,
        ),
        Act(
            "no-limits",
            "Clear limits",
            "The product's defaults hold again for its tasks.",
            each(queues.set_limits, "the default limits hold", limits={}),
            applies=lambda queue: bool(queue.limits),
        ),
        Act(
            "isolate",
            "Change isolation",
            "Tasks that begin from now on run at another level; workers that cannot give it take none.",
            _isolate,
            applies=lambda queue: queue.archived_at is None,
            form=IsolateForm,
            danger=True,
        ),
        Act(
            "unpause",
            "Let it go on",
            "Waiting tasks are handed out again within seconds.",
            each(queues.unpause, "handing out tasks again"),
            applies=lambda queue: queue.paused_at is not None,
        ),
        Act(
            "archive",
            "Archive",
            "No document may name it any more. Refused while anything still needs it.",
            each(queues.archive, "archived"),
            applies=lambda queue: queue.archived_at is None,
            danger=True,
        ),
        Act(
            "restore",
            "Restore",
            "Documents may name it again.",
            each(queues.restore, "restored"),
            applies=lambda queue: queue.archived_at is not None,
        ),
    )

    list_display = ("name", "title", "ready", "running", "workers", "isolation", "state", "archived_at")
    list_filter = (Paused, Archived)
    search_fields = ("slug", "title")

    def make(self, request: HttpRequest, values: Values) -> Queue:
        return queues.make(
            values["slug"], values["title"], isolated=values["isolation"], actor=actor_of(request)
        )

    def change(self, request: HttpRequest, queue: Queue, values: Values) -> None:
        queues.rename(queue, values["title"], actor=actor_of(request))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Queue]:
        return super().get_queryset(request).select_related("paused_by").annotate(is_paused=pausing.HOLDS)

    def prepare_rows(self, rows: list[Any]) -> None:
        loads = queries.queue_loads([row.slug for row in rows])
        for row in rows:
            row.load = loads[row.slug]

    def load_of(self, queue: Queue) -> queries.QueueLoad:
        if not hasattr(queue, "load"):
            self.prepare_rows([queue])
        return queue.load  # type: ignore[attr-defined]

    @admin.display(description="name", ordering="slug")
    def name(self, queue: Queue) -> str:
        return queue.slug

    @admin.display(description="waiting")
    def ready(self, queue: Queue) -> int:
        return self.load_of(queue).ready

    @admin.display(description="running")
    def running(self, queue: Queue) -> int:
        return self.load_of(queue).running

    @admin.display(description="workers")
    def workers(self, queue: Queue) -> int:
        return self.load_of(queue).workers

    @admin.display(description="why workers take no tasks")
    def troubles(self, queue: Queue) -> str:
        load = self.load_of(queue)
        problem = isolation.problem(queue.isolation, load.given)
        return " ".join(filter(None, [problem, *load.troubles])) or "—"

    @admin.display(description="limits")
    def limits_in_words(self, queue: Queue) -> str:
        return ", ".join(in_words(queue.limits))

    @admin.display(description="isolation")
    def isolation_in_words(self, queue: Queue) -> str:
        words = f"{queue.isolation}: {isolation.WORDS[queue.isolation]}"
        if queue.isolation != isolation.CONTAINER:
            return words
        return f"{words} Image: {queue.image or 'none yet'}; network: {'yes' if queue.network else 'none'}."

    @admin.display(description="state")
    def state(self, queue: Queue) -> str:
        if queue.archived_at is not None:
            return "archived"
        if not queue.is_paused:  # type: ignore[attr-defined]
            return "handing out"
        return f"paused: {queue.paused_reason}" if queue.paused_reason else "paused"
