"""notebook: a notebook with parameters. Recognised, not carried out yet."""

from __future__ import annotations

from pipelines.task_kinds.base import VALUES, Kind


class Notebook(Kind):
    """Any keys are taken, as they are not settled; what it gives is not known."""

    name = "notebook"
    label = "a notebook task"
    title = "Notebook"
    description = "Runs a notebook with parameters."
    category = "Code"
    available = False
    open_keys = True
    takes_secrets = True
    keys = {"with": VALUES}
