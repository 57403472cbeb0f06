"""The addresses of artifacts, models and deployments under ``/api/v1/``. A name may be ``team:name``."""

from __future__ import annotations

from django.urls import URLPattern, path

from lineage.api import artifacts, contents, registry

urlpatterns: list[URLPattern] = [
    path("artifacts/<str:artifact_id>/", artifacts.ArtifactView.as_view(), name="artifact"),
    path("artifacts/<str:artifact_id>/content/", contents.ContentView.as_view(), name="artifact-content"),
    path("artifacts/<str:artifact_id>/preview/", contents.PreviewView.as_view(), name="artifact-preview"),
    path("artifacts/<str:artifact_id>/profile/", contents.ProfileView.as_view(), name="artifact-profile"),
    path("artifacts/<str:artifact_id>/image/", contents.ImageView.as_view(), name="artifact-image"),
    path("artifacts/<str:artifact_id>/entries/", contents.EntriesView.as_view(), name="artifact-entries"),
    path("artifacts/<str:artifact_id>/upstream/", artifacts.UpstreamView.as_view(), name="artifact-upstream"),
    path(
        "artifacts/<str:artifact_id>/downstream/",
        artifacts.DownstreamView.as_view(),
        name="artifact-downstream",
    ),
    path("models/", registry.ModelsView.as_view(), name="models"),
    path("models/<str:name>/versions/", registry.ModelVersionsView.as_view(), name="model-versions"),
    path(
        "models/<str:name>/versions/<int:number>/",
        registry.ModelVersionView.as_view(),
        name="model-version",
    ),
    path("endpoints/", registry.EndpointsView.as_view(), name="endpoints"),
    path("deployments/", registry.DeploymentsView.as_view(), name="deployments"),
    path("deployments/<str:endpoint>/", registry.DeploymentView.as_view(), name="deployment"),
    path("deployments/<str:endpoint>/trace/", registry.TraceView.as_view(), name="deployment-trace"),
]
