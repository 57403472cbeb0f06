"""Pipelines, their drafts and their versions."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines import checking, drafts, ownership, queries, versions
from pipelines.api import shapes, shown
from pipelines.api.base import (
    ApiView,
    etag,
    find_named,
    not_found,
    paged,
    pick_team,
    whole_number,
    yes_or_no,
)
from pipelines.errors import Conflict, Forbidden, NotFound
from pipelines.graph import Graph, diff
from pipelines.models import Pipeline, PipelineVersion, Team

Body = dict[str, Any]
IF_MATCH = OpenApiParameter(
    "If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="the draft's etag"
)
PROBLEMS = OpenApiParameter(
    "problems",
    OpenApiTypes.BOOL,
    default=True,
    description="`false`: they are null, and the answer does not wait for the document to be judged",
)

OWNER = (
    "a user name; `me` for whoever asks; `none` for pipelines without an active owner: nobody is named, or "
    "who is named may no longer sign in, is no longer in the team, or is a service account"
)


def _query(*names: str) -> list[OpenApiParameter]:
    return [OpenApiParameter(name, OpenApiTypes.STR) for name in names]


class PipelinesView(ApiView):
    ordering = ("name", "id")

    @extend_schema(
        operation_id="pipelines_list",
        parameters=[
            *_query("q", "team", "tag", "state"),
            OpenApiParameter("owner", OpenApiTypes.STR, description=OWNER),
        ],
        responses=paged(shapes.Pipeline),
    )
    def get(self, request: Request) -> Response:
        """The pipelines a person sees, by name, each with its last runs."""
        rows = queries.pipelines(
            self.rights.only(Pipeline.objects.all()), request.query_params, reader=self.user
        )
        return self.page(rows, lambda found: shown.pipelines(self.rights, found))

    @extend_schema(
        operation_id="pipelines_create", request=shapes.CreatePipeline, responses={201: shapes.Pipeline}
    )
    def post(self, request: Request) -> Response:
        """A new pipeline with an empty or a given draft."""
        body = self.read(shapes.CreatePipeline)
        team = pick_team(self.rights, body.get("team"), "edit")
        pipeline = drafts.create(
            team,
            body["name"],
            actor=self.user,
            text=body["document"],
            layout=body.get("layout"),
            token=self.token,
        )
        return Response(_one(self, pipeline), status=201)


def _one(view: ApiView, pipeline: Pipeline) -> Body:
    row = queries.listed(Pipeline.objects.filter(pk=pipeline.pk)).get()
    return shown.pipelines(view.rights, [row])[0]


class PipelineView(ApiView):
    @extend_schema(operation_id="pipelines_read", responses=shapes.Pipeline)
    def get(self, request: Request, name: str) -> Response:
        """One pipeline, by `name` or `team:name`."""
        return Response(_one(self, self.find_pipeline(name)))

    @extend_schema(operation_id="pipelines_change", request=shapes.ChangePipeline, responses=shapes.Pipeline)
    def patch(self, request: Request, name: str) -> Response:
        """Change what is not of the text: owner, deputy, purpose, runbook, tags."""
        pipeline = self.find_pipeline(name, "edit")
        changes = self.read(shapes.ChangePipeline)
        for keeper in ownership.KEEPERS:
            if changes.get(keeper) is not None:
                changes[keeper] = ownership.member(pipeline.team, changes[keeper], keeper)
        ownership.describe(pipeline, changes, actor=self.user, token=self.token)
        return Response(_one(self, pipeline))

    @extend_schema(operation_id="pipelines_archive", responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Archive a pipeline: its versions and runs stay."""
        versions.archive(self.find_pipeline(name, "edit"), actor=self.user, token=self.token)
        return Response(status=204)


class DraftView(ApiView):
    @extend_schema(operation_id="draft_read", responses=shapes.Draft, parameters=[PROBLEMS])
    def get(self, request: Request, name: str) -> Response:
        """The one draft, with its problems as of now unless they are not wanted."""
        pipeline = self.find_pipeline(name)
        if not self.rights.can("view", pipeline.team):
            raise Forbidden("A draft is for its own team; you see the published versions of this pipeline.")
        if not yes_or_no(request, "problems", default=True):
            return self._answer(drafts.Saved(pipeline, None))
        result = checking.check(pipeline.draft_text, pipeline.team, pipeline)
        return self._answer(drafts.Saved(pipeline, result.problems))

    @extend_schema(
        operation_id="draft_save",
        request=shapes.SaveDraft,
        responses=shapes.Draft,
        parameters=[IF_MATCH],
    )
    def put(self, request: Request, name: str) -> Response:
        """Save a text, whatever its problems. 412 when If-Match names an older draft."""
        pipeline = self.find_pipeline(name, "edit")
        body = self.read(shapes.SaveDraft)
        saved = drafts.save_draft(
            pipeline,
            body["document"],
            body.get("layout"),
            actor=self.user,
            token=self.token,
            expected=_expected(request),
        )
        return self._answer(saved)

    def _answer(self, saved: drafts.Saved) -> Response:
        return Response(shown.draft(saved), headers={"ETag": etag(saved.revision)})


def _expected(request: Request) -> int | None:
    """The revision that If-Match names; None without one, -1 for an ETag that is none of ours."""
    wanted = request.headers.get("If-Match")
    if wanted is None or wanted.strip() == "*":
        return None
    number = wanted.strip().removeprefix("W/").strip('"')
    return int(number) if number.isascii() and number.isdigit() and len(number) < 19 else -1


class ValidateView(ApiView):
    expensive = frozenset({"POST"})

    @extend_schema(operation_id="validate", request=shapes.Validate, responses=shapes.Validation)
    def post(self, request: Request) -> Response:
        """Every problem of a document, judged as one of a team's; nothing is stored."""
        body = self.read(shapes.Validate)
        team, pipeline = self._home(body["document"], body.get("team"))
        result = checking.check(body["document"], team, pipeline)
        problems = [problem.to_json() for problem in result.problems]
        spec = result.spec or (result.graph.to_json() if result.graph else None)
        signatures = shown.signatures(result.graph)
        return Response({"problems": problems, "graph": shown.graph(spec), "signatures": signatures})

    def _home(self, text: str, slug: str | None) -> tuple[Team, Pipeline | None]:
        """The team named, or that of the one visible pipeline of the document's name, or the only one."""
        name = checking.name_in(text)
        known = None
        if name is not None:
            try:
                pipelines = Pipeline.objects.filter(archived_at=None).select_related("owner", "deputy")
                known = find_named(self.rights, pipelines, f"{slug}:{name}" if slug else name)
            except (NotFound, Conflict):
                known = None
        # Problems tell what a team has, so whoever is lent a pipeline gets none of its team's.
        if known is not None and self.rights.can("view", known.team):
            return known.team, known
        verb = "edit" if self.rights.teams("edit") else "view"
        return pick_team(self.rights, slug, "view" if slug else verb), None


class VersionsView(ApiView):
    ordering = ("-number",)

    @extend_schema(operation_id="versions_list", responses=paged(shapes.VersionItem))
    def get(self, request: Request, name: str) -> Response:
        """All versions, the newest first."""
        pipeline = self.find_pipeline(name)
        return self.page(queries.versions(pipeline), lambda rows: shown.versions(pipeline, rows))

    @extend_schema(
        operation_id="versions_publish",
        request=shapes.Publish,
        responses={201: shapes.PublishedVersion, 200: shapes.PublishedVersion},
        parameters=[IF_MATCH],
    )
    def post(self, request: Request, name: str) -> Response:
        """Publish the draft: 201, or 200 with the newest version when nothing changed, 422 with problems.

        412 when If-Match names an older draft: what is published is then not what was read.
        `code: "latest"` publishes the active version's text again, with the code that was synced last.
        """
        pipeline = self.find_pipeline(name, "publish")
        body = self.read(shapes.Publish)
        who: Body = {"actor": self.user, "token": self.token}
        what: Body = {"message": body["message"], "activate": body["activate"]}
        if body["code"] == "latest":
            published = versions.publish_new_code(pipeline, **what, **who)
        else:
            published = versions.publish(pipeline, **what, **who, expected=_expected(request))
        pipeline.refresh_from_db(fields=["active_version"])
        answer = shown.version(pipeline, published.version)
        problems = [problem.to_json() for problem in published.problems]
        return Response(
            {**answer, "created": published.created, "problems": problems},
            status=201 if published.created else 200,
        )


class VersionView(ApiView):
    @extend_schema(operation_id="versions_read", responses=shapes.Version)
    def get(self, request: Request, name: str, number: int) -> Response:
        """One version: its text and its graph."""
        pipeline = self.find_pipeline(name)
        return Response(shown.version(pipeline, version_of(pipeline, number)))


class DiffView(ApiView):
    @extend_schema(
        operation_id="versions_diff",
        parameters=[OpenApiParameter("against", OpenApiTypes.INT)],
        responses=shapes.GraphDiff,
    )
    def get(self, request: Request, name: str, number: int) -> Response:
        """What changed in this version since another one; since the one before when none is named."""
        pipeline = self.find_pipeline(name)
        new = versions.graph_of(version_of(pipeline, number))
        against = whole_number(request, "against", number - 1, least=1) if number > 1 else None
        if "against" in request.query_params:
            against = whole_number(request, "against", number, least=1)
        old = versions.graph_of(version_of(pipeline, against)) if against else Graph(name=new.name)
        return Response({"against": against, "number": number, **diff(old, new).to_json()})


class ActivateView(ApiView):
    @extend_schema(operation_id="versions_activate", request=shapes.Activate, responses=shapes.Pipeline)
    def post(self, request: Request, name: str) -> Response:
        """Make a version the one that plain runs use; an older one rolls back."""
        pipeline = self.find_pipeline(name, "publish")
        version = version_of(pipeline, self.read(shapes.Activate)["version"])
        versions.activate(version, actor=self.user, token=self.token)
        return Response(_one(self, pipeline))


def version_of(pipeline: Pipeline, number: int) -> PipelineVersion:
    """The version of a number; 404 when there is none."""
    row = pipeline.versions.filter(number=number).select_related("created_by", "pipeline__team").first()
    if row is None:
        raise not_found(PipelineVersion)
    return row
