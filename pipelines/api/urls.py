"""The addresses of pipelines and people under ``/api/v1/``. A name may be written ``team:name``."""

from __future__ import annotations

from django.urls import URLPattern, path

from pipelines.api import audit, code, grants, kinds, people, pipelines, secrets, service_accounts

urlpatterns: list[URLPattern] = [
    path("me/", people.MeView.as_view(), name="me"),
    path("teams/", people.TeamsView.as_view(), name="teams"),
    path("members/", people.MembersView.as_view(), name="members"),
    path("tokens/", people.TokensView.as_view(), name="tokens"),
    path("tokens/<str:token_id>/", people.TokenView.as_view(), name="token"),
    path("service-accounts/", service_accounts.ServiceAccountsView.as_view(), name="service-accounts"),
    path(
        "service-accounts/<str:username>/",
        service_accounts.ServiceAccountView.as_view(),
        name="service-account",
    ),
    path(
        "service-accounts/<str:username>/tokens/",
        service_accounts.ServiceTokensView.as_view(),
        name="service-tokens",
    ),
    path(
        "service-accounts/<str:username>/tokens/<str:token_id>/",
        service_accounts.ServiceTokenView.as_view(),
        name="service-token",
    ),
    path("grants/", grants.GrantsView.as_view(), name="grants"),
    path("grants/<str:grant_id>/", grants.GrantView.as_view(), name="grant"),
    path("pipelines/", pipelines.PipelinesView.as_view(), name="pipelines"),
    path("pipelines/<str:name>/", pipelines.PipelineView.as_view(), name="pipeline"),
    path("pipelines/<str:name>/draft/", pipelines.DraftView.as_view(), name="draft"),
    path("pipelines/<str:name>/code/", code.PipelineCodeView.as_view(), name="pipeline-code"),
    path("pipelines/<str:name>/versions/", pipelines.VersionsView.as_view(), name="versions"),
    path("pipelines/<str:name>/versions/<int:number>/", pipelines.VersionView.as_view(), name="version"),
    path("pipelines/<str:name>/versions/<int:number>/diff/", pipelines.DiffView.as_view(), name="diff"),
    path("pipelines/<str:name>/activate/", pipelines.ActivateView.as_view(), name="activate"),
    path("validate/", pipelines.ValidateView.as_view(), name="validate"),
    path("kinds/", kinds.KindsView.as_view(), name="kinds"),
    path("code-locations/", code.LocationsView.as_view(), name="code-locations"),
    path("code-locations/<str:location_id>/", code.LocationView.as_view(), name="code-location"),
    path("code-locations/<str:location_id>/sync/", code.SyncView.as_view(), name="code-location-sync"),
    path(
        "code-locations/<str:location_id>/snapshots/",
        code.SnapshotsView.as_view(),
        name="code-location-snapshots",
    ),
    path("code-locations/<str:location_id>/blocks/", code.BlocksView.as_view(), name="code-location-blocks"),
    path("secrets/", secrets.SecretsView.as_view(), name="secrets"),
    path("secrets/<str:secret_id>/", secrets.SecretView.as_view(), name="secret"),
    path("audit/", audit.AuditView.as_view(), name="audit"),
]
