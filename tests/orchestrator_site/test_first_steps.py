"""What an installation whose processes are started by hand begins with."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from pipelines.models import User
from runs.models import Queue


@pytest.mark.django_db
def test_first_steps_make_the_queues_and_one_admin_and_may_be_repeated(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("first_steps")
    assert "The first admin is `admin` with the password " in capsys.readouterr().out
    call_command("first_steps")
    assert capsys.readouterr().out == ""
    assert User.objects.filter(is_superuser=True).count() == 1
    assert set(Queue.objects.values_list("slug", flat=True)) == {"cpu", "gpu"}
