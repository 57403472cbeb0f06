"""container: a program in a container image. Recognised, not carried out yet."""

from __future__ import annotations

from pipelines.task_kinds.base import VALUES, Kind


class Container(Kind):
    """Any keys are taken, as they are not settled; what it gives is not known."""

    name = "container"
    label = "a container task"
    title = "Container"
    description = "Runs a container image."
    category = "Code"
    available = False
    open_keys = True
    takes_secrets = True
    keys = {"with": VALUES}
