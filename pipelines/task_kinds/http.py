"""http: a call of an address. Recognised, not carried out yet."""

from __future__ import annotations

from pipelines.task_kinds.base import VALUES, Kind


class Http(Kind):
    """Any keys are taken, as they are not settled; what it gives is not known."""

    name = "http"
    label = "an http task"
    title = "HTTP call"
    description = "Calls an address and keeps the answer."
    category = "Data"
    available = False
    open_keys = True
    takes_secrets = True
    keys = {"with": VALUES}
