"""What holds of every table of ours: nothing is deleted along, one clock, rights of the application."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models

OURS = ("pipelines", "runs", "lineage")
# Written once; the application has INSERT and SELECT, and a trigger refuses everybody else.
APPEND_ONLY = ("pipeline_version", "task", "edge", "code_snapshot", "audit_event", "run_event", "log_chunk")
# Where libraries keep rows without history.
MAY_DELETE = {
    "django_session",
    "account_emailaddress",
    "account_emailconfirmation",
    "auth_group_permissions",
    "pipelines_user_groups",
    "pipelines_user_user_permissions",
    # Second factors, links to providers and sessions; what becomes of them is in the audit log.
    "mfa_authenticator",
    "socialaccount_socialaccount",
    "socialaccount_socialtoken",
    "usersessions_usersession",
}


def our_models() -> list[type[models.Model]]:
    return [model for app in OURS for model in apps.get_app_config(app).get_models()]


def our_fields() -> Iterator[models.Field[Any, Any]]:
    for model in our_models():
        yield from model._meta.local_fields


def test_no_foreign_key_takes_rows_along() -> None:
    wrong = [
        str(field)
        for field in our_fields()
        if isinstance(field, models.ForeignKey)
        and field.remote_field.on_delete not in (models.PROTECT, models.SET_NULL, models.DO_NOTHING)
    ]
    assert wrong == []


def test_no_time_is_taken_from_the_clock_of_this_machine() -> None:
    wrong = [
        str(field)
        for field in our_fields()
        if isinstance(field, models.DateField)
        and (field.auto_now or field.auto_now_add or field.default is not models.NOT_PROVIDED)
    ]
    assert wrong == []


def test_what_an_address_names_has_a_unique_uuid() -> None:
    wrong = [
        str(field)
        for field in our_fields()
        if isinstance(field, models.UUIDField) and field.name == "uuid" and not field.unique
    ]
    assert wrong == []


def rights(kind: str) -> set[str]:
    """The tables on which the application role has a right."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace"
            " AND c.relkind IN ('r', 'p') AND has_table_privilege(current_user, c.oid, %s)",
            [kind],
        )
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.django_db
def test_the_application_truncates_nothing_and_deletes_only_where_nothing_has_a_history() -> None:
    assert rights("TRUNCATE") == set()
    assert rights("DELETE") <= MAY_DELETE
    assert "django_session" in rights("DELETE")


@pytest.mark.django_db
def test_the_application_reads_and_writes_every_table_of_ours() -> None:
    tables = {model._meta.db_table for model in our_models()}
    assert tables - rights("SELECT") == set()
    assert tables - rights("INSERT") == set()


@pytest.mark.django_db
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_append_only_tables_take_no_update_of_the_application_and_guard_themselves(table: str) -> None:
    assert table not in rights("UPDATE")
    assert table not in rights("DELETE")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bool_or(tgtype & 16 > 0), bool_or(tgtype & 8 > 0), bool_or(tgtype & 32 > 0)"
            " FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal AND tgenabled <> 'D'",
            [table],
        )
        assert cursor.fetchone() == (True, True, True), "a trigger on UPDATE, on DELETE and on TRUNCATE"
