"""The addresses of runs under ``/api/v1/``."""

from __future__ import annotations

from django.urls import URLPattern, path

from runs.api import admission, environments, fleet, pausing, runs, slots, task_runs

urlpatterns: list[URLPattern] = [
    path("pipelines/<str:name>/runs/", runs.StartView.as_view(), name="run-start"),
    path("runs/", runs.RunListView.as_view(), name="run-list"),
    path("runs/<str:run_id>/", runs.RunView.as_view(), name="run"),
    path("runs/<str:run_id>/tasks/", runs.RunTasksView.as_view(), name="run-tasks"),
    path("runs/<str:run_id>/events/", runs.RunEventsView.as_view(), name="run-events"),
    path("runs/<str:run_id>/resume-plan/", runs.ResumePlanView.as_view(), name="run-resume-plan"),
    path("runs/<str:run_id>/resume/", runs.ResumeView.as_view(), name="run-resume"),
    path("runs/<str:run_id>/rerun-plan/", runs.RerunPlanView.as_view(), name="run-rerun-plan"),
    path("runs/<str:run_id>/rerun/", runs.RerunView.as_view(), name="run-rerun"),
    path("runs/<str:run_id>/cancel/", runs.CancelView.as_view(), name="run-cancel"),
    path("runs/<str:run_id>/pause/", pausing.PauseRunView.as_view(), name="run-pause"),
    path("runs/<str:run_id>/unpause/", pausing.UnpauseRunView.as_view(), name="run-unpause"),
    path("pipelines/<str:name>/pause/", pausing.PausePipelineView.as_view(), name="pipeline-pause"),
    path("pipelines/<str:name>/unpause/", pausing.UnpausePipelineView.as_view(), name="pipeline-unpause"),
    path("task-runs/<str:task_run_id>/", task_runs.TaskRunView.as_view(), name="task-run"),
    path(
        "task-runs/<str:task_run_id>/approve/",
        task_runs.DecideView.as_view(decision="approved"),
        name="task-run-approve",
    ),
    path(
        "task-runs/<str:task_run_id>/reject/",
        task_runs.DecideView.as_view(decision="rejected"),
        name="task-run-reject",
    ),
    path("task-runs/<str:task_run_id>/explain/", task_runs.ExplainView.as_view(), name="task-run-explain"),
    path("task-runs/<str:task_run_id>/reuse/", task_runs.ReuseView.as_view(), name="task-run-reuse"),
    path("task-runs/<str:task_run_id>/retry/", task_runs.RetryView.as_view(), name="task-run-retry"),
    path("attempts/<str:attempt_id>/log/", task_runs.LogView.as_view(), name="attempt-log"),
    path(
        "attempts/<str:attempt_id>/log/download",
        task_runs.LogDownloadView.as_view(),
        name="attempt-log-download",
    ),
    path("environments/", environments.EnvironmentsView.as_view(), name="environments"),
    path("environments/<str:environment_id>/", environments.EnvironmentView.as_view(), name="environment"),
    path(
        "environments/<str:environment_id>/log/",
        environments.EnvironmentLogView.as_view(),
        name="environment-log",
    ),
    path(
        "environments/<str:environment_id>/build/",
        environments.BuildView.as_view(),
        name="environment-build",
    ),
    path("queues/", fleet.QueuesView.as_view(), name="queues"),
    path("queues/<str:slug>/pause/", pausing.PauseQueueView.as_view(), name="queue-pause"),
    path("queues/<str:slug>/unpause/", pausing.UnpauseQueueView.as_view(), name="queue-unpause"),
    path("workers/", fleet.WorkersView.as_view(), name="workers"),
    path("workers/<str:worker_id>/drain/", fleet.DrainView.as_view(), name="worker-drain"),
    path("slots/", slots.SlotsView.as_view(), name="slots"),
    path("slots/pools/<str:kind>/", slots.PoolView.as_view(), name="slot-pool"),
    path("teams/<str:slug>/limits/", admission.TeamLimitsView.as_view(), name="team-limits"),
    path("quarantines/", admission.QuarantinesView.as_view(), name="quarantines"),
    path("quarantines/<str:quarantine_id>/lift/", admission.LiftView.as_view(), name="quarantine-lift"),
]
