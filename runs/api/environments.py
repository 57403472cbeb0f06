"""The environments of code locations: how far each is, what is in it, what was said while it was built."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Length, Substr
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.api.base import ApiView, not_found, paged, refuse, uuid_or_404, whole_number
from pipelines.api.shapes import Shape
from pipelines.models import CodeLocation, CodeSnapshot
from runs.environments import building
from runs.models import Environment

LOG_PART = 64 * 1024  # characters of one answer

Body = dict[str, Any]


# --- shapes ---------------------------------------------------------------------------------------------


class EnvironmentUse(Shape):
    id = serializers.UUIDField(help_text="Of the code location.")
    name = serializers.CharField()
    team = serializers.CharField()


class PreloadProblem(Shape):
    module = serializers.CharField()
    problem = serializers.CharField()


class EnvironmentShape(Shape):
    id = serializers.UUIDField()
    lock_sha256 = serializers.CharField(allow_blank=True)
    wanted = serializers.CharField(allow_blank=True, help_text="Versions of Python that will do, as PEP 440.")
    python = serializers.CharField(allow_blank=True, help_text="The version it was built on.")
    state = serializers.ChoiceField(["missing", "building", "ready", "failed"])
    progress = serializers.CharField(allow_blank=True)
    problem = serializers.CharField(allow_blank=True)
    problem_code = serializers.ChoiceField(["", "python-missing", "build-failed"])
    preload_problems = PreloadProblem(many=True)
    package_count = serializers.IntegerField()
    size = serializers.IntegerField(help_text="Bytes on the disk of one host, the largest of all.")
    build = serializers.IntegerField(help_text="How many times it was built.")
    started_at = serializers.DateTimeField(allow_null=True)
    built_at = serializers.DateTimeField(allow_null=True)
    used_at = serializers.DateTimeField(allow_null=True)
    used_by = EnvironmentUse(many=True)


class PackageShape(Shape):
    name = serializers.CharField()
    version = serializers.CharField()


class HostShape(Shape):
    host = serializers.CharField()
    path = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes on the disk.")


class EnvironmentDetail(EnvironmentShape):
    packages = PackageShape(many=True)
    hosts = HostShape(many=True)
    may_build = serializers.BooleanField(help_text="Whether you may have it built again.")


class BuildLogShape(Shape):
    build = serializers.IntegerField(help_text="Another build has another log: begin at 0 again.")
    offset = serializers.IntegerField()
    text = serializers.CharField(allow_blank=True)
    next = serializers.IntegerField(help_text="The offset to ask for next.")
    total = serializers.IntegerField(help_text="Characters so far.")
    complete = serializers.BooleanField(help_text="Nothing is being built.")


# --- views ----------------------------------------------------------------------------------------------


class EnvironmentsView(ApiView):
    """``GET /environments/``"""

    ordering = ("-id",)

    def visible(self) -> QuerySet[Environment]:
        """Those of code locations that one may see, without their logs."""
        snapshots = CodeSnapshot.objects.filter(
            lock_sha256=OuterRef("lock_sha256"), python=OuterRef("wanted"), location__in=self.locations()
        )
        return Environment.objects.filter(Exists(snapshots)).defer("log")

    def locations(self) -> QuerySet[CodeLocation]:
        rows = self.rights.only(CodeLocation.objects.filter(archived_at=None))
        team = self.request.query_params.get("team")
        return rows.filter(team__slug=team) if team else rows

    def find_environment(self, environment_id: str) -> Environment:
        found = self.visible().filter(uuid=uuid_or_404(environment_id, Environment)).first()
        if found is None:
            raise not_found(Environment)
        return found

    def shown(self, rows: Sequence[Environment]) -> list[Body]:
        """ENVIRONMENT of each row, with the code locations that use it now; one query."""
        uses: dict[tuple[str, str], list[Body]] = {}
        locks = {row.lock_sha256 for row in rows}
        found = self.locations().filter(last_snapshot__lock_sha256__in=locks).order_by("name", "id")
        for one in found.values(
            "uuid", "name", "team__slug", "last_snapshot__lock_sha256", "last_snapshot__python"
        ):
            key = one["last_snapshot__lock_sha256"], one["last_snapshot__python"]
            uses.setdefault(key, []).append(
                {"id": one["uuid"], "name": one["name"], "team": one["team__slug"]}
            )
        return [_shown(row, uses.get((row.lock_sha256, row.wanted), [])) for row in rows]

    @extend_schema(
        operation_id="environments_list",
        parameters=[OpenApiParameter("team", OpenApiTypes.STR)],
        responses=paged(EnvironmentShape),
    )
    def get(self, request: Request) -> Response:
        """The environments of the code locations you see, the newest first."""
        return self.page(self.visible(), self.shown)


class EnvironmentView(EnvironmentsView):
    """``GET /environments/{id}/``"""

    @extend_schema(operation_id="environments_read", responses=EnvironmentDetail)
    def get(self, request: Request, environment_id: str) -> Response:
        """One environment with its packages and the machines that have it."""
        return Response(self.detail(self.find_environment(environment_id)))

    def detail(self, row: Environment) -> Body:
        hosts = [
            {"host": host, "path": path, "size": row.sizes.get(host, 0)}
            for host, path in sorted(row.paths.items())
        ]
        return {
            **self.shown([row])[0],
            "packages": [{"name": name, "version": version} for name, version in row.packages],
            "hosts": hosts,
            "may_build": self.location_to_build(row) is not None,
        }

    def location_to_build(self, row: Environment) -> CodeSnapshot | None:
        """The newest snapshot whose code location this person may sync, as building runs its installers."""
        allowed = self.rights.only(CodeLocation.objects.filter(archived_at=None), "sync")
        snapshots = CodeSnapshot.objects.filter(
            lock_sha256=row.lock_sha256, python=row.wanted, location__in=allowed
        )
        return snapshots.select_related("location__team").defer("blocks").order_by("-id").first()


class EnvironmentLogView(EnvironmentsView):
    """``GET /environments/{id}/log/``"""

    @extend_schema(
        operation_id="environments_log",
        responses=BuildLogShape,
        parameters=[OpenApiParameter("offset", OpenApiTypes.INT, description="In characters, from 0.")],
    )
    def get(self, request: Request, environment_id: str) -> Response:
        """What was said while it was built, also while it is. Ask again from ``next`` until complete."""
        row = self.find_environment(environment_id)
        offset = whole_number(request, "offset", 0)
        found = Environment.objects.filter(pk=row.pk).annotate(
            part=Substr("log", offset + 1, LOG_PART), total=Length("log")
        )
        one = found.values("part", "total", "build", "state").get()
        text = one["part"] or ""
        following = min(offset, one["total"]) + len(text)
        return Response(
            {
                "build": one["build"],
                "offset": offset,
                "text": text,
                "next": following,
                "total": one["total"],
                "complete": one["state"] != "building" and following >= one["total"],
            }
        )


class BuildView(EnvironmentView):
    """``POST /environments/{id}/build/``"""

    http_method_names = ["post", "options"]

    @extend_schema(operation_id="environments_build", request=None, responses=EnvironmentDetail)
    def post(self, request: Request, environment_id: str) -> Response:
        """Build again what could not be built, now."""
        row = self.find_environment(environment_id)
        snapshot = self.location_to_build(row)
        if snapshot is None:
            refuse(self.rights, "sync")
        building.build_again(row, snapshot, actor=self.user, token=self.token)
        return Response(self.detail(self.find_environment(environment_id)))


def _shown(row: Environment, used_by: list[Body]) -> Body:
    problems = [{"module": module, "problem": text} for module, text in sorted(row.preload_problems.items())]
    return {
        "id": row.uuid,
        **{
            name: getattr(row, name)
            for name in ("lock_sha256", "wanted", "python", "state", "progress", "problem", "problem_code")
        },
        "preload_problems": problems,
        "package_count": len(row.packages),
        "size": max(row.sizes.values(), default=0),
        **{name: getattr(row, name) for name in ("build", "started_at", "built_at", "used_at")},
        "used_by": used_by,
    }
