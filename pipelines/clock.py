"""The one clock of the product: the database's, through the SQL function ``engine_now()``."""

from __future__ import annotations

from django.db.models import DateTimeField, Func


class EngineNow(Func):
    """``engine_now()`` as an expression: UTC ``timestamptz``; a test can set it, a host clock cannot."""

    function = "engine_now"
    template = "%(function)s()"
    output_field = DateTimeField()
